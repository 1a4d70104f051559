"""Forecasts that read their answer: a network that, at a step, sees the step that it is to predict.

Only where every step of a window predicts what lies ``ahead`` of it is the answer among the
inputs: what follows the window as a whole is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nnctl.graph.graph import Graph
from nnctl.graph.receptive import receptive_spans
from nnctl.graph.report import Report

if TYPE_CHECKING:
    from nnctl.spec.info import TargetInfo


def check_leaks(graph: Graph, targets: Mapping[str, TargetInfo], report: Report) -> None:
    """Report the outputs that can read what they are compared with."""
    looking_ahead = {name: t for name, t in targets.items() if t.steps and t.ahead}
    losses = [loss for loss in graph.losses if loss.target in looking_ahead]
    spans = receptive_spans(graph) if losses else {}
    for loss in losses:
        target, axes = looking_ahead[loss.target], spans.get(loss.output)
        steps, ahead = target.steps or 0, target.ahead or 0
        if not axes or steps <= ahead or len(graph.node(loss.output).shape) < 2:
            continue  # an output of no steps does not fit the target, which is told of the loss
        ends = [end for _, end in axes[0]]
        if len(ends) != steps:
            ends = [max(ends)] * steps
        leak = next(
            (k for k, end in enumerate(ends) if end > k + ahead and k + ahead < steps), None
        )
        if leak is not None:
            node = graph.node(loss.output)
            answer = "the next step" if ahead == 1 else f"{ahead} steps ahead"
            message = (
                f'"{node.layer}" reads its own answer: step {leak} is to predict step '
                f"{leak + ahead}, and sees the input up to step {ends[leak] - 1}"
            )
            hint = (
                f"a network that is to predict {answer} must not look at both sides: use causal "
                "padding and\none direction, or predict after the last step alone (data.steps = "
                '"last")'
            )
            report.add(node.where, message, hint)
