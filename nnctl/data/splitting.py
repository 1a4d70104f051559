"""Divide a dataset into the parts train, validation and test.

The rule, all of it. N samples; ``test`` gets round(test * N) of them, halves up, and at least one;
the training part gets the rest; ``validation`` is carved out of the training part in the same way;
``limit`` then thins what is left to train on. Where

- a test (validation) file is given, or the samples are windows, which are cut from blocks in order
  of time (``cutting.py``): nothing is cut off for test (validation);
- ``order`` names a column: the samples in order of time, rows of equal time in order of the file;
  the latest are the test part, the latest of those before are validation. A cut never parts equal
  times: it moves back to the earlier one. ``gap`` samples before each cut are left out;
- ``group`` names a column: groups in a seeded order go to test as long as that brings its size
  nearer to its share, at least one does, and two are left (one of two); the same for validation
  with the groups that remain, one of which is left;
- the (single) target is classes and ``stratify`` is true: each class gives its share, rounded by
  largest remainders so that the total holds; every class keeps at least one training sample;
- otherwise: the first of a seeded permutation.

The cut of test depends on nothing but N, the labels (or groups, times), the fraction and the seed:
neither validation nor limit moves it. Parts keep the order of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from nnctl.data.dataset import Dataset, Splits, gather, whole
from nnctl.data.problems import Locate, by_path, counted
from nnctl.data.shares import share
from nnctl.errors import DataError
from nnctl.random import Purpose, permutation

if TYPE_CHECKING:
    from nnctl.spec.data import DataSpec

# One stream for each cut, so that changing one moves no other.
_TEST, _VALIDATION, _LIMIT = 0, 1, 2

Cut = Callable[[np.ndarray, float, int], tuple[np.ndarray, np.ndarray]]
"""(rows, fraction, stream) -> (rows kept, rows cut off)"""


def split(dataset: Dataset, data: DataSpec, locate: Locate = by_path) -> Splits:
    """Divide a dataset as ``data.split`` says; see the rule above.

    Raises DataError where a part would be empty, at the key of the spec that asks for it.
    """
    return _Split(dataset, data, locate).run()


class _Split:
    """The division of one dataset."""

    def __init__(self, dataset: Dataset, data: DataSpec, locate: Locate) -> None:
        self.dataset, self.data, self.locate = dataset, data, locate
        self.labels = _labels(dataset) if data.split.stratify else None

    def run(self) -> Splits:
        asked, dataset = self.data.split, self.dataset
        rows = np.arange(dataset.samples, dtype=np.int64)
        test = validation = None
        if dataset.test is not None:
            test = whole(dataset.test)
        elif asked.test:
            rows, cut = self._cut(rows, asked.test, _TEST, "test")
            test = gather(dataset, cut)
        if dataset.validation is not None:
            validation = whole(dataset.validation)
        elif asked.validation:
            rows, cut = self._cut(rows, asked.validation, _VALIDATION, "validation")
            validation = gather(dataset, cut)
        return Splits(gather(dataset, self._limited(rows)), validation, test)

    def _cut(
        self, rows: np.ndarray, fraction: float, stream: int, part: str
    ) -> tuple[np.ndarray, np.ndarray]:
        if self.data.split.order is not None:
            kept, cut = self._by_time(rows, fraction)
        elif self.data.split.group is not None:
            kept, cut = self._by_group(rows, fraction, stream)
        else:
            kept, cut = self._at_random(rows, fraction, stream)
        if not len(cut) or not len(kept):
            self._refuse(part, fraction, len(rows), len(kept), len(cut))
        return kept, cut

    def _refuse(self, part: str, fraction: float, given: int, kept: int, cut: int) -> None:
        samples = counted(given, "sample")
        empty = part if not cut else "training"
        message = f"{part} = {fraction:g} of {samples} leaves the {empty} part empty"
        hint = "give more data or another fraction"
        if self.labels is not None and not cut:
            hint = f"every class keeps a sample to train on: {hint}"
        if self.data.split.group is not None:
            hint = "every part needs a group of its own: give more groups or another fraction"
        if self.data.split.order is not None:
            hint = "reduce the gap, or give more samples of different times"
        raise DataError(self.locate(("data", "split", part), message, hint))

    def _at_random(
        self, rows: np.ndarray, fraction: float, stream: int
    ) -> tuple[np.ndarray, np.ndarray]:
        total = share(len(rows), fraction)
        shuffled = self._shuffled(rows, stream)
        if self.labels is None:
            chosen = shuffled[:total]
        else:
            labels = self.labels[shuffled]
            counts = np.bincount(labels)
            quotas = apportion(counts, total)
            chosen = np.concatenate(
                [shuffled[labels == label][:quota] for label, quota in enumerate(quotas)]
            )
        return _parted(rows, chosen)

    def _shuffled(self, rows: np.ndarray, stream: int) -> np.ndarray:
        """Put rows into an order that depends on the seed and the dataset's size alone."""
        seed, count = self.data.split.seed, self.dataset.samples
        everything = permutation(seed, Purpose.SPLIT, count, stream)
        return everything[np.isin(everything, rows)]

    def _by_group(
        self, rows: np.ndarray, fraction: float, stream: int
    ) -> tuple[np.ndarray, np.ndarray]:
        names, member = np.unique(self.dataset.columns["group"][rows], return_inverse=True)
        sizes = np.bincount(member)
        wanted, taken = share(len(rows), fraction), 0
        # Two groups are left for training, so that validation can be carved out of them.
        most = max(len(names) - 2, 1) if stream == _TEST else len(names) - 1
        most = min(most, len(names) - 1)
        chosen: list[int] = []
        for group in permutation(self.data.split.seed, Purpose.SPLIT, len(names), stream):
            nearer = abs(taken + sizes[group] - wanted) < abs(taken - wanted)
            if (nearer or not chosen) and len(chosen) < most:
                chosen.append(int(group))
                taken += int(sizes[group])
        cut = rows[np.isin(member, chosen)]
        return _parted(rows, cut)

    def _by_time(self, rows: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray]:
        times = self.dataset.columns["order"][rows]
        in_order = np.argsort(times, kind="stable")
        rows, times = rows[in_order], times[in_order]
        start = len(rows) - share(len(rows), fraction)
        while start > 0 and times[start - 1] == times[start]:
            start -= 1
        kept = rows[: max(0, start - self.data.split.gap)]
        return np.sort(kept), np.sort(rows[start:])

    def _limited(self, rows: np.ndarray) -> np.ndarray:
        """Thin the training rows to ``limit``; the latest ones where there is an order."""
        limit = self.data.limit
        if limit is None or limit >= len(rows):
            return rows
        if "order" in self.dataset.columns:
            times = self.dataset.columns["order"][rows]
            return np.sort(rows[np.argsort(times, kind="stable")][-limit:])
        if self.labels is None:
            return np.sort(self._shuffled(rows, _LIMIT)[:limit])
        shuffled = self._shuffled(rows, _LIMIT)
        counts = np.bincount(self.labels[rows])
        quotas = apportion(counts, limit, spare=False)
        labels = self.labels[shuffled]
        picked = [shuffled[labels == label][:quota] for label, quota in enumerate(quotas)]
        return np.sort(np.concatenate(picked))


def _labels(dataset: Dataset) -> np.ndarray | None:
    """Return the class of each sample, if there is a single target and it is classes."""
    targets = list(dataset.targets.values())
    if len(targets) != 1 or targets[0].kind != "class" or targets[0].steps is not None:
        return None
    return targets[0].values


def _parted(rows: np.ndarray, cut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return rows[~np.isin(rows, cut)], np.sort(cut)


def apportion(counts: np.ndarray, total: int, *, spare: bool = True) -> np.ndarray:
    """Divide ``total`` among classes of these sizes by largest remainders, int64.

    Ties go to the lowest class. With ``spare``, every class keeps at least one sample back, as far
    as the others can give instead.
    """
    exact = np.round(counts * (total / max(1, counts.sum())), 9)
    most = np.maximum(counts - 1, 0) if spare else counts
    quotas: np.ndarray = np.minimum(np.floor(exact), most).astype(np.int64)
    remainders = exact - quotas
    while quotas.sum() < min(total, most.sum()):
        open_classes = np.where(quotas < most, remainders, -np.inf)
        best = int(np.argmax(open_classes))
        quotas[best] += 1
        remainders[best] -= 1
    return quotas
