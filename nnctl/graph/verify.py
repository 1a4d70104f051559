"""What a legal graph is. A graph that is not is a bug of ours: users' mistakes end in ``build``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from nnctl.graph.graph import INPUT, SPLIT, Graph, Node, ParamUse, input_node_name


class IllegalGraph(Exception):
    """A graph breaks its own rules; the message lists every breach."""


def verify(graph: Graph, *, splits: bool = False) -> Graph:
    """Return the graph if it is legal; raise IllegalGraph otherwise.

    With ``splits`` (after ``insert_splits``) every output must be read at most once.
    """
    breaches = [breach for rule in RULES for breach in rule(graph)]
    if splits:
        breaches += _read_once(graph)
    if breaches:
        raise IllegalGraph("illegal graph: " + "; ".join(breaches))
    return graph


def _names(graph: Graph) -> Iterator[str]:
    for name, count in Counter(node.name for node in graph.nodes).items():
        if count > 1:
            yield f"{count} nodes are named {name!r}"


def _order(graph: Graph) -> Iterator[str]:
    known: set[str] = set()
    for node in graph.nodes:
        for name in node.inputs:
            if name not in known:
                yield f"{node.name!r} reads {name!r}, which is not before it"
        known.add(node.name)


def _inputs(graph: Graph) -> Iterator[str]:
    expected = {input_node_name(name): shape for name, shape in graph.inputs.items()}
    found = {node.name: node.shape for node in graph.nodes if node.op == INPUT}
    if expected != found:
        yield f"input nodes {found} do not match the inputs {expected}"
    for node in graph.nodes:
        if (node.op == INPUT) == bool(node.inputs):
            yield f"{node.name!r} ({node.op}) reads {len(node.inputs)} nodes"


def _shapes(graph: Graph) -> Iterator[str]:
    shapes = {node.name: node.shape for node in graph.nodes}
    for node in graph.nodes:
        if any(not isinstance(n, int) or n < 1 for n in node.shape):
            yield f"{node.name!r} has the shape {node.shape}"
        keeps = node.op == SPLIT or node.elementwise
        if keeps and any(shapes.get(name) != node.shape for name in node.inputs):
            yield f"{node.name!r} ({node.op}) changes its shape"


def _parameters(graph: Graph) -> Iterator[str]:
    by_name = graph.by_name()
    used: set[str] = set()
    for node in graph.nodes:
        for role, use in node.params.items():
            used.add(use.parameter)
            yield from _use(graph, node, role, use)
    for name, parameter in graph.parameters.items():
        if name != parameter.name:
            yield f"parameter {parameter.name!r} is listed as {name!r}"
        if name not in used:
            yield f"nothing uses the parameter {name!r}"
        owner = by_name.get(parameter.node)
        if owner is None or ParamUse(name) not in owner.params.values():
            yield f"{parameter.node!r} does not own the parameter {name!r}"


def _use(graph: Graph, node: Node, role: str, use: ParamUse) -> Iterator[str]:
    parameter = graph.parameters.get(use.parameter)
    if parameter is None:
        yield f"{node.name!r} uses {use.parameter!r} for {role}, which does not exist"
    elif use.transposed and len(parameter.shape) != 2:
        yield f"{node.name!r} transposes {use.parameter!r}, which is no matrix"


def _states(graph: Graph) -> Iterator[str]:
    by_name = graph.by_name()
    for name, state in graph.states.items():
        if name != state.name:
            yield f"state {state.name!r} is listed as {name!r}"
        owner = by_name.get(state.node)
        if owner is None or name not in owner.states.values():
            yield f"{state.node!r} does not keep the state {name!r}"
    for node in graph.nodes:
        for role, name in node.states.items():
            if name not in graph.states or graph.states[name].node != node.name:
                yield f"{node.name!r} keeps {name!r} as {role}, which is no state of its own"


def _ends(graph: Graph) -> Iterator[str]:
    by_name = graph.by_name()
    for name in graph.outputs:
        if name not in by_name:
            yield f"the output {name!r} does not exist"
    outputs = {name.removesuffix(f".{SPLIT}") for name in graph.outputs}
    for loss in graph.losses:
        if loss.output not in by_name:
            yield f"the loss {loss.type!r} reads {loss.output!r}, which does not exist"
        elif loss.output.removesuffix(f".{SPLIT}") not in outputs:
            yield f"the loss {loss.type!r} reads {loss.output!r}, which is no output"
    if len({loss.output for loss in graph.losses}) < len(graph.losses):
        yield "two losses read one output"


def _alive(graph: Graph) -> Iterator[str]:
    used = {*graph.outputs, *(loss.output for loss in graph.losses)}
    used.update(read for _, read in graph.edges())
    for node in graph.nodes:
        if node.name not in used:
            yield f"nothing uses {node.name!r}"


def _fusion(graph: Graph) -> Iterator[str]:
    by_name = graph.by_name()
    readers = graph.readers()
    outside = {*graph.outputs, *(loss.output for loss in graph.losses)}
    for node in graph.nodes:
        if node.fused_with is None:
            continue
        host = by_name.get(node.fused_with)
        if host is None or node.inputs != (host.name,) or not host.epilogue:
            yield f"{node.name!r} cannot be fused with {node.fused_with!r}"
        elif len(readers[host.name]) > 1 or host.name in outside:
            yield f"{node.name!r} is fused with {host.name!r}, which others read"
        if not node.elementwise:
            yield f"{node.name!r} is fused and not elementwise"


def _read_once(graph: Graph) -> Iterator[str]:
    readers = graph.readers()
    losses = {loss.output for loss in graph.losses}
    for node in graph.nodes:
        count = len(readers[node.name]) + (node.name in losses)
        if count > 1 and node.op not in (INPUT, SPLIT):
            yield f"{node.name!r} is read {count} times without a split"
        if node.op == SPLIT and count < 2:
            yield f"{node.name!r} splits for {count} readers"


RULES: tuple[Callable[[Graph], Iterator[str]], ...] = (
    _names,
    _order,
    _inputs,
    _shapes,
    _parameters,
    _states,
    _ends,
    _alive,
    _fusion,
)
