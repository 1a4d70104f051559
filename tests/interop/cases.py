"""Small networks whose outputs PyTorch has computed, and the numbers that both sides start from."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.interop.resnet18 import shapes

SPECS = Path(__file__).resolve().parents[2] / "specs"
NARROW = {64: 4, 128: 6, 256: 8, 512: 10, 1000: 4}  # widths of the ResNet-18 that is compared
Shapes = Mapping[str, tuple[int, ...]]

MIXED = """
[data]
source = "images.npz"
[[layers]]
name = "stem"
type = "conv2d"
filters = 6
kernel_size = [3, 2]
stride = [2, 1]
padding = 1
activation = "tanh"
[[layers]]
name = "parts"
type = "conv2d"
filters = 6
kernel_size = 3
groups = 2
padding = 1
[[layers]]
name = "each"
type = "depthwise_conv2d"
kernel_size = 3
depth_multiplier = 2
[[layers]]
name = "up"
type = "conv2d_transpose"
filters = 4
kernel_size = [2, 3]
stride = 2
groups = 2
[[layers]]
name = "true"
type = "conv2d"
filters = 3
kernel_size = 2
flip_kernel = true
[[layers]]
name = "flat"
type = "flatten"
[[layers]]
name = "norm"
type = "batch_norm"
[[layers]]
type = "relu"
[[layers]]
name = "pixels"
type = "flatten"
from = "input"
[[layers]]
name = "both"
type = "concat"
from = ["pixels", "relu_1"]
[[layers]]
name = "hidden"
type = "dense"
units = 5
activation = "tanh"
[[layers]]
name = "fc"
type = "dense"
units = 4
[loss]
type = "cross_entropy"
[init]
from = "weights.safetensors"
names = "torch"
"""
MIXED_SHAPES: Shapes = {
    "stem.weight": (6, 3, 3, 2),
    "stem.bias": (6,),
    "parts.weight": (6, 3, 3, 3),
    "parts.bias": (6,),
    "each.weight": (12, 1, 3, 3),
    "each.bias": (12,),
    "up.weight": (12, 2, 2, 3),
    "up.bias": (4,),
    "true.weight": (3, 4, 2, 2),
    "true.bias": (3,),
    "norm.weight": (126,),
    "norm.bias": (126,),
    "norm.running_mean": (126,),
    "norm.running_var": (126,),
    "norm.num_batches_tracked": (),
    "hidden.weight": (5, 294),
    "hidden.bias": (5,),
    "fc.weight": (4, 5),
    "fc.bias": (4,),
}
SIZES = {"resnet": (33, 34), "mixed": (7, 8)}  # of the pictures, three channels deep


def narrow_shapes() -> dict[str, tuple[int, ...]]:
    return {n: tuple(NARROW.get(k, k) for k in shape) for n, shape in shapes().items()}


def narrow_spec() -> str:
    """The shipped spec with few filters, on pictures of a file."""
    text = (SPECS / "shapes_resnet18.toml").read_text()
    for wide, few in NARROW.items():
        text = re.sub(rf"filters = {wide}\b", f"filters = {few}", text)
    lines = [line for line in text.splitlines() if not line.startswith(("source", "normalize"))]
    lines.insert(lines.index("[data]") + 1, 'source = "images.npz"')
    start = '[init]\nfrom = "weights.safetensors"\nnames = "torch"'
    return "\n".join([*lines, start, ""])


def state(shapes: Shapes) -> dict[str, np.ndarray[Any, Any]]:
    """Numbers for tensors of PyTorch, by name alone."""
    return {name: _numbers(name, shape) for name, shape in shapes.items()}


def _numbers(name: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    if name.endswith("num_batches_tracked"):
        return np.array(7, dtype=np.int64)
    found = np.random.default_rng(zlib.crc32(name.encode())).normal(size=shape)
    if name.endswith("running_var"):
        found = 0.5 + np.abs(found)
    elif len(shape) > 1:
        found *= np.sqrt(2.0 / np.prod(shape[1:]))
    return found.astype(np.float32)


def pictures(case: str, count: int = 3) -> np.ndarray[Any, Any]:
    """(N, H, W, 3), channels last."""
    return np.random.default_rng(5).normal(size=(count, *SIZES[case], 3))
