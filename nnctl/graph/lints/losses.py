"""Advice on the losses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnctl.graph.graph import LossNode
from nnctl.graph.lint import Advice, View

if TYPE_CHECKING:
    from nnctl.spec.losses.base import LossModel


def squashed_signals(view: View) -> Iterator[Advice]:
    """A loss that makes probabilities itself wants signals of either sign and any size."""
    for loss, model, _ in _losses(view):
        node = view.graph.node(loss.output)
        applied = node.shows or (node.op if node.elementwise and not node.linear else "")
        if model.link != "identity" and applied:
            remedy = "set signals = true in" if node.shows else "remove the activation of"
            yield Advice(
                node.where,
                f"{applied} stands before {model.type}, which applies {model.link} itself "
                "and wants signals of either sign",
                f'{remedy} "{node.layer}"',
            )


def numbers_for_classes(view: View) -> Iterator[Advice]:
    """A distance between numbers is a poor loss for class labels."""
    for loss, model, path in _losses(view):
        if view.info.targets[loss.target].kind == "class" and not model.for_classes:
            yield Advice(
                path,
                f"{model.type} compares numbers, and the target is classes: it learns slowly",
                'use "cross_entropy", or "binary_cross_entropy" for two classes and one output',
            )


def _losses(view: View) -> Iterator[tuple[LossNode, LossModel, tuple[str, ...]]]:
    written = (loss for loss in view.graph.losses if loss.target in view.info.targets)
    for loss in written:  # others are a layer's own
        key = "" if "" in view.spec.losses else view.graph.node(loss.output).layer
        yield loss, view.spec.losses[key], ("loss", key) if key else ("loss",)
