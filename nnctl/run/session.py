"""The use cases train and resume: which run, which state, which spec; then ``training.go``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnctl import checkpoint
from nnctl.errors import CheckpointError, ExitStatus, UsageError
from nnctl.files import TEMPORARY
from nnctl.run.compatible import ENDS, Change, changes, is_under, refuse_changes
from nnctl.run.jobs import Limits, make_job
from nnctl.run.keeper import newest_whole
from nnctl.run.locate import Located, locate
from nnctl.run.networks import base_dir_of, parted, spec_of
from nnctl.run.prepare import prepare
from nnctl.run.rundir import ROOT, RunDir, claim, create, newest
from nnctl.run.start import begun, pinned_as
from nnctl.run.training import (
    Outcome,
    Terms,
    about,
    check_origin,
    go,
    judged_again,
    now,
    verdict_status,
)
from nnctl.spec import Spec, load_spec
from nnctl.train.state import TrainState

# What nnctl itself puts into a run directory before the first checkpoint is written.
OWN = {"spec.toml", "resolved.toml", "summary.json", "events.jsonl", "checkpoints", ".lock"}
ReadSpec = Callable[[Mapping[str, Any]], Spec]


@dataclass(frozen=True)
class Origin:
    """Where a run begins: the spec's own text, and what its summary keeps of that."""

    text: str
    about: Mapping[str, Any]


def train(
    path: Path,
    overrides: Sequence[str] = (),
    *,
    run_dir: Path | None = None,
    resume_auto: bool = False,
    terms: Terms,
) -> Outcome:
    """Train a spec in a new run or, with ``resume_auto``, go on with the run that there is.

    Raises NnctlError.
    """
    spec = load_spec(path, overrides)
    if resume_auto:
        run = RunDir(run_dir) if run_dir else newest(ROOT, spec.name)
        if run is not None and run.path.is_dir():
            _refuse_strangers(run)
            return _go_on(run, lambda meta: spec, Origin(*_origin(path, spec)), terms)
    elif run_dir is not None and run_dir.exists():
        create(run_dir)  # raises, before any work is done
    return _start(spec, run_dir, Origin(*_origin(path, spec)), terms)


def resume(
    argument: str | None,
    overrides: Sequence[str] = (),
    *,
    at: int | None = None,
    run_dir: Path | None = None,
    terms: Terms,
) -> Outcome:
    """Go on with a run, or branch a new one off an older checkpoint of it. Raises NnctlError."""
    found = locate(argument)
    path = _chosen(found, at)
    if path is not None:
        return _branch(found, path, tuple(overrides), run_dir, terms)
    if run_dir is not None:
        raise UsageError("--run-dir is for a new run, and this one goes on where it is")
    run = _required(found)
    stored = run.summary().get("base_dir")
    base_dir = Path(stored) if stored else Path()

    def read(meta: Mapping[str, Any]) -> Spec:
        return spec_of(meta, base_dir, tuple(overrides), str(run.path / "resolved.toml"))

    return _go_on(run, read, None, terms)


def _refuse_strangers(run: RunDir) -> None:
    """Raise UsageError for a directory that holds something, and no run."""
    strange = {path.name for path in run.path.iterdir() if path.suffix != TEMPORARY} - OWN
    if strange and not run.is_run():
        raise UsageError(
            f"{run.path} is no run directory: it holds {sorted(strange)[0]}",
            "name another --run-dir, or one that does not exist yet",
        )


def _origin(path: Path, spec: Spec) -> tuple[str, dict[str, Any]]:
    text = path.read_text(encoding="utf-8-sig")
    return text, {"spec": str(path.resolve()), "base_dir": str(spec.base_dir.resolve())}


