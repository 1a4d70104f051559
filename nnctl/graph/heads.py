"""Outputs, and the loss on each: which target it compares with, and whether the two fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnctl.graph.graph import LossNode, Node
from nnctl.graph.report import Report
from nnctl.graph.wiring import Entry
from nnctl.spec.shapes import ShapeError
from nnctl.spec.suggest import hint

if TYPE_CHECKING:
    from nnctl.spec import Spec
    from nnctl.spec.info import DataInfo
    from nnctl.spec.losses.base import LossModel

SPENT = {"type", "weight", "target"}  # what a loss says to the graph and not to the op


def find_outputs(
    spec: Spec, entries: Sequence[Entry], ends: Mapping[str, str], report: Report
) -> tuple[str, ...]:
    """Return the nodes of the outputs: those asked for, or else the layers that nobody reads."""
    read = {name for entry in entries for name in entry.inputs or ()}
    if spec.outputs is None and (
        len(entries) < len(spec.layers) or None in [e.inputs for e in entries]
    ):
        return ()  # who reads whom is not known, and said: nothing can be said of the outputs
    if spec.outputs is None:
        return tuple(ends[entry.name] for entry in entries if entry.name not in read)
    found = []
    for i, name in enumerate(spec.outputs):
        if name in ends:
            found.append(ends[name])
        else:
            report.add(("outputs", i), f'there is no layer "{name}"', hint(name, ends, "layers"))
    return tuple(dict.fromkeys(found))


def losses(
    spec: Spec,
    info: DataInfo,
    nodes: Mapping[str, Node],
    outputs: Sequence[str],
    report: Report,
) -> tuple[LossNode, ...]:
    """Return the losses; reported are those without an output or target, or that do not fit it."""
    if not outputs:
        return ()
    layers = {nodes[name].layer: name for name in outputs if name in nodes}
    if not spec.losses:
        report.add(("loss",), "no loss is given", 'add a table: [loss] with type = "..."')
    found = []
    for key, model in spec.losses.items():
        path: tuple[str | int, ...] = ("loss", key) if key else ("loss",)
        layer = _output(key, layers, len(outputs), path, report)
        target = _target(model, layer, info, path, report)
        if layer is None or target is None:
            continue
        node = nodes[layers[layer]]
        _check_fit(model, nodes, node, target, info, path, report)
        found.append(LossNode(node.name, target, model.type, _fields(model), model.weight))
    if spec.outputs is None:
        _report_untrained(spec, layers, report)
    return tuple(found)


def _fields(model: LossModel) -> dict[str, Any]:
    return {key: getattr(model, key) for key in type(model).model_fields if key not in SPENT}


def _output(
    key: str,
    layers: Mapping[str, str],
    count: int,
    path: tuple[str | int, ...],
    report: Report,
) -> str | None:
    if key:
        if key not in layers and len(layers) == count:
            report.add(path, f'there is no output "{key}"', hint(key, layers, "outputs"))
        return key if key in layers else None
    if len(layers) > 1:
        names = ", ".join(f'"{name}"' for name in layers)
        remedy = "\n".join(f"[loss.{name}]" for name in layers)
        message = f"[loss] does not say which of the {len(layers)} outputs it is for: {names}"
        report.add(
            path, message, f"write a table for each:\n{remedy}\nor read the others in a layer"
        )
    return next(iter(layers)) if len(layers) == 1 and count == 1 else None


def _target(
    model: LossModel,
    layer: str | None,
    info: DataInfo,
    path: tuple[str | int, ...],
    report: Report,
) -> str | None:
    targets = info.targets
    if model.target is not None:
        if model.target in targets:
            return model.target
        remedy = hint(model.target, [name for name in targets if name], "targets")
        message = f'the data have no target "{model.target}"'
        report.add((*path, "target"), message, remedy or "remove it: there is one target only")
        return None
    if len(targets) == 1:
        return next(iter(targets))
    if layer in targets:
        return layer
    if layer is not None:
        names = ", ".join(f'"{name}"' for name in targets) or "none"
        message = f'the loss of "{layer}" does not say which target it compares with'
        report.add(path, message, f"set target to one of {names}" if targets else "set data.target")
    return None


def _check_fit(
    model: LossModel,
    nodes: Mapping[str, Node],
    node: Node,
    target: str,
    info: DataInfo,
    path: tuple[str | int, ...],
    report: Report,
) -> None:
    """Report an output that does not fit the loss and its target."""
    if node.op == model.link:
        where = (*node.path, "activation") if node.name != node.layer else node.path
        message = f"{model.type} applies {node.op} itself, so it must not stand before the loss"
        remedy = f'remove it from "{node.layer}"; predictions are still probabilities'
        report.add(where, message, remedy)
    try:
        model.check(node.shape, info.targets[target])
    except ShapeError as error:
        place = _place(node, nodes, report)
        message = error.message.replace("{layer}", f'"{node.layer}"')
        remedy = error.hint.replace("{place}", place)
        report.add(path, f'loss "{model.type}" {message}', remedy)


def _place(node: Node, nodes: Mapping[str, Node], report: Report) -> str:
    """Say where the number of an output's units stands: in the nearest layer that has one."""
    while "units" not in node.fields:
        if len(node.inputs) != 1:
            return " in a dense layer at the end"
        node = nodes[node.inputs[0]]
    line = report.line((*node.path, "units"))
    return f' in "{node.layer}"' + (f" (line {line})" if line else "")


def _report_untrained(spec: Spec, layers: Mapping[str, str], report: Report) -> None:
    """Report an output that no loss is on: outputs are not asked for, so it must be forgotten."""
    if "" in spec.losses:
        return
    for name in layers:
        if name not in spec.losses:
            message = f'nothing reads "{name}", so it is an output, but it has no loss'
            remedy = (
                f"add [loss.{name}], or read it in a layer, or list the outputs: outputs = [...]"
            )
            report.add(("loss",), message, remedy)
