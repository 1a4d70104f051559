"""What every op must do. Each check raises AssertionError, and says what differs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.checks.setting import Data, Machine, Setting, draw
from tests.vectors.case import Array, Context, OpCase

ELEMENTS = 600  # up to so many, each element's gradient is checked; beyond, random directions
DIRECTIONS = 12
H = 2e-3  # of a difference of fourth order: errors of 1e-11 from the formula, 1e-13 from rounding


def close(found: Array, wanted: Array, bound: float, what: str) -> None:
    """Errors relative to each element, and to a thousandth of the largest."""
    assert found.shape == wanted.shape, f"{what}: shape {found.shape}, wanted {wanted.shape}"
    assert not np.isnan(found).any(), f"{what}: {np.isnan(found).sum()} elements were not written"
    if not wanted.size:
        return
    scale = np.maximum(np.abs(wanted), 1e-3 * np.abs(wanted).max() + 1e-300)
    error = np.abs(found - wanted) / scale
    k = int(error.argmax())
    assert error.flat[k] <= bound, (
        f"{what}: element {np.unravel_index(k, error.shape)} is {found.flat[k]!r}, wanted "
        f"{wanted.flat[k]!r}, off by {error.flat[k]:.1e}, allowed {bound:.1e}"
    )


def near(found: Array, wanted: Array, bound: float, what: str) -> None:
    """Errors relative to the largest element: what single precision can promise of a sum."""
    assert not np.isnan(found).any(), f"{what}: {np.isnan(found).sum()} elements were not written"
    scale = max(float(np.abs(wanted).max(initial=0.0)), 1e-3)
    error = float(np.abs(found - wanted).max(initial=0.0)) / scale
    assert error <= bound, f"{what}: off by {error:.1e} of the largest, allowed {bound:.1e}"


def same_bits(one: Array, other: Array, what: str) -> None:
    assert one.dtype == other.dtype and one.shape == other.shape, what
    differ = one.view(f"u{one.itemsize}") != other.view(f"u{one.itemsize}")
    assert not differ.any(), f"{what}: {differ.sum()} of {one.size} elements differ in their bits"


def forward(machine: Machine, case: OpCase) -> None:
    """Outputs are the reference's, in both precisions; every element is written."""
    data = draw(case)
    for training in (True, False):
        wanted = case.forward(data.x, data.params, Context(training=training))
        setting = Setting(training=training)
        close(machine(case, data, setting).y, wanted, 1e-10, f"y, training={training}")
        single = machine(case, data, setting.but(dtype="float32")).y
        assert single.dtype == np.float32
        near(single, wanted, case.single, f"y in single precision, training={training}")


def gradient(machine: Machine, case: OpCase) -> None:
    """Gradients of inputs and parameters are the slopes of the reference."""
    data = draw(case)
    found = machine(case, data, Setting())
    upstream = sum(data.dy[1:], data.dy[0])
    function = case.surrogate or case.forward

    def value(x: list[Array], params: dict[str, Array]) -> float:
        return float((function(x, params, Context()) * upstream).sum())

    arrays = [*data.x, *data.params.values()]
    gradients = [*found.dx, *(found.dw[n] for n in data.params)]
    names = [*(f"dx{i}" for i in range(len(data.x))), *(f"d{n}" for n in data.params)]
    count = len(data.x)

    def at(moved: list[Array]) -> float:
        return value(moved[:count], dict(zip(data.params, moved[count:], strict=True)))

    if sum(a.size for a in arrays) <= ELEMENTS:
        for k, name in enumerate(names):
            close(gradients[k], _slopes(at, arrays, k), 1e-7, name)
        return
    for a, name in zip(gradients, names, strict=True):
        assert not np.isnan(a).any(), f"{name}: not every element was written"
    stream = np.random.default_rng(1)
    for _ in range(DIRECTIONS):
        # a step as long as one for a single element: a sum over steps in time bends quickly
        way = _unit([stream.normal(size=a.shape) for a in arrays])
        wanted = _slope(
            lambda h, way=way: at([a + h * w for a, w in zip(arrays, way, strict=True)])
        )
        summed = sum(float((g * w).sum()) for g, w in zip(gradients, way, strict=True))
        size = sum(float(np.square(g).sum()) for g in gradients) ** 0.5
        bound = 1e-8 * size / sum(a.size for a in arrays) ** 0.5
        assert abs(summed - wanted) <= bound, f"a direction: {summed!r}, wanted {wanted!r}"


