"""The timings of ``nnctl bench``, as text and as a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from nnctl.cli.table import table
from nnctl.graph.describe import human_count
from nnctl.run.bench import Timed
from nnctl.run.timings import PartTime

SHORT = 0.01  # seconds of a step; shorter ones are told in microseconds
LEAST_SHARE = 0.005  # of an op that is named in the last line


def as_text(name: str, found: Timed) -> str:
    """Return the table of parts, and the step as a whole."""
    is_short = median(found.alone) < SHORT
    unit, scale, digits = ("us", 1e6, 1) if is_short else ("ms", 1e3, 2)

    def time(seconds: float | None) -> str:
        return "" if seconds is None else f"{seconds * scale:,.{digits}f}"

    rows = [
        [
            part.name,
            part.type,
            part.shape,
            time(part.forward),
            time(part.backward),
            time(part.seconds),
            f"{100 * part.seconds / found.parts.seconds:.1f} %",
            _written(_gflops(part)),
        ]
        for part in (*found.parts.layers, *found.parts.others)
    ]
    header = ["layer", "type", "shape", "forward", "backward", f"{unit} in all", "share", "GFLOP/s"]
    head = f"{name}: batches of {found.batch} in {found.dtype}, {found.parameters:,} parameters"
    return "\n".join([head, "", table(header, rows, "  rrrrrr"), "", *_totals(found, time, unit)])


def _totals(found: Timed, time: Callable[[float], str], unit: str) -> Iterator[str]:
    def step(seconds: Sequence[float], threads: str) -> str:
        middle = median(seconds)
        return (
            f"{time(middle)} {unit} as a whole on {threads} (fastest {time(min(seconds))}): "
            f"{_rate(found.batch / middle)} samples a second"
        )

    yield f"calls      {time(found.parts.seconds)} {unit} one by one, on one thread"
    yield f"step       {step(found.alone, '1 thread')}"
    if found.threads > 1:
        yield f"           {step(found.whole, f'{found.threads} threads')}"
    yield f"inference  {_rate(1 / median(found.inference))} samples a second"
    shares = [(op, seconds / found.parts.seconds) for op, seconds in found.parts.ops.items()]
    named = ", ".join(f"{op} {100 * part:.0f} %" for op, part in shares if part >= LEAST_SHARE)
    yield f"by op      {named}"


def _rate(samples: float) -> str:
    return human_count(round(samples))


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _gflops(part: PartTime) -> float | None:
    return part.flops / part.seconds / 1e9 if part.flops and part.seconds else None


def as_document(name: str, found: Timed) -> dict[str, Any]:
    """Return the same as a JSON document; times are in milliseconds."""
    whole, alone = median(found.whole), median(found.alone)
    return {
        "name": name,
        "batch": found.batch,
        "dtype": found.dtype,
        "threads": found.threads,
        "parameters": found.parameters,
        "step": {**_spread(found.whole), "samples_per_second": found.batch / whole},
        "step_one_thread": {**_spread(found.alone), "samples_per_second": found.batch / alone},
        "inference": {"samples_per_second": 1 / median(found.inference)},
        "calls_ms": found.parts.seconds * 1e3,
        "layers": [_row(part, found) for part in found.parts.layers],
        "others": [_row(part, found) for part in found.parts.others],
        "ops": [
            {"op": op, "ms": seconds * 1e3, "share": seconds / found.parts.seconds}
            for op, seconds in found.parts.ops.items()
        ],
    }


def _spread(seconds: Sequence[float]) -> dict[str, Any]:
    return {
        "ms": median(seconds) * 1e3,
        "least_ms": min(seconds) * 1e3,
        "most_ms": max(seconds) * 1e3,
        "measurements": len(seconds),
    }


def _row(part: PartTime, found: Timed) -> dict[str, Any]:
    return {
        "name": part.name,
        "type": part.type,
        "shape": part.shape,
        "forward_ms": None if part.forward is None else part.forward * 1e3,
        "backward_ms": None if part.backward is None else part.backward * 1e3,
        "ms": part.seconds * 1e3,
        "share": part.seconds / found.parts.seconds,
        "gflops": _gflops(part),
    }
