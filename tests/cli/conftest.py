"""Small networks trained once, for the commands that look at what training left."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.cli.app import run

from .support import fake_command, nnctl, spec  # noqa: F401  fixtures for every file here

PETS = """
name = "pets"
[data]
source = "./pets.csv"
normalize = "standard"
normalize_target = true
split = { validation = 0.2 }
features = ["a", "b"]
[data.targets]
kind = ["kind"]
price = ["price"]
[[layers]]
name = "trunk"
type = "dense"
units = 6
activation = "tanh"
[[layers]]
name = "which"
type = "dense"
units = 3
[[layers]]
name = "worth"
from = "trunk"
type = "dense"
units = 1
[loss.which]
type = "cross_entropy"
target = "kind"
[loss.worth]
type = "mse"
target = "price"
weight = 0.5
[training]
epochs = 3
"""


def pets() -> str:
    """Sixty rows of two features, a class with an awkward name, and a price."""
    kinds = ("cat", "dog, small", "eel")
    lines = ["a,b,kind,price"]
    for i in range(60):
        k = i % 3
        lines.append(f'{k + (i % 7) / 10},{-k + (i % 5) / 10},"{kinds[k]}",{1000 + 100 * k + i}')
    return "\n".join(lines) + "\n"


SPECS = {
    "iris": '[data]\nsource = "iris"\nnormalize = "standard"\n[[layers]]\ntype = "dense"\n'
    'units = 3\n[loss]\ntype = "cross_entropy"\n[optimizer]\ntype = "adam"\n'
    "learning_rate = 0.05\n[training]\nepochs = 30\n",
    "diabetes": '[data]\nsource = "diabetes"\nnormalize = "standard"\nnormalize_target = true\n'
    '[[layers]]\ntype = "dense"\nunits = 1\n[loss]\ntype = "mse"\n[optimizer]\ntype = "adam"\n'
    "learning_rate = 0.05\n[training]\nepochs = 5\n",
    "pets": PETS,
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs iris, diabetes and pets (two outputs), under runs/."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "pets.csv").write_text(pets())
    for name, text in SPECS.items():
        (folder / f"{name}.toml").write_text(text)
        where = str(folder / "runs" / name)
        assert run(["train", str(folder / f"{name}.toml"), "--run-dir", where, "--quiet"]) == 0
    return folder


@pytest.fixture
def here(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder, made the working directory."""
    monkeypatch.chdir(trained)
    return trained
