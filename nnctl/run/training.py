"""One session of one run: train from a state to the end or to an interruption, and keep everything.

``session.py`` decides which run and which state; here they meet the engine and the files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from nnctl import __version__
from nnctl.errors import CheckpointError, ExitStatus
from nnctl.run.artifacts import (
    layer_rows,
    read_evaluations,
    write_activations,
    write_evaluation,
    write_fading,
    write_layers,
)
from nnctl.run.assess import Assessment
from nnctl.run.evaluate import judged
from nnctl.run.eventlog import EventLog, cut
from nnctl.run.fading import fading
from nnctl.run.jobs import Limits, make_job
from nnctl.run.keeper import Keeper, set_aside
from nnctl.run.networks import info_to_meta
from nnctl.run.prepare import Prepared
from nnctl.run.recorder import OnEvent, ignore, record
from nnctl.run.rundir import RunDir
from nnctl.run.signals import STATUS, StopRequest
from nnctl.spec import Spec
from nnctl.spec.gates import Gate, Verdict, judge, parse_gates
from nnctl.train import events
from nnctl.train.state import TrainState


def nothing(text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Terms:
    """How a session is to be run, whatever the spec says; none of it changes a number."""

    threads: int | None = None
    max_seconds: float | None = None
    elapsed: Callable[[], float] = time.monotonic
    gates: tuple[Gate, ...] = ()
    request: StopRequest = field(default_factory=StopRequest)
    on_event: OnEvent = ignore
    warn: Callable[[str], None] = nothing
    note: Callable[[str], None] = nothing


@dataclass(frozen=True)
class Outcome:
    """How a session ended. ``already`` says that there was nothing left to do."""

    run: RunDir
    status: ExitStatus
    reason: str
    summary: Mapping[str, Any]
    verdicts: tuple[Verdict, ...] = ()
    already: bool = False
    tensor: str = ""


def about(prepared: Prepared) -> dict[str, Any]:
    """Return the meta that all checkpoints of a run share: the same for equal runs anywhere."""
    from nnctl.engine.cpu import HAS_TILES, lanes

    kind = np.dtype(prepared.spec.training.dtype)
    return {
        "spec": timeless(prepared.spec).resolved_toml(),
        "data": prepared.fingerprint,
        "info": info_to_meta(prepared.info),
        "reading": prepared.reading and prepared.reading.to_json(),
        "engine": {
            "version": __version__,
            "lanes": lanes(kind),
            "tiles": HAS_TILES and kind == np.float32,
        },
    }


def timeless(spec: Spec) -> Spec:
    """Return the spec without what belongs to the machine: the number of threads."""
    training = spec.training.model_copy(update={"threads": None})
    return spec.model_copy(update={"training": training})


def check_origin(
    meta: Mapping[str, Any], own: Mapping[str, Any], warn: Callable[[str], None]
) -> None:
    """Refuse a checkpoint that was trained on other data; warn of one from another engine.

    Raises CheckpointError.
    """
    if meta.get("data") != own["data"]:
        raise CheckpointError(
            "the data are not those that this run was trained on",
            "bring the old data back, or start a new run on the new ones",
        )
    if meta.get("engine") != own["engine"]:
        old, new = _said(meta.get("engine") or {}), _said(own["engine"])
        warn(
            f"warning: the checkpoint was made by nnctl {old}, this is {new}: "
            "results may differ in the last bits"
        )


def _said(engine: Mapping[str, Any]) -> str:
    tiles = "with" if engine.get("tiles") else "without"
    return f"{engine.get('version')} with {engine.get('lanes')} lanes, {tiles} tiles"


def go(
    prepared: Prepared, run: RunDir, state: TrainState, summary: dict[str, Any], terms: Terms
) -> Outcome:
    """Train in a run directory that is locked and prepared; ``summary`` is how it stands."""
    try:
        return _go(prepared, run, state, summary, terms)
    finally:
        prepared.plan.close()


def _go(
    prepared: Prepared, run: RunDir, state: TrainState, summary: dict[str, Any], terms: Terms
) -> Outcome:
    plan, counters = prepared.plan, state.counters
    limits = Limits(terms.elapsed, terms.max_seconds, terms.request)
    job = make_job(prepared, limits, counters.step)
    plan.restore(state.tensors)
    state.tensors = {}  # the plan holds them now; they would be a second copy all along
    set_aside(run, counters.step)
    cut(run.events, counters.epoch, counters.step)
    summary |= facts(prepared) | {"status": "running", "exit_code": None, "reason": None}
    run.write_summary(summary)
    write_layers(run, layer_rows(prepared.graph))
    keeper = Keeper(
        run, about(prepared), prepared.normalizer.tensors(), prepared.spec.checkpoint.keep
    )
    log = EventLog(run.events)
    # Now, and not inside the loop: a signal still ends the process at once, and the clock of
    # checkpoints does not run yet.
    plan.prepare()
    began, compiled = time.monotonic(), plan.compile_seconds
    terms.request.arm()
    try:
        last = record(job, state, keeper, log, terms.on_event)
    finally:
        log.close()
    spent = time.monotonic() - began - (plan.compile_seconds - compiled)
    summary["seconds"] = float(summary.get("seconds") or 0.0) + spent
    summary["compile_seconds"] = plan.compile_seconds
    summary |= {"epochs": last.epoch, "steps": last.step, "ended": now(), "best": best_of(state)}
    return conclude(prepared, run, state, last, summary, terms)


def conclude(
    prepared: Prepared,
    run: RunDir,
    state: TrainState,
    last: events.Event,
    summary: dict[str, Any],
    terms: Terms,
) -> Outcome:
    """Judge the gates if training came to its end; write down how it ended."""
    verdicts: tuple[Verdict, ...] = ()
    tensor = ""
    if isinstance(last, events.Finished):
        gates = wanted_gates(prepared.spec, terms)
        found = examine(prepared, state, gates)
        write_evaluation(run, found.document(str(run.best)), found.pictures)
        write_activations(run, {})  # those that there may be are of an older network
        verdicts = tuple(found.verdicts)
        status, word = verdict_status(verdicts), "finished"
        summary["metrics"], reason = last.metrics, last.reason
        summary["restored"] = last.restored
    elif isinstance(last, events.Diverged):
        status, word, reason, tensor = ExitStatus.DIVERGED, "diverged", "diverged", last.tensor
        summary |= {"tensor": tensor, "diverged_on": last.split, "metrics": last.metrics}
    else:
        reason = last.reason if isinstance(last, events.Stopped) else ""
        status, word = STATUS.get(reason, ExitStatus.TIME_BUDGET), "stopped"
    summary |= {"status": word, "reason": reason, "exit_code": int(status)}
    summary["gates"] = [verdict.row() for verdict in verdicts]
    run.write_summary(summary)
    if isinstance(last, events.Finished):  # the run has ended, whatever becomes of this
        write_fading(run, remembered(prepared))
    return Outcome(run, status, reason, summary, verdicts, tensor=tensor)


def examine(prepared: Prepared, state: TrainState, gates: list[Gate]) -> Assessment:
    """Judge the network that ``eval`` would read, on the split that it would take."""
    best = state.best
    if best is not None:
        prepared.plan.restore(best.tensors)
    split = next(name for name in ("test", "validation", "train") if name in prepared.parts)
    # Nothing that the network was trained on can meet a gate.
    unseen = gates if split != "train" else []
    part = prepared.parts[split]
    found = judged(prepared.spec, prepared.heads, prepared.plan, split, part, unseen)
    if gates and not unseen:
        found.verdicts.extend(judge(gates, {}))
    return found


def remembered(prepared: Prepared) -> list[dict[str, Any]]:
    """Return how gradients and influence fade in the network's recurrent layers, if it has any, on
    its first training batch."""
    plan, part = prepared.plan, prepared.parts["train"]
    rows = np.arange(min(plan.batch, part.samples))
    return fading(plan, prepared.graph, "train", rows)


def wanted_gates(spec: Spec, terms: Terms) -> list[Gate]:
    """Return the gates of the spec and those of the command line."""
    return [*parse_gates(spec.gates), *terms.gates]


def verdict_status(verdicts: tuple[Verdict, ...]) -> ExitStatus:
    """Return the exit code that gates make of a training that came to its end."""
    return ExitStatus.OK if all(v.passed for v in verdicts) else ExitStatus.GATE


def judged_again(run: RunDir, spec: Spec, terms: Terms) -> tuple[Verdict, ...]:
    """Return the verdicts of gates on a finished run, from the evaluation that it has kept."""
    documents = read_evaluations(run)
    found = next((documents[name] for name in ("test", "validation") if name in documents), {})
    return tuple(
        judge(wanted_gates(spec, terms), found.get("metrics", {}), found.get("per_class", ()))
    )


def facts(prepared: Prepared) -> dict[str, Any]:
    """Return what a summary says of spec, data and machine."""
    spec, plan = prepared.spec, prepared.plan
    return {
        "name": spec.name,
        "seed": spec.training.seed,
        "split_seed": spec.data.split.seed,
        "dtype": spec.training.dtype,
        "parameters": prepared.graph.parameter_count,
        "samples": {name: part.samples for name, part in prepared.parts.items()},
        "data": prepared.fingerprint,
        "threads": plan.threads,
        "compile_seconds": plan.compile_seconds,
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions that decide the numbers."""
    import platform
    from importlib.metadata import version

    names = ("numpy", "numba", "llvmlite")
    return {
        "nnctl": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def best_of(state: TrainState) -> dict[str, Any] | None:
    """Return what a summary says of the best state, or None if nothing selects."""
    best = state.best
    if best is None:
        return None
    where = best.counters
    return {
        "monitor": best.monitor,
        "value": best.value,
        "epoch": where.epoch,
        "step": where.step,
        "metrics": best.metrics,
    }


def now() -> str:
    """Return the time as summaries hold it; equal lengths, so that it sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
