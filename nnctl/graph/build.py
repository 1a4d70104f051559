"""From spec and data header to graph: every mistake that shapes can show is found here, at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nnctl.graph.carried import check_carried
from nnctl.graph.feeding import check_targets, ends, feeds, with_feeds
from nnctl.graph.graph import (
    INPUT,
    Graph,
    LengthsOf,
    Node,
    ParamUse,
    State,
    input_node_name,
    small_batch,
)
from nnctl.graph.heads import find_outputs, losses
from nnctl.graph.leaks import check_leaks
from nnctl.graph.lengths import with_lengths
from nnctl.graph.parameters import Claims, claim, inside
from nnctl.graph.report import Report
from nnctl.graph.starts import with_starts
from nnctl.graph.tokens import with_tokens
from nnctl.graph.usage import check_usage
from nnctl.graph.verify import verify
from nnctl.graph.wiring import Entry, wire
from nnctl.spec import measurable, together
from nnctl.spec.shapes import Shape, ShapeError, format_shape

if TYPE_CHECKING:
    from nnctl.spec import Spec
    from nnctl.spec.base import LayerModel
    from nnctl.spec.info import DataInfo

# What a layer model says to the graph and not to the op: it is spent when the node is made.
SPENT = {"type", "name", "from_", "share", "transposed", "activation", "init", "bias_init"}
SPENT |= {"recurrent_init", "forget_bias", "l1", "l2"}
# A part of a layer, such as its activation, stands where it stands and is called what it is.
WHOLE_LAYER = ("name", "from_", "share")


def build(spec: Spec, info: DataInfo) -> Graph:
    """Return the network that a loaded spec describes, for data of the given shapes.

    Raises SpecError with every problem found, each at its line.
    """
    report = Report(spec)
    given, fed = info, feeds(spec, info, report)
    info = with_feeds(info, fed)
    entries = with_tokens(wire(spec.layers, info.inputs), info, report)
    shapes = _shapes(entries, info.inputs, report)
    claims = claim(entries, shapes, spec.regularization, report)
    lasts = {entry.name: _end(entry) for entry in entries}
    made = (n for e in entries for n in _nodes(e, shapes, claims, lasts, report))
    nodes = with_lengths([*_inputs(info), *made], report)
    outputs = find_outputs(spec, entries, lasts)
    found = losses(spec, given, {node.name: node for node in nodes}, outputs, report)
    wanted, found = len(found), (*found, *ends(fed, outputs))
    states = _states(entries, shapes)
    inputs = dict(info.inputs)
    graph = Graph(
        tuple(nodes), claims.parameters, inputs, outputs, found, states, info.lengths, fed
    )
    if len(shapes) == len(entries) and wanted == len(spec.losses):
        check_usage(graph, report)
        check_leaks(graph, info.targets, report)
        check_targets(graph, report)
    check_carried(nodes, tuple(states.values()), spec, info, report)
    _check_batch(spec, nodes, report)
    for finding in (*measurable.check(spec, given), *together.after_header(spec, given)):
        report.add(finding.path, finding.message, finding.hint)
    report.raise_if_any()
    return verify(with_starts(graph))


def _check_batch(spec: Spec, nodes: list[Node], report: Report) -> None:
    """Report a batch size from which a layer could learn nothing."""
    batch = spec.training.batch_size
    for node in nodes:
        if isinstance(batch, int) and batch < node.least_batch:
            message, hint = small_batch(node, batch)
            report.add(("training", "batch_size"), message, hint)
            return


def _end(entry: Entry) -> str:
    """Return the name of the layer's last node, which is what others read."""
    return f"{entry.name}.activation" if _activation(entry.layer) is not None else entry.name


def _activation(layer: LayerModel) -> LayerModel | None:
    activation: LayerModel | None = getattr(layer, "activation", None)
    return activation


def _shapes(
    entries: list[Entry], inputs: Mapping[str, Shape], report: Report
) -> dict[str, tuple[Shape, ...]]:
    """Return the input shapes of every layer for which they are known.

    What follows a layer whose shape is unknown is left out: one mistake is told once.
    """
    output = {input_node_name(name): shape for name, shape in inputs.items()}
    found: dict[str, tuple[Shape, ...]] = {}
    for entry in entries:
        if any(name not in output for name in entry.inputs):
            continue
        given = tuple(output[name] for name in entry.inputs)
        try:
            output[entry.name] = entry.layer.output_shape(given)
        except ShapeError as error:
            report.add(entry.path, _located(error, entry, given), error.hint)
        else:
            found[entry.name] = given
    return found


