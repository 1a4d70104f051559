"""Layers that read their own outputs of the steps before: what is fed to them, and from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from nnctl.graph.graph import Fed
from nnctl.graph.report import Report
from nnctl.graph.wiring import fed_name
from nnctl.spec.base import PREVIOUS
from nnctl.spec.info import START, STOP, DataInfo
from nnctl.spec.shapes import Shape

if TYPE_CHECKING:
    from nnctl.spec import Spec
    from nnctl.spec.base import LayerModel
    from nnctl.spec.info import TargetInfo


def feeds(spec: Spec, info: DataInfo, report: Report) -> dict[str, Fed]:
    """Return, by the name of the input, what is fed to each layer that reads its own outputs.

    One whose target is no sequence is reported.
    """
    found = {}
    for i, layer in enumerate(spec.layers):
        if not any(PREVIOUS in part.reads for part in layer.members()):
            continue
        name = _target(spec, info, layer)
        target = info.targets.get(name) if name is not None else None
        if target is not None and target.steps is None:
            message = f'"{layer.name}" gives a sequence, and the target is one a sample'
            hint = 'end with a recurrent layer with returns = "last" and a dense one in its place'
            report.add(("layers", i), message, hint)
        elif name is not None and target is not None:
            found[fed_name(layer.name or "")] = _fed(name, target, layer.name or "")
    return found


def _target(spec: Spec, info: DataInfo, layer: LayerModel) -> str | None:
    """The target of the loss on a layer; None where the losses do not say."""
    loss = spec.losses.get(layer.name or "") or spec.losses.get("")
    if loss is not None and loss.target is not None:
        return loss.target
    if layer.name in info.targets:
        return layer.name
    return next(iter(info.targets)) if len(info.targets) == 1 else None


def _fed(name: str, target: TargetInfo, output: str) -> Fed:
    steps, classes = target.steps or 1, target.classes or ()
    if target.kind != "class":
        return Fed(name, output, (steps, target.width), target.width)
    start = classes.index(START) if START in classes else target.width
    stop = classes.index(STOP) if STOP in classes else None
    return Fed(name, output, (steps,), target.width, max(target.width, start + 1), start, stop)


def with_feeds(info: DataInfo, fed: Mapping[str, Fed]) -> DataInfo:
    """Return the header as the network sees it: with what is fed to it among the inputs."""
    shapes: dict[str, Shape] = {name: one.shape for name, one in fed.items()}
    tokens = {name: one.tokens for name, one in fed.items() if one.tokens is not None}
    return replace(
        info,
        inputs={**info.inputs, **shapes},
        vocabularies={**info.vocabularies, **tokens},
        lengths=(*info.lengths, *fed),
    )
