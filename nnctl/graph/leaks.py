"""Networks that read their answer: at a step they see the step that they are to give.

A forecast's answer is among the inputs where every step of a window predicts what lies ``ahead`` of
it: what follows the window as a whole is not. What is fed to a layer at a step is its answer of the
step before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from nnctl.graph.graph import Graph, LossNode, Node, input_node_name
from nnctl.graph.receptive import Seen, dependence
from nnctl.graph.report import Report

if TYPE_CHECKING:
    from nnctl.spec.info import TargetInfo


class _Answer(NamedTuple):
    """That the target of step k is what stands in an input ``ahead`` of it."""

    input: str
    ahead: int
    steps: int


class _Leak(NamedTuple):
    """A step that sees its answer, and the last step of the input that it sees."""

    step: int
    last: int


def check_leaks(graph: Graph, targets: Mapping[str, TargetInfo], report: Report) -> None:
    """Report the outputs that can read what they are compared with."""
    answers = [(loss, one) for loss in graph.losses for one in _answers(graph, targets, loss)]
    seen = dependence(graph) if answers else {}
    for loss, answer in answers:
        node = graph.node(loss.output)
        leak = _leak(seen[node.name], answer, graph)
        if leak is None or len(node.shape) < 2 or node.shape[0] != answer.steps:
            continue  # an output of other steps does not fit the target, which is told of the loss
        if answer.input in graph.fed:
            _report_fed(graph, node, answer, seen, report)
        else:
            _report_forecast(graph, node, answer, leak, report)


def _answers(graph: Graph, targets: Mapping[str, TargetInfo], loss: LossNode) -> Iterator[_Answer]:
    target = targets.get(loss.target)
    if target is not None and target.steps and target.ahead:
        given = [name for name in graph.inputs if name not in graph.fed]
        for name in given if target.held_by is None else target.held_by:
            yield _Answer(name, target.ahead, target.steps)
    for name, fed in graph.fed.items():
        # one that is closed is itself the output, and what a step of it is fed stays in that step
        if not fed.closed and loss.target in (fed.target, fed.ends_target):
            yield _Answer(name, 1, fed.steps)


def _leak(seen: Seen, answer: _Answer, graph: Graph) -> _Leak | None:
    """The first step that sees its answer."""
    source, count = input_node_name(answer.input), graph.inputs[answer.input][0]
    found = []
    for (name, places), axes in seen.items():
        if name != source:
            continue
        steps = axes[0] if axes and places[0] == count else ((0, count),)  # else in other axes
        ends = [end for _, end in steps]
        if len(ends) != answer.steps:
            ends = [max(ends)] * answer.steps
        answered = range(answer.steps - answer.ahead)
        found += [_Leak(k, ends[k] - 1) for k in answered if ends[k] > k + answer.ahead]
    return min(found, default=None)


def _report_forecast(
    graph: Graph, node: Node, answer: _Answer, leak: _Leak, report: Report
) -> None:
    what = f'"{input_node_name(answer.input)}"' if answer.input else "the input"
    ahead = "the next step" if answer.ahead == 1 else f"{answer.ahead} steps ahead"
    message = (
        f'"{node.layer}" reads its own answer: step {leak.step} is to predict step '
        f"{leak.step + answer.ahead}, and sees {what} up to step {leak.last}"
    )
    hint = (
        f"a network that is to predict {ahead} must not look at both sides: use causal "
        'padding and\none direction, or predict after the last step alone (data.steps = "last")'
    )
    fed = {input_node_name(name) for name, one in graph.fed.items() if not one.closed}
    if not fed.isdisjoint(graph.ancestors([node.name])):
        hint = (
            "an encoder reads the whole window: let it predict what lies behind that, with "
            f"data.horizon = {answer.steps},\nor take the layers of the decoder alone"
        )
    report.add(node.where, message, hint)


def _report_fed(
    graph: Graph, output: Node, answer: _Answer, seen: Mapping[str, Seen], report: Report
) -> None:
    """Report the layers on the way to an output that are the first to look ahead."""
    leaks = {name: _leak(found, answer, graph) for name, found in seen.items()}
    on_the_way = graph.ancestors([output.name])
    for node in graph.nodes:
        leak = leaks.get(node.name)
        if leak is None or node.name not in on_the_way or any(map(leaks.get, node.inputs)):
            continue
        message = (
            f'"{node.layer}" reads its own answer: what is to be said at step {leak.step} is fed '
            f"at step {leak.step + 1}, and step {leak.step} sees what is fed up to step {leak.last}"
        )
        hint = (
            "a decoder goes forward: it cannot read what it has not said yet; use padding = "
            '"causal", one\ndirection, and no layer that reads all steps at once'
        )
        report.add(node.where, message, hint)