def _located(error: ShapeError, entry: Entry, given: tuple[Shape, ...]) -> str:
    pairs = zip(given, entry.inputs, strict=True)
    sources = ", ".join(f'{format_shape(shape)} from "{name}"' for shape, name in pairs)
    return f'"{entry.name}": {error.message} ({sources})'


def _states(entries: list[Entry], shapes: Mapping[str, tuple[Shape, ...]]) -> dict[str, State]:
    """Return what the layers keep, by full name. Layers that share parameters keep their own."""
    found = {}
    for entry in entries:
        if entry.name in shapes:
            for short, state in entry.layer.states(shapes[entry.name]).items():
                name, whose = f"{entry.name}.{short}", entry.name
                pieces = tuple(f"{whose}.{piece}" for piece in state.pieces)
                made = State(name, state.shape, state.initial, whose, state.of_samples, pieces)
                found[name] = made
    return found


def _inputs(info: DataInfo) -> Iterator[Node]:
    for name, shape in info.inputs.items():
        path = ("data", "inputs", name) if name else ("data",)
        lengths = LengthsOf(name) if name in info.lengths else None
        yield Node(input_node_name(name), INPUT, (), shape, path=path, lengths=lengths)


def _nodes(
    entry: Entry,
    shapes: Mapping[str, tuple[Shape, ...]],
    claims: Claims,
    ends: Mapping[str, str],
    report: Report,
) -> Iterator[Node]:
    """Yield the layer's own node and, if it has one, that of its activation."""
    if entry.name not in shapes:
        return
    given = shapes[entry.name]
    shape = entry.layer.output_shape(given)
    sources = tuple(ends.get(name, name) for name in entry.inputs)
    uses = claims.uses.get(entry.name, {})
    parts = inside(entry.layer, given)
    for part, shapes_in in parts:
        name = f"{entry.name}.{part.name}".rstrip(".")
        reads = tuple(_read(entry, read, sources) for read in part.reads) or sources
        own = {
            k.rpartition(".")[2]: u for k, u in uses.items() if k.rpartition(".")[0] == part.name
        }
        yield _node(entry, part.layer, name, reads, shapes_in, own)
    if not parts:
        yield _node(entry, entry.layer, entry.name, sources, given, uses)
    activation = _activation(entry.layer)
    if activation is not None:
        for key in WHOLE_LAYER:
            if getattr(activation, key) is not None:
                where = (*entry.path, "activation", key.rstrip("_"))
                report.add(where, "has no effect on an activation", "make it a layer of its own")
        yield _node(entry, activation, ends[entry.name], (entry.name,), (shape,), {})


def _read(entry: Entry, read: str, sources: tuple[str, ...]) -> str:
    """Return the node that a part of a layer reads: another part, or one that the layer reads."""
    return sources[int(read[1:])] if read.startswith("@") else f"{entry.name}.{read}"


def _node(
    entry: Entry,
    model: LayerModel,
    name: str,
    sources: tuple[str, ...],
    given: tuple[Shape, ...],
    uses: Mapping[str, ParamUse],
) -> Node:
    return Node(
        name=name,
        op=model.type,
        inputs=sources,
        shape=model.output_shape(given),
        fields=_fields(model),
        params=uses,
        states={short: f"{name}.{short}" for short in model.states(given)},
        least_batch=model.least_batch(given),
        layer=entry.name,
        path=entry.path,
        elementwise=model.elementwise,
        linear=model.linear,
        shows=model.shows,
        epilogue=model.epilogue,
        keeps_largest=model.keeps_largest,
        takes_largest=model.takes_largest,
        tokens=model.tokens(),
        looks_up=model.looks_up,
        takes_table=model.takes_table,
        relu_family=model.relu_family,
        gradient=model.differentiable or getattr(model, "straight_through", False),
        stepwise=model.stepwise(given),
        passage=model.passage(given),
        own_lengths=model.own_lengths,
        flops=model.flops(given),
        reach=model.reach(given),
        reaches=model.reaches(given),
        steps=model.steps(given),
    )


def _fields(model: LayerModel) -> dict[str, Any]:
    return {key: getattr(model, key) for key in type(model).model_fields if key not in SPENT}
