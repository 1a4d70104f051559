"""Small pictures of samples, and the mistakes they are of."""

from types import SimpleNamespace

import numpy as np
import pytest

from nnctl.data import Part
from nnctl.errors import UsageError
from nnctl.metrics import classified
from nnctl.run.activations import LAYERS, _about, _spread, row_of
from nnctl.run.artifacts import read_frame, read_pictures, write_evaluation
from nnctl.run.heads import Head
from nnctl.run.mistakes import MISTAKES, surest_mistakes
from nnctl.run.pictures import drawings, gallery, picture_input, scaled, thinned, value_range
from nnctl.run.rundir import RunDir
from nnctl.spec.info import TargetInfo

PETS = Head("dense_1", "", "", TargetInfo("class", 3, ("cat", "dog", "eel")), "softmax")


def part(array):
    return Part({"": array}, {}, 10 * np.arange(len(array), dtype=np.int64))


def test_the_surest_come_first_with_both_probabilities():
    scores = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.5, 0.3, 0.2], [1 / 3] * 3]))
    seen = classified(scores, np.array([1, 0, 0, 2]), 3)
    found = surest_mistakes(PETS, seen, lambda row: {"sample": 40 + int(row)})
    assert [row["sample"] for row in found] == [41, 40, 43]
    assert [(row["true"], row["predicted"]) for row in found] == [
        ("cat", "dog"),
        ("dog", "cat"),
        ("eel", "cat"),
    ]
    assert [row["probability"] for row in found] == pytest.approx([0.8, 0.7, 1 / 3])
    assert [row["true_probability"] for row in found] == pytest.approx([0.1, 0.2, 1 / 3])


def test_of_many_mistakes_some_are_kept():
    seen = classified(np.tile([0.0, 1.0, 0.0], (100, 1)), np.zeros(100, np.int64), 3)
    found = surest_mistakes(PETS, seen)
    assert [row["sample"] for row in found] == list(range(MISTAKES))


def test_values_that_are_no_probabilities_have_none():
    seen = classified(np.array([[5.0, -3.0, 0.0]]), np.array([1]), 3, "identity")
    (row,) = surest_mistakes(PETS, seen)
    assert row["probability"] is None and row["predicted"] == "cat"


@pytest.mark.parametrize(
    ("shape", "shows"),
    [
        ((8, 8, 1), True),
        ((8, 8, 3), True),
        ((8, 8, 4), True),
        ((5, 8, 8, 3), True),
        ((8, 8, 2), False),
        ((8, 8), False),
        ((1, 8, 1), False),
        ((64,), False),
    ],
)
def test_what_is_a_picture(shape, shows):
    found = picture_input({"other": np.zeros((2, 4)), "": np.zeros((2, *shape))})
    assert (found == "") is shows and (found is None) is not shows


def test_samples_are_named_by_their_place_in_the_data():
    array = np.arange(5 * 4, dtype=np.uint8).reshape(5, 2, 2, 1)
    found = gallery(part(array), [30, 10, 30])
    assert found["sample"].tolist() == [10, 30]
    assert (found["pictures"] == array[[1, 3]]).all()
    assert gallery(part(array), []) == {} and gallery(part(np.zeros((5, 3))), [10]) == {}


@pytest.mark.parametrize("link", ["identity", "sigmoid"])
def test_what_is_drawn_has_the_black_and_white_of_the_samples(link):
    head = Head("picture", "", "", TargetInfo("rows", 4), link)
    values = np.tile([0.0, 0.2, 1.0, 7.0], (5, 1))
    drawn = drawings([PETS, head], {"dense_1": values, "picture": values})
    bytes_ = part(np.full((5, 2, 2, 1), 9, np.uint8))
    found = gallery(bytes_, [20], drawn)["drawn"]
    expected = [0, 51, 255, 255] if link == "identity" else [128, 140, 186, 255]
    assert found.shape == (1, 2, 2, 1) and found.reshape(-1).tolist() == expected
    if link == "identity":  # pictures from -1 to 3
        other = part(np.tile([-1.0, 0.0, 1.0, 3.0], (5, 1)).reshape(5, 2, 2, 1))
        again = gallery(other, [20], drawn)["drawn"]
        assert again.reshape(-1).tolist() == [64, 76, 128, 255]
    assert "drawn" not in gallery(part(np.zeros((5, 3, 3, 1))), [20], drawn)
    assert drawings([PETS], {"dense_1": values}) is None


