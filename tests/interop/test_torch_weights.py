"""A network that starts from PyTorch's weights: names, shapes, numbers, and what does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from nnctl.cli.app import run
from nnctl.errors import CheckpointError, ExitStatus, NnctlError, SpecError
from nnctl.graph import Graph, build
from nnctl.interop import torch
from nnctl.interop.weights import load
from nnctl.plan import compile_plan
from nnctl.run import session
from nnctl.run.training import Terms
from nnctl.spec import Spec, load_spec, load_spec_text
from nnctl.spec.info import DataInfo, TargetInfo
from tests.interop import cases
from tests.interop.resnet18 import HEAD, shapes
from tests.run.runs import final, stopping_at

GOLDENS = json.loads((Path(__file__).parent / "goldens.json").read_text())
SPECS: dict[str, tuple[Callable[[], str], Callable[[], cases.Shapes]]] = {
    "resnet": (cases.narrow_spec, cases.narrow_shapes),
    "mixed": (lambda: cases.MIXED, lambda: cases.MIXED_SHAPES),
}
Tensors = dict[str, np.ndarray[Any, Any]]


def built(spec: Spec, case: str, classes: int = 4) -> Graph:
    sizes = {"": (*cases.SIZES[case], 3)}
    return build(spec, DataInfo(sizes, {"": TargetInfo("class", classes)}, 20))


def written(folder: Path, case: str, tensors: Tensors | None = None) -> Path:
    """A spec, its pictures and its weights in a folder."""
    text, wanted = (make() for make in SPECS[case])
    (folder / "spec.toml").write_text(text)
    x = cases.pictures(case, 20).astype(np.float32)
    np.savez(folder / "images.npz", x=x, y=np.arange(20) % 4)
    found = cases.state(wanted) if tensors is None else tensors
    save_file(found, folder / "weights.safetensors")
    return folder / "spec.toml"


class TestNames:
    def test_a_table_of_embeddings_is_as_it_is(self) -> None:
        text = '[data]\nsource = "x.npz"\n'
        text += '[[layers]]\ntype = "embedding"\nname = "words"\nunits = 2\n'
        text += '[[layers]]\ntype = "flatten"\n[[layers]]\ntype = "dense"\nunits = 3\n'
        spec = load_spec_text(text + '[loss]\ntype = "cross_entropy"\n', "words.toml")
        info = DataInfo({"": (5,)}, {"": TargetInfo("class", 3)}, 20, vocabularies={"": 7})
        table = next(one for one in torch.wanted(build(spec, info))[0] if one.layer == "words")
        assert (table.ours, table.theirs, table.shape) == ("param/words.w", "words.weight", (7, 2))
        values = np.arange(14.0).reshape(7, 2)
        assert np.array_equal(table.converted(values), values)

    def test_resnet18_is_that_of_torchvision(self) -> None:
        """All names and shapes of the shipped spec; its head has four classes."""
        spec = load_spec(cases.SPECS / "shapes_resnet18.toml")
        graph = build(spec, DataInfo({"": (32, 32, 3)}, {"": TargetInfo("class", 4)}, 80))
        found = {entry.theirs: entry.shape for entry in torch.wanted(graph)[0]}
        wanted = shapes()
        assert len(wanted) == 122
        trained = [n for n in wanted if not n.endswith(("_mean", "_var", "_tracked"))]
        assert sum(int(np.prod(wanted[n])) for n in trained) == 11_689_512
        wanted = {n: s for n, s in wanted.items() if not n.endswith("num_batches_tracked")}
        assert found == {**wanted, "fc.weight": (4, 512), "fc.bias": (4,)}

    def test_a_file_of_its_full_size_fits_but_for_the_head(self, tmp_path: Path) -> None:
        tensors = {
            name: np.zeros(shape, np.float16 if shape else np.int64)
            for name, shape in shapes().items()
        }
        stem = np.arange(64 * 3 * 7 * 7).reshape(64, 3, 7, 7) % 2048
        tensors["conv1.weight"] = stem.astype(np.float16)
        save_file(tensors, tmp_path / "w.safetensors")
        (tmp_path / "s.toml").write_text(
            f'extends = "{cases.SPECS / "shapes_resnet18.toml"}"\n'
            '[init]\nfrom = "w.safetensors"\nnames = "torch"\nskip = ["fc"]\n'
        )
        spec = load_spec(tmp_path / "s.toml")
        graph = build(spec, DataInfo({"": (32, 32, 3)}, {"": TargetInfo("class", 4)}, 80))
        loaded = load(spec, graph)
        assert len(loaded.tensors) == 100 and loaded.fresh == ("fc",)
        w = loaded.tensors["param/conv1.w"]
        assert w.shape == (7, 7, 3, 64)
        assert w[1, 2, 0, 5] == stem[5, 0, 1, 2]
        assert not set(HEAD) & set(loaded.tensors)


@pytest.mark.parametrize("case", SPECS)
def test_outputs_are_those_of_pytorch(case: str, tmp_path: Path) -> None:
    spec = load_spec(written(tmp_path, case))
    graph = built(spec, case)
    plan = compile_plan(graph, batch=4, eval_batch=4, dtype="float64", optimizer=spec.optimizer)
    plan.restore(load(spec, graph).tensors)
    plan.attach("test", {"": cases.pictures(case)}, {"": np.zeros(3, np.int64)})
    (found,) = plan.evaluate("test").outputs.values()
    plan.close()
    np.testing.assert_allclose(found, GOLDENS[case], rtol=1e-9, atol=1e-10)


# -- what does not fit -------------------------------------------------------------------------


def refused(folder: Path, tensors: Tensors, *flags: str) -> NnctlError:
    spec = load_spec(written(folder, "resnet", tensors), flags)
    with pytest.raises(NnctlError) as caught:
        load(spec, built(spec, "resnet"))
    return caught.value


def test_everything_that_does_not_fit_is_told_at_once(tmp_path: Path) -> None:
    tensors = cases.state(cases.narrow_shapes())
    tensors["fc.weight"] = np.zeros((1000, 10), np.float32)
    del tensors["layer1.0.bn1.running_var"]
    tensors["layer3.1.bn2.bias"] = np.full(8, np.nan, np.float32)
    tensors["bn1.weight"] = np.zeros(4, np.int64)
    tensors["aux.weight"] = np.zeros(3, np.float32)
    tensors["layer2.0.bn1.running_var"] = -1 - abs(tensors["layer2.0.bn1.running_var"])
    error = refused(tmp_path, tensors)
    assert isinstance(error, CheckpointError) and error.status == ExitStatus.CHECKPOINT
    assert {problem.file for problem in error.problems} == {str(tmp_path / "weights.safetensors")}
    assert [(problem.message, problem.hint) for problem in error.problems] == [
        (f"the tensor {rest}", f'init.skip = ["{layer}"] starts the layer afresh')
        for rest, layer in (
            ('"bn1.weight" holds int64, expected floating-point numbers', "bn1"),
            ('"layer1.0.bn1.running_var" of "layer1.0.bn1" is missing', "layer1.0.bn1"),
            ('"layer2.0.bn1.running_var" holds negative variances', "layer2.0.bn1"),
            ('"layer3.1.bn2.bias" holds NaN or Inf', "layer3.1.bn2"),
            ('"fc.weight" has the shape 1000x10, expected 4x10 for "fc"', "fc"),
        )
    ] + [('no layer wants the tensor "aux.weight"', 'init.skip = ["aux.weight"]')]


def test_what_is_skipped_may_be_missing_other_or_more(tmp_path: Path) -> None:
    tensors = cases.state(cases.narrow_shapes())
    tensors["fc.weight"] = np.zeros((1000, 10), np.float32)
    del tensors["layer1.0.bn1.running_var"]
    tensors["aux.weight"] = np.zeros(3, np.float32)
    flags = ['init.skip=["fc", "layer1.0", "aux"]']
    spec = load_spec(written(tmp_path, "resnet", tensors), flags)
    loaded = load(spec, built(spec, "resnet"))
    fresh = ("layer1.0.conv1", "layer1.0.bn1", "layer1.0.conv2", "layer1.0.bn2", "fc")
    assert loaded.fresh == fresh
    assert "param/layer1.1.conv1.w" in loaded.tensors


def test_a_name_to_skip_that_nothing_has(tmp_path: Path) -> None:
    error = refused(
        tmp_path, cases.state(cases.narrow_shapes()), 'init.skip=["layer1.0.conf1", "zz"]'
    )
    assert isinstance(error, SpecError)
    first, second = (str(problem) for problem in error.problems)
    said = "neither a layer with parameters nor a tensor of weights.safetensors is named "
    said += '"layer1.0.conf1"'
    assert said in first
    assert 'did you mean "layer1.0.conv1"' in first and 'is named "zz"' in second


def test_a_layer_without_a_name_in_pytorch(tmp_path: Path) -> None:
    text = cases.narrow_spec().replace(
        'name = "conv1", type = "conv2d", filters = 4, kernel_size = 7',
        'name = "conv1", type = "separable_conv2d", filters = 4, kernel_size = 7',
    )
    path = written(tmp_path, "resnet")
    path.write_text(text)
    spec = load_spec(path)
    with pytest.raises(CheckpointError, match="depthwise_w, which has no name in PyTorch"):
        load(spec, built(spec, "resnet"))


def test_what_pytorch_would_compute_otherwise_is_refused(tmp_path: Path) -> None:
    text = cases.MIXED.replace(
        'name = "norm"\ntype = "batch_norm"', 'name = "norm"\ntype = "group_norm"\ngroups = 2'
    ).replace(
        '[[layers]]\nname = "hidden"',
        '[[layers]]\nname = "again"\ntype = "reshape"\nshape = [42, 7]\n'
        '[[layers]]\ntype = "flatten"\n[[layers]]\nname = "hidden"',
    )
    path = written(tmp_path, "mixed")
    path.write_text(text)
    spec = load_spec(path)
    with pytest.raises(CheckpointError) as caught:
        load(spec, built(spec, "mixed"))
    found = [(problem.line, problem.message) for problem in caught.value.problems]
    lines = text.splitlines()
    said = "reads numbers that PyTorch has in another order"
    assert found == [
        (lines.index('name = "norm"'), f'"norm": group_norm {said}'),
        (lines.index('name = "again"'), f'"again": reshape {said}'),
    ]


def test_a_shape_that_orders_nothing_anew_is_alike(tmp_path: Path) -> None:
    text = cases.MIXED.replace(
        '[[layers]]\nname = "hidden"',
        '[[layers]]\ntype = "reshape"\nshape = [42, 7, 1]\n'
        '[[layers]]\ntype = "flatten"\nname = "f"\n[[layers]]\nname = "hidden"',
    )
    text = text.replace('from = ["pixels", "relu_1"]', 'from = ["dense_1", "dense_2"]').replace(
        '[[layers]]\nname = "both"',
        '[[layers]]\ntype = "dense"\nunits = 168\nfrom = "pixels"\n'
        '[[layers]]\ntype = "dense"\nunits = 126\nfrom = "relu_1"\n[[layers]]\nname = "both"',
    )
    path = written(tmp_path, "mixed")
    path.write_text(text)
    entries, unlike = torch.wanted(built(load_spec(path), "mixed"))
    assert not unlike
    reordered = {entry.ours for entry in entries if entry.order is not None}
    norms = ("param/norm.gamma", "param/norm.beta")
    states = ("state/norm.running_mean", "state/norm.running_var")
    assert reordered == {*norms, *states, "param/dense_1.w", "param/dense_2.w"}


def _gone(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _other(path: Path) -> None:
    path.write_bytes(b"no tensors")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_gone, "cannot read"),
        (_cut, "its tensors cannot be read"),
        (_other, "it is not a safetensors file"),
    ],
)
@pytest.mark.parametrize("command", ["check", "train"])
def test_a_file_that_cannot_be_used(
    command: str,
    spoil: Callable[[Path], None],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = written(tmp_path, "resnet")
    spoil(tmp_path / "weights.safetensors")
    monkeypatch.chdir(tmp_path)
    assert run([command, str(path)]) == ExitStatus.CHECKPOINT
    error = capsys.readouterr().err
    assert said in error and "weights.safetensors" in error
    assert not (tmp_path / "runs").exists()


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    spec = load_spec(written(tmp_path, "resnet"), ['init.from="resnet18-f37072fd.pth"'])
    with pytest.raises(CheckpointError, match="nnctl reads no pickles") as caught:
        load(spec, built(spec, "resnet"))
    assert "safetensors.torch.save_file" in str(caught.value)


# -- runs --------------------------------------------------------------------------------------

DOUBLE = 'training.dtype="float64"'
HEADLESS = ('init.skip=["fc"]', "training.epochs=2", "training.batch_size=5", DOUBLE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fine-tuning of two epochs, whose head starts afresh."""
    folder = tmp_path_factory.mktemp("whole")
    outcome = session.train(
        written(folder, "resnet"), HEADLESS, run_dir=folder / "run", terms=Terms()
    )
    assert outcome.status == ExitStatus.OK
    return folder / "run"


