"""Name the content of a dataset by a hash: the same for the same numbers, wherever they lie."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from nnctl.data.dataset import Dataset


def fingerprint(dataset: Dataset) -> str:
    """Return the sha256 (hex) of all arrays, their dtypes and shapes, classes, symbols and
    sub-sets."""
    digest = hashlib.sha256(b"nnctl.data.1\0")
    for key, values in sorted(dataset.inputs.items()):
        _add(digest, ["input", key], values)
    for key, target in sorted(dataset.targets.items()):
        _add(digest, ["target", key, target.kind, target.classes], target.values)
    for key, values in sorted(dataset.columns.items()):
        _add(digest, ["column", key], values)
    for key, values in sorted(dataset.lengths.items()):
        _add(digest, ["length", key], values)
    known = dataset.reading.vocabularies if dataset.reading else {}
    for key, vocabulary in sorted(known.items()):
        digest.update(json.dumps(["vocabulary", key, vocabulary.to_json()]).encode() + b"\0")
    for key, other in (("test", dataset.test), ("validation", dataset.validation)):
        if other is not None:
            digest.update(json.dumps([key, other.fingerprint]).encode())
    return digest.hexdigest()


def _add(digest: Any, label: list[Any], values: np.ndarray) -> None:
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    header = [*label, little.dtype.str, list(values.shape)]
    digest.update(json.dumps(header).encode() + b"\0")
    digest.update(np.ascontiguousarray(little).data.cast("B") if values.size else b"")
