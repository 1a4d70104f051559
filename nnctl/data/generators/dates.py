"""Days from 1900 to 2099, all alike likely, each in one of the forms that the spec lists."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from nnctl.data.generators.copy import ended
from nnctl.spec.generators.dates import FORMATS, written

if TYPE_CHECKING:
    from nnctl.spec.generators.dates import Dates

_FIRST, _LAST = date(1900, 1, 1).toordinal(), date(2099, 12, 31).toordinal()


def generate(
    model: Dates, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make characters (N, longest), those of ISO 8601 and a stop (N, 11), and lengths (N,)."""
    count = model.samples
    days = _FIRST + np.floor(random.random(count) * (_LAST - _FIRST + 1)).astype(np.int64)
    forms = np.floor(random.random(count) * len(FORMATS)).astype(np.int64)
    index = {symbol: k for k, symbol in enumerate(model.symbols())}
    signs = {symbol: k for k, symbol in enumerate((model.target().classes or ())[2:])}
    inputs = np.zeros((count, *model.shape()), np.int64)
    iso, lengths = np.zeros((count, 10), np.int64), np.zeros(count, np.int64)
    for row, (number, form) in enumerate(zip(days.tolist(), forms.tolist(), strict=True)):
        day = date.fromordinal(number)
        text = written(form, day.year, day.month, day.day, day.weekday())
        lengths[row] = len(text)
        inputs[row, : len(text)] = [index[sign] for sign in text]
        iso[row] = [signs[sign] for sign in day.isoformat()]
    return inputs, ended(iso, np.full(count, 10)), lengths
