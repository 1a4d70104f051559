"""Validate specs: every mistake that can be known before any work, at once.

Reads the spec, the headers of its data, infers every shape and looks for what is legal and yet
probably not meant (warnings). Trains nothing; takes well under a second, and longer where records
of a large file must fit the network by their lengths.

  nnctl check specs/digits_mlp.toml
  nnctl check specs/*.toml --json
  nnctl check my.toml --set layers.0.units=64

Ends with 0 if all is well (warnings are allowed), 2 for mistakes in a spec, 3 for data, 6 for the
file that [init] starts from.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnctl.cli._options import Json, Quiet, Set
from nnctl.cli.output import Output, problems
from nnctl.errors import ExitStatus, NnctlError, Problem

if TYPE_CHECKING:
    from nnctl.cli._network import Network


def command(
    specs: Annotated[list[Path], typer.Argument(help="Specs to check.", metavar="SPEC...")],
    set_: Set = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    from nnctl.cli._network import load_network
    from nnctl.graph.lint import lint
    from nnctl.run.batches import check_batches, training_samples

    out = Output(json=json, quiet=quiet)
    reports: list[dict[str, Any]] = []
    errors: list[Problem] = []
    status = int(ExitStatus.OK)
    for path in specs:
        try:
            network = load_network(path, set_ or ())
            samples = training_samples(network.spec, network.info)
            if samples is not None:
                check_batches(network.spec, network.graph, samples)
            if network.info.lengths:
                from nnctl.run.prepare import check_lengths

                check_lengths(network.spec, network.graph, network.info)
            if network.spec.init is not None:
                from nnctl.interop.weights import load

                load(network.spec, network.graph)
        except NnctlError as error:
            out.complain(error.problems)
            errors += error.problems
            status = status or int(error.status)
            reports.append({"file": str(path), "ok": False, "errors": problems(error.problems)})
            continue
        warnings = [*lint(network.spec, network.info, network.graph), *_too_large(network)]
        out.complain(warnings)
        out.text(f"{path}: ok: {_summary(network)}")
        facts = {**_facts(network), "warnings": problems(warnings)}
        reports.append({"file": str(path), "ok": True, "errors": [], **facts})
    out.document({"specs": reports, "errors": problems(errors), "exit_code": status})
    return status


def _too_large(network: Network) -> list[Problem]:
    """A warning only: the machine that is to train may be another one."""
    from nnctl.run.room import memory, too_large

    problem = too_large(network.spec, network.graph, memory())
    return [] if problem is None else [replace(problem, message=f"warning: {problem.message}")]


def _facts(network: Network) -> dict[str, Any]:
    return {
        "name": network.spec.name,
        "layers": len(network.spec.layers),
        "parameters": network.graph.parameter_count,
        "samples": network.info.samples,
    }


def _summary(network: Network) -> str:
    facts = _facts(network)
    counts = ((facts[key], key) for key in ("layers", "parameters", "samples"))
    return ", ".join(f"{count:,} {noun if count != 1 else noun[:-1]}" for count, noun in counts)
