"""From a spec to everything that trains or evaluates: data, parts, graph, normalization, plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.data import Dataset, Normalizer, Part, fit_normalizer, load, split
from nnctl.data.reading import Reading
from nnctl.errors import SpecError
from nnctl.graph import Graph, build
from nnctl.run.batches import batch_size, check_batches
from nnctl.run.heads import Head, heads
from nnctl.run.labels import check_labels
from nnctl.run.lengths import bounded, fitted
from nnctl.run.ranges import check_range
from nnctl.run.room import memory, too_large
from nnctl.run.symbols import check_symbols
from nnctl.run.tokens import check_tokens, file_of
from nnctl.spec import Spec
from nnctl.spec.info import DataInfo, TargetInfo

if TYPE_CHECKING:
    from nnctl.plan import Plan

Array = np.ndarray[Any, Any]
AT_ONCE = 1 << 20  # numbers of all samples of a batch of evaluation, in the widest layer


@dataclass(frozen=True)
class Prepared:
    """A spec with its data in memory and its network compiled; parameters are not set yet."""

    spec: Spec
    info: DataInfo
    reading: Reading | None
    fingerprint: str
    parts: Mapping[str, Part]
    graph: Graph
    normalizer: Normalizer
    heads: tuple[Head, ...]
    plan: Plan

    @property
    def batch_size(self) -> int:
        """Samples a step; never more than there are."""
        return batch_size(self.spec, self.parts["train"].samples)


def prepare(
    spec: Spec,
    threads: int | None = None,
    eval_batch: int | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Prepared:
    """Load the data of a spec and compile its network, ready to train and to evaluate all parts.

    ``eval_batch``: samples at once in evaluation, default ``evaluation_batch``'s.
    ``meta`` is that of the checkpoint to go on with. Raises SpecError, DataError, UsageError,
    CheckpointError where the data have other symbols than that.
    """
    dataset = load(spec.data, spec.base_dir, spec.problem)
    check_symbols(spec, dataset.reading, meta)
    info = info_of(dataset)
    graph = build(spec, info)
    problem = too_large(spec, graph, memory())
    if problem is not None:
        raise SpecError(problem)
    parts = parts_of(dataset, spec)
    found = heads(graph, info.targets)
    check_labels(found, parts)
    for name, part in parts.items():
        check_tokens(graph, part, file_of(spec, name))
        parts[name] = fitted(graph, info.targets, part, file_of(spec, name))
    check_batches(spec, graph, parts["train"].samples)
    normalizer = fit_normalizer(spec.data, parts["train"], graph.tokens())
    files = {name: file_of(spec, name) for name in parts}
    check_range(parts, normalizer, spec.training.dtype, files)
    plan = compile_network(
        spec,
        graph,
        normalizer,
        batch=batch_size(spec, parts["train"].samples),
        threads=threads,
        eval_batch=eval_batch,
        class_weights=class_weights(spec, graph, info, parts["train"]),
    )
    for name, part in parts.items():
        plan.attach(name, part.inputs, part.targets, part.lengths)
    return Prepared(
        spec, info, dataset.reading, dataset.fingerprint, parts, graph, normalizer, found, plan
    )


def check_lengths(spec: Spec, graph: Graph, info: DataInfo) -> None:
    """Hold sequences and targets against the network, where one can be too long or too short for
    it: the data are read whole then. Raises DataError as ``prepare`` would."""
    if bounded(graph, info.targets):
        dataset = load(spec.data, spec.base_dir, spec.problem)
        for name, part in parts_of(dataset, spec).items():
            fitted(graph, info_of(dataset).targets, part, file_of(spec, name))


def compile_network(
    spec: Spec,
    graph: Graph,
    normalizer: Normalizer,
    *,
    batch: int,
    threads: int | None = None,
    eval_batch: int | None = None,
    class_weights: Mapping[str, Array | None] | None = None,
    dtype: str | None = None,
) -> Plan:
    """Compile a graph as its spec says. ``threads`` and ``dtype`` overrule the spec."""
    from nnctl.plan import compile_plan

    return compile_plan(
        graph,
        batch=batch,
        eval_batch=eval_batch or evaluation_batch(graph),
        dtype=dtype or spec.training.dtype,
        seed=spec.training.seed,
        threads=threads or spec.training.threads,
        optimizer=spec.optimizer,
        normalizers=normalizer.inputs,
        target_scalers=normalizer.targets,
        class_weights=class_weights or {},
        gradient_norm=wants_norms(spec),
    )


def wants_norms(spec: Spec) -> bool:
    """Return whether the norm of every step's gradient is looked at: it costs a pass over all."""
    return spec.training.gradient_norm_below is not None or spec.training.log_every > 0


