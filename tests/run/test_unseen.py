"""Other data, named on a command line: paths come first, remedies need no key of a spec."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnctl.data import load
from nnctl.errors import DataError
from nnctl.run.unseen import read_unseen
from nnctl.spec.data import DataSpec

RGB = DataSpec(source="./set")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with images of two classes in ``set``, the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("cat", "dog"):
        save(f"set/{name}/1.png", (6, 4))
    return tmp_path


def save(name, size, mode="RGB"):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, 9).save(name)


def read(source, data=RGB, labeled=False):
    reading = load(data, Path()).reading
    assert reading is not None
    return read_unseen(data, reading, source, labeled=labeled)


def said(source, data=RGB):
    with pytest.raises(DataError) as found:
        read(source, data)
    return str(found.value)


@pytest.mark.parametrize("name", ["new", "./new", "iris"])
def test_a_path_that_is_there_comes_first(here, name):
    save(f"{name}/7.png", (6, 4))
    assert read(name).files.tolist() == ["7.png"]


def test_a_name_that_is_nothing(here):
    remedy = "give a file, a folder of images, or the name of a bundled dataset"
    assert said("nothing_like_it") == f"no such file: nothing_like_it\n  {remedy}"
    assert said("sett") == "no such file: sett\n  did you mean set?"
    assert said("irys") == "no such file: irys\n  did you mean iris?"
    assert said("set/cat/2.png") == "no such file: set/cat/2.png\n  did you mean set/cat/1.png?"


@pytest.mark.parametrize(
    ("size", "mode", "remedy"),
    [
        ((9, 9), "RGB", "resize the images to 4x6"),
        ((6, 4), "L", "convert the images to 3 channels (RGB)"),
    ],
)
def test_images_unlike_those_of_training(here, size, mode, remedy):
    save("new/1.png", size, mode)
    assert said("new").endswith(f", expected 4x6x3 as in set\n  {remedy}")
    save("new/2.png", (6, 4))
    save("new/3.png", size, mode)
    *files, last = said("new").splitlines()
    assert [line.partition(":")[0] for line in files] == ["new/1.png", "new/3.png"]
    assert "like 1 of 3 files" in files[0] and last == f"  {remedy}"


def test_clips_of_another_length(here):
    for k in range(3):
        save(f"clips/{'ab'[k % 2]}/one/{k}.png", (6, 4))
        save(f"clips/{'ab'[k % 2]}/one/{k + 5}.png", (6, 4))
    save("clips/b/one/9.png", (6, 4))
    save("clips/b/one/8.png", (6, 4))
    data = DataSpec(source="./clips")
    save("new/1.png", (6, 4))
    assert said("new", data).endswith("expected 4x4x6x3 as in clips\n  give clips of 4 frames")


def test_cells_of_another_form(here):
    Path("a.csv").write_text("a,b,c\n" + "1,2,3\n4,5,6\n" * 9)
    data = DataSpec(source="a.csv", target="c")
    Path("b.csv").write_text("a;b\n1;2\n")
    assert said("b.csv", data).endswith("part the cells by ',', as in a.csv")
    Path("b.csv").write_text("a,b\n1,x\n2,\n")
    assert "data." not in said("b.csv", data)
    assert said("b.csv", data).splitlines()[1::2] == ["  encode it as numbers", "  fill it in"]
    np.savez("b.npz", q=np.zeros((2, 3)), r=np.zeros(3))
    assert "data." not in said("b.npz", data)
