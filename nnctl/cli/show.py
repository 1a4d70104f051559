"""Show the network of a spec or a checkpoint: layers, shapes, parameters, memory, FLOPs.

  nnctl show specs/digits_mlp.toml
  nnctl show specs/digits_mlp.toml --resolved         every default written out
  nnctl show specs/digits_mlp.toml --graph svg > a.svg
  nnctl show specs/rnn.toml --unroll 4 --graph svg > b.svg
  nnctl show runs/digits-001                          the network of a run's best checkpoint

Memory is estimated from the graph, for a batch; a FLOP is one addition or multiplication, for one
sample. --plan asks the engine instead, which takes longer to start.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from nnctl.cli._options import Json, Set
from nnctl.cli.output import Output
from nnctl.errors import UsageError

if TYPE_CHECKING:
    from nnctl.cli._network import Network


class Form(StrEnum):
    """How a graph is drawn."""

    DOT = "dot"
    SVG = "svg"


def command(
    target: Annotated[
        str | None,
        typer.Argument(
            help="A spec, a checkpoint or a run; default: the newest run.", metavar="SPEC"
        ),
    ] = None,
    set_: Set = None,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Print the spec with every default.")
    ] = False,
    graph: Annotated[
        Form | None, typer.Option("--graph", help="Draw the graph.", metavar="dot|svg")
    ] = None,
    unroll: Annotated[
        int | None,
        typer.Option("--unroll", help="Draw this many steps of recurrent layers.", metavar="N"),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show the engine's plan: calls, tasks, buffers.")
    ] = False,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="Batch size; default: the spec's.")
    ] = None,
    json: Json = False,
) -> None:
    from nnctl.cli._target import load_target

    if unroll is not None and graph is None:
        raise UsageError("--unroll says how a graph is drawn", "add --graph svg or --graph dot")
    asked = {"--resolved": resolved, "--graph": graph is not None, "--plan": plan}
    chosen = [option for option, given in asked.items() if given]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} show different things", "give one of them")
    out = Output(json=json)
    flags = [*(set_ or ()), *([f"training.batch_size={batch}"] if batch else ())]
    network = load_target(target, flags)
    if resolved:
        out.text(network.spec.resolved_toml().rstrip("\n"))
        out.document({"spec": network.spec.digest_dict()})
    elif graph is not None:
        from nnctl.graph import draw

        to_text = draw.to_dot if graph is Form.DOT else draw.to_svg
        drawn = to_text(network.graph, network.spec.name, unroll)
        out.text(drawn)
        out.document({"format": graph.value, "graph": drawn})
    elif plan:
        _show_plan(network, out)
    else:
        _show_table(network, out)


def _show_table(network: Network, out: Output) -> None:
    from nnctl.cli._show import as_document, as_text
    from nnctl.graph.describe import describe

    spec = network.spec
    itemsize = 8 if spec.training.dtype == "float64" else 4
    slots = len(spec.optimizer.slots)
    size = spec.training.batch_size
    batch = size if isinstance(size, int) else network.info.samples
    found = describe(network.graph, batch, itemsize=itemsize, slots=slots)
    out.text(as_text(network, found))
    out.document(as_document(network, found))


def _show_plan(network: Network, out: Output) -> None:
    from nnctl.cli import _plan

    found = _plan.compile_and_describe(network)
    out.text(_plan.as_text(network, found))
    out.document(_plan.as_document(network, found))
