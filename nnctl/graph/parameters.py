"""The trained arrays of every layer, and ties between them: counted once, stored once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nnctl.graph.graph import Parameter, ParamUse
from nnctl.graph.report import Report
from nnctl.graph.wiring import Entry
from nnctl.spec.shapes import Shape, format_shape
from nnctl.spec.writer import inline

if TYPE_CHECKING:
    from nnctl.spec.base import LayerModel, Part
    from nnctl.spec.shapes import Parameter as Declared

Declarations = Mapping[str, Mapping[str, "Declared"]]  # layer -> short name -> what it declares


@dataclass
class Claims:
    """Parameters by full name, and which of them each layer uses under which short name."""

    parameters: dict[str, Parameter] = field(default_factory=dict)
    uses: dict[str, dict[str, ParamUse]] = field(default_factory=dict)


def claim(
    entries: list[Entry],
    shapes: Mapping[str, tuple[Shape, ...]],
    regularization: Any,
    report: Report,
) -> Claims:
    """Return the parameters; ties whose shapes do not meet are reported."""
    declared = {
        entry.name: _declared(entry.layer, shapes[entry.name])
        for entry in entries
        if entry.name in shapes
    }
    claims = Claims()
    by_name = {entry.name: entry for entry in entries}
    for entry in entries:
        tied = _tied(entry, by_name, declared, report)
        uses = claims.uses.setdefault(entry.name, {})
        for short, parameter in declared.get(entry.name, {}).items():
            uses[short] = tied.get(short) or ParamUse(f"{entry.name}.{short}")
            if short not in tied:
                made = _parameter(entry, short, parameter, regularization)
                claims.parameters[made.name] = made
    return claims


def _declared(layer: LayerModel, inputs: tuple[Shape, ...]) -> dict[str, Declared]:
    """What a layer declares and, under ``PART.NAME``, what the layers inside it do."""
    found = dict(layer.parameters(inputs))
    for part, given in inside(layer, inputs):
        own = part.layer.parameters(given)
        found |= {f"{part.name}.{k}".lstrip("."): p for k, p in own.items()}
    return found


def inside(layer: LayerModel, inputs: tuple[Shape, ...]) -> list[tuple[Part, tuple[Shape, ...]]]:
    """Return the layers inside a layer, each with the shapes that it is given."""
    shapes: dict[str, Shape] = {f"@{k}": shape for k, shape in enumerate(inputs)}
    found = []
    for part in layer.parts():
        given = tuple(shapes[name] for name in part.reads) or inputs
        shapes[part.name] = part.layer.output_shape(given)
        found.append((part, given))
    return found


def _parameter(entry: Entry, short: str, declared: Declared, regularization: Any) -> Parameter:
    l1, l2 = _penalties(entry, declared.kind, regularization)
    return Parameter(
        name=f"{entry.name}.{short}",
        shape=declared.shape,
        init=declared.init,
        fan_in=declared.fan_in,
        fan_out=declared.fan_out,
        node=f"{entry.name}.{short}".rpartition(".")[0],
        kind=declared.kind,
        l1=l1,
        l2=l2,
    )


def _penalties(entry: Entry, kind: str, regularization: Any) -> tuple[float, float]:
    """Return l1 and l2: the layer's own before the global ones; biases only if asked for."""
    if kind != "weight":
        share = 1.0 if regularization.biases else 0.0
        return share * regularization.l1, share * regularization.l2
    speaks = getattr(entry.layer, "layer", entry.layer)
    own = (getattr(speaks, "l1", None), getattr(speaks, "l2", None))
    general = (regularization.l1, regularization.l2)
    l1, l2 = (g if o is None else o for o, g in zip(own, general, strict=True))
    return l1, l2


def _tied(
    entry: Entry, by_name: Mapping[str, Entry], declared: Declarations, report: Report
) -> dict[str, ParamUse]:
    """Return the uses of another layer's parameters; empty for a layer that shares none.

    That the owner exists and owns its parameters is seen to where specs are loaded.
    """
    share = entry.layer.share
    if share is None or entry.name not in declared or share not in declared:
        return {}
    transposed = getattr(entry.layer, "transposed", False)
    return _matched(entry, by_name[share], declared, transposed, report)


def _matched(
    entry: Entry, owner: Entry, declared: Declarations, transposed: bool, report: Report
) -> dict[str, ParamUse]:
    """Tie each parameter to the owner's of that name; transposed, only the matrices are tied."""
    theirs = declared[owner.name]
    if _differs(entry, owner, report):
        return {}
    uses: dict[str, ParamUse] = {}
    for short, parameter in declared[entry.name].items():
        if transposed and len(parameter.shape) != 2:
            continue
        given = theirs[short].shape if short in theirs else None
        expected = parameter.shape[::-1] if transposed else parameter.shape
        if given != expected:
            _report_mismatch(entry, owner, short, (parameter.shape, given), transposed, report)
            return {}
        uses[short] = ParamUse(f"{owner.name}.{short}", transposed)
    if not transposed and (unused := theirs.keys() - uses.keys()):
        names = ", ".join(f'"{owner.name}.{short}"' for short in sorted(unused))
        message = f'"{entry.name}" shares with "{owner.name}" but has no use for {names}'
        report.add((*entry.path, "share"), message, "give both layers the same bias setting")
    return uses


def _differs(entry: Entry, owner: Entry, report: Report) -> bool:
    """Whether two layers lay out the same parameters in different ways."""
    for key in entry.layer.laid_out:
        mine, theirs = getattr(entry.layer, key), getattr(owner.layer, key, None)
        if mine != theirs:
            said = f'"{entry.name}" has {key} = {inline(mine)}'
            message = f'{said} and "{owner.name}", whose parameters it shares, {inline(theirs)}'
            report.add((*entry.path, "share"), message, f"give both layers the same {key}")
            return True
    return False


def _report_mismatch(
    entry: Entry,
    owner: Entry,
    short: str,
    shapes: tuple[Shape, Shape | None],
    transposed: bool,
    report: Report,
) -> None:
    mine, theirs = shapes
    if theirs is None:
        message = f'"{entry.name}" needs {short}, which "{owner.name}" does not have'
        remedy = "give both layers the same settings"
    else:
        turned = f" (transposed: {format_shape(theirs[::-1])})" if transposed else ""
        message = (
            f'"{entry.name}.{short}" is {format_shape(mine)}, '
            f'"{owner.name}.{short}" is {format_shape(theirs)}{turned}'
        )
        same = "numbers of inputs and units" if len(mine) <= 2 else "window, channels and filters"
        remedy = f"tied layers need the same {same}"
        if transposed:
            remedy = f'"{entry.name}" needs units = {theirs[0]} and {theirs[1]} inputs'
        elif len(theirs) == 2 and mine == theirs[::-1]:
            remedy = "set transposed = true"
    report.add((*entry.path, "share"), message, remedy)