def _unit(way: list[Array]) -> list[Array]:
    length = sum(float(np.square(w).sum()) for w in way) ** 0.5
    return [w / length for w in way]


def _slope(f: Callable[[float], float]) -> float:
    return (8 * (f(H) - f(-H)) - (f(2 * H) - f(-2 * H))) / (12 * H)


def _slopes(at: Callable[[list[Array]], float], arrays: list[Array], k: int) -> Array:
    found = np.zeros_like(arrays[k])
    for i in np.ndindex(*arrays[k].shape):

        def f(h: float, i: tuple[int, ...] = i) -> float:
            moved = arrays[k].copy()
            moved[i] += h
            return at([*arrays[:k], moved, *arrays[k + 1 :]])

        found[i] = _slope(f)
    return found


def gradient_in_single(machine: Machine, case: OpCase) -> None:
    """Single precision gives the gradients of double precision, to its own bound."""
    data = draw(case)
    wide, single = (machine(case, data, Setting(dtype=d)) for d in ("float64", "float32"))
    for name, array in wide.arrays().items():
        near(single.arrays()[name], array, 4 * case.single, f"{name} in single precision")


def contract(machine: Machine, case: OpCase) -> None:
    """dx is overwritten; dw is overwritten by its first writer, and added to by later ones."""
    data = draw(case)
    first, added = machine(case, data, Setting()), machine(case, data, Setting(held=7.0))
    for i, (a, b) in enumerate(zip(first.dx, added.dx, strict=True)):
        same_bits(a, b, f"dx{i}")
    for name, wanted in first.dw.items():
        near(added.dw[name], wanted + 7.0, 1e-12, f"d{name}, which held 7")


def reads_only(machine: Machine, case: OpCase) -> None:
    """Inputs, parameters and padding are as they were."""
    data = draw(case)
    for setting in (Setting(), Setting(held=0.0), Setting(dtype="float32", padded=3)):
        changed = machine(case, data, setting).changed
        assert not changed, f"changed: {', '.join(changed)}"


def memory(machine: Machine, case: OpCase) -> None:
    """What lay in memory before changes nothing; nor where arrays lie, nor room for more."""
    data = draw(case)
    for dtype in ("float64", "float32"):
        base = Setting(dtype=dtype)
        first = machine(case, data, base).arrays()
        others = {
            "memory cleared": base.but(fill=0),
            "memory shared": base.but(memory="shared"),
            "a partial batch": base.but(padded=3),
            "a small part of a batch": base.but(padded=2 * case.batch + 1, memory="shared"),
        }
        if dtype == "float32":  # an op of its own for each precision: one is enough
            others["in place"] = base.but(memory="in_place")
        for what, setting in others.items():
            for name, array in machine(case, data, setting).arrays().items():
                said = f"{name}, {what}, {dtype}"
                if setting.padded and (case.joint or name[1:] in case.params):
                    # sums are cut at quarters of the room, not of what is in it; convolutions by
                    # tiles then send them through maps with factors of up to 8
                    near(array, first[name], 32 * np.finfo(dtype).eps, said)
                else:
                    same_bits(array, first[name], said)


