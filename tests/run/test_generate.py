"""A text goes on, a series is carried on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nnctl.data.tokens import Prompt
from nnctl.errors import DataError, UsageError
from nnctl.run.forecast import carry_on
from nnctl.run.generate import Sampling, drawn, generate
from nnctl.run.predicting import predict
from tests.run.runs import nnctl, train
from tests.run.test_texts import SPEC

AB = Prompt("ab")
LSTM = SPEC.replace('type = "dense"\nunits = 3', 'type = "gru"\nunits = 8\n\n[[layers]]\n'
                    'type = "dense"\nunits = 3')  # fmt: skip
CNN = SPEC.replace('type = "dense"\nunits = 3', 'type = "conv1d"\nfilters = 8\nkernel_size = 2\n'
                   'padding = "causal"\n\n[[layers]]\ntype = "dense"\nunits = 3')  # fmt: skip
LAST = LSTM.replace("units = 8\n", 'units = 8\nreturns = "last"\n').replace(
    "window = 4", 'window = 4\nsteps = "last"'
)
FLAT = LAST.replace('type = "gru"\nunits = 8\nreturns = "last"\n', 'type = "flatten"\n')


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs on ``ab ab ...``, where each character decides the next."""
    folder = tmp_path_factory.mktemp("text")
    (folder / "a.txt").write_text("ab " * 100)
    for name, spec in (("lstm", LSTM), ("cnn", CNN), ("last", LAST), ("flat", FLAT)):
        (folder / f"{name}.toml").write_text(spec)
        train(folder / f"{name}.toml", folder / name)
    return folder


def checkpoint(runs, name):
    return runs / name / "checkpoints" / "latest.safetensors"


@pytest.mark.parametrize("name", ["lstm", "cnn", "last", "flat"])
def test_the_likeliest_goes_on_as_it_was_learned(runs, name):
    prompts = [Prompt("ab ab a"), Prompt("b ab")]
    found = generate(checkpoint(runs, name), prompts, Sampling(10, temperature=0))
    assert [one.text for one in found] == ["b ab ab ab", " ab ab ab "]
    assert [one.prompt for one in found] == [one.text for one in prompts]


@pytest.mark.parametrize("name", ["lstm", "cnn"])
def test_what_is_drawn_depends_on_the_seed_alone(runs, name):
    how = Sampling(60, temperature=40.0, seed=1)
    one, again = (generate(checkpoint(runs, name), [AB], how, threads=t) for t in (1, 2))
    other = generate(checkpoint(runs, name), [AB], Sampling(60, temperature=40.0, seed=2))
    assert one == again != other
    few = generate(checkpoint(runs, name), [AB], Sampling(60, temperature=40.0, top_k=1))
    assert few[0].text.startswith(" ab ab"), "of one there is no choice"


def test_a_window_that_is_needed_whole_is_asked_for(runs):
    with pytest.raises(DataError, match="prompt 2 has 2 symbols, and the network looks at 4"):
        generate(checkpoint(runs, "flat"), [Prompt("abab"), AB], Sampling(5))


def test_unknown_symbols_are_named_all_at_once(runs):
    with pytest.raises(DataError) as caught:
        generate(checkpoint(runs, "lstm"), [Prompt("axb?"), Prompt("")], Sampling(5))
    said = [problem.message for problem in caught.value.problems]
    assert said[0].startswith('prompt 1: character "x" (number 2) is not in the text')
    assert said[1].startswith('prompt 1: character "?" (number 4)')
    assert said[2] == "prompt 2 holds no character"


def test_draws_follow_the_odds():
    scores, stream = np.array([0.3, -1.0, 1.2, 0.9]), np.random.default_rng(0)
    how = Sampling(temperature=0.7, top_k=3)
    counts = np.bincount([drawn(scores, how, u) for u in stream.random(20_000)], minlength=4)
    odds = np.exp(scores / 0.7) * [1, 0, 1, 1]
    assert np.abs(counts / 20_000 - odds / odds.sum()).max() < 0.015
    assert drawn(scores, how, 1 - 1e-16) == 3


def test_the_command(runs):
    (runs / "p.txt").write_text("ab a")
    common = ("predict", "lstm", "--length", "4", "--temperature", "0")
    out = nnctl(*common, "--prompt-file", "p.txt", cwd=runs)
    assert (out.returncode, out.stdout) == (0, "ab ab ab\n")
    out = nnctl(*common, "--prompt", "ab", "--prompt", "b a", "--json", cwd=runs)
    assert json.loads(out.stdout)["generated"][1] == {"prompt": "b a", "text": "b ab"}
    for more, said in (
        (["--prompt", "a", "test"], "a prompt and INPUT cannot hold together"),
        (["--top-k", "3"], "there is nothing to predict"),
        (["--top-k", "3", "test"], "--top-k has no effect without a prompt"),
        (["--ahead", "3", "test"], "--ahead carries on a series, and this network reads none"),
        (["--prompt-file", "none.txt"], "cannot read none.txt"),
        (["--prompt", "a", "--beams", "3"], "--beams has no effect with a prompt"),
        (["--prompt", "a", "--layer", "x"], "--layer has no effect with a prompt"),
        (["--prompt", "a", "--format", "csv"], "--format has no effect with a prompt"),
        (["--prompt", "a", "--ahead", "2"], "--ahead has no effect with a prompt"),
        (["test", "--ahead", "2", "--max-length", "3"], "--max-length has no effect with --ahead"),
        (["--prompt", "a\udcff"], "the prompt is not UTF-8"),
    ):
        out = nnctl("predict", "lstm", *more, cwd=runs)
        assert (out.returncode, said in out.stderr) == (2, True), out.stderr


