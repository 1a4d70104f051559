"""That every weight is trained by a loss, and that gradients reach it."""

from __future__ import annotations

from nnctl.graph.autodiff import reaches_loss, trainable
from nnctl.graph.graph import Graph, Node
from nnctl.graph.report import Report


def check_usage(graph: Graph, report: Report) -> None:
    """Report parameters that no loss trains, and nodes that stop the gradient on its way."""
    trains, reached = trainable(graph), reaches_loss(graph)
    for node in graph.nodes:
        if node.params and node.name not in reached:
            message = f'no loss trains the parameters of "{node.layer}"'
            hint = "add a [loss.OUTPUT] for the output that it leads to, or remove the layer"
            report.add(node.path, message, hint)
        elif not node.gradient and node.name in reached and not trains.isdisjoint(node.inputs):
            _report_no_gradient(node, report)


def _report_no_gradient(node: Node, report: Report) -> None:
    message = (
        f'{node.op} in "{node.layer}" passes no gradient: its derivative is 0 wherever it has one, '
        "so nothing before it would learn"
    )
    hint = (
        f'use a smooth activation such as "tanh", or ask for the straight-through estimator: '
        f'{{ type = "{node.op}", straight_through = true }} (Bengio et al. 2013)'
    )
    report.add(node.where, message, hint)
