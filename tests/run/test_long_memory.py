"""What gates are for: the adding problem, which an lstm learns and a simple network does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from .runs import train

SPEC = Path(__file__).resolve().parents[2] / "specs" / "adding_lstm.toml"


@pytest.mark.parametrize(("cell", "least", "most"), [("lstm", 0.98, 1.0), ("rnn", -1.0, 0.5)])
def test_the_adding_problem(tmp_path: Path, cell: str, least: float, most: float) -> None:
    outcome = train(SPEC, tmp_path / "run", f'layers.0.type="{cell}"')
    assert least <= outcome.summary["metrics"]["test"]["r2"] <= most