def test_a_run_notes_the_file_and_serves_without_it(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resolved = (whole / "resolved.toml").read_text()
    spec = load_spec(whole / "resolved.toml")
    assert spec.init is not None and spec.init.sha256 is not None
    assert f'sha256 = "{spec.init.sha256}"' in resolved
    weights = whole.parent / "weights.safetensors"
    hidden = weights.rename(whole.parent / "hidden")
    try:
        assert run(["eval", str(whole), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["samples"] == 5
        assert run(["predict", str(whole), "test"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 6
    finally:
        hidden.rename(weights)


@pytest.mark.parametrize("auto", [True, False])
def test_resume_reads_the_checkpoint_and_not_the_file(
    whole: Path, tmp_path: Path, auto: bool
) -> None:
    path, run_dir = written(tmp_path, "resnet"), tmp_path / "run"
    session.train(path, HEADLESS, run_dir=run_dir, terms=Terms(**stopping_at(1)))
    (tmp_path / "weights.safetensors").unlink()
    if auto:
        session.train(path, HEADLESS, run_dir=run_dir, resume_auto=True, terms=Terms())
    else:
        session.resume(str(run_dir), terms=Terms())
    assert final(run_dir) == final(whole)


def test_a_run_killed_before_its_first_checkpoint_wants_the_same_file(
    whole: Path, tmp_path: Path
) -> None:
    path, run_dir = written(tmp_path, "resnet"), tmp_path / "run"
    session.train(path, HEADLESS, run_dir=run_dir, terms=Terms(**stopping_at(1)))
    for file in (run_dir / "checkpoints").iterdir():
        file.unlink()
    other = cases.state(cases.narrow_shapes())
    other["conv1.weight"] *= 2
    save_file(other, tmp_path / "weights.safetensors")
    for go_on in (
        lambda: session.resume(str(run_dir), terms=Terms()),
        lambda: session.train(path, HEADLESS, run_dir=run_dir, resume_auto=True, terms=Terms()),
    ):
        with pytest.raises(CheckpointError, match="expected a file with the sha256"):
            go_on()
    save_file(cases.state(cases.narrow_shapes()), tmp_path / "weights.safetensors")
    session.resume(str(run_dir), terms=Terms())
    assert final(run_dir) == final(whole)


def test_another_start_is_no_way_to_go_on(tmp_path: Path) -> None:
    path, run_dir = written(tmp_path, "resnet"), tmp_path / "run"
    session.train(path, HEADLESS, run_dir=run_dir, terms=Terms(**stopping_at(1)))
    flags = (*HEADLESS[1:], 'init.skip=["fc", "conv1"]')
    with pytest.raises(CheckpointError, match="init.skip"):
        session.train(path, flags, run_dir=run_dir, resume_auto=True, terms=Terms())


def test_it_starts_where_the_file_is_and_the_head_where_it_would(tmp_path: Path) -> None:
    """One step at a learning rate of next to nothing leaves everything where it began."""
    path, run_dir = written(tmp_path, "resnet"), tmp_path / "run"
    flags = (*HEADLESS, "optimizer.learning_rate=1e-30")
    said: list[str] = []
    terms = Terms(note=said.append, **stopping_at(1))
    session.train(path, flags, run_dir=run_dir, terms=terms)
    from nnctl import checkpoint
    from nnctl.init import initialize

    tensors, _ = checkpoint.load(run_dir / "checkpoints" / "latest.safetensors")
    theirs = cases.state(cases.narrow_shapes())
    w = tensors["param/layer2.0.downsample.0.w"]
    np.testing.assert_array_equal(w[0, 0].T, theirs["layer2.0.downsample.0.weight"][:, :, 0, 0])
    np.testing.assert_array_equal(tensors["param/bn1.gamma"], theirs["bn1.weight"])
    spec = load_spec(path, flags)
    own = initialize(built(spec, "resnet"), spec.training.seed)["fc.w"]
    np.testing.assert_array_equal(tensors["param/fc.w"], own)
    assert said[0] == "starts from 100 tensors of weights.safetensors; afresh: fc"