def parts_of(dataset: Dataset, spec: Spec) -> dict[str, Part]:
    """Return the parts that exist, by the names train, validation and test."""
    parts = split(dataset, spec.data, spec.problem)
    named = {"train": parts.train, "validation": parts.validation, "test": parts.test}
    return {name: part for name, part in named.items() if part is not None}


def info_of(dataset: Dataset) -> DataInfo:
    """Return shapes and classes of loaded data: what ``check`` reads from the headers."""
    inputs = {name: tuple(map(int, x.shape[1:])) for name, x in dataset.inputs.items()}
    targets = {}
    for name, target in dataset.targets.items():
        classes = target.classes
        width = len(classes or ()) if target.kind == "class" else int(target.values.shape[-1])
        times = target.steps, target.ahead, target.held_by
        targets[name] = TargetInfo(target.kind, width, classes, *times)
    own = {"test": dataset.test, "validation": dataset.validation}
    parts = {name: part.samples for name, part in own.items() if part is not None}
    return DataInfo(
        inputs,
        targets,
        dataset.samples,
        parts=parts,
        vocabularies=dict(dataset.reading.vocabulary_sizes) if dataset.reading else {},
        lengths=tuple(dataset.lengths),
        stride=dataset.stride,
    )


def class_weights(spec: Spec, graph: Graph, info: DataInfo, train: Part) -> dict[str, Array | None]:
    """Return float64 (classes,) weights by output, for the losses that weigh classes.

    ``"balanced"``: samples / (classes * samples of the class), over the training part.
    """
    found: dict[str, Array | None] = {}
    for loss in graph.losses:
        wanted = loss.fields.get("class_weights")
        if wanted is not None:
            target = info.targets[loss.target]
            path = ("loss", "class_weights")
            labels = train.targets[loss.target].reshape(-1)
            labels = labels[labels >= 0]  # over steps some are not counted
            found[loss.output] = _weights(spec, path, wanted, target, labels)
    return found


def _weights(
    spec: Spec, path: tuple[str, ...], wanted: Any, target: TargetInfo, labels: Array
) -> Array:
    if wanted == "balanced":
        labels = labels[labels >= 0]  # of steps, those that count
        counts = np.bincount(labels, minlength=target.width).astype(np.float64)
        return np.asarray(len(labels) / (target.width * np.maximum(counts, 1.0)))
    classes = target.classes or tuple(map(str, range(target.width)))
    if isinstance(wanted, Mapping):
        strange = [name for name in wanted if name not in classes]
        if strange:
            hint = f"classes: {', '.join(classes)}"
            raise SpecError(spec.problem((*path, strange[0]), f'no class "{strange[0]}"', hint))
        return np.array([float(wanted.get(name, 1.0)) for name in classes])
    if len(wanted) != target.width:
        message = f"expected {target.width} weights, one a class, given {len(wanted)}"
        raise SpecError(spec.problem(path, message, f"classes: {', '.join(classes)}"))
    return np.array(wanted, dtype=np.float64)


def evaluation_batch(graph: Graph) -> int:
    """Samples at once in evaluation: 256, and down to 16 where they are so large that what a task
    hands from layer to layer would not stay in its core's cache."""
    widest = max(node.size for node in graph.nodes)
    return max(16, min(256, AT_ONCE // widest // 16 * 16))
