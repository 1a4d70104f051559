"""The benchmark's peer: torch computes what we compute, for every layer, loss and optimizer it has.

Skipped where torch is not installed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench import command
from tests.bench.agreement import BOUND
from tests.bench.draw import GRAMMARS
from tests.bench.rows import Row
from tests.bench.run import Options, run
from tests.bench.workloads import Entry

torch = pytest.importorskip("torch", reason="the peer is PyTorch: pip install '.[peers]'")

BLOBS = '[data]\nsource = { generate = "blobs", features = 6, classes = 2, samples = 160 }\n'


def against_torch(tmp_path: Path, text: str) -> Row:
    (tmp_path / "made.toml").write_text(BLOBS + text, encoding="utf-8")
    return run(Entry("made", threads=1), Options(seconds=0.05, specs=tmp_path))


def net(*layers: str, loss: str = 'type = "cross_entropy"', tail: str = "") -> str:
    tables = [f"[[layers]]\n{layer}" for layer in layers]
    return "\n".join([*tables, f"[loss]\n{loss}", tail])


HEAD = 'type = "dense"\nunits = 2'
STEPS = 'type = "reshape"\nshape = [3, 2]'
NETS = {
    "recurrent": net(
        STEPS,
        'type = "rnn"\nunits = 5\nnonlinearity = "relu"\nbackward = true',
        'type = "lstm"\nunits = 4\nbackward = true',
        'type = "gru"\nunits = 3\nbias = false',
        'type = "rnn"\nunits = 4\nreturns = "last"\nbackward = true',
        HEAD,
    ),
    "every step": net(STEPS, 'type = "gru"\nunits = 5', 'type = "flatten"', HEAD),
    "last step": net(STEPS, 'type = "lstm"\nunits = 5\nreturns = "last"', HEAD),
    "activations": net(
        *(
            f'type = "dense"\nunits = 8\nactivation = "{name}"'
            for name in ("relu", "elu", "leaky_relu", "sigmoid", "tanh", "softplus", "gelu")
        ),
        'type = "silu"',
        'type = "softmax"',
        'type = "linear"',
        HEAD,
    ),
    "merges": net(
        'type = "reshape"\nshape = [2, 3]',
        'type = "flatten"',
        'type = "dense"\nname = "a"\nunits = 6\nactivation = "relu"',
        'type = "dense"\nname = "b"\nunits = 6',
        'type = "multiply"\nname = "m"\nfrom = ["a", "b"]',
        'type = "add"\nname = "s"\nfrom = ["a", "b", "m"]',
        'type = "concat"\nfrom = ["s", "a"]',
        HEAD,
    ),
    "tied": net(
        'type = "dense"\nname = "encoder"\nunits = 4\nactivation = "tanh"',
        'type = "dense"\nunits = 6\nshare = "encoder"\ntransposed = true',
        'type = "dense"\nunits = 4\nshare = "encoder"\nactivation = "tanh"',
        HEAD,
    ),
    "binary": net(
        'type = "dense"\nunits = 8\nactivation = "tanh"',
        'type = "dense"\nunits = 1',
        loss='type = "binary_cross_entropy"\npos_weight = 2.0\nlabel_smoothing = 0.1',
    ),
    "smooth": net(HEAD, loss='type = "cross_entropy"\nlabel_smoothing = 0.2'),
    "mse": net(HEAD, loss='type = "mse"'),
    "mae": net(HEAD, loss='type = "mae"'),
    "huber": net(HEAD, loss='type = "huber"\ndelta = 0.4'),
    "weighted": net(HEAD, loss='type = "mse"\nweight = 3.0'),
    "sgd": net(HEAD, tail='[optimizer]\ntype = "sgd"\nlearning_rate = 0.1\nmomentum = 0.9'),
    "nesterov": net(
        HEAD,
        tail='[optimizer]\ntype = "sgd"\nlearning_rate = 0.1\nmomentum = 0.9\n'
        'nesterov = true\nform = "torch"',
    ),
    "l2": net(HEAD, tail="[regularization]\nl2 = 0.1"),
    "adam": net(
        HEAD,
        tail='[optimizer]\ntype = "adam"\nlearning_rate = 0.01\nbeta1 = 0.7\nepsilon = 0.001',
    ),
}


@pytest.mark.parametrize("name", NETS)
def test_torch_computes_the_same(name: str, tmp_path: Path) -> None:
    row = against_torch(tmp_path, NETS[name])
    assert row.error == "" and row.peer.startswith("torch ")
    assert row.loss_difference is not None and row.loss_difference < BOUND


@pytest.mark.parametrize("name", ["charrnn", "chargru", "charlstm"])
def test_torch_says_the_same(name: str) -> None:
    row = run(Entry(name, "decode", 1), Options(seconds=0.05))
    assert row.error == "", row.error


@pytest.mark.parametrize("family", GRAMMARS)
@pytest.mark.parametrize("seed", [0, 1])
def test_torch_computes_the_same_for_random_networks(family: str, seed: int) -> None:
    row = run(Entry(f"random_{family}", threads=1), Options(seconds=0.05, seed=seed))
    assert row.error == "", row.error
    if family == "recurrent":  # states are bounded and sums short: sides differ by rounding alone
        assert row.loss_difference is not None and row.loss_difference < 1e-5


def test_a_recurrent_peer_with_other_gates_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tests.bench.peer import layers

    made = layers.LAYERS["gru"]

    def exchanged(node: layers.Node, weights: layers.Weights) -> layers.Function:
        turn = torch.tensor([2, 1, 0])

        def other(node: layers.Node, short: str, turned: layers.Weights | None = None) -> object:
            found = weights(node, short, turned)
            units = node["fields"]["units"]
            return found.detach().reshape(3, units, *found.shape[1:])[turn].reshape(found.shape)

        return made(node, other)

    monkeypatch.setitem(layers.LAYERS, "gru", exchanged)
    row = against_torch(tmp_path, NETS["every step"])
    assert "relative difference" in row.error


def test_what_torch_has_no_cell_of_is_an_error(tmp_path: Path) -> None:
    sigmoid = 'type = "rnn"\nunits = 5\nnonlinearity = "sigmoid"\nreturns = "last"'
    assert "sigmoid" in against_torch(tmp_path, net(STEPS, sigmoid, HEAD)).error


def test_a_changed_peer_is_an_error_and_the_exit_code_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.bench.peer import layers

    monkeypatch.setitem(layers.LAYERS, "relu", lambda node, weights: torch.tanh)
    assert command.main(["--json", "--seconds", "0.05", "tiny"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert "relative difference" in row["error"] and row["ratio"] is None


def test_what_the_peer_lacks_is_an_error(tmp_path: Path) -> None:
    row = against_torch(tmp_path, net(HEAD, tail="[regularization]\nl1 = 0.1"))
    assert "l1" in row.error
