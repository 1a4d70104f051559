"""Options of recurrent cells in whole networks: all that the matrix promises of their types."""

from __future__ import annotations

import pytest

from tests import test_matrix as matrix

CELLS = {
    "rnn": 'rnn units=3 layer_norm=true initial_state="learned"',
    "lstm": 'lstm units=3 peepholes=true layer_norm=true initial_state="learned"',
    "gru": 'gru units=3 reset="before" layer_norm=true initial_state="learned"',
}
COLUMNS = (
    matrix.threads, matrix.resume, matrix.partial_batch, matrix.save_and_load, matrix.mask,
)  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.__name__)
@pytest.mark.parametrize("tag", CELLS)
def test_cell(tag: str, column: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(matrix.WRITTEN, tag, f"reshape shape=[3,3]\n{CELLS[tag]}\nflatten")
    column("layers", tag)  # type: ignore[operator]
