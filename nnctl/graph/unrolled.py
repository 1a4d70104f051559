"""A network drawn through time: recurrent layers, and what works on every step alike, a box a step.

The weights of all steps are the same ones: the box of the first step taken names them, the others
are tied to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nnctl.errors import UsageError
from nnctl.graph.boxes import Box, box_of, losses
from nnctl.graph.graph import INPUT, Graph, Node
from nnctl.graph.outline import Layer, outline
from nnctl.spec.shapes import Steps, format_shape

MOST = 64  # steps of a drawing


def unrolled(graph: Graph, steps: int) -> tuple[Box, ...]:
    """Return the boxes of the first ``steps`` steps, as of a sequence that long. Raises UsageError.

    Inputs and layers that are no part of the sequence stay one box, which every step reads.
    """
    require_steps(graph, steps)
    found: list[Box] = []
    ends: dict[
        str, tuple[str, ...]
    ] = {}  # by layer: the boxes that others read, a step each or one
    in_steps = _in_steps(graph)
    for layer in outline(graph):
        given = [ends[name] for name in layer.inputs]
        if layer.steps is not None:
            made, ends[layer.name] = _recurrent(layer, graph, given, steps)
        elif layer.name in in_steps:
            made = list(_alike(layer, given, steps))
            ends[layer.name] = tuple(box.name for box in made)
        else:
            whole = box_of(layer)
            made = [Box(whole.name, whole.title, whole.detail, whole.kind, _all(given))]
            ends[layer.name] = (whole.name,)
        found += made
    by_node = {node.name: ends[layer.name] for layer in outline(graph) for node in layer.nodes}
    found += losses(graph, by_node)
    read = {name for box in found for name in box.inputs}  # of what is taught not the first step
    return tuple(box for box in found if box.kind != "input" or box.name in read)


def require_steps(graph: Graph, steps: int) -> None:
    """Raise UsageError where no layer is recurrent, or one has fewer steps than that."""
    counts = {node.layer: node.steps.count for node in graph.nodes if node.steps is not None}
    if not counts:
        raise UsageError(
            "no layer of this network is recurrent: there is nothing to unroll",
            "--unroll draws the steps of recurrent layers such as rnn, lstm and gru",
        )
    shortest = min(counts, key=lambda name: counts[name])
    most = min(counts[shortest], MOST)
    if not 1 <= steps <= most:
        reason = f'"{shortest}" has {counts[shortest]}'
        if counts[shortest] > MOST:
            reason += f", a drawing at most {MOST}"
        raise UsageError(
            f"--unroll expects 1 to {most} steps, given {steps} ({reason})",
            f"take --unroll {min(most, 4)}, for example",
        )


def _in_steps(graph: Graph) -> set[str]:
    """Return the inputs and layers of which every step is computed by itself, and that feed a
    recurrent layer or read one."""
    nodes, apart = graph.by_name(), dict[str, bool]()
    for node in graph.nodes:
        if node.op == INPUT or node.steps is not None:
            apart[node.name] = len(node.shape) == 2
        else:
            apart[node.name] = _keeps_steps(node, nodes) and all(apart[n] for n in node.inputs)
    near = {node.name for node in graph.nodes if node.steps is not None}
    for node in graph.nodes:
        if apart[node.name] and near.intersection(node.inputs):
            near.add(node.name)
    for node in reversed(graph.nodes):
        if node.name in near and (node.steps is not None or apart[node.name]):
            near.update(name for name in node.inputs if apart[name])
    found = {name for name in near if apart[name]}
    return {layer.name for layer in outline(graph) if {n.name for n in layer.nodes} <= found}


def _keeps_steps(node: Node, nodes: Mapping[str, Node]) -> bool:
    """Whether each step of the output is a function of the same step of the inputs."""
    shapes = [nodes[name].shape for name in node.inputs]
    along = all(
        len(shape) == 2 == len(node.shape) and shape[0] == node.shape[0] for shape in shapes
    )
    return along and node.reach == ()


def _at(ends: tuple[str, ...], k: int) -> str:
    """Return the box that step ``k`` reads of a layer."""
    return ends[k] if len(ends) > 1 else ends[0]


def _all(given: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(name for names in given for name in names)


def _recurrent(
    layer: Layer, graph: Graph, given: list[tuple[str, ...]], count: int
) -> tuple[list[Box], tuple[str, ...]]:
    """Return the boxes of a recurrent layer, and those that others read, a step each or one. Of a
    layer with two directions each is a chain of its own, and what joins them a box a step."""
    made: list[Box] = []
    ends: dict[str, tuple[str, ...]] = {}
    for node in layer.nodes:
        if node.steps is not None:
            boxes = list(_states(node, graph, node.steps, given, count))
            last = [box.name for box in boxes[1:]]
            ends[node.name] = tuple(reversed(last) if node.steps.backward else last)
            if not node.steps.every:
                ends[node.name] = (last[-1],)
        else:
            boxes = list(_joined(node, [ends[name] for name in node.inputs]))
            ends[node.name] = tuple(box.name for box in boxes)
        made += boxes
    return made, ends[layer.nodes[-1].name]


def _joined(node: Node, given: list[tuple[str, ...]]) -> Iterator[Box]:
    shape, steps = format_shape(node.shape[-1:]), len(given[0])
    for k in range(1, steps + 1):
        name = f"{node.name}[{k}]" if len(node.shape) == 2 else node.name
        inputs = tuple(_at(names, k - 1) for names in given)
        title = f"{node.name} {k}" if len(node.shape) == 2 else node.name
        yield Box(name, title, f"{node.op}, {shape}", "layer", inputs)


def _states(
    node: Node, graph: Graph, moves: Steps, given: list[tuple[str, ...]], count: int
) -> Iterator[Box]:
    """Yield the state at the start, then those of the steps in the order that they are taken in.

    A layer that is taught what it hands on reads that at all steps but the first.
    """
    name, hands, taught = node.name, moves.states, len(node.inputs) > 1 and not moves.starts
    places = range(count, 0, -1) if moves.backward else range(1, count + 1)
    start = count + 1 if moves.backward else 0
    before = f"{name}[{start}]"
    box = Box(before, _called(name, hands, start), "zeros", "input", ())
    yield _start(node, graph, moves, given, box)
    uses = [use.parameter for key, use in node.params.items() if key not in moves.learned]
    own = all(graph.parameters[use].node == node.name for use in uses)
    for k in places:
        is_first = k == places[0] and own
        told = f"weights {', '.join(uses)}" if is_first else f"tied to {', '.join(uses)}"
        detail = f"{node.op}, {format_shape(node.shape[-1:])}, {told}"
        inputs = (_at(given[0], k - 1), before)
        if taught and k != places[0]:
            inputs = (inputs[0], _at(given[1], k - 1))
        box = Box(f"{name}[{k}]", _called(name, hands, k), detail, "layer", inputs)
        before = box.name
        yield box


def _start(node: Node, graph: Graph, moves: Steps, given: list[tuple[str, ...]], box: Box) -> Box:
    """The box of the state before the first step, with where that comes from."""
    if len(node.inputs) > 1 and moves.starts:
        detail = f"from {graph.node(node.inputs[1]).layer}"
        return replace(box, detail=detail, kind="layer", inputs=given[1])
    if moves.learned:
        own = ", ".join(node.params[key].parameter for key in moves.learned)
        return replace(box, detail=f"weights {own}", kind="layer")
    if node.states:
        return replace(box, detail="what the window before ended with")
    return box


def _called(name: str, states: tuple[str, ...], k: int) -> str:
    return f"{name} " + ", ".join(f"{state}{k}" for state in states)


def _alike(layer: Layer, given: list[tuple[str, ...]], count: int) -> Iterator[Box]:
    """Yield the boxes of a layer that does the same at every step."""
    whole, shape = box_of(layer), format_shape(layer.shape[1:])
    uses = (*layer.own, *layer.tied)
    for k in range(1, count + 1):
        detail = shape if whole.kind == "input" else f"{layer.type}, {shape}"
        if uses:
            is_first = k == 1 and not layer.tied
            detail += f", {'weights' if is_first else 'tied to'} {', '.join(uses)}"
        inputs = tuple(_at(names, k - 1) for names in given)
        yield Box(f"{layer.name}[{k}]", f"{layer.name} {k}", detail, whole.kind, inputs)
