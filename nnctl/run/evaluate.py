"""The use case ``eval``: a checkpoint, some samples, how well it knows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl import checkpoint
from nnctl.data import Normalizer, Part, load
from nnctl.data.reading import Reading
from nnctl.errors import DataError, Problem, UsageError
from nnctl.graph import Graph, build
from nnctl.run.activations import activations, row_of, with_maps
from nnctl.run.assess import Assessment, assess
from nnctl.run.decoding import GREEDY, Manner, speaks
from nnctl.run.heads import Array, Head, heads
from nnctl.run.labels import check_labels
from nnctl.run.lengths import fitted
from nnctl.run.networks import base_dir_of, info_of_meta, parted, spec_of
from nnctl.run.pictures import drawings, gallery
from nnctl.run.prepare import class_weights, compile_network, info_of, parts_of
from nnctl.run.symbols import differences
from nnctl.run.tokens import check_tokens
from nnctl.run.unseen import read_unseen
from nnctl.spec import Spec
from nnctl.spec.gates import Gate, parse_gates
from nnctl.spec.info import DataInfo
from nnctl.spec.measurable import unmeasured
from nnctl.spec.metrics import SPLITS
from nnctl.spec.suggest import hint as suggestion
from nnctl.train.evaluation import SLICE_ROWS, mean_loss

if TYPE_CHECKING:
    from nnctl.plan import Plan

# The name under which samples that are no part of the run's data are evaluated.
OTHER = "data"


@dataclass(frozen=True)
class Stored:
    """A checkpoint as read: its spec, network and tensors, before anything is compiled."""

    path: Path
    spec: Spec
    info: DataInfo
    graph: Graph
    tensors: checkpoint.Tensors
    normalizer: Normalizer
    reading: Reading | None
    fingerprint: str

    @property
    def heads(self) -> tuple[Head, ...]:
        """What its outputs mean."""
        return heads(self.graph, self.info.targets)


def read(path: Path) -> Stored:
    """Read a checkpoint file. Raises CheckpointError."""
    tensors, meta = checkpoint.load(path)
    spec = spec_of(meta, base_dir_of(path), name=str(path))
    info = info_of_meta(meta)
    state, constants = parted(tensors)
    normalizer = Normalizer.from_tensors(constants)
    fingerprint = str(meta.get("data", ""))
    reading = Reading.from_json(meta["reading"]) if meta.get("reading") else None
    return Stored(path, spec, info, build(spec, info), state, normalizer, reading, fingerprint)


def evaluate(
    path: Path,
    *,
    split: str | None = None,
    data: str | None = None,
    gates: Sequence[str] = (),
    sample: int | None = None,
    threads: int | None = None,
    manner: Manner = GREEDY,
) -> Assessment:
    """Return everything that is said of a checkpoint on a part of its data, or on other ``data``.

    ``gates`` come beside those of the spec; with ``sample`` what the layers give for it; ``manner``
    is how a decoder looks for what it says. Raises UsageError, DataError, CheckpointError.
    """
    asked = parse_gates(gates)
    stored = read(path)
    manner.check(stored.graph)
    if sample is not None:
        with_maps(stored.graph)
    asked = [*parse_gates(stored.spec.gates), *asked]
    part, name, train = _samples(stored, split, data)
    if sample is not None:
        row_of(part, name, sample)
    check_labels(stored.heads, {name: part})
    plan = compiled(stored, train, threads)
    try:
        plan.attach(name, part.inputs, part.targets, part.lengths)
        found = judged(stored.spec, stored.heads, plan, name, part, asked, manner)
        if sample is None:
            return found
        graph, outputs = stored.graph, stored.heads
        shown = activations(plan, graph, outputs, part, name, sample)
        return replace(found, activations=shown)
    finally:
        plan.close()


def judged(
    spec: Spec,
    found: Sequence[Head],
    plan: Plan,
    split: str,
    part: Part,
    gates: Sequence[Gate],
    manner: Manner = GREEDY,
) -> Assessment:
    """Assess a network on an attached split: what training does too, at its end."""
    slices = list(_slices(plan, split, part.samples))
    outputs = {n: np.concatenate([s.outputs[n] for _, s in slices]) for n in slices[0][1].outputs}
    assessed = assess(
        found,
        outputs,
        part.targets,
        split=split,
        loss=mean_loss([s.terms for _, s in slices]),
        losses=np.concatenate([_total(plan, s.losses) for _, s in slices]),
        origin=part.origin,
        wanted=spec.metrics or (),
        gates=gates,
        naive=part.naive,
        speak=speaks(plan, part, manner),
        unmeasured=unmeasured(spec),
    )
    shown, drawn = [row["sample"] for row in assessed.mistakes], drawings(found, outputs)
    if drawn is not None:
        shown += [row["sample"] for row in assessed.worst]
    return replace(assessed, pictures=gallery(part, shown, drawn))


def _samples(stored: Stored, split: str | None, data: str | None) -> tuple[Part, str, Part | None]:
    """Return the samples to judge, what they are called, and the training part if it is read."""
    balanced = any(loss.fields.get("class_weights") == "balanced" for loss in stored.graph.losses)
    if data is None:
        parts = parts_now(stored)
        name = split or next((n for n in ("test", "validation") if n in parts), "")
        if name not in parts:
            raise no_part(name, parts)
        return parts[name], name, parts["train"]
    if split is not None:
        raise UsageError(
            "--split and --data cannot hold together",
            "--split chooses a part of the run's own data; a file is evaluated whole",
        )
    return (
        read_file(stored, data, labeled=True),
        OTHER,
        parts_now(stored)["train"] if balanced else None,
    )


def parts_now(stored: Stored) -> Mapping[str, Part]:
    """Load the data that the network was trained on, split as they were then."""
    spec = stored.spec
    dataset = load(spec.data, spec.base_dir, spec.problem)
    if stored.fingerprint and dataset.fingerprint != stored.fingerprint:
        problem = Problem(
            f"the data are not those that {stored.path} was trained on",
            "their parts would mix training with test samples; bring the data back,\n"
            "or evaluate on a file of unseen samples with --data",
        )
        raise DataError([problem, *differences(spec, dataset.reading, stored.reading)])
    if info_of(dataset).inputs != stored.info.inputs:
        raise DataError("the data do not have the shapes that the network was trained on")
    graph, targets = stored.graph, stored.info.targets
    return {n: fitted(graph, targets, part) for n, part in parts_of(dataset, spec).items()}


def no_part(name: str, parts: Mapping[str, Part]) -> UsageError:
    if not name:
        return UsageError(
            "there is neither a test nor a validation part to evaluate on",
            "set data.split.test in the spec, or give --data FILE or --split train",
        )
    if name in SPLITS:
        return UsageError(f"there is no {name} part", f"parts: {', '.join(parts)}")
    return UsageError(f"unknown split {name!r}", suggestion(name, parts, "parts"))


def read_file(stored: Stored, source: str, *, labeled: bool) -> Part:
    """Read other samples as the training data were read, which the checkpoint remembers."""
    data = stored.spec.data
    reading = stored.reading or load(data, stored.spec.base_dir, stored.spec.problem).reading
    if reading is None:
        raise DataError(f"{stored.path} does not say how its data were read")
    part = read_unseen(data, reading, source, labeled=labeled)
    check_tokens(stored.graph, part, source)
    return fitted(stored.graph, stored.info.targets, part, source)


def compiled(stored: Stored, train: Part | None, threads: int | None) -> Plan:
    spec, graph = stored.spec, stored.graph
    weights = {} if train is None else class_weights(spec, graph, stored.info, train)
    plan = compile_network(
        spec, graph, stored.normalizer, batch=1, threads=threads, class_weights=weights
    )
    plan.restore(stored.tensors)
    return plan


def _slices(plan: Plan, split: str, count: int) -> Iterator[tuple[Array, Any]]:
    """Evaluate in the same slices as training, so that the figures are the same to the bit."""
    for start in range(0, count, SLICE_ROWS):
        rows = np.arange(start, min(start + SLICE_ROWS, count), dtype=np.int64)
        yield rows, plan.evaluate(split, rows)


def _total(plan: Plan, losses: Mapping[str, Array]) -> Array:
    """Return the weighted loss of each sample over all outputs."""
    parts = [loss.weight * losses[loss.output] for loss in plan.graph.losses]
    return np.sum(parts, axis=0)  # type: ignore[no-any-return]
