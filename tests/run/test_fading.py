"""How gradients and influence fade: against differences of the float64 reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nnctl.graph.graph import Node
from nnctl.run.artifacts import read_fading, write_fading
from nnctl.run.cells import CELLS, slopes
from nnctl.run.fading import SAMPLES, UNITS, aligned, fading, norms
from nnctl.spec.info import DataInfo, TargetInfo
from tests.plan.nets import data_of, net, plan_of
from tests.reference import recurrent
from tests.run.runs import train, write_spec

N, T, INPUTS, HIDDEN = 3, 5, 2, 4
SERIES = DataInfo({"": (T, INPUTS)}, {"": TargetInfo("number", 2)}, 50)
KINDS = {
    "lstm": "lstm units=4",
    "gru": "gru units=4",
    **{kind: f'rnn units=4 nonlinearity="{kind}"' for kind in ("tanh", "relu", "sigmoid")},
    "linear": 'rnn units=4 nonlinearity="linear"',
    "peepholes": 'lstm units=4 peepholes=true initial_state="learned"',
}
WAYS = [("sequence", False), ("sequence", True), ("last", True)]


def node_of(kind: str, returns: str, backward: bool, more: str = "") -> Node:
    way = f'name="r" returns="{returns}" backward={str(backward).lower()} {more}'
    layers = f"{KINDS[kind]} {way}\n" + ("flatten\n" if returns == "sequence" else "")
    return net(layers + "dense units=2", SERIES)[0].node("r")


def slope(value, at: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Central differences, of every element."""
    found = []
    for i in np.ndindex(*at.shape):
        step = np.zeros_like(at)
        step[i] = 1e-5
        found.append((value(at + step) - value(at - step)) / 2e-5)
    return np.array(found).reshape(*at.shape, *np.shape(found[0]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("returns", "backward"), WAYS)
def test_both_are_derivatives_of_the_reference(kind: str, returns: str, backward: bool) -> None:
    node, stream = node_of(kind, returns, backward), np.random.default_rng(7)
    gates = {"lstm": 4, "gru": 3}.get(node.op, 1) * HIDDEN
    names = ("b", "b_h") if kind == "gru" else ("b",)
    params = {"w": (INPUTS, gates), "u": (HIDDEN, gates), **dict.fromkeys(names, (gates,))}
    params |= {"h0": (4,), "c0": (4,), "p": (3, 4)} if kind == "peepholes" else {}
    params = {name: stream.normal(size=shape) for name, shape in params.items()}
    x = stream.normal(size=(N, T, INPUTS))
    dy = stream.normal(size=(N, *node.shape))
    more = [kind] if node.op == "rnn" else []
    cell = recurrent.CELLS[node.op]

    def run(x: np.ndarray, returns: str, bumps: np.ndarray | None = None) -> np.ndarray:
        weights = [params[name] for name in ("w", "u", *names)]
        rest = {"start": recurrent.learned(params, N), "more": recurrent.options(params)}
        found: np.ndarray = cell(x, *weights, *more, returns, backward, bumps=bumps, **rest)
        return found

    taken = x[:, ::-1] if backward else x
    found = slopes(node.op, node.fields, params, taken)
    gradient, influence = norms(node, found, dy, params)
    by_state = slope(lambda b: (run(x, returns, b) * dy).sum(), np.zeros((N, T, HIDDEN)))
    np.testing.assert_allclose(gradient, np.linalg.norm(by_state, axis=(0, 2)), rtol=1e-6)
    # d h / d x of each sample: (N, T, inputs, N, units), of which other samples' are zero
    by_input = slope(lambda x: run(x, "last"), x)
    squares = np.square(by_input).sum(axis=(2, 3)).mean(axis=(0, 2))
    wanted = np.sqrt(squares if backward else squares[::-1])
    np.testing.assert_allclose(influence, wanted, rtol=1e-6)


@pytest.mark.parametrize("more", ["", "bias=false"])
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_of_a_network_in_the_engine(kind: str, more: str) -> None:
    """With a loss that is the sum of all states what comes back is known."""
    layers = f'{KINDS[kind]} name="below" {more}\n{KINDS[kind]} name="r" returns="last" {more}\n'
    graph, _ = net(layers + 'dense units=2 name="head"', SERIES)
    plan = plan_of(graph)
    inputs, targets = data_of(SERIES)
    plan.attach("train", inputs, targets)
    below, row = fading(plan, graph, "train", np.arange(6))
    plan.close()
    assert (below["layer"], row["layer"], row["type"], row["samples"]) == ("below", "r", kind, 6)
    assert len(below["gradient"]) == len(row["influence"]) == T
    # What comes back to the last state is that of the dense layer: 2 (y - t) / 12, turned by w.
    again = plan_of(graph)
    again.attach("train", inputs, targets)
    error = again.evaluate("train", np.arange(6)).outputs["head"] - targets[""][:6]
    wanted = np.linalg.norm(error / 6 @ again.parameters()["head.w"].T)
    again.close()
    assert row["gradient"][-1] == pytest.approx(wanted, rel=1e-9)
    assert 0 < row["gradient"][0] != row["gradient"][-1] and below["gradient"][0] > 0


def test_wide_layers_are_looked_at_in_part() -> None:
    """All units of a linear layer whose weights are alike are alike: so is the mean of some."""
    units = 2 * UNITS
    text = f'rnn units={units} nonlinearity="linear" name="r" returns="last"\ndense units=2'
    node = net(text, SERIES)[0].node("r")
    params = {"w": np.ones((INPUTS, units)), "u": 0.5 * np.eye(units)}
    found = slopes("rnn", node.fields, params, np.ones((1, T, INPUTS)))
    _, influence = norms(node, found, np.ones((1, units)), params)
    np.testing.assert_allclose(influence, np.sqrt(INPUTS) * 0.5 ** np.arange(T))


def test_every_recurrent_layer_has_a_cell() -> None:
    assert set(CELLS) == set(recurrent.CELLS)


def test_a_layer_that_does_more_than_its_cell_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layers = 'gru units=4 name="a"\nrnn units=3 name="r" returns="last"\ndense units=2'
    graph, _ = net(layers, SERIES)
    plan = plan_of(graph)
    plan.attach("train", *data_of(SERIES))
    rows = np.arange(6)
    assert [row["layer"] for row in fading(plan, graph, "train", rows)] == ["a", "r"]
    monkeypatch.setitem(CELLS, "gru", lambda x, u, h, c, fields, params: ((x + u)[..., 0, :], c))
    gru, row = fading(plan, graph, "train", rows)
    assert "not those of its cell alone" in gru["missing"] and "gradient" not in gru
    assert row["gradient"] and "missing" not in row
    plan.close()


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize(("returns", "backward"), WAYS)
def test_sequences_of_several_lengths_are_each_as_long_as_they_are(
    kind: str, returns: str, backward: bool
) -> None:
    """Of a batch: squares of gradients add up, influences are the mean of those that reach."""
    node, stream = node_of(kind, returns, backward), np.random.default_rng(3)
    gates, lengths = {"lstm": 16, "gru": 12}[kind], np.array([3, T, 1])
    params = {"w": (INPUTS, gates), "u": (HIDDEN, gates), "b": (gates,)}
    params = {name: stream.normal(size=shape) for name, shape in params.items()}
    x, dy = stream.normal(size=(N, T, INPUTS)), stream.normal(size=(N, *node.shape))
    taken = aligned(x, lengths, backward)
    found = slopes(kind, node.fields, params, taken, T - lengths)
    gradient, influence = norms(node, found, dy, params, lengths)
    squares, reached = np.zeros(T), np.full((N, T), np.nan)
    for row, length in enumerate(lengths):
        one = x[row : row + 1, :length]
        back = dy[row : row + 1, :length] if dy.ndim == 3 else dy[row : row + 1]
        alone = slopes(kind, node.fields, params, one[:, ::-1] if backward else one)
        each, far = norms(node, alone, back, params)
        squares[:length] += each**2
        reached[row, :length] = far
    np.testing.assert_allclose(gradient, np.sqrt(squares), rtol=1e-12)
    np.testing.assert_allclose(influence, np.sqrt(np.nanmean(reached**2, axis=0)), rtol=1e-12)


def test_padded_sequences_in_the_engine() -> None:
    info = replace(SERIES, lengths=("",))
    layers = 'gru units=4 name="a"\nlstm units=3 name="b" recurrent_dropout=0.5 returns="last"\n'
    graph, _ = net(f"{layers}dense units=2", info)
    plan = plan_of(graph)
    inputs, targets = data_of(info, 6)
    plan.attach("train", inputs, targets, {"": np.array([2, 4, 1, 3, 4, 2])})
    first, second = fading(plan, graph, "train", np.arange(6))
    plan.close()
    assert len(first["gradient"]) == len(first["influence"]) == 4  # the longest there
    assert "recurrent dropout" in second["missing"]


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_of_decoders_and_both_directions(kind: str) -> None:
    """A decoder starts from what the encoder gives; its states are those of the engine."""
    info = DataInfo({"": (T, INPUTS)}, {"": TargetInfo("number", 2, steps=4)}, 50)
    cell = f'{{type="{kind}",units=4}}'
    layers = f'encoder_decoder name="e" encoder=[{{type="bidirectional",layer={cell}}}] '
    layers += f'decoder=[{cell},{{type="dense",units=2}}]'
    graph, _ = net(layers, info, '[loss]\ntype = "mse"\n')
    plan = plan_of(graph)
    plan.attach("train", *data_of(info))
    found = fading(plan, graph, "train", np.arange(6))
    plan.close()
    encoder, decoder = "e.encoder.bidirectional_1", f"e.decoder.{kind}_1"
    assert [row["layer"] for row in found] == [
        f"{encoder}.forward", f"{encoder}.backward", decoder
    ]  # fmt: skip
    assert [len(row["gradient"]) for row in found] == [T, T, 4]


def test_an_output_that_is_fed_back_says_so() -> None:
    info = DataInfo({"": (T, INPUTS)}, {"": TargetInfo("number", 2, steps=T)}, 50)
    layers = 'output_rnn units=3 outputs=2 name="r"'
    for before in ("", 'gru units=3 name="a"\n'):
        graph, _ = net(before + layers, info, '[loss]\ntype = "mse"\n')
        plan = plan_of(graph)
        plan.attach("train", *data_of(info))
        *others, row = fading(plan, graph, "train", np.arange(6))
        plan.close()
        assert row["missing"] == "from step to step goes its output, and not its state"
        assert len(others) == bool(before) and all(other["gradient"] for other in others)


@pytest.mark.parametrize("option", ["layer_norm=true", 'reset="before"'])
def test_a_cell_whose_units_are_mixed_says_so(option: str) -> None:
    layers = f'gru units=4 name="a" {option}\nlstm units=3 peepholes=true returns="last" name="r"'
    graph, _ = net(f"{layers}\ndense units=2", SERIES)
    plan = plan_of(graph)
    plan.attach("train", *data_of(SERIES))
    mixed, row = fading(plan, graph, "train", np.arange(6))
    assert "mixed" in mixed["missing"] and row["gradient"]
    plan.close()


def test_training_leaves_it_for_the_report(tmp_path: Path) -> None:
    dense = 'type = "dense"\nunits = 8\nactivation = "relu"'
    steps = 'type = "reshape"\nshape = [2, 1]\n\n[[layers]]\ntype = "gru"\nunits = 3\n'
    spec = write_spec(tmp_path, (dense, f'{steps}returns = "last"'))
    outcome = train(spec, tmp_path / "run", "training.epochs=1", "training.dtype=float64")
    (row,) = read_fading(outcome.run)
    assert (row["layer"], row["samples"]) == ("gru_1", SAMPLES)
    assert len(row["gradient"]) == len(row["influence"]) == 2 and row["gradient"][0] > 0
    write_fading(outcome.run, [])
    assert read_fading(outcome.run) == []
