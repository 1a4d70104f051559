"""Broken data: each mistake with its exact message, its place, and exit code 3.

``check`` (the header) has to say the same as loading does, except where only the numbers of an
array can tell.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data import load
from nnctl.data.header import inspect
from nnctl.errors import DataError, ExitStatus
from tests.data.helpers import IRIS, idx, spec, write

Maker = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """Files to make, the spec that names them, and what is to be said of it.

    ``DIR`` in the text is the folder. ``only_loading``: the header alone cannot know.
    """

    make: Maker
    text: str
    keys: dict[str, Any] = field(default_factory=dict)
    only_loading: bool = False


def table(content: str | bytes, name: str = "a.csv") -> Maker:
    return lambda folder: void(write(folder, name, content))


def void(_: object) -> None:
    return None


def raw(name: str, content: bytes) -> Maker:
    return lambda folder: void((folder / name).write_bytes(content))


def archive(**arrays: Any) -> Maker:
    return lambda folder: np.savez(folder / "a.npz", **arrays)


def pair(images: bytes | None, labels: bytes | None) -> Maker:
    def make(folder: Path) -> None:
        for name, content in (("images.idx", images), ("labels.idx", labels)):
            if content is not None:
                (folder / name).write_bytes(content)

    return make


def both(*makers: Maker) -> Maker:
    return lambda folder: void([maker(folder) for maker in makers])


PACKED = gzip.compress((IRIS + IRIS.split("\n", 1)[1] * 50).encode(), mtime=0)
IMAGES = idx(np.zeros((4, 2, 2), np.uint8))
LABELS = idx(np.array([0, 1, 0, 1], np.uint8))
X = np.zeros((4, 2), np.float32)
Y = np.array([0, 1, 0, 1])


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def flipped(folder: Path) -> None:
    """Store an archive without compression and flip one bit of its numbers."""
    np.savez(folder / "a.npz", x=np.ones((50, 2)), y=np.arange(50) % 2)
    data = bytearray((folder / "a.npz").read_bytes())
    data[300] ^= 1
    (folder / "a.npz").write_bytes(bytes(data))


def pickled(folder: Path) -> None:
    np.savez(folder / "a.npz", x=X, y=np.array([{}, 1, 2, 3], dtype=object), allow_pickle=True)


def not_arrays(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.npz", "w") as file:
        file.writestr("x.txt", "hello")


FILL = "fill it in, or leave the row or the column out (data.features)"
ENCODE = "encode it as numbers, or leave the column out with data.features"
CUT = "the file was cut short; copy or download it again"
REWRITE = "the file was cut short or damaged; write or copy it again"
KIND = {"source": "a.csv", "target": "kind"}
GZ = {"source": "a.csv.gz", "target": "kind"}
NPZ = {"source": "a.npz"}
IDX = {"source": "images.idx"}

TABLES = {
    "missing file": Case(
        table(IRIS, "iris.csv"),
        'data.source: no such file: "irys.csv"\n  did you mean "iris.csv"?\n'
        "  a relative path starts at the folder of the spec file",
        {"source": "irys.csv"},
    ),
    "directory": Case(
        lambda folder: (folder / "a.csv").mkdir(),
        "DIR/a.csv: no images\n  put images (.png, .jpg, .jpeg, .gif) into a folder for each class",
    ),
    "unknown bundled set": Case(
        table(IRIS),
        'data.source: no bundled dataset "irys"\n  did you mean "iris"?\n'
        "  bundled datasets: alice, breast_cancer, diabetes, digits, iris, sunspots, wine",
        {"source": "irys"},
    ),
    "a file given like a bundled set": Case(
        table(IRIS, "data"),
        'data.source: no bundled dataset "data"\n  a file is named with its folder: "./data"',
        {"source": "data"},
    ),
    "unknown ending": Case(
        table(IRIS, "a.xlsx"),
        'DIR/a.xlsx: no reader for a file called "a.xlsx"\n  names that can be read end in '
        ".bin, .csv, .csv.gz, .gif, .idx, .idx.gz, .jpeg, .jpg, .jsonl, .jsonl.gz, .npy, "
        ".npz, .png, .tsv, .tsv.gz, .txt, .txt.gz, ubyte, ubyte.gz",
        {"source": "a.xlsx"},
    ),
    "empty file": Case(
        raw("a.csv", b""), "DIR/a.csv: the file is empty (0 bytes)\n  write the data again"
    ),
    "only blank lines": Case(
        table("\n\n"),
        "DIR/a.csv: the file has no rows\n  write a header and one row a sample",
    ),
    "zero rows": Case(
        table("length,kind\n"),
        "DIR/a.csv: the file has a header but no rows\n  write one row a sample under the header",
    ),
    "truncated gzip": Case(
        raw("a.csv.gz", PACKED[:60]),
        f"DIR/a.csv.gz: truncated gzip file: it ends too early\n  {CUT}",
        GZ,
    ),
    "damaged gzip": Case(
        raw("a.csv.gz", PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:]),
        "DIR/a.csv.gz: damaged gzip file: CRC check failed 0x0 != "
        f"{hex(int.from_bytes(PACKED[-8:-4], 'little'))}\n  copy or download it again",
        GZ,
    ),
    "gzip with something behind it": Case(
        raw("a.csv.gz", PACKED + b"xx"),
        "DIR/a.csv.gz: damaged gzip file: something follows its end\n  copy or download it again",
        GZ,
    ),
    "number beyond double precision": Case(
        table("length,kind\n1e999,a\n2,b\n3,a\n4,b\n"),
        'DIR/a.csv:2:1: column "length": the number is too large (given "1e999")\n'
        "  write it in other units, or leave the column out with data.features",
    ),
    "gzip in name only": Case(
        raw("a.csv.gz", IRIS.encode()),
        "DIR/a.csv.gz: not a gzip file, though its name ends in .gz\n"
        "  rename it, or pack it with gzip",
        GZ,
    ),
    "gzip without the name": Case(
        raw("a.csv", PACKED),
        "DIR/a.csv:1:1: gzip data in a file not named .gz\n  rename it to a.csv.gz",
    ),
    "UTF-16": Case(
        raw("a.csv", IRIS.encode("utf-16")),
        "DIR/a.csv:1:1: UTF-16 text; UTF-8 was expected\n  save the file as UTF-8",
    ),
    "Latin-1": Case(
        raw("a.csv", IRIS.replace("3,a", "3,\u00e9").encode("latin-1")),
        "DIR/a.csv:3:1: not UTF-8: byte 0xe9 at position 7\n"
        "  save the file as UTF-8, e.g. iconv -f latin1 -t utf-8 a.csv",
    ),
    "NUL": Case(
        table(IRIS.replace("3,a", "3,\0")),
        "DIR/a.csv:3:1: a NUL byte in a text file\n"
        "  is this a binary file, or UTF-16? CSV has to be UTF-8 text",
    ),
    "ragged rows": Case(
        table(IRIS.replace("2.5,3,a", "2.5,3") + "1,2,a,9\n"),
        "DIR/a.csv:3:1: the row has 2 cells, expected 3 cells as in the first\n"
        "DIR/a.csv:6:1: the row has 4 cells, expected 3 cells as in the first\n"
        "  a cell that holds the delimiter must be in double quotes",
    ),
    "wrong delimiter": Case(
        table(IRIS.replace(",", ";")),
        "DIR/a.csv:1:1: no comma in the first row, but ';'\n  set data.delimiter = \";\"",
    ),
    "open quote": Case(
        table(IRIS + '1,2,"a\n'),
        "DIR/a.csv:6:1: unexpected end of data\n  a double quote inside a cell is written twice",
    ),
    "old Mac line ends": Case(
        table(IRIS.replace("\n", "\r")),
        "DIR/a.csv:1:1: a carriage return within a line\n"
        "  end lines in LF or CRLF; in a cell it must be in double quotes",
    ),
    "duplicate header": Case(
        table(IRIS.replace("width", "length")),
        'DIR/a.csv:1:1: two columns are called "length": columns 1 and 2\n'
        "  give every column a name of its own",
    ),
    "nameless column": Case(
        table(IRIS.replace("length", "")),
        "DIR/a.csv:1:1: column 1 has no name in the header\n"
        "  name it; pandas writes a nameless index unless to_csv(index=False)",
    ),
    "words among numbers": Case(
        table(IRIS.replace("4,b", "wide,b")),
        f'DIR/a.csv:4:5: column "width": expected a number, given "wide"\n  {ENCODE}',
    ),
    "NaN cell": Case(
        table(IRIS.replace("4,b", "NaN,b")),
        f'DIR/a.csv:4:5: column "width": the value is missing (given "NaN")\n  {FILL}',
    ),
    "empty cell": Case(
        table(IRIS.replace("4.5", "")),
        f'DIR/a.csv:5:1: column "length": the value is missing (given "")\n  {FILL}',
    ),
    "infinite cell": Case(
        table(IRIS.replace("4.5", "inf")),
        f'DIR/a.csv:5:1: column "length": expected a number, given "inf"\n  {ENCODE}',
    ),
    "underscore in a number": Case(
        table(IRIS.replace("4.5", "4_5")),
        f'DIR/a.csv:5:1: column "length": expected a number, given "4_5"\n  {ENCODE}',
    ),
    "empty label": Case(
        table(IRIS.replace("3,a", "3,")),
        f'DIR/a.csv:3:7: column "kind": the value is missing\n  {FILL}',
    ),
    "single class": Case(
        table(IRIS.replace("b", "a")),
        'DIR/a.csv:2:1: target "kind" has a single class, "a"\n'
        "  a classifier needs at least two classes",
    ),
    "number written in two ways": Case(
        table("x,y\n1,0\n2,1\n3,1.0\n"),
        'DIR/a.csv:4:1: class "1.0" of "y" is the number "1" written otherwise\n'
        "  write each class in one way",
        {"source": "a.csv", "target": "y", "task": "classification"},
    ),
    "a word among the numbers of a target": Case(
        table("x,y\n1,0.5\n2,1.5\n3,2.x\n4,3.5\n"),
        'DIR/a.csv:4:1: target "y": "2.x" among numbers\n  correct it, or set data.task ='
        ' "classification" if these are names of classes',
        {"source": "a.csv", "target": "y"},
    ),
    "words for a regression": Case(
        table(IRIS),
        'DIR/a.csv:2:1: "kind": expected a number, given "b"\n'
        'DIR/a.csv:3:1: "kind": expected a number, given "a"\n'
        'DIR/a.csv:4:1: "kind": expected a number, given "b"\n'
        'DIR/a.csv:5:1: "kind": expected a number, given "a"\n  correct it, or set data.task ='
        ' "classification" if these are names of classes',
        {**KIND, "task": "regression"},
    ),
    "unknown target column": Case(
        table(IRIS),
        'data.target: no column "kinds" in a.csv\n  did you mean "kind"?\n'
        "  columns: length, width, kind",
        {"source": "a.csv", "target": "kinds"},
    ),
    "no target": Case(
        table(IRIS),
        "data.target: which column of a.csv is the target?\n  columns: length, width, kind\n"
        '  set target to one of them, or to "@input" (autoencoder)',
        {"source": "a.csv"},
    ),
    "unknown feature and group, at once": Case(
        table(IRIS),
        'data.split.group: no column "who" in a.csv\n  columns: length, width, kind\n'
        'data.features.1: no column "breadth" in a.csv\n  columns: length, width, kind',
        {**KIND, "features": ["width", "breadth"], "split": {"group": "who"}},
    ),
    "the target among the features": Case(
        table(IRIS),
        'data.features: "kind" is the target, and cannot be an input too\n'
        "  leave it out: the network would read the answer",
        {**KIND, "features": ["width", "kind"]},
    ),
    "a feature twice": Case(
        table(IRIS),
        'data.features.1: "width" is listed twice\n  list it once',
        {**KIND, "features": ["width", "w*"]},
    ),
    "nothing left for the input": Case(
        table("kind\na\nb\n"),
        "data.source: a.csv has no column left to be the input\n  columns: kind",
    ),
    "no such input to mirror": Case(
        table(IRIS.replace("b", "1").replace("a", "2")),
        'data.target: there is no input "@input.left"\n  inputs: @input',
        {"source": "a.csv", "target": "@input.left"},
    ),
    "not a time": Case(
        table(IRIS),
        'DIR/a.csv:2:1: "kind": "b" is neither a number nor a date\n'
        "  write dates as 2026-01-31 or 2026-01-31T12:00",
        {"source": "a.csv", "target": "width", "split": {"order": "kind"}},
    ),
    "numbers and dates": Case(
        table("t,x,y\n1,1,a\n2026-01-01,2,b\n"),
        'DIR/a.csv:3:1: "t": "2026-01-01" is a date, unlike the rows before\n'
        "  write all times as numbers, or all as dates",
        {"source": "a.csv", "target": "y", "split": {"order": "t"}},
    ),
    "test label outside the classes": Case(
        both(table(IRIS), table(IRIS.replace("4,b", "4,bb"), "t.csv")),
        'DIR/t.csv:4:1: label "bb" of "kind" is none of the 2 classes\n  classes: a, b',
        {**KIND, "test": "t.csv"},
    ),
    "validation file without a column": Case(
        both(table(IRIS), table("length,kind\n1,a\n", "v.csv")),
        "DIR/v.csv: no column width, which a.csv has\n  columns here: length, kind",
        {**KIND, "validation": "v.csv"},
    ),
    "missing test file": Case(
        table(IRIS),
        'data.test: no such file: "t.csv"\n  did you mean "a.csv"?\n'
        "  a relative path starts at the folder of the spec file",
        {**KIND, "test": "t.csv"},
    ),
}

ARRAYS = {
    "not a zip": Case(
        raw("a.npz", b"hello, this is no archive"),
        f"DIR/a.npz: not a whole NPZ (zip) file: File is not a zip file\n  {REWRITE}",
    ),
    "truncated archive": Case(
        both(archive(x=X, y=Y), lambda f: void(_cut(f / "a.npz", 300))),
        f"DIR/a.npz: not a whole NPZ (zip) file: File is not a zip file\n  {REWRITE}",
    ),
    "a flipped bit": Case(
        flipped,
        "DIR/a.npz: not a whole NPZ (zip) file: Bad CRC-32 for file 'x.npy'\n  " + REWRITE,
        only_loading=True,
    ),
    "no arrays": Case(
        not_arrays, "DIR/a.npz: the archive holds no arrays\n  write it with numpy.savez"
    ),
    "pickle": Case(
        pickled,
        'DIR/a.npz: array "y": holds Python objects, which are read by running code (pickle)\n'
        "  save numbers or text: array.astype(...)",
    ),
    "complex numbers": Case(
        archive(x=X.astype(np.complex64), y=Y),
        'DIR/a.npz: array "x": type <c8 cannot be used\n  save whole numbers, float32 or float64',
    ),
    "text as input": Case(
        archive(x=np.array(["a", "b", "c", "d"]), y=Y),
        'DIR/a.npz: array "x": text, expected numbers for an input\n'
        "  encode the text as whole numbers",
    ),
    "different counts": Case(
        archive(x=X, y=Y[:3]),
        'DIR/a.npz: array "y": 3 samples, but array "x" has 4\n'
        "  every array has its samples along the first axis, in the same order",
    ),
    "no samples": Case(
        archive(x=X[:0], y=Y[:0]),
        'DIR/a.npz: array "x": no samples: its shape is 0x2\n'
        "  store an array of shape (samples, ...)",
    ),
    "a single number": Case(
        archive(x=np.float32(1), y=Y),
        'DIR/a.npz: array "x": a single number, expected samples along the first axis\n'
        "  store an array of shape (samples, ...)",
    ),
    "NaN in an array": Case(
        archive(x=np.array([[1, 2], [3, np.nan], [5, 6], [np.inf, 0]], np.float32), y=Y),
        'DIR/a.npz: array "x": sample 1 holds nan (2 such samples in all)\n'
        "  replace it, or leave the sample out: np.isfinite finds them",
        only_loading=True,
    ),
    "too large whole numbers": Case(
        archive(x=np.array([[2**63]] * 4, np.uint64), y=Y),
        'DIR/a.npz: array "x": 9223372036854775808 is more than 64 bits with a sign can hold\n'
        "  store it as float64",
        only_loading=True,
    ),
    "which array": Case(
        archive(a=X, b=X, y=Y),
        "data.features: which array of a.npz is the input?\n"
        "  set data.features to one of a, b, or name them in data.inputs",
    ),
    "which target": Case(
        archive(x=X, z=Y),
        "data.target: which array of a.npz is the target?\n  arrays: x, z\n"
        '  set target to one of them, or to "@input" (autoencoder)',
    ),
    "two arrays for one input": Case(
        archive(a=X, b=X, y=Y),
        "data.features: one input is one array, given 2\n  name several inputs in data.inputs",
        {**NPZ, "features": ["a", "b"]},
    ),
    "fractions as classes": Case(
        archive(x=X, y=Y / 2),
        'DIR/a.npz: sample 0: target "y" holds float numbers, which name no classes\n'
        "  store the labels as whole numbers or as text",
        {**NPZ, "task": "classification"},
    ),
    "one class": Case(
        archive(x=X, y=Y * 0 + 5),
        'DIR/a.npz: sample 0: target "y" has a single class, "5"\n'
        "  a classifier needs at least two classes",
    ),
    "a test set of another shape": Case(
        both(archive(x=X, y=Y), lambda f: np.savez(f / "t.npz", x=X[:, :1], y=Y)),
        "DIR/t.npz: samples of shape 1, expected 2 as in a.npz\n  give data of one shape",
        {**NPZ, "test": "t.npz"},
    ),
    "a test set of another type": Case(
        both(
            archive(x=np.zeros((4, 2, 2), np.uint8), y=Y),
            lambda f: np.savez(f / "t.npz", x=np.zeros((4, 2, 2, 1)), y=Y),
        ),
        "DIR/t.npz: numbers of type float64, expected bytes (uint8) as in a.npz\n"
        "  give images as bytes from 0 to 255",
        {**NPZ, "test": "t.npz"},
    ),
    "fractions in the test set alone": Case(
        both(archive(x=X.astype("int32"), y=Y), lambda f: np.savez(f / "t.npz", x=X + 0.5, y=Y)),
        "DIR/t.npz: sample 0: a fraction, expected whole numbers as in the training data\n"
        "  round the numbers, or train on such",
        {**NPZ, "test": "t.npz"},
        only_loading=True,
    ),
    "a test label outside the classes": Case(
        both(archive(x=X, y=Y), lambda f: np.savez(f / "t.npz", x=X, y=Y * 3)),
        'DIR/t.npz: sample 1: label "3" of "y" is none of the 2 classes\n'
        'DIR/t.npz: sample 3: label "3" of "y" is none of the 2 classes\n  classes: 0, 1',
        {**NPZ, "test": "t.npz"},
    ),
    "not an NPY file": Case(
        raw("x.npy", b"\x80\x04\x95hello"),
        "DIR/x.npy: not a NumPy array: it starts with b'\\x80\\x04\\x95hel'\n"
        "  write it with numpy.save or numpy.savez",
        {"source": "x.npy", "target": "@input"},
    ),
    "truncated NPY": Case(
        raw("x.npy", npy(X)[:-5]),
        f"DIR/x.npy: 27 bytes of data, expected 32 by its header\n  {REWRITE}",
        {"source": "x.npy", "target": "@input"},
    ),
    "NPY cut in its header": Case(
        raw("x.npy", npy(X)[:50]),
        f"DIR/x.npy: truncated in its header\n  {REWRITE}",
        {"source": "x.npy", "target": "@input"},
    ),
    "NPY with code in its header": Case(
        raw("x.npy", b"\x93NUMPY\x01\x00\x20\x00{'shape': __import__('os')}     "),
        f"DIR/x.npy: its NumPy header cannot be read\n  {REWRITE}",
        {"source": "x.npy", "target": "@input"},
    ),
    "NPY without a target": Case(
        raw("x.npy", npy(X)),
        "data.target: x.npy holds no target\n  set target to the file of the targets,"
        ' or to "@input" (autoencoder)',
        {"source": "x.npy"},
    ),
    "wrong magic": Case(
        pair(b"\x89PNG\r\n\x1a\n", LABELS),
        "DIR/images.idx: not an IDX file: it starts with 89 50 4e 47\n"
        "  expected 00 00, a type (08 for bytes) and the number of axes",
        IDX,
    ),
    "truncated IDX": Case(
        pair(IMAGES[:-3], LABELS),
        f"DIR/images.idx: 13 bytes of data, expected 16 by its header\n  {REWRITE}",
        IDX,
    ),
    "IDX cut in its head": Case(
        pair(IMAGES[:9], LABELS), f"DIR/images.idx: truncated in its head\n  {REWRITE}", IDX
    ),
    "no labels": Case(
        pair(IMAGES, None),
        "DIR/labels.idx: no such file: the labels of images.idx\n"
        "  put it there, or set data.target to the file of labels",
        IDX,
    ),
    "no name for the labels": Case(
        raw("a.idx", IMAGES),
        "DIR/a.idx: no file of labels goes with this one by its name\n"
        '  set data.target to the file of labels, or to "@input" for an autoencoder',
        {"source": "a.idx"},
    ),
    "fewer labels than images": Case(
        pair(IMAGES, idx(np.array([0, 1], np.uint8))),
        "DIR/labels.idx: 2 samples, but images.idx has 4\n"
        "  every array has its samples along the first axis, in the same order",
        IDX,
    ),
}


def _cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


CASES = [
    *(pytest.param(case, KIND, id=name) for name, case in TABLES.items()),
    *(pytest.param(case, NPZ, id=name) for name, case in ARRAYS.items()),
]


@pytest.mark.parametrize(("case", "default"), CASES)
def test_what_is_said(case: Case, default: dict[str, Any], tmp_path: Path) -> None:
    case.make(tmp_path)
    data = spec(**(case.keys or default))
    with pytest.raises(DataError) as found:
        load(data, tmp_path)
    assert str(found.value).replace(str(tmp_path), "DIR") == case.text
    assert found.value.status == ExitStatus.DATA
    if not case.only_loading:
        with pytest.raises(DataError) as header:
            inspect(data, tmp_path)
        assert str(header.value) == str(found.value)


def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 25


def test_many_mistakes_are_cut_short(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "x,y\n1,a\n" + "oops,b\n" * 1000)
    with pytest.raises(DataError) as found:
        load(spec(source="a.csv", target="y"), tmp_path)
    assert [problem.line for problem in found.value.problems] == [*range(3, 13), 0]
    assert found.value.problems[-1].message == "and 990 more"


def test_a_missing_value_of_what_is_input_and_target_is_told_once(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "x,y\n1,2.5\n,0.5\n")
    with pytest.raises(DataError) as found:
        load(spec(source="a.csv", features=["x"], target="x"), tmp_path)
    assert len(found.value.problems) == 1
