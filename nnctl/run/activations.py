"""What the layers give for one sample, as maps: for the report of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.data import Part
from nnctl.errors import UsageError
from nnctl.graph import Graph
from nnctl.graph.outline import Layer, outline
from nnctl.metrics import Classified
from nnctl.run.heads import Array, Head
from nnctl.run.mistakes import told
from nnctl.run.pictures import gallery, scaled, thinned
from nnctl.spec.shapes import format_shape

if TYPE_CHECKING:
    from nnctl.plan import Plan

MAPS = 16  # of a layer
LAYERS = 32
# By the axes of a layer's output: how each of its maps is shown.
SHOWN = {2: "a row a channel", 3: "", 4: "plane {} of {} of each"}


def row_of(part: Part, split: str, sample: int) -> int:
    """Return where a sample, named by its place in the data, is in a part. Raises UsageError."""
    rows = np.flatnonzero(part.index == sample)
    if not len(rows):
        some = ", ".join(map(str, part.index[:8]))
        raise UsageError(
            f"there is no sample {sample} in the {split} part",
            f"its samples are {some}{', ...' if part.samples > 8 else ''}; "
            "--split chooses another part",
        )
    return int(rows[0])


def with_maps(graph: Graph) -> list[Layer]:
    """Return the layers whose outputs have places: series, pictures and volumes. Raises UsageError
    if there are none."""
    found = [layer for layer in outline(graph) if layer.inputs and _has_maps(layer.shape)]
    if not found:
        raise UsageError(
            "no layer of this network has activation maps",
            "--activations shows convolutions and other layers of height x width x channels",
        )
    return found


def _has_maps(shape: tuple[int, ...]) -> bool:
    return len(shape) in SHOWN and max(shape[:-1]) > 1


def activations(
    plan: Plan, graph: Graph, found: Sequence[Head], part: Part, split: str, sample: int
) -> dict[str, Array]:
    """Return the arrays of ``activations.npz``: ``about`` (JSON), ``pictures``, ``maps.K``.

    Raises UsageError.
    """
    from nnctl.plan.inspect import activations as given

    layers, row = with_maps(graph), row_of(part, split, sample)
    values = given(plan, split, row)
    listed: list[dict[str, Any]] = []
    arrays: dict[str, Array] = {}
    for k, layer in enumerate(_spread(layers)):
        maps = np.stack(list(_maps(values[layer.nodes[-1].name])))
        low, high = _range(maps)
        arrays[f"maps.{k}"] = small = scaled(thinned(maps[..., None])[..., 0], low, high)
        listed.append({**_about(layer, maps, small), "low": low, "high": high})
    about = {"split": split, "layers": listed, "of": len(layers), **part.origin(row)}
    about["said"] = list(_said(plan, found, part, split, row))
    picture = gallery(part, [sample])
    if picture:
        arrays["pictures"] = picture["pictures"]
    if "frame" in picture:
        about["frame"] = picture["frame"].tolist()
    return {"about": np.array(json.dumps(about)), **arrays}


def _spread(layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers, or so many of them as are shown, evenly from the first to the last."""
    count = min(len(layers), LAYERS)
    places = np.rint(np.linspace(0, len(layers) - 1, count)).astype(int)
    return [layers[k] for k in places]


def _about(layer: Layer, maps: Array, small: Array) -> dict[str, Any]:
    """Return what is told of a layer: its type and shape, how many maps it has, how they are
    shown."""
    planes = layer.shape[0]
    shown = [SHOWN[len(layer.shape)].format(planes // 2 + 1, planes)]
    if small.shape != maps.shape:
        shown.append(f"thinned to {format_shape(small.shape[1:])}")
    return {
        "layer": layer.name,
        "type": layer.type,
        "shape": format_shape(layer.shape),
        "maps": layer.shape[-1] if len(layer.shape) > 2 else 1,
        "shown": ", ".join(filter(None, shown)),
    }


def _said(
    plan: Plan, found: Sequence[Head], part: Part, split: str, row: int
) -> Iterator[dict[str, Any]]:
    """Yield what the network says of a sample: a row for each output that is a class."""
    one, of = np.array([row]), part.origin(row)
    outputs = plan.evaluate(split, one).outputs
    for head in found:
        seen = head.view(outputs[head.node], part.targets[head.target][one])
        if isinstance(seen, Classified):
            yield {"output": head.name, **told(head, seen, np.array([0]), lambda _: of)[0]}


def _maps(values: Array) -> Iterator[Array]:
    """Yield the first maps (h, w) of a layer; of a volume the middle slice of each; a series is
    one map, a row a channel."""
    if values.ndim == 2:
        yield values.T
        return
    flat = values if values.ndim == 3 else values[values.shape[0] // 2]
    for k in range(min(MAPS, flat.shape[-1])):
        yield flat[..., k]


def _range(maps: Array) -> tuple[float, float]:
    """Return the values that are black and white: those of all maps of the layer, with 0."""
    known = maps[np.isfinite(maps)]
    if not known.size:
        return 0.0, 0.0
    return min(0.0, float(known.min())), max(0.0, float(known.max()))
