"""Damaged files: a DataError or finite data that fit their header, never another exception."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nnctl.data import load
from nnctl.data.header import inspect
from nnctl.errors import DataError
from tests.data.helpers import IRIS, idx, spec

X = np.arange(24, dtype=np.float32).reshape(6, 2, 2)
Y = np.array([0, 1, 2, 0, 1, 2], np.int32)


def _saved(save: Any, *arrays: Any, **named: Any) -> bytes:
    stream = io.BytesIO()
    save(stream, *arrays, **named)
    return stream.getvalue()


FILES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "a.csv": (IRIS.encode(), {"target": "kind"}),
    "a.csv.gz": (gzip.compress(IRIS.encode(), mtime=0), {"target": "kind"}),
    "a.npz": (_saved(np.savez, x=X, y=Y), {}),
    "b.npz": (_saved(np.savez_compressed, x=X, y=np.array(["a", "b"] * 3)), {}),
    "a.npy": (_saved(np.save, X), {"target": "@input"}),
    "a.txt": (b"a small text,\nand a little more of it\n" * 4, {"window": 5}),
    "series.csv": (
        IRIS.encode(),
        {"target": "width", "features": ["width"], "window": 2, "split": {"train": 1.0}},
    ),
    "a-images.idx": (idx(np.arange(24, dtype=np.uint8).reshape(6, 2, 2)), {"target": "b.idx"}),
    "a-images.idx.gz": (gzip.compress(idx(X), mtime=0), {"target": "b.idx"}),
}

damage = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "set"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=4,
)


def damaged(content: bytes, steps: list[tuple[str, float, int]]) -> bytes:
    made = bytearray(content)
    for kind, where, value in steps:
        place = int(where * len(made)) if made else 0
        if kind == "cut":
            del made[place:]
        elif kind == "insert":
            made.insert(place, value)
        elif made:
            made[place] = made[place] ^ (1 << value % 8) if kind == "flip" else value
    return bytes(made)


@pytest.mark.parametrize("name", FILES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(steps=[("insert", 0.109375, 178)])  # a superscript 2 counted as a digit
@given(steps=damage)
def test_damage_is_an_error_of_data(
    name: str, steps: list[tuple[str, float, int]], tmp_path: Path
) -> None:
    content, keys = FILES[name]
    (tmp_path / name).write_bytes(damaged(content, steps))
    (tmp_path / "b.idx").write_bytes(idx(Y.astype(np.uint8)))
    data = spec(source=name, **keys)
    header = None
    try:
        header = inspect(data, tmp_path)
    except DataError as error:
        with pytest.raises(DataError) as found:
            load(data, tmp_path)
        assert str(found.value) == str(error)
        return
    try:
        loaded = load(data, tmp_path)
    except DataError:
        return
    assert {key: values.shape[1:] for key, values in loaded.inputs.items()} == header.inputs
    assert loaded.samples == header.samples
    assert all(np.isfinite(values).all() for values in loaded.inputs.values())
