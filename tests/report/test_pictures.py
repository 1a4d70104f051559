"""Kernels, maps and mistakes as pictures: what is shown, how much of it, and what is said."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from nnctl.report import kernels
from nnctl.report.page import page
from nnctl.report.pictures import activation_sheets, activation_title, gallery, kernel_sheets, pairs
from nnctl.report.tables import markdown
from tests.report.fakes import evaluation, run
from tests.report.test_page import parsed, text_of


def pixels(picture):
    held = Image.open(io.BytesIO(base64.b64decode(picture.uri.partition(",")[2])))
    return np.asarray(held)


def test_a_grey_kernel_has_zero_in_the_middle():
    w = np.zeros((2, 2, 1, 3), np.float32)
    w[0, 0, 0] = [0.5, -0.25, 0.0]
    (sheet,) = kernel_sheets({"conv2d_1": w})
    assert "The 3 kernels of 2x2. Middle grey is 0" in sheet.note
    first, second, third = sheet.pictures
    assert pixels(first).tolist() == [[255, 128], [128, 128]] and first.lines == ("±0.5",)
    assert pixels(second).tolist() == [[0, 128], [128, 128]] and second.lines == ("±0.25",)
    assert pixels(third).tolist() == [[128, 128], [128, 128]] and third.lines == ("±0",)
    assert first.alt == "kernel 1 of conv2d_1"
    assert first.width == first.height > 50


@pytest.mark.parametrize(
    ("shape", "size", "said"),
    [
        ((3, 3, 3, 2), (3, 3), "red, green and blue"),
        ((3, 2, 4, 2), (11, 3), "4 channels side by side"),
        ((3, 2, 9, 2), (23, 3), "the first 8 of 9 channels side by side"),
        ((5, 7, 2), (5, 7), "7 channels, a row each"),
        ((2, 3, 4, 1, 2), (9, 3), "2x3x4, side by side its 2 planes along depth or time. Middle"),
        ((2, 3, 4, 2, 2), (9, 7), "2 channels a row each, side by side its 2 planes along"),
        ((2, 3, 4, 3, 2), (9, 3), "its 2 planes along depth or time, three channels as red"),
        ((9, 2, 2, 1, 2), (23, 2), "side by side the first 8 of its 9 planes"),
        ((1, 3, 3, 1, 2), (3, 3), "kernels of 1x3x3. Middle"),
    ],
)
def test_kernels_of_every_kind(shape, size, said):
    (sheet,) = kernel_sheets({"c": np.random.default_rng(0).normal(size=shape)})
    found = pixels(sheet.pictures[0])
    assert (found.shape[1], found.shape[0]) == size
    assert said in sheet.note


def test_many_kernels_are_capped_and_the_cap_is_told():
    (sheet,) = kernel_sheets({"c": np.ones((3, 3, 1, 100))})
    assert len(sheet.pictures) == 64
    assert "The first 64 of 100 kernels" in sheet.note


def test_colors_are_those_of_the_channels():
    w = np.zeros((1, 2, 3, 1))
    w[0, 0, 0, 0] = 1.0
    w[0, 1, 2, 0] = -1.0
    (sheet,) = kernel_sheets({"c": w})
    assert pixels(sheet.pictures[0]).tolist() == [[[255, 128, 128], [128, 128, 0]]]


ROWS = [
    {"layer": "input", "type": "input", "reads": "", "parameters": 0},
    {"layer": "turned", "type": "reshape", "reads": "input", "parameters": 0},
    {"layer": "a", "type": "conv2d + relu", "reads": "turned", "parameters": 10},
    {"layer": "b", "type": "separable_conv2d", "reads": "input", "parameters": 10},
    {"layer": "c", "type": "dense", "reads": "input", "parameters": 10},
    {"layer": "d", "type": "conv2d_transpose", "reads": "input", "parameters": 10},
    {"layer": "e", "type": "conv2d", "reads": "a, input", "parameters": 10},
]


def test_only_convolutions_that_see_the_data_as_they_are():
    assert kernels.first_convolutions(ROWS) == ["a", "b"]


def test_kernels_of_the_checkpoint_that_can_be_read(tmp_path):
    from nnctl import checkpoint
    from nnctl.run.rundir import RunDir

    folder = RunDir(tmp_path)
    folder.prepare()
    assert kernels.read_kernels(folder, ROWS) == {}
    w = np.ones((3, 3, 1, 4), np.float32)
    tensors = {"param/a.w": w, "param/b.depthwise_w": 2 * w, "param/c.w": w[0, 0]}
    checkpoint.save(folder.latest, tensors, {})
    folder.best.write_bytes(b"damaged")
    found = kernels.read_kernels(folder, ROWS)
    assert list(found) == ["a", "b"] and (found["b"] == 2 * w).all()


def told(**more):
    layer = {"layer": "c", "type": "conv2d", "shape": "4x4x20", "maps": 20, "low": 0, "high": 2.5}
    said = {"output": "", "true": "cat", "predicted": "dog", "probability": 0.75}
    return {"sample": 7, "split": "test", "layers": [layer], "of": 1, "said": [said], **more}


MAPS = {"maps.0": np.zeros((16, 4, 4), np.uint8), "pictures": np.zeros((1, 4, 4, 1), np.uint8)}


def test_maps_say_their_range_and_how_many_there_are():
    (sheet,) = activation_sheets(told(), MAPS)
    assert len(sheet.pictures) == 16
    assert sheet.note == "conv2d, 4x4x20, the first 16 of 20 maps; black 0, white 2.5"
    title = activation_title(told())
    assert title == "Sample 7 of test; true cat, predicted dog with probability 0.75."


def test_a_mistake_without_a_picture_is_left_out():
    rows = [
        {"sample": k, "true": "cat", "predicted": "dog", "probability": p}
        for k, p in ((3, 0.9), (5, 0.8), (4, None))
    ]
    found = gallery(rows, {3: np.zeros((2, 2, 3), np.uint8), 4: np.zeros((2, 2, 3), np.uint8)})
    assert [picture.alt for picture in found] == [
        "sample 3: cat taken for dog",
        "sample 4: cat taken for dog",
    ]
    assert found[0].lines == ("cat taken for dog", "probability 0.9", "sample 3")
    assert found[1].lines[1] == "probability –"


def test_a_sample_that_is_a_file_is_shown_with_its_name():
    row = {"sample": 3, "file": "a/<1>.png", "true": "cat", "predicted": "dog", "probability": 1.0}
    (one,) = gallery([row], {3: np.zeros((2, 2, 3), np.uint8)})
    assert one.lines[2:] == ("sample 3", "a/<1>.png")
    assert activation_title(told(file="a/1.png")).startswith("Sample 7 of test, a/1.png; true cat")
    worst = [{**row, "loss": 2.5}]
    named = run(evaluations={"test": {**evaluation(), "worst": worst, "mistakes": [row]}})
    assert "<td>a/&lt;1&gt;.png</td>" in page([named])
    assert "| 3 | a/\\<1\\>.png | cat | dog | 1 |" in markdown([named])


def whole(name="cat"):
    row = {"sample": 3, "true": name, "predicted": "dog", "probability": 0.9}
    about = told(said=[{"output": "", **row}], of=50)
    about["layers"][0]["layer"] = name
    return run(
        evaluations={"test": {**evaluation(name), "mistakes": [row]}},
        pictures={"test": {3: np.zeros((2, 2, 3), np.uint8)}},
        activations=(about, MAPS),
        kernels={name: np.ones((3, 3, 1, 2))},
    )


def test_a_page_with_all_pictures():
    html = page([whole()])
    parsed(html)
    text = text_of(html)
    for heading in ("Surest mistakes", "Kernels of the first layer", "Activation maps"):
        assert heading in text
    assert "1 of 1 samples that were taken for another class" in text
    assert "1 of its 50 layers with maps." in text
    assert html.count("<img ") == 1 + 2 + 1 + 16 == html.count('alt="')
    assert html == page([whole()])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_worst_samples_beside_what_was_made_of_them(channels):
    worst = [{"sample": k, "loss": 9.5 - k, "true": None, "predicted": None} for k in range(10)]
    given = {k: np.full((2, 2, channels), 10 * k, np.uint8) for k in range(10)}
    made = {k: np.full((2, 2, channels), 200, np.uint8) for k in range(10)}
    found = pairs(worst, given, made)
    assert len(found) == 8 and found[1].lines == ("loss 8.5", "sample 1")
    shown = pixels(found[1])
    assert shown.shape == (2, 5, min(channels + 1, 4))
    assert shown[0, :, 0].tolist() == [10, 10, 0, 200, 200]
    alpha = [255, 255, 0, 255, 255] if channels < 4 else [10, 10, 0, 200, 200]
    assert shown[0, :, -1].tolist() == alpha
    evaluations = {"test": {**evaluation(), "worst": worst}}
    html = page([run(evaluations=evaluations, pictures={"test": given}, drawn={"test": made})])
    assert "Left what was given, right what the network made of it." in text_of(html)
    assert html.count("<th>predicted</th>") == 0
    assert pairs(worst, given, {}) == ()


def test_a_page_about_clips_says_which_frame_it_shows():
    clips = replace(whole(), frames={"test": (3, 5)})
    assert text_of(page([clips])).count("Of each clip frame 3 of 5.") == 1
    about, maps = clips.activations
    named = replace(clips, activations=({**about, "frame": [2, 4]}, maps))
    assert "frame 2 of 4" in text_of(page([named]))
    assert "frame" not in text_of(page([whole()]))


def test_a_page_without_pictures_has_no_empty_headings():
    html = page([run()])
    assert "<img" not in html
    for heading in ("Surest mistakes", "Kernels of", "Activation maps"):
        assert heading not in text_of(html)


def test_names_in_captions_are_no_markup():
    html = page([whole("<script>alert(1)</script>")])
    assert "script" not in parsed(html).tags
