"""Windows of long sequences as arrays, each part's from its own block of steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nnctl.data.cutting import Frame
from nnctl.data.dataset import Dataset, Target


def cut(steps: Dataset, frame: Frame, starts: range, *, labeled: bool = True) -> Dataset:
    """Return the windows that start at ``starts``: inputs (N, window, ...), targets of the step
    that lies ``horizon`` after the last one, or after each.

    ``steps`` has a sample a step. What is carried forward is the target where the input ends.
    """
    first = np.arange(starts.start, starts.stop, starts.step, dtype=np.int64)
    seen = first[:, None] + np.arange(frame.window)
    inputs = {name: values[seen] for name, values in steps.inputs.items()}
    order = {"order": first.astype(np.float64)}
    steps = replace(steps, lines=_lines(steps, frame.span if labeled else frame.window, starts))
    if not labeled:
        return replace(steps, inputs=inputs, targets={}, columns=order, stride=starts.step)
    at = seen if frame.every else seen[:, -1]
    targets = {name: _ahead(target, at, frame) for name, target in steps.targets.items()}
    return replace(steps, inputs=inputs, targets=targets, columns=order, stride=starts.step)


def _lines(steps: Dataset, span: int, starts: range) -> np.ndarray | None:
    """Return the lines of all steps of each window, as a view, if steps have lines."""
    if steps.lines is None:
        return None
    return sliding_window_view(steps.lines, span)[starts.start : starts.stop : starts.step]


def _ahead(target: Target, at: np.ndarray, frame: Frame) -> Target:
    carried = target.kind == "number" and target.ahead is not None
    naive = target.values[at] if carried else None
    return replace(target, values=target.values[at + frame.horizon], naive=naive)
