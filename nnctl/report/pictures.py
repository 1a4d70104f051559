"""What is shown as pictures: kernels, activation maps, and the samples that were taken for others.

Each is made ready for the page: an address with the picture in it, a text in its place, a caption.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnctl.report.figures import figure
from nnctl.report.png import Pixels, data_uri

Array = np.ndarray[Any, Any]
KERNELS = 64  # of a layer
TILES = 8  # of a kernel, along each side
WIDE = 72  # pixels on the page, about, that a small picture is enlarged to
TILE, WIDEST_KERNEL = 33, 300  # the same of a tile among several, and of all together
PAIRS = 8  # of an input and what a network that draws its inputs made of it
SMALLEST, WIDEST = 52, 100  # the same of an activation map


@dataclass(frozen=True)
class Picture:
    """``width`` and ``height`` are pixels on the page; ``lines`` stand below it."""

    uri: str
    alt: str
    width: int
    height: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """Pictures under one heading; ``note`` says what there is and what black and white mean."""

    name: str
    note: str
    pictures: tuple[Picture, ...]


def picture(pixels: Pixels, alt: str, lines: Sequence[str] = (), wide: float = WIDE) -> Picture:
    """Return bytes (h, w) or (h, w, c) enlarged by whole factors."""
    height, width = pixels.shape[:2]
    factor = max(1, round(wide / max(height, width)))
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    return Picture(data_uri(pixels), alt, width * factor, height * factor, tuple(lines))


# -- kernels -----------------------------------------------------------------------------------


def kernel_sheets(kernels: Mapping[str, Array]) -> list[Sheet]:
    """Return a sheet for each layer of kernels (*places, channels, filters)."""
    return [_kernel_sheet(name, values) for name, values in kernels.items()]


def _kernel_sheet(layer: str, kernels: Array) -> Sheet:
    count = kernels.shape[-1]
    size = "x".join(map(str, kernels.shape[:-2]))
    shown = tuple(_kernel(layer, k, kernels[..., k]) for k in range(min(count, KERNELS)))
    note = f"{_of(len(shown), count)} kernels of {size}"
    if _is_color(kernels[..., 0]):
        note += _planes(kernels)
        note += ", three channels as red, green and blue. Middle grey is 0, the least and the most "
        note += "of a color are minus and plus the number below."
    else:
        note += f"{_channels(kernels)}. Middle grey is 0, black and white are minus and plus the "
        note += "number below."
    return Sheet(layer, note, shown)


def _is_color(kernel: Array) -> bool:
    return kernel.ndim in (3, 4) and kernel.shape[-1] == 3


def _planes(kernels: Array) -> str:
    """Say what the tiles of a kernel of three axes are."""
    if kernels.ndim != 5 or len(kernels) == 1:
        return ""
    count = len(kernels)
    which = f"its {count}" if count <= TILES else f"the first {TILES} of its {count}"
    return f", side by side {which} planes along depth or time"


def _channels(kernels: Array) -> str:
    """Say how the channels and slices of kernels that are not in color are laid out."""
    axes, channels = kernels.ndim - 2, kernels.shape[-2]
    if axes == 1:
        return f", {channels} channels, a row each" if channels > 1 else ""
    slices = _planes(kernels)
    if channels == 1:
        return slices
    which = f"the first {TILES} of {channels}" if channels > TILES else f"{channels}"
    return f", {which} channels {'a row each' if axes == 3 else 'side by side'}{slices}"


def _kernel(layer: str, number: int, kernel: Array) -> Picture:
    """Return one kernel (*places, channels) with 0 in the middle of the scale."""
    known = np.where(np.isfinite(kernel), kernel, 0.0).astype(np.float64)
    reach = float(np.abs(known).max())
    pixels = np.rint(127.5 + 127.5 * known / (reach or 1.0)).astype(np.uint8)
    laid_out, alt = _laid_out(pixels), f"kernel {number + 1} of {layer}"
    tiles = max(laid_out.shape[:2]) / max(kernel.shape[:2])
    wide = WIDE if tiles <= 1 else min(WIDEST_KERNEL, TILE * tiles)
    return picture(laid_out, alt, [f"\u00b1{figure(reach, 2)}"], wide)


def _laid_out(kernel: Pixels) -> Pixels:
    """Return (*places, channels) as one picture: colors, or tiles with gaps between them."""
    if kernel.ndim == 2:
        return kernel.T
    if _is_color(kernel):
        return _tiles([list(kernel[:TILES])] if kernel.ndim == 4 else [[kernel]])
    channels = np.moveaxis(kernel, -1, 0)[:TILES]
    if kernel.ndim == 3:
        return _tiles([list(channels)])
    return _tiles([list(one[:TILES]) for one in channels])


def _tiles(rows: Sequence[Sequence[Pixels]]) -> Pixels:
    """Join pictures of one size, a transparent pixel apart."""
    first = rows[0][0]
    if len(rows) == len(rows[0]) == 1:
        return first
    height, width = first.shape[:2]
    depth = first.shape[2] if first.ndim == 3 else 1
    layers = min(depth + 1, 4)  # one for what is transparent, unless there is one already
    whole = np.zeros(
        (len(rows) * (height + 1) - 1, len(rows[0]) * (width + 1) - 1, layers), np.uint8
    )
    for i, row in enumerate(rows):
        for j, tile in enumerate(row):
            y, x = i * (height + 1), j * (width + 1)
            whole[y : y + height, x : x + width, -1] = 255
            whole[y : y + height, x : x + width, :depth] = tile.reshape(height, width, depth)
    return whole


def _of(shown: int, count: int) -> str:
    return f"The {count}" if shown == count else f"The first {shown} of {count}"


# -- activations -------------------------------------------------------------------------------


def activation_sheets(about: Mapping[str, Any], arrays: Mapping[str, Array]) -> list[Sheet]:
    """Return a sheet for each layer of which maps were kept."""
    return [
        _activation_sheet(row, arrays[f"maps.{k}"])
        for k, row in enumerate(about.get("layers", ()))
        if f"maps.{k}" in arrays
    ]


def _activation_sheet(row: Mapping[str, Any], maps: Array) -> Sheet:
    name = str(row["layer"])
    shown = tuple(
        picture(one, f"map {k + 1} of {name}", wide=_map_width(one)) for k, one in enumerate(maps)
    )
    note = f"{row['type']}, {row['shape']}{', ' if row.get('shown') else ''}{row.get('shown', '')}"
    if len(maps) < int(row["maps"]):
        note += f", the first {len(maps)} of {row['maps']} maps"
    return Sheet(
        name, f"{note}; black {figure(row['low'], 3)}, white {figure(row['high'], 3)}", shown
    )


def _map_width(one: Pixels) -> int:
    return max(SMALLEST, min(WIDEST, 3 * int(max(one.shape))))


def activation_title(about: Mapping[str, Any]) -> str:
    """Return what sample the maps are of, and what it was taken for."""
    file = f", {about['file']}" if about.get("file") else ""
    told = [f"Sample {about.get('sample')} of {about.get('split')}{file}"]
    for row in about.get("said", ()):
        name = f"{row['output']}: " if row.get("output") else ""
        told.append(
            f"{name}true {row['true']}, predicted {row['predicted']}{_percent(row['probability'])}"
        )
    return "; ".join(told) + "."


# -- mistakes ----------------------------------------------------------------------------------


def gallery(
    mistakes: Sequence[Mapping[str, Any]], pictures: Mapping[int, Array]
) -> tuple[Picture, ...]:
    """Return the mistakes of which there are pictures, the surest first."""
    return tuple(_mistakes(mistakes, pictures))


def _mistakes(
    mistakes: Sequence[Mapping[str, Any]], pictures: Mapping[int, Array]
) -> Iterator[Picture]:
    for row in mistakes:
        pixels = pictures.get(row["sample"])
        if pixels is None:
            continue
        name = f"{row['output']}: " if row.get("output") else ""
        said = f"{name}{row['true']} taken for {row['predicted']}"
        lines = (said, f"probability {figure(row['probability'], 3)}", *origin(row))
        yield picture(pixels, f"sample {row['sample']}: {said}", lines, wide=96)


def pairs(
    worst: Sequence[Mapping[str, Any]], pictures: Mapping[int, Array], drawn: Mapping[int, Array]
) -> tuple[Picture, ...]:
    """Return the worst samples of which there are pictures, each beside what was made of it."""
    known = [row for row in worst if row["sample"] in pictures and row["sample"] in drawn]
    return tuple(_pair(row, pictures[row["sample"]], drawn[row["sample"]]) for row in known[:PAIRS])


def _pair(row: Mapping[str, Any], given: Array, made: Array) -> Picture:
    lines = (f"loss {figure(row['loss'], 3)}", *origin(row))
    alt = f"sample {row['sample']} and what was made of it"
    return picture(_tiles([[given, made]]), alt, lines, wide=2 * WIDE)


def origin(row: Mapping[str, Any]) -> list[str]:
    """Return what a sample is found by: its number and, if it has one, its file."""
    return [f"sample {row['sample']}", *filter(None, [row.get("file")])]


def frame_line(frame: Sequence[int] | None) -> list[str]:
    """Return what is said of a clip's frame; nothing for images."""
    return [f"frame {frame[0]} of {frame[1]}"] if frame else []


def _percent(probability: float | None) -> str:
    return "" if probability is None else f" with probability {figure(probability, 3)}"