def test_what_is_wrong_with_a_file_of_a_prompt_is_named_by_place(runs):
    path, predicts = runs / "p.txt", ("predict", "lstm", "--length", "4", "--prompt-file", "p.txt")
    for raw, told in (
        (b"ab\xe9", ["p.txt:1:1: not UTF-8: byte 0xe9 at byte offset 2"]),
        (b"", ["p.txt: holds no character"]),
        (
            b"abz\nb",
            ['p.txt:1:3: character "z" is not in', 'p.txt:1:4: character "newline" is not in'],
        ),
    ):
        path.write_bytes(raw)
        out = nnctl(*predicts, cwd=runs)
        assert (out.returncode, out.stdout) == (3, "")
        assert all(said in out.stderr for said in told), out.stderr
    out = nnctl(*predicts, "--prompt", "ax", cwd=runs)
    assert 'error: prompt 1: character "x" (number 2)' in out.stderr
    assert 'p.txt:1:3: character "z"' in out.stderr


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    """Runs on two waves: one predicts both columns, one only the first."""
    folder = tmp_path_factory.mktemp("waves")
    t = np.arange(160)
    table = np.stack([50 + 9 * np.sin(t / 3), 2 + np.cos(t / 3)], axis=1)
    lines = ["u,v", *(f"{u:.6f},{v:.6f}" for u, v in table)]
    (folder / "waves.csv").write_text("\n".join(lines) + "\n")
    rest = SPEC[SPEC.index("[[layers]]") :].replace('type = "embedding"\nunits = 5', 'type = "gru"'
                                                    '\nunits = 12\nreturns = "last"')  # fmt: skip
    rest = rest.replace("cross_entropy", "mse").replace("= 0.1", "= 0.02")
    head = '[data]\nsource = "waves.csv"\nwindow = 6\nnormalize = "standard"\n'
    head += "normalize_target = true\n"
    one = head + 'features = ["u"]\ntarget = "u"\n' + rest.replace("units = 3", "units = 1")
    both = head + 'features = ["u", "v"]\ntarget = "u"\n' + rest.replace("units = 3", "units = 1")
    two = head + 'features = ["u", "v"]\ntargets = { w = ["u", "v"] }\n'
    two += rest.replace("units = 3", "units = 2")
    stays = one.replace('returns = "last"', 'returns = "last"\nstateful = true')
    stays = stays.replace("window = 6\n", "window = 6\nstride = 6\n")
    stays = stays.replace("[training]\n", "[training]\nshuffle = false\nbatch_size = 4\n")
    apart = one.replace("window = 6\n", "window = 6\nstride = 5\n")
    specs = {"one": one, "both": both, "two": two, "stays": stays, "apart": apart}
    for name, spec in specs.items():
        (folder / f"{name}.toml").write_text(spec)
        train(folder / f"{name}.toml", folder / name)
    return folder


def test_a_series_is_carried_on_by_its_own_predictions(waves):
    path = checkpoint(waves, "one")
    found = carry_on(path, str(waves / "waves.csv"), 4)
    assert found.columns == ("u",)
    table = np.loadtxt(waves / "waves.csv", delimiter=",", skiprows=1)[:, :1]
    for step in range(4):  # by the ordinary prediction of a file that grows
        grown = waves / "grown.csv"
        grown.write_text("u\n" + "\n".join(repr(float(x)) for x in table[:, 0]) + "\n")
        values = predict(path, [str(grown)]).outputs[0].values
        assert values is not None
        assert found.values[step, 0] == pytest.approx(values[-1, 0], rel=1e-6)
        table = np.concatenate([table, found.values[step : step + 1]])
    truth = 50 + 9 * np.sin(np.arange(160, 164) / 3)
    assert np.abs(found.values[:, 0] - truth).max() < 3


def test_a_part_of_the_data_is_carried_on_behind_its_end(waves):
    """Its last window has a target, which is known."""
    path = checkpoint(waves, "one")
    found = carry_on(path, "test", 3).values
    assert np.allclose(found, carry_on(path, str(waves / "waves.csv"), 3).values, rtol=1e-6)
    path = checkpoint(waves, "apart")  # whose last window of the part ends before that does
    found = carry_on(path, "test", 3).values
    assert np.allclose(found, carry_on(path, str(waves / "waves.csv"), 3).values, rtol=1e-6)


def test_what_is_read_must_be_predicted(waves):
    with pytest.raises(UsageError, match="it reads u, v and predicts u"):
        carry_on(checkpoint(waves, "both"), str(waves / "waves.csv"), 2)
    with pytest.raises(UsageError, match="go on from window to window"):
        carry_on(checkpoint(waves, "stays"), str(waves / "waves.csv"), 2)


def test_columns_are_carried_on_together(waves):
    found = carry_on(checkpoint(waves, "two"), str(waves / "waves.csv"), 4)
    t = np.arange(160, 164) / 3
    assert found.columns == ("u", "v")
    truth = np.stack([50 + 9 * np.sin(t), 2 + np.cos(t)], axis=1)
    assert (np.abs(found.values - truth).max(axis=0) < [3, 0.4]).all()


def test_the_command_carries_on(waves):
    out = nnctl("predict", "one", "waves.csv", "--ahead", "3", cwd=waves)
    lines = out.stdout.splitlines()
    assert lines[0] == "ahead,u" and len(lines) == 4
    out = nnctl("predict", "one", "waves.csv", "--ahead", "2", "--json", cwd=waves)
    assert [row["ahead"] for row in json.loads(out.stdout)["forecasts"]] == [1, 2]
