"""Every shipped spec, as it trains: gradients in float64 against a network in NumPy, in single."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnctl.init import initialize
from nnctl.run.prepare import compile_network, prepare
from nnctl.spec import load_spec
from tests.reference import network
from tests.vectors.case import Context

SPECS = sorted((Path(__file__).resolve().parents[2] / "specs").glob("*.toml"))
ROWS = np.array([5, 0, 33, 2, 61, 7, 8, 90])
DIRECTIONS = 3
H = 1e-6  # relu and max pool stay on the side of their corners where they were


def _thresholds(graph) -> bool:  # type: ignore[no-untyped-def]
    return any(node.op in ("sign", "step") for node in graph.nodes)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_gradients_of_a_shipped_spec(path: Path) -> None:
    spec = load_spec(path, ['training.dtype="float64"', "training.threads=1"])
    found = prepare(spec)
    graph, plan = found.graph, found.plan
    stream = np.random.default_rng(0)
    start = {n: a + 0.1 * stream.normal(size=a.shape) for n, a in initialize(graph, 0).items()}
    plan.restore({f"param/{n}": a for n, a in start.items()})
    rows = ROWS[: found.batch_size]
    loss, gradients = plan.gradients("train", rows)
    single = _single(found, start, rows)
    plan.close()
    inputs, targets, weights = _standardized(found, rows)
    lengths = {n: a[rows] for n, a in found.parts["train"].lengths.items()}
    for name, one in graph.fed.items():
        inputs[name], lengths[name] = _before(one, targets[one.target])
        if one.ends is not None:  # 1 at the last step, 0 before it
            behind = np.arange(one.steps) - lengths[name][:, None]
            ends = np.where(behind < 0, behind == -1, np.nan)
            targets[one.ends_target] = ends[..., None]
    context = Context(training=True, seed=spec.training.seed, step=0)
    corners: dict[str, dict] = {}

    def value(params):  # type: ignore[no-untyped-def]
        penalty = sum(
            one.l1 * np.abs(params[n]).sum() + one.l2 / 2 * np.square(params[n]).sum()
            for n, one in graph.parameters.items()
        )
        return penalty, network.mean_loss(
            graph, params, inputs, targets, context, weights, corners, lengths
        )

    penalty, wanted = value(start)
    assert loss == pytest.approx(wanted, rel=1e-11)
    assert single == pytest.approx(wanted, rel=1e-4)
    if _thresholds(graph):
        return  # what comes back is an estimate, and no slope
    size = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    for _ in range(DIRECTIONS):
        way = {n: stream.normal(size=a.shape) / np.sqrt(a.size) for n, a in start.items()}

        def at(h: float, way=way) -> float:  # type: ignore[no-untyped-def]
            return sum(value({n: a + h * way[n] for n, a in start.items()}))

        slope = (8 * (at(H) - at(-H)) - (at(2 * H) - at(-2 * H))) / (12 * H)
        summed = sum(float((gradients[n] * way[n]).sum()) for n in way)
        assert abs(summed - slope) <= 1e-7 * size, f"{summed} and {slope}"


def _single(found, start, rows) -> float:  # type: ignore[no-untyped-def]
    """The loss of the same rows from the same start in single precision."""
    plan = compile_network(
        found.spec, found.graph, found.normalizer, batch=found.batch_size, threads=1,
        dtype="float32", class_weights=_weights(found),
    )  # fmt: skip
    plan.restore({f"param/{n}": a for n, a in start.items()})
    part = found.parts["train"]
    plan.attach("train", part.inputs, part.targets, part.lengths)
    value = plan.loss("train", rows)
    plan.close()
    return value


def _before(one, target):  # type: ignore[no-untyped-def]
    """What a layer is fed that reads its own outputs, and how long: targets a step later."""
    if one.tokens is None:
        first = np.zeros((len(target), 1, one.width))  # the mean, as it is scaled
        target = target.reshape(len(target), one.steps, one.width)
        before = np.concatenate([first, target[:, :-1]], axis=1)
        return np.nan_to_num(before), _steps(target)
    first = np.full((len(target), 1), one.start)
    before = np.concatenate([first, target[:, :-1]], axis=1)
    return np.maximum(before, 0), (target >= 0).sum(axis=1)


def _steps(target):  # type: ignore[no-untyped-def]
    """Steps of each sequence of numbers, up to the last that counts."""
    there = np.isfinite(target).all(axis=2)
    return np.max(there * np.arange(1, 1 + target.shape[1]), axis=1)


def _weights(found):  # type: ignore[no-untyped-def]
    from nnctl.run.prepare import class_weights

    return class_weights(found.spec, found.graph, found.info, found.parts["train"])


def _standardized(found, rows):  # type: ignore[no-untyped-def]
    """Inputs and targets of some rows as the tape makes them: bytes to shares, then scaled."""
    part = found.parts["train"]
    inputs, targets = {}, {}
    for name, array in part.inputs.items():
        x = array[rows] / 255.0 if array.dtype == np.uint8 else array[rows].astype(np.float64)
        scaling = found.normalizer.inputs.get(name)
        inputs[name] = x if scaling is None else _scaled(x, scaling)
    for name, array in part.targets.items():
        t = array[rows]
        scaling = found.normalizer.targets.get(name)
        targets[name] = t if scaling is None else _scaled(t.reshape(len(t), -1), scaling)
    return inputs, targets, _weights(found)


def _scaled(x, scaling):  # type: ignore[no-untyped-def]
    flat = x.reshape(len(x), -1)
    mean, scale = (
        np.resize(np.asarray(part, float).reshape(-1), flat.shape[1]) for part in scaling
    )
    return ((flat - mean) * scale).reshape(x.shape)
