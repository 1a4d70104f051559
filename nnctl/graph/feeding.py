"""Layers that read their own outputs of the steps before: what is fed to them, and from where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnctl.graph.graph import Fed, Graph, LossNode
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
        elif target is not None and target.kind == "class" and not _reads_tokens(layer):
            message = f'"{layer.name}" is fed classes, which are tokens, and takes them for amounts'
            report.add(
                ("layers", i),
                message,
                'put a layer of type = "embedding" first where it reads them',
            )
        elif name is not None and target is not None:
            share, after = layer.own_share()
            one = _fed(name, target, layer.name or "")
            ends = layer.ends_by()
            if ends is not None and one.tokens is not None:
                message = "is for numbers: classes have one that ends a sequence"
                report.add(("layers", i, "stop_head"), message, "remove it")
            ends = None if ends is None else f"{layer.name}.{ends}"
            closed = layer.closes_loop
            one = replace(one, own_share=share, own_after=after, ends=ends, closed=closed)
            found[fed_name(layer.name or "")] = one
    return found


def _reads_tokens(layer: LayerModel) -> bool:
    """Whether what a layer is fed goes to a member that knows tokens first, if to one alone."""
    first = [part.layer for part in layer.members() if part.reads[:1] == (PREVIOUS,)]
    return all(one.reads_tokens for one in first)


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


def ends(fed: Mapping[str, Fed], outputs: Sequence[str]) -> tuple[LossNode, ...]:
    """Return the losses of the layers that learn where sequences end."""
    fields = {"pos_weight": 1.0, "label_smoothing": 0.0}
    return tuple(
        LossNode(str(one.ends), one.ends_target, "binary_cross_entropy", fields)
        for one in fed.values()
        if one.ends in outputs
    )


def check_targets(graph: Graph, report: Report) -> None:
    """Report layers that are to be fed a target, and give no output that has one."""
    compared = {graph.node(loss.output).layer for loss in graph.losses}
    for one in graph.fed.values():
        if one.closed and one.output not in compared:
            node = next(node for node in graph.nodes if node.layer == one.output)
            message = f'"{one.output}" is to be fed its target, and is no output that has one'
            hint = "set teacher_forcing = false: it is fed its own outputs then"
            report.add(node.path, message, hint)


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
