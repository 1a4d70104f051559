"""That everything in a network does something: is read, trains, and lets gradients pass."""

from __future__ import annotations

from nnctl.graph.autodiff import reaches_loss, trainable
from nnctl.graph.graph import INPUT, Graph, Node
from nnctl.graph.report import Report


def check_usage(graph: Graph, report: Report) -> None:
    """Report what nobody uses, what no loss trains, and where no gradient passes."""
    used = {*graph.outputs, *(read for _, read in graph.edges())}
    trains, reached = trainable(graph), reaches_loss(graph)
    for node in graph.nodes:
        if node.name not in used:
            _report_unused(node, report)
        elif node.params and node.name not in reached:
            message = f'no loss trains the parameters of "{node.layer}"'
            hint = "add a [loss.OUTPUT] for the output that it leads to, or remove the layer"
            report.add(node.path, message, hint)
        elif not node.gradient and node.name in reached and not trains.isdisjoint(node.inputs):
            _report_no_gradient(node, report)


def _report_unused(node: Node, report: Report) -> None:
    if node.op == INPUT:
        message = f'no layer reads the input "{node.name}"'
        hint = f'read it: from = "{node.name}", or leave it out of the data'
    else:
        message = f'nothing uses the output of "{node.layer}"'
        hint = (
            f'read it in another layer: from = "{node.layer}"; or add it to outputs; or remove it'
        )
    report.add(node.path, message, hint)


def _report_no_gradient(node: Node, report: Report) -> None:
    where = (*node.path, "activation") if node.name != node.layer else node.path
    message = (
        f'{node.op} in "{node.layer}" passes no gradient: its derivative is 0 wherever it has one, '
        "so nothing before it would learn"
    )
    hint = (
        f'use a smooth activation such as "tanh", or ask for the straight-through estimator: '
        f'{{ type = "{node.op}", straight_through = true }} (Bengio et al. 2013)'
    )
    report.add(where, message, hint)
