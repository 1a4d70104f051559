"""What every loss must do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.checks.loss_machine import LossMachine, LossSetting
from tests.checks.ops import close, near, same_bits
from tests.vectors.case import Array, LossCase

H = 2e-3
GAP = 0.05


def draw(case: LossCase, seed: int = 0) -> tuple[Array, Array]:
    """Random outputs of a network and targets, away from the loss's kinks."""
    stream = np.random.default_rng(seed)
    x, target = stream.normal(size=(case.batch, case.width)) * 2, case.target(stream, case.batch)
    for kink in case.kinks:
        d = x - target
        x = np.where(np.abs(d - kink) < GAP, x + 2 * GAP, x)
    return x, target


def values(machine: LossMachine, case: LossCase) -> None:
    """Losses of samples are the reference's, the total is their weighted mean."""
    x, target = draw(case)
    wanted = case.reference(x, target)
    for weight in (1.0, 0.25):
        for dtype, bound in (("float64", 1e-10), ("float32", case.single)):
            found = machine(case, x, target, LossSetting(dtype=dtype, weight=weight))
            near(found.losses, wanted, bound, f"losses, {dtype}")
            total = weight * found.losses.mean()
            near(np.array(found.total), np.array(total), 1e-14, f"their mean, {dtype}")


def gradient(machine: LossMachine, case: LossCase) -> None:
    """The gradient of every output is the slope of the weighted mean loss."""
    x, target = draw(case)
    wanted = np.zeros_like(x)
    for i in np.ndindex(*x.shape):

        def at(h: float, i: tuple[int, ...] = i) -> float:
            moved = x[i[0] : i[0] + 1].copy()
            moved[0, i[1]] += h
            return float(case.reference(moved, target[i[0] : i[0] + 1])[0]) / case.batch

        wanted[i] = (8 * (at(H) - at(-H)) - (at(2 * H) - at(-2 * H))) / (12 * H)
    for weight in (1.0, 3.0):
        wide = machine(case, x, target, LossSetting(weight=weight)).dx
        close(wide, weight * wanted, 1e-7, f"dx, weight {weight}")
        single = machine(case, x, target, LossSetting(dtype="float32", weight=weight)).dx
        near(single, weight * wanted, 4 * case.single, f"dx in single precision, weight {weight}")


def partial_batch(machine: LossMachine, case: LossCase) -> None:
    """Means run over the samples there are, not over the room; samples keep their bits."""
    x, target = draw(case)
    whole = machine(case, x, target, LossSetting())
    for padded in (1, 5, 3 * case.batch):
        part = machine(case, x, target, LossSetting(padded=padded))
        same_bits(part.losses, whole.losses, f"losses in room for {padded} more")
        same_bits(part.dx, whole.dx, f"dx in room for {padded} more")
        near(np.array(part.total), np.array(whole.total), 1e-14, "the mean")


def quarters(machine: LossMachine, case: LossCase) -> None:
    """Groups of samples can be summed apart, in 1, 2 or 4, and give the bits of the whole."""
    n = 16
    whole_case = LossCase(
        case.tag, case.width, case.reference, case.target, case.fields, case.class_weights, batch=n
    )
    _grouped(machine, case, *draw(whole_case, seed=2))


def _grouped(machine: LossMachine, case: LossCase, x: Array, target: Array) -> None:
    n = len(x)
    setting = LossSetting(dtype="float32")
    whole = machine(case, x, target, setting)
    for groups in (2, 4):
        size = n // groups
        parts = []
        for g in range(groups):
            rows = slice(g * size, (g + 1) * size)
            room = setting.but(padded=n - size)  # leaves are quarters of the whole batch
            parts.append(machine(case, x[rows], target[rows], room))
            same_bits(parts[-1].dx / groups, whole.dx[rows], f"dx of group {g} of {groups}")
        totals = [part.total * size for part in parts]
        while len(totals) > 1:
            totals = [a + b for a, b in zip(totals[::2], totals[1::2], strict=True)]
        same_bits(np.array(totals[0] / n), np.array(whole.total), f"the loss in {groups} groups")


def bits(machine: LossMachine, case: LossCase) -> None:
    """The same bits at 1 to 4 threads, whatever lay in memory and wherever arrays lie."""
    x, target = draw(case)
    for dtype in ("float64", "float32"):
        base = LossSetting(dtype=dtype)
        first = machine(case, x, target, base)
        others = [base.but(memory="shared", threads=t) for t in (1, 2, 3, 4)]
        for setting in (base.but(fill=0), *others):
            again = machine(case, x, target, setting)
            same_bits(again.losses, first.losses, f"losses, {setting}")
            same_bits(again.dx, first.dx, f"dx, {setting}")
            assert again.total == first.total, f"total, {setting}"


def not_finite(machine: LossMachine, case: LossCase) -> None:
    """NaN in an output makes its sample's loss, the total and its gradient NaN, and no other."""
    for bad in (np.nan, np.inf, -np.inf):
        x, target = draw(case)
        x[-1, -1] = bad
        with np.errstate(all="ignore"):
            wanted = case.reference(x, target)
        for dtype in ("float64", "float32"):
            found = machine(case, x, target, LossSetting(dtype=dtype))
            assert np.isfinite(found.losses[:-1]).all(), f"{bad} spread to other samples"
            if not np.isfinite(wanted[-1]):
                assert not np.isfinite(found.losses[-1]), f"{bad} was lost from the loss"
                assert not np.isfinite(found.total), f"{bad} was lost from the total"
            if np.isnan(bad):
                assert np.isnan(found.dx[-1]).any(), "NaN was lost from the gradient"
            assert np.isfinite(found.dx[:-1]).all(), f"{bad} spread in the gradient"


CHECKS: dict[str, Callable[[LossMachine, LossCase], None]] = {
    check.__name__: check for check in (values, gradient, partial_batch, quarters, bits, not_finite)
}