def threads(machine: Machine, case: OpCase) -> None:
    """The same bits at 1, 2, 3 and 4 threads, and again."""
    data = draw(case)
    for dtype in ("float64", "float32"):
        setting = Setting(dtype=dtype, memory="shared")
        first = machine(case, data, setting).arrays()
        for count in (1, 2, 3, 4):
            for name, array in machine(case, data, setting.but(threads=count)).arrays().items():
                same_bits(array, first[name], f"{name} at {count} threads, {dtype}")


def not_finite(machine: Machine, case: OpCase) -> None:
    """NaN and Inf go through where the formula lets them through, in every place."""
    for bad in (np.nan, np.inf, -np.inf):
        for dtype in ("float64", "float32"):
            for k in range(len(case.shapes)):
                data = draw(case)
                x = data.x[k].reshape(case.batch, -1)
                j = (3 * k + 1) % x.shape[1]
                x[case.batch // 2, j] = bad
                _passes(machine, case, data, dtype, f"{bad} in x{k}")


def _passes(machine: Machine, case: OpCase, data: Data, dtype: str, what: str) -> None:
    with np.errstate(all="ignore"):
        wanted = case.forward(data.x, data.params, Context())
    found = machine(case, data, Setting(dtype=dtype)).y
    lost = ~np.isfinite(wanted) & np.isfinite(found)
    assert not lost.any(), f"{what}: {lost.sum()} elements of y became finite ({dtype})"
    spread = np.isfinite(wanted) & ~np.isfinite(found)
    if case.blocks:
        spread[case.batch // 2] = False
    assert not spread.any(), f"{what}: {spread.sum()} elements of y became not finite ({dtype})"


def not_finite_back(machine: Machine, case: OpCase) -> None:
    """A NaN that comes back reaches the gradients of its own sample, and all of the parameters'."""
    data = draw(case)
    if case.differs and not case.joint:
        return  # a dropped unit sends nothing back
    data.dy[0].reshape(case.batch, -1)[0, 0] = np.nan
    for dtype in ("float64", "float32"):
        found = machine(case, data, Setting(dtype=dtype))
        assert any(np.isnan(d[0]).any() for d in found.dx), f"NaN in dy was lost ({dtype})"
        for i, dx in enumerate(found.dx if not case.joint else ()):
            assert np.isfinite(dx[1:]).all(), f"NaN in dy spread to other samples of dx{i}"
        for name, dw in found.dw.items():
            assert np.isnan(dw).any(), f"NaN in dy did not reach d{name} ({dtype})"


def modes(machine: Machine, case: OpCase) -> None:
    """Training and evaluation give the same bits, unless the case says that they differ."""
    data = draw(case)
    training, evaluation = (machine(case, data, Setting(training=t)).y for t in (True, False))
    if not case.differs:
        same_bits(training, evaluation, "y in training and in evaluation")
        return
    assert not np.array_equal(training, evaluation), "the case says that training differs"


def one_by_one(machine: Machine, case: OpCase) -> None:
    """A batch of N is N batches of one, to the bit; sums over samples are their sum."""
    if case.by_place or case.joint:
        return
    data = draw(case)
    whole = machine(case, data, Setting())
    chosen = sorted({0, case.batch // 2, case.batch - 1} | set(range(min(case.batch, 6))))
    singles = {i: machine(case, data.rows(slice(i, i + 1)), Setting()) for i in chosen}
    for i, single in singles.items():
        same_bits(single.y[0], whole.y[i], f"y of sample {i} alone")
        for k, dx in enumerate(single.dx):
            same_bits(dx[0], whole.dx[k][i], f"dx{k} of sample {i} alone")
    if len(chosen) == case.batch:
        for name, dw in whole.dw.items():
            near(sum(s.dw[name] for s in singles.values()), dw, 1e-12, f"d{name}, summed")


CHECKS: dict[str, Callable[[Machine, OpCase], None]] = {
    check.__name__: check
    for check in (
        forward, gradient, gradient_in_single, contract, reads_only, memory, threads, not_finite,
        not_finite_back, modes, one_by_one,
    )
}  # fmt: skip