def test_of_a_video_the_middle_frame():
    array = np.arange(3, dtype=np.uint8).reshape(1, 3, 1, 1, 1) * np.ones((1, 3, 2, 2, 1), np.uint8)
    found = gallery(part(array), [0])
    assert (found["pictures"] == 1).all() and found["frame"].tolist() == [2, 3]
    assert "frame" not in gallery(part(array[:, 0]), [0])


def test_large_pictures_are_thinned_to_means():
    large = np.zeros((1, 200, 100, 3), np.uint8)
    large[:, :3, :3] = 90
    small = thinned(large)
    assert small.shape == (1, 66, 33, 3) and small.dtype == np.uint8
    assert small[0, 0, 0, 0] == 90 and small[0, 1:].max() == 0


def test_what_black_and_white_stand_for():
    assert value_range(np.zeros(2, np.uint8)) == (0.0, 255.0)
    assert value_range(np.array([0.25, 0.75])) == (0.0, 1.0)
    assert value_range(np.array([-2.0, 3.0])) == (-2.0, 3.0)
    values = np.array([-2.0, 0.5, 3.0, 9.0, np.nan])
    assert scaled(values, -2.0, 3.0).tolist() == [0, 128, 255, 255, 0]
    assert scaled(np.zeros(2), 0.0, 0.0).tolist() == [0, 0]


def test_pictures_are_replaced_with_their_evaluation_and_damage_is_no_error(tmp_path):
    folder = RunDir(tmp_path)
    arrays = gallery(part(np.zeros((2, 2, 2, 1), np.uint8)), [10])
    clips = gallery(part(np.zeros((2, 4, 2, 2, 1), np.uint8)), [10])
    write_evaluation(folder, {"split": "test"}, arrays)
    path = folder.artifacts / "pictures-test.npz"
    first = path.read_bytes()
    assert list(read_pictures(folder, "test")) == [10]
    assert read_frame(folder, "test") is None
    write_evaluation(folder, {"split": "test"}, clips)
    assert read_frame(folder, "test") == (3, 4)
    write_evaluation(folder, {"split": "test"}, arrays)
    assert path.read_bytes() == first
    path.write_bytes(first[:100])
    assert read_pictures(folder, "test") == {}
    write_evaluation(folder, {"split": "test"})
    assert not path.exists() and read_pictures(folder, "test") == {}


@pytest.mark.parametrize(
    ("shape", "said"),
    [((9, 4), "a row a channel"), ((8, 8, 3), ""), ((5, 8, 8, 3), "plane 3 of 5 of each")],
)
def test_which_part_of_a_map_is_shown(shape, said):
    layer = SimpleNamespace(name="c", type="conv3d", shape=shape)
    maps = np.zeros((2, 8, 8))
    assert _about(layer, maps, maps)["shown"] == said


def test_of_many_layers_some_are_shown_from_the_first_to_the_last():
    assert _spread(list(range(5))) == list(range(5))
    some = _spread(list(range(100)))
    assert len(some) == LAYERS and (some[0], some[-1]) == (0, 99)
    assert some == sorted(set(some))


def test_a_sample_of_another_part_is_named_with_some_that_are_there():
    some = part(np.zeros((20, 1)))
    assert row_of(some, "test", 30) == 3
    with pytest.raises(UsageError, match="no sample 31 in the test part\n  its samples are 0, 10"):
        row_of(some, "test", 31)
