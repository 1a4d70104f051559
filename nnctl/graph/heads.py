"""Outputs, and the loss on each: which target it compares with, and whether the two fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nnctl.graph.graph import LossNode, Node
from nnctl.graph.lengths import WHOLE
from nnctl.graph.report import Report
from nnctl.graph.wiring import Entry
from nnctl.spec.losses.base import of_a_step
from nnctl.spec.shapes import ShapeError
from nnctl.spec.suggest import hint

if TYPE_CHECKING:
    from nnctl.spec import Spec
    from nnctl.spec.info import DataInfo, TargetInfo
    from nnctl.spec.losses.base import LossModel

SPENT = {"type", "weight", "target"}  # what a loss says to the graph and not to the op


def find_outputs(spec: Spec, entries: Sequence[Entry], ends: Mapping[str, str]) -> tuple[str, ...]:
    """Return the nodes of the outputs: those asked for, or else the layers that nobody reads."""
    if spec.outputs is not None:
        learned = {f"{layer.name}.{layer.ends_by()}" for layer in spec.layers}
        inner = [entry.name for entry in entries if entry.name in learned]
        return tuple(ends[name] for name in dict.fromkeys([*spec.outputs, *inner]))
    read = {name for entry in entries for name in entry.inputs}
    return tuple(ends[entry.name] for entry in entries if entry.name not in read)


def losses(
    spec: Spec,
    info: DataInfo,
    nodes: Mapping[str, Node],
    outputs: Sequence[str],
    report: Report,
) -> tuple[LossNode, ...]:
    """Return the losses; one without a target, or whose output does not fit it, is reported.

    An output whose shape is not known, because of a mistake before it, is passed over.
    """
    by_layer = {nodes[name].layer: nodes[name] for name in outputs if name in nodes}
    found = []
    for key, model in spec.losses.items():
        path: tuple[str, ...] = ("loss", key) if key else ("loss",)
        node = by_layer.get(key) if key else next(iter(by_layer.values()), None)
        target = _target(model, key, info, path, report)
        if node is not None and target is not None:
            _check_link(model, node, report)
            _check_shape(model, node, nodes, info, target, path, report)
            found.append(LossNode(node.name, target, model.type, _fields(model), model.weight))
    return tuple(found)


def _fields(model: LossModel) -> dict[str, Any]:
    return {key: getattr(model, key) for key in type(model).model_fields if key not in SPENT}


def _target(
    model: LossModel, key: str, info: DataInfo, path: tuple[str, ...], report: Report
) -> str | None:
    """Return the target named, or that of the output's name, or the only one."""
    name = model.target or (key if key in info.targets else None)
    if name is None and len(info.targets) == 1:
        return next(iter(info.targets))
    if name is not None and name in info.targets:
        return name
    names = [name for name in info.targets if name]
    if name is None:
        report.add(
            path, "it does not say which target it compares with", hint("", names, "targets")
        )
    else:
        remedy = hint(name, names, "targets") or "remove target: the data have only one"
        report.add((*path, "target"), f'the data have no target "{name}"', remedy)
    return None


def _check_link(model: LossModel, node: Node, report: Report) -> None:
    """Report an activation that the loss would apply a second time, or not at all."""
    if node.fields.get("signals") and model.link == "identity":
        report.add(
            (*node.path, "signals"),
            f"{model.type} compares what it reads, and that would be without the activation",
            f'remove it from "{node.layer}": signals are for losses that apply one themselves',
        )
    if model.link in (node.op, node.shows):
        remedy = "set signals = true in" if node.shows else "remove it from"
        report.add(
            node.where,
            f"{model.type} applies {model.link} itself, so it must not stand before the loss",
            f'{remedy} "{node.layer}"; predictions are probabilities all the same',
        )


def _check_shape(
    model: LossModel,
    node: Node,
    nodes: Mapping[str, Node],
    info: DataInfo,
    target: str,
    path: tuple[str, ...],
    report: Report,
) -> None:
    known, place = _beside(node, info, target), _place(node, nodes, report)
    try:
        model.check(of_a_step(node.shape, known), known)
    except ShapeError as error:
        message = error.message.replace("{layer}", f'"{node.layer}"')
        units = "outputs" if "outputs" in node.fields else "units"
        hint = _of_sequences(node, nodes, known)
        hint = hint or error.hint.replace("{place}", place).replace("{units}", units)
        report.add(path, f'loss "{model.type}" {message}', hint)


def _of_sequences(node: Node, nodes: Mapping[str, Node], target: TargetInfo) -> str:
    """Say which layer should give one state where it gives all, or all where it gives one."""
    of_all = target.steps is not None
    if (len(node.shape) == 2) == of_all:
        return ""
    lengths = node.lengths is not None
    while node.inputs and (node.steps is None or node.steps.every == of_all):
        node = nodes[node.inputs[0]]
    if node.steps is not None:
        wanted = "sequence" if of_all else "last"
        why = "the target has one for each step" if of_all else "the target is one for all steps"
        inside = "" if node.name == node.layer else "the layer of "
        return f'set returns = "{wanted}" in {inside}"{node.layer}": {why}'
    return WHOLE if lengths and not of_all else ""


def _beside(node: Node, info: DataInfo, target: str) -> TargetInfo:
    """A target over steps, with those of the output where sequences have lengths of their own:
    what of it counts is held against these when the data are there."""
    known, lengths = info.targets[target], node.lengths
    if known.steps is None or lengths is None or lengths.input not in info.lengths:
        return known
    return replace(known, steps=node.shape[0])


def _place(node: Node, nodes: Mapping[str, Node], report: Report) -> str:
    """Say where the number of an output's units stands: in the nearest layer that has one."""
    while "units" not in node.fields:
        if len(node.inputs) != 1:
            return " in a dense layer at the end"
        node = nodes[node.inputs[0]]
    line = report.line((*node.path, "units"))
    return f' in "{node.layer}"' + (f" (line {line})" if line else "")