def _start(
    spec: Spec,
    run_dir: Path | None,
    origin: Origin,
    terms: Terms,
    state: TrainState | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Outcome:
    """Make a new run; only when data, network and engine are known to be fine."""
    prepared = prepare(spec, terms.threads, meta=meta)
    # Once for its complaints: a run must not be begun that cannot be trained.
    make_job(prepared, Limits(terms.elapsed), 0)
    if meta is not None:
        check_origin(meta, about(prepared), terms.warn)
    if state is None:
        prepared, state = begun(prepared, terms.note)
    run = create(run_dir) if run_dir else claim(spec.name)
    with run.lock():
        run.prepare()
        summary = _first_summary(run, prepared.spec, origin)
        return go(prepared, run, state, summary, terms)


def _first_summary(run: RunDir, spec: Spec, origin: Origin) -> dict[str, Any]:
    """Write what a run begins with; returns its summary."""
    run.write("spec.toml", origin.text)
    run.write("resolved.toml", spec.resolved_toml())
    return {"run": run.name, "name": spec.name, "started": now(), **origin.about}


def _go_on(run: RunDir, read: ReadSpec, origin: Origin | None, terms: Terms) -> Outcome:
    """Go on with a run in its own directory. ``read(meta)`` gives the spec to go on with.

    ``origin`` begins a run whose directory has nothing in it yet.
    """
    with run.lock():
        run.prepare()
        found = newest_whole(run, terms.warn)
        meta = found[1] if found else _beginning(run, origin)
        fresh, summary = meta is None, run.summary() if meta else {}
        if meta is None:
            old = spec = read({})
        else:
            old = spec_of(meta, Path(summary.get("base_dir") or "."))
            spec = pinned_as(old, read(meta))
        changed = changes(old, spec)
        refuse_changes(changed, str(run.path))
        if _has_ended(summary, found and found[1]) and not _ends_later(changed):
            return _already(run, spec, summary, terms)
        prepared = prepare(spec, terms.threads, meta=meta)
        if found:
            tensors, meta, _ = found
            check_origin(meta, about(prepared), terms.warn)
            state = TrainState.from_tensors(parted(tensors)[0], meta)
            _forget_other_monitors(state, changed)
            _warn_if_past(state, spec, terms)
        else:
            prepared, state = begun(prepared, terms.note)
        if fresh and origin is not None:
            summary = _first_summary(run, prepared.spec, origin)
        elif changed:
            run.write("resolved.toml", prepared.spec.resolved_toml())
        summary["sessions"] = int(summary.get("sessions") or 1) + 1
        return go(prepared, run, state, summary, terms)


def _beginning(run: RunDir, origin: Origin | None) -> dict[str, Any] | None:
    """Return the meta of a run that was killed before its first checkpoint, or None."""
    if (run.path / "resolved.toml").is_file() and run.summary():
        return {"spec": run.read("resolved.toml")}
    if origin is None:
        raise CheckpointError(
            f"there is nothing in {run.path} to go on with", "nnctl train SPEC starts a run"
        )
    return None


def _has_ended(summary: Mapping[str, Any], meta: Mapping[str, Any] | None) -> bool:
    """Whether a run came to its end, and the checkpoint of that end is the newest that verifies."""
    if summary.get("status") == "finished" and meta is not None:
        return int(meta["state"]["step"]) >= int(summary.get("steps") or 0)
    return summary.get("status") in ("finished", "diverged")


def _already(run: RunDir, spec: Spec, summary: dict[str, Any], terms: Terms) -> Outcome:
    """Say that there is nothing left to do, and end as the run has ended."""
    reason = str(summary.get("reason"))
    if summary["status"] == "diverged":
        tensor = str(summary.get("tensor", ""))
        status = ExitStatus.DIVERGED
        return Outcome(run, status, reason, summary, already=True, tensor=tensor)
    verdicts = judged_again(run, spec, terms)
    return Outcome(run, verdict_status(verdicts), reason, summary, verdicts, already=True)


def _ends_later(changed: list[Change]) -> bool:
    return any(is_under(path, ENDS) for path, _, _ in changed)


def _forget_other_monitors(state: TrainState, changed: list[Change]) -> None:
    """Drop what was remembered of a metric that is no longer the one that is watched."""
    for path, _, _ in changed:
        if path == "training.early_stopping.monitor":
            state.counters.memory.pop("early_stopping", None)


def _warn_if_past(state: TrainState, spec: Spec, terms: Terms) -> None:
    """Say that an end was set to where the run has already been: it ends where it is."""
    training, counters = spec.training, state.counters
    for key, done, end in (
        ("epochs", counters.epoch, training.epochs),
        ("max_steps", counters.step, training.max_steps),
    ):
        if end is not None and done > end:
            terms.warn(f"training.{key} = {end} is behind: the run is at {done} and ends there")


def _chosen(found: Located, at: int | None) -> Path | None:
    """Return the older checkpoint to branch off, or None to go on with the run itself."""
    if at is not None:
        return _at_epoch(_required(found), at)
    if found.file is None and found.link != "best":
        return None
    path = found.checkpoint("latest")
    steps = list(found.run.steps().values()) if found.run else []
    return None if steps and path.resolve().name == steps[-1].name else path


def _at_epoch(run: RunDir, epoch: int) -> Path:
    """Return the checkpoint taken at the end of an epoch. Raises CheckpointError."""
    there = []
    for path in run.steps().values():
        try:
            state = checkpoint.read_meta(path).get("state", {})
        except CheckpointError:
            continue
        if state.get("row") == 0:
            there.append(state.get("epoch"))
            if there[-1] == epoch:
                return path
    listed = ", ".join(map(str, there)) or "none"
    raise CheckpointError(
        f"no checkpoint of the end of epoch {epoch} in {run.path}",
        f"kept: {listed}\nset checkpoint.every_epochs and checkpoint.keep to keep more",
    )


def _required(found: Located) -> RunDir:
    if found.run is None:
        raise CheckpointError("this file lies in no run", "name a run directory")
    return found.run


def _branch(
    found: Located,
    path: Path,
    overrides: tuple[str, ...],
    run_dir: Path | None,
    terms: Terms,
) -> Outcome:
    """Start a new run from a checkpoint, and let it record where it comes from."""
    tensors, meta = checkpoint.load(path)
    base_dir = base_dir_of(path)
    old = spec_of(meta, base_dir, name=str(path))
    spec = spec_of(meta, base_dir, overrides, str(path))
    changed = changes(old, spec)
    refuse_changes(changed, str(path))
    if run_dir is not None and run_dir.exists():
        create(run_dir)
    state = TrainState.from_tensors(parted(tensors)[0], meta)
    _forget_other_monitors(state, changed)
    parent = {
        "run": found.run.name if found.run else None,
        "file": path.resolve().name,
        "epoch": state.counters.epoch,
        "step": state.counters.step,
    }
    known = found.run.summary() if found.run else {}
    origin = {"spec": known.get("spec"), "base_dir": str(base_dir.resolve()), "parent": parent}
    text = meta["spec"]
    if found.run and (found.run.path / "spec.toml").is_file():
        text = found.run.read("spec.toml")
    return _start(spec, run_dir, Origin(text, origin), terms, state, meta)
