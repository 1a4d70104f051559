"""Small files to read, and specs that name them."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np

from nnctl.data.dataset import Dataset
from nnctl.spec.data import DataSpec
from nnctl.spec.info import DataInfo, TargetInfo


def spec(**keys: Any) -> DataSpec:
    return DataSpec(**keys)


def write(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file; ``.gz`` is packed, text is UTF-8 with the line ends as given."""
    raw = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw)
    return path


def idx(values: np.ndarray) -> bytes:
    """Return an array as an IDX file, by the format's description."""
    codes = {"|u1": 8, "|i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}
    kind = values.dtype if values.dtype.itemsize == 1 else values.dtype.newbyteorder(">")
    head = bytes([0, 0, codes[kind.str], values.ndim])
    sizes = struct.pack(f">{values.ndim}I", *values.shape)
    return head + sizes + values.astype(kind).tobytes()


def info_of(dataset: Dataset, columns: tuple[str, ...], files: tuple[str, ...]) -> DataInfo:
    """Say of loaded data what a header should have said, from the arrays alone."""
    targets = {}
    for key, target in dataset.targets.items():
        count = len(target.classes or ()) if target.kind == "class" else target.values.shape[-1]
        targets[key] = TargetInfo(
            target.kind, count, target.classes, target.steps, target.ahead, target.held_by
        )
    shapes = {key: values.shape[1:] for key, values in dataset.inputs.items()}
    own = {"test": dataset.test, "validation": dataset.validation}
    parts = {key: part.samples for key, part in own.items() if part is not None}
    lengths = tuple(dataset.lengths)
    known = dataset.reading.vocabularies if dataset.reading else {}
    tokens = {k: x for k, x in dataset.inputs.items() if x.dtype == np.int64 and x.ndim == 2}
    sizes = {key: max(x.ravel().tolist()) + 1 for key, x in tokens.items() if (x >= 0).all()}
    sizes |= {name: vocabulary.size for name, vocabulary in known.items()}
    more = sizes, lengths, dataset.stride
    return DataInfo(shapes, targets, dataset.samples, columns, files, parts, *more)


IRIS = """length,width,kind
1.5,2,b
2.5,3,a
3.5,4,b
4.5,5,a
"""
