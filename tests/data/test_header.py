"""The header says what loading finds, with the standard library alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data import load
from nnctl.data.header import inspect
from nnctl.data.sources import extensions
from nnctl.spec.data import FILE_ENDINGS
from tests.data.helpers import IRIS, idx, info_of, spec, write

Make = Callable[[Path], dict[str, Any]]


def _table(folder: Path) -> dict[str, Any]:
    write(folder, "a.csv", IRIS)
    return {"source": "a.csv", "target": "kind"}


def _packed(folder: Path) -> dict[str, Any]:
    write(folder, "a.tsv.gz", IRIS.replace(",", "\t"))
    return {"source": "a.tsv.gz", "target": "width", "features": ["length"]}


def _bare(folder: Path) -> dict[str, Any]:
    write(folder, "a.csv", IRIS.split("\n", 1)[1])
    return {"source": "./a.csv", "target": "column_3"}


def _several(folder: Path) -> dict[str, Any]:
    write(folder, "a.csv", "a,b,c,u,v,w\n" + "1,2,3,4,5,x\n6,7,8,9,10,y\n" * 3)
    inputs = {"left": ["a"], "right": ["b", "c"]}
    return {"source": "a.csv", "inputs": inputs, "targets": {"n": ["u", "v"], "k": "w"}}


def _mirror(folder: Path) -> dict[str, Any]:
    write(folder, "a.csv", "a,b,c\n1,2,3\n4,5,6\n")
    return {"source": "a.csv", "target": "@input"}


def _one_hot(folder: Path) -> dict[str, Any]:
    write(folder, "a.csv", "a,no,yes\n1,0,1\n4,1,0\n")
    targets = {"soft": ["no", "yes"]}
    return {"source": "a.csv", "targets": targets, "task": "classification"}


def _regression(folder: Path) -> dict[str, Any]:
    write(folder, "a.csv", "a,y\n1,0\n4,1\n3,1\n2,0\n")
    return {"source": "a.csv", "target": "y", "task": "regression"}


def _groups(folder: Path) -> dict[str, Any]:
    write(folder, "a.csv", "who,a,y\nx,1,u\ny,2,v\n")
    return {"source": "a.csv", "target": "y", "split": {"group": "who"}}


def _times(folder: Path) -> dict[str, Any]:
    write(folder, "a.csv", "when,a,y\n2026-01-02,1,u\n2026-01-01T10:00,2,v\n")
    return {"source": "a.csv", "target": "y", "split": {"order": "when"}}


def _archive(folder: Path) -> dict[str, Any]:
    np.savez(folder / "a.npz", x=np.zeros((6, 5, 4), np.uint8), y=np.array([3, 1, 3, 7, 1, 7]))
    return {"source": "a.npz"}


def _archive_several(folder: Path) -> dict[str, Any]:
    arrays = {
        "a": np.zeros((6, 5, 4), np.float16),
        "b": np.zeros(6, np.int32),
        "c": np.array(["u", "vv"] * 3),
        "d": np.zeros((6, 2, 3)),
    }
    np.savez_compressed(folder / "a.npz", **arrays)
    inputs = {"one": "a", "two": "b"}
    return {"source": "a.npz", "inputs": inputs, "targets": {"word": "c", "map": "d"}}


def _arrays(folder: Path) -> dict[str, Any]:
    np.save(folder / "x.npy", np.asfortranarray(np.arange(12.0).reshape(4, 3)))
    np.save(folder / "y.npy", np.array([1.5, 2.5, 3.5, 4.5], ">f4"))
    return {"source": "x.npy", "target": "y.npy"}


def _array_mirror(folder: Path) -> dict[str, Any]:
    np.save(folder / "x.npy", np.zeros((4, 3, 3, 2), np.uint8))
    return {"source": "x.npy", "target": "@input"}


def _idx(folder: Path) -> dict[str, Any]:
    images = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    write(folder, "images-idx3-ubyte.gz", idx(images))
    write(folder, "labels-idx1-ubyte.gz", idx(np.array([2, 0, 2, 0], np.uint8)))
    return {"source": "images-idx3-ubyte.gz"}


def _series(folder: Path) -> dict[str, Any]:
    rows = "".join(f"{t},{t * t}\n" for t in range(60))
    write(folder, "a.csv", "t,y\n" + rows)
    return {"source": "a.csv", "target": "y", "window": 4, "stride": 2}


def _text(folder: Path) -> dict[str, Any]:
    write(folder, "a.txt", "to be or not to be\n" * 20)
    return {"source": "a.txt", "window": 8, "tokens": "word"}


def _pairs(folder: Path) -> dict[str, Any]:
    write(folder, "a.tsv", "input\ttarget\n" + "ab\tba\nabc\tcba\n" * 3)
    return {"source": "a.tsv", "tokens": "character"}


def _json_lines(folder: Path) -> dict[str, Any]:
    write(folder, "a.jsonl", '{"q": "a b", "a": "b"}\n' * 4)
    return {"source": "a.jsonl", "target": "a", "max_length": 5}


def _bundled(name: str) -> Make:
    return lambda folder: {"source": name}


def _generated(**keys: Any) -> Make:
    return lambda folder: {"source": keys}


CASES: dict[str, Make] = {
    "csv": _table,
    "tsv.gz": _packed,
    "no header": _bare,
    "several": _several,
    "autoencoder": _mirror,
    "one-hot columns": _one_hot,
    "regression on whole numbers": _regression,
    "groups": _groups,
    "times": _times,
    "npz": _archive,
    "npz several": _archive_several,
    "npy": _arrays,
    "npy autoencoder": _array_mirror,
    "idx": _idx,
    "series": _series,
    "text": _text,
    "pairs": _pairs,
    "jsonl": _json_lines,
    **{
        name: _bundled(name)
        for name in ("digits", "iris", "wine", "breast_cancer", "diabetes", "sunspots")
    },
    "xor": _generated(generate="xor", samples=10),
    "spirals": _generated(generate="spirals", samples=9, classes=3),
    **{tag: _generated(generate=tag, samples=9) for tag in ("adding", "copy", "dates", "ringdown")},
    "reverse": _generated(generate="reverse", samples=9, length=5, shortest=2),
    "shapes": _generated(generate="shapes", samples=12, height=9, width=12, channels=3),
}


@pytest.mark.parametrize("name", CASES)
def test_the_header_is_what_loading_finds(name: str, tmp_path: Path) -> None:
    data = spec(**CASES[name](tmp_path))
    header = inspect(data, tmp_path)
    assert header == info_of(load(data, tmp_path), header.columns, header.files)


def test_the_header_of_a_table_written_out(tmp_path: Path) -> None:
    header = inspect(spec(**_several(tmp_path)), tmp_path)
    assert header.inputs == {"left": (1,), "right": (2,)}
    assert (header.targets["n"].kind, header.targets["n"].width) == ("number", 2)
    assert header.targets["k"].classes == ("x", "y")
    assert header.samples == 6
    assert header.columns == ("a", "b", "c", "u", "v", "w")
    assert header.files == (str(tmp_path / "a.csv"),)


def test_a_generator_mirrored(tmp_path: Path) -> None:
    data = spec(source={"generate": "shapes", "samples": 8}, target="@input")
    header = inspect(data, tmp_path)
    assert header.targets[""].width == 256 and header.targets[""].kind == "rows"
    assert header == info_of(load(data, tmp_path), (), ())


# Every module of the way of `check`, with NumPy made unimportable.
_ALONE = """
import json, sys
sys.modules["numpy"] = None
from pathlib import Path
from nnctl.data.header import inspect
class Split: group, order, gap, test, validation = None, None, 0, 0.25, 0.25
class Data:
    test = validation = target = targets = features = inputs = delimiter = header = task = None
    channels = image_size = frames = None
    window = horizon = stride = steps = tokens = max_length = None
    unknown, normalize, normalize_target = False, "none", False
    split = Split()
    def __init__(self, **keys): self.__dict__.update(keys)
folder = Path(sys.argv[1])
for keys in json.loads(sys.argv[2]):
    inspect(Data(**keys), folder)
assert "pydantic" not in sys.modules
"""


def test_the_header_needs_the_standard_library_alone(tmp_path: Path) -> None:
    makes = (_table, _packed, _archive_several, _arrays, _idx, _bundled("iris"))
    makes += (_series, _text, _pairs, _json_lines)
    specs = []
    for k, make in enumerate(makes):
        folder = tmp_path / str(k)
        folder.mkdir()
        keys = make(folder)
        if "." in keys["source"]:
            keys["source"] = f"{k}/{keys['source']}"
        if str(keys.get("target", "")).endswith(".npy"):
            keys["target"] = f"{k}/{keys['target']}"
        specs.append(keys)
    specs[2]["inputs"] = {name: [array] for name, array in specs[2]["inputs"].items()}
    specs[2]["targets"] = {name: [array] for name, array in specs[2]["targets"].items()}
    command = [sys.executable, "-c", _ALONE, str(tmp_path), json.dumps(specs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_names_of_files_are_told_from_those_of_folders() -> None:
    assert all(ending.endswith(FILE_ENDINGS) for ending in extensions())
