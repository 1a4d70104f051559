"""From a network on pictures to the pictures of its report: training, ``eval``, ``report``."""

import json

import numpy as np
import pytest

from nnctl.cli.app import run
from nnctl.run.artifacts import read_activations, read_evaluations, read_pictures
from nnctl.run.rundir import RunDir

SPEC = """
name = "shapes"
[data]
source = { generate = "shapes", samples = 60, height = 9, width = 9, channels = 3, classes = 3 }
normalize = "standard"
[[layers]]
type = "conv2d"
filters = 18
kernel_size = 3
[[layers]]
type = "relu"
[[layers]]
type = "dropout"
[[layers]]
type = "max_pool2d"
[[layers]]
type = "flatten"
[[layers]]
type = "dense"
units = 3
[loss]
type = "cross_entropy"
[training]
epochs = 1
"""


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "shapes.toml").write_text(SPEC)
    assert run(["train", str(folder / "shapes.toml"), "--run-dir", str(folder / "r"), "-q"]) == 0
    return folder


@pytest.fixture
def folder(shapes, monkeypatch):
    monkeypatch.chdir(shapes)
    return shapes


def test_training_leaves_the_pictures_of_its_mistakes_as_eval_does(folder, capsys):
    left = RunDir(folder / "r")
    pictures = read_pictures(left, "test")
    mistakes = read_evaluations(left)["test"]["mistakes"]
    assert mistakes  # after one epoch there are some
    (left.artifacts / "pictures-test.npz").unlink()
    assert run(["eval", "./r", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mistakes"] == mistakes
    again = read_pictures(left, "test")
    assert all((pictures[sample] == again[sample]).all() for sample in again) and again
    assert sorted(pictures) == sorted(row["sample"] for row in mistakes)
    assert all(one.shape == (9, 9, 3) and one.dtype == np.uint8 for one in pictures.values())


def test_the_maps_of_a_sample_in_evaluation_mode(folder, capsys):
    """The first map is worked out with NumPy; dropout leaves it alone."""
    from nnctl import checkpoint
    from nnctl.run.evaluate import read
    from nnctl.run.prepare import parts_of

    run(["eval", "./r", "--json"])
    sample = json.loads(capsys.readouterr().out)["worst"][0]["sample"]
    assert run(["eval", "./r", "--activations", str(sample)]) == 0
    about, arrays = read_activations(RunDir(folder / "r"))
    layers = [(row["layer"], row["shape"], row["maps"]) for row in about["layers"]]
    assert layers == [
        ("conv2d_1", "7x7x18", 18),
        ("relu_1", "7x7x18", 18),
        ("dropout_1", "7x7x18", 18),
        ("max_pool2d_1", "3x3x18", 18),
    ]
    assert (about["sample"], about["split"], about["of"]) == (sample, "test", 4)
    assert about["said"][0]["true"] != about["said"][0]["predicted"]
    assert arrays["pictures"].shape == (1, 9, 9, 3)
    assert arrays["maps.0"].shape == (16, 7, 7)
    assert (arrays["maps.2"] == arrays["maps.1"]).all()

    stored = read(RunDir(folder / "r").best)
    from nnctl.data import load

    spec = stored.spec
    part = parts_of(load(spec.data, spec.base_dir, spec.problem), spec)["test"]
    mean, scale = stored.normalizer.inputs[""]
    x = part.inputs[""][part.index == sample][0] / 255.0
    x = (x - mean.reshape(-1)[-3:]) * scale.reshape(-1)[-3:]
    tensors, _ = checkpoint.load(RunDir(folder / "r").best)
    w, b = tensors["param/conv2d_1.w"], tensors["param/conv2d_1.b"]
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(0, 1))
    y = np.moveaxis(np.einsum("ijcuv,uvcf->ijf", windows, w) + b, -1, 0)[:16]
    for k, maps in enumerate((y, np.maximum(y, 0.0))):
        low, high = (about["layers"][k][name] for name in ("low", "high"))
        assert (low, high) == pytest.approx((maps.min(), maps.max()), rel=1e-5)
        assert np.abs(arrays[f"maps.{k}"] - (maps - low) / (high - low) * 255).max() < 0.51


def test_the_report_shows_them_all_the_same_each_time(folder, capsys):
    assert run(["eval", "./r", "--activations", sample_of_test(capsys)]) == 0
    assert run(["report", "./r", "-o", "a.html"]) == 0
    html = (folder / "a.html").read_text()
    for heading in ("Surest mistakes", "Kernels of the first layer", "Activation maps"):
        assert heading in html
    assert html.count('alt="kernel ') == 18 and html.count('alt="map ') == 4 * 16
    assert run(["report", "./r", "-o", "b.html", "--quiet"]) == 0
    assert (folder / "b.html").read_text() == html
    assert run(["report", "./r", "./r", "-o", "two.html"]) == 0
    assert "<img" not in (folder / "two.html").read_text()
    capsys.readouterr()
    assert run(["report", "./r", "--format", "md"]) == 0
    assert "## Surest mistakes, on test" in capsys.readouterr().out


def sample_of_test(capsys):
    capsys.readouterr()
    assert run(["eval", "./r", "--json"]) == 0
    return str(json.loads(capsys.readouterr().out)["worst"][0]["sample"])


def test_a_run_that_goes_on_forgets_the_maps_of_an_older_network(folder, capsys):
    assert run(["eval", "./r", "--activations", sample_of_test(capsys)]) == 0
    copy = RunDir(folder / "r")
    assert read_activations(copy)[0]
    assert run(["resume", "./r", "--set", "training.epochs=2", "--quiet"]) == 0
    assert read_activations(copy) == ({}, {})


DRAWS = """
name = "draws"
[data]
source = { generate = "shapes", samples = 60, height = 9, width = 9, channels = 3, classes = 3 }
target = "@input"
[[layers]]
type = "flatten"
[[layers]]
type = "dense"
units = 243
[loss]
type = "mse"
[training]
epochs = 1
"""


def test_an_autoencoder_shows_its_worst_samples_beside_what_it_drew(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "draws.toml").write_text(DRAWS)
    assert run(["train", "draws.toml", "--run-dir", "r", "-q"]) == 0
    left = RunDir(tmp_path / "r")
    worst = read_evaluations(left)["test"]["worst"]
    assert sorted(read_pictures(left, "test", "drawn")) == sorted(row["sample"] for row in worst)
    assert run(["report", "./r", "-o", "a.html"]) == 0
    html = (tmp_path / "a.html").read_text()
    assert html.count("what was made of it") == 8 and f"<span>loss {worst[0]['loss']:.3g}" in html
    assert "<th>predicted</th>" not in html


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["./r", "--activations", "1000"], "there is no sample 1000 in the test part"),
        (["./r", "--activations", "1", "--activations", "2"], "given 2 times: 1 and 2"),
        (["./r/latest", "--activations", "1"], "kept for the report of a run"),
        (["./r", "--activations", "1", "--data", "x.npz"], "cannot hold together"),
    ],
)
def test_mistakes(folder, capsys, argv, message):
    assert run(["eval", *argv]) == 2
    printed = capsys.readouterr()
    assert message in printed.err and printed.out == ""


def test_a_network_without_maps(here, capsys):
    assert run(["eval", "iris", "--activations", "1"]) == 2
    assert "no layer of this network has activation maps" in capsys.readouterr().err
