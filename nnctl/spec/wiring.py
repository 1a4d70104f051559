"""Names of layers and what refers to them: ``from``, ``share``, ``outputs``, ``[loss.OUTPUT]``.

Works on the plain list of layers as tables, so that it finds its mistakes beside all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from . import outputs, registry
from .base import Finding, LayerModel
from .suggest import hint

Path = tuple[str | int, ...]
RESERVED = (".activation", ".split")


@dataclass(frozen=True)
class Layer:
    """What the wiring of a layer needs, as far as it could be read."""

    index: int
    name: str
    kind: str
    sources: tuple[str, ...] | None
    share: str | None

    @property
    def path(self) -> Path:
        """Its path in the spec."""
        return ("layers", self.index)


def read(tables: Iterable[Any]) -> list[Layer]:
    """Read the wiring of layer tables; what is not legal there is for pydantic to say."""
    layers = []
    for index, table in enumerate(tables):
        if not isinstance(table, dict):
            continue
        sources = table.get("from")
        listed = isinstance(sources, list) and all(isinstance(s, str) for s in sources)
        layers.append(
            Layer(
                index,
                _string(table.get("name")) or "",
                _string(table.get("type")) or "",
                tuple(sources) if listed and sources else None,
                _string(table.get("share")),
            )
        )
    return layers


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def check(layers: list[Layer], data: dict[str, Any]) -> Iterator[Finding]:
    """Find everything wrong with names and references."""
    inputs = _inputs(data)
    misnamed = list(_names(layers))
    yield from misnamed
    known = dict.fromkeys([*inputs, *(layer.name for layer in layers)])
    asked = {name for layer in layers for name in layer.sources or ()}
    vague = any(layer.kind not in registry.homes("layers") for layer in layers)
    if vague:  # with a type misspelt, automatic names TYPE_k are not what they will be
        known |= {name: None for name in asked if name.rpartition("_")[2].isdigit()}
    for layer in layers:
        yield from _sources(layer, known, inputs, first=layer.index == 0)
        yield from _share(layer, layers)
    circles = list(_circles(layers))
    yield from circles
    if layers and (layers[0].sources is not None or len(inputs) == 1):
        yield from _unread(layers, inputs, known)
    if not (vague or misnamed or circles) and asked <= known.keys():
        places: dict[str, Path] = {layer.name: layer.path for layer in layers}
        yield from outputs.check(places, heads(layers), data)


def _inputs(data: dict[str, Any]) -> list[str]:
    table = data.get("data")
    inputs = table.get("inputs") if isinstance(table, dict) else None
    return [f"input.{name}" for name in inputs] if isinstance(inputs, dict) else ["input"]


def _names(layers: list[Layer]) -> Iterator[Finding]:
    seen: set[str] = set()
    for layer in layers:
        path = (*layer.path, "name")
        if layer.name in seen:
            message = f'the name "{layer.name}" is taken by an earlier layer'
            yield Finding(path, message, "names of layers are unique; TYPE_k is the k-th of a type")
        seen.add(layer.name)
        if layer.name == "input" or layer.name.startswith("input."):
            yield Finding(path, f'the name "{layer.name}" is kept for the data', "choose another")
        elif layer.name.endswith(RESERVED):
            yield Finding(path, f"a name cannot end in {' or '.join(RESERVED)}", "choose another")


def _sources(
    layer: Layer, known: dict[str, None], inputs: list[str], *, first: bool
) -> Iterator[Finding]:
    path = (*layer.path, "from")
    if layer.sources is None:
        if first and len(inputs) > 1:
            message = "which input does it read?"
            example = f'from = "{inputs[0]}"'
            yield Finding(layer.path, message, f"{example}\ninputs: {', '.join(inputs)}")
        count = 1
    else:
        count = len(layer.sources)
        for position, name in enumerate(layer.sources):
            if name not in known:
                yield Finding(
                    (*path, position) if count > 1 else path,
                    f'no layer is named "{name}"',
                    hint(name, _choices(layer, known), "names"),
                )
    yield from _arity(layer, count, path)


def _choices(layer: Layer, known: dict[str, None]) -> list[str]:
    """The names that a layer may read, those beside it in its block first and as it says them."""
    home = layer.name.rpartition(".")[0] + "."
    others = [name for name in known if name != layer.name]
    near = [name.removeprefix(home) for name in others if name.startswith(home)]
    return list(dict.fromkeys([*near, *(n for n in others if not n.startswith(home))]))


def _model(layer: Layer) -> type[LayerModel] | None:
    known = layer.kind in registry.homes("layers")
    return cast("type[LayerModel]", registry.model("layers", layer.kind)) if known else None


def _arity(layer: Layer, count: int, path: Path) -> Iterator[Finding]:
    model = _model(layer)
    if model is None:
        return
    least, most = model.arity
    if count < least:
        at = layer.path if layer.sources is None else path
        message = f"{layer.kind} joins {least} or more layers, given {count}"
        yield Finding(at, message, 'name them: from = ["NAME", "NAME"]')
    elif most is not None and count > most:
        message = f"{layer.kind} reads {most} layer, given {count}"
        yield Finding(path, message, "join them first with add, concat or multiply")


def _share(layer: Layer, layers: list[Layer]) -> Iterator[Finding]:
    if layer.share is None:
        return
    path = (*layer.path, "share")
    owner = next((other for other in layers if other.name == layer.share), None)
    alike = [o.name for o in layers if o.kind == layer.kind and o is not layer]
    model = _model(layer)
    if model is not None and "share" in model.without:
        yield Finding(path, f"{layer.kind} shares no parameters", "remove it")
    elif model is not None and model.parameters is LayerModel.parameters:
        yield Finding(path, f"has no effect: {layer.kind} has no parameters", "remove it")
    elif owner is None:
        yield Finding(path, f'no layer is named "{layer.share}"', hint(layer.share, alike, "names"))
    elif owner is layer:
        yield Finding(path, "a layer cannot share its own parameters", "name another layer")
    elif owner.kind != layer.kind:
        message = f'expected a {layer.kind} layer to share with, "{owner.name}" is {owner.kind}'
        yield Finding(path, message, hint("", alike, f"{layer.kind} layers"))
    elif owner.share is not None:
        message = f'"{owner.name}" has no parameters of its own: it shares those of "{owner.share}"'
        yield Finding(path, message, f'write share = "{owner.share}"')


def _read(layers: list[Layer]) -> dict[str, tuple[str, ...]]:
    """What each layer reads, with the default filled in."""
    reads: dict[str, tuple[str, ...]] = {}
    before = ""  # what the first layer reads is no layer
    for layer in layers:
        reads.setdefault(layer.name, layer.sources or (before,))
        before = layer.name
    return reads


def _circles(layers: list[Layer]) -> Iterator[Finding]:
    """Find the layers that read, in the end, their own output."""
    reads = _read(layers)
    done: set[str] = set()
    for layer in layers:
        stack, trail = [(layer.name, iter(reads.get(layer.name, ())))], [layer.name]
        while stack:
            name, rest = stack[-1]
            following = next((n for n in rest if n in reads and n not in done), None)
            if following is None:
                stack.pop()
                done.add(trail.pop())
            elif following in trail:
                circle = " -> ".join([*trail[trail.index(following) :], following])
                at = next(o for o in layers if o.name == name)
                message = f"a layer cannot read its own output: {circle} (each reads the next)"
                yield Finding((*at.path, "from"), message, "a network has to run in one direction")
                done.update(trail)
                break
            else:
                stack.append((following, iter(reads[following])))
                trail.append(following)


def _unread(layers: list[Layer], inputs: list[str], known: dict[str, None]) -> Iterator[Finding]:
    """Find the inputs of ``data.inputs`` that no layer reads."""
    read = {name for names in _read(layers).values() for name in names}
    for name in inputs:
        if name not in read and name != "input":
            key = name.partition(".")[2]
            wanted = [n.partition(".")[2] for n in read - known.keys() if n.startswith("input.")]
            remedy = hint(key, wanted, "read") or f'read it with from = "{name}", or remove it'
            yield Finding(("data", "inputs", key), f'no layer reads "{name}"', remedy)


def heads(layers: list[Layer]) -> list[str]:
    """The layers whose output nothing reads."""
    read = {name for names in _read(layers).values() for name in names}
    return [layer.name for layer in layers if layer.name not in read]
