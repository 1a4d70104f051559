"""Metrics, monitors, gates and class weights beside the data: what this network can measure.

For the stage that knows the data's header; what needs no data is found when the spec is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .base import Finding
from .gates import parse_gate
from .info import TargetInfo
from .metrics import METRICS, Kind, find, split_name
from .suggest import hint, listed

if TYPE_CHECKING:
    from .info import DataInfo
    from .losses.base import LossModel
    from .root import Spec

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Output:
    """One output with a loss; ``name`` is "" where it is the only one."""

    name: str
    target: TargetInfo
    link: str
    ends: bool = False  # it learns where its sequences of numbers end
    unmeasured: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """What its metrics compare; as the views of ``nnctl.metrics`` have it."""
        if self.target.kind == "class":
            return "classes" if self.target.steps is None else "classes of steps"
        if self.link == "sigmoid":
            return "labels"
        named = self.target.kind == "rows" and len(self.target.classes or ()) > 1
        if self.link == "softmax" or named:
            return "classes"
        if self.target.ahead is not None:
            return "forecasts"
        return "numbers that end" if self.ends else "numbers"

    @property
    def classes(self) -> list[str]:
        """The names of its classes; numbers from 0 where they have none."""
        return list(self.target.classes or map(str, range(self.target.width)))

    @property
    def metrics(self) -> list[str]:
        """The metrics that it has, without those of one class."""
        known = (m for m in METRICS.values() if self.kind in m.kinds and not m.per_class)
        idle = (*self.unmeasured, *(("loss",) if self.name else ()))
        return [m.name for m in known if m.name not in idle]


def unmeasured(spec: Spec) -> tuple[str, ...]:
    """Return the metrics that would be another figure than their name says: of steps that are words
    or bytes, bits are not those of a character."""
    return ("bits_per_character",) if spec.data.tokens in ("word", "byte") else ()


def check(spec: Spec, info: DataInfo) -> Iterator[Finding]:
    """Find metrics and monitors that this network cannot have, and weights of no class."""
    outputs = _outputs(spec, info)
    if len(outputs) < len(spec.losses):
        return  # a loss without its target is reported where it is found
    for index, name in enumerate(spec.metrics or ()):
        yield from _judged(name, outputs, ("metrics", index))
    stopping = spec.training.early_stopping
    if stopping is not None:
        name = split_name(stopping.monitor)[1]
        yield from _judged(name, outputs, ("training", "early_stopping", "monitor"))
    if spec.checkpoint.monitor is not None:
        name = split_name(spec.checkpoint.monitor)[1]
        yield from _judged(name, outputs, ("checkpoint", "monitor"))
    for key, loss in spec.losses.items():
        weights = getattr(loss, "class_weights", None)
        if weights is not None:
            target = _target(key, loss, info)
            yield from _weights(weights, target, ("loss", key, "class_weights"))


def gates(spec: Spec, info: DataInfo) -> Iterator[Finding]:
    """Find the gates that can never be met, because what they name is never measured."""
    outputs = _outputs(spec, info)
    for index, text in enumerate(spec.gates):
        for finding in _judged(parse_gate(text).name, outputs, ("gates", index)):
            yield Finding(finding.path, f"{finding.message}: this gate is never met", finding.hint)


def _outputs(spec: Spec, info: DataInfo) -> list[Output]:
    several = len(spec.losses) > 1
    targets = ((key, loss, _target(key, loss, info)) for key, loss in spec.losses.items())
    return [
        Output(key if several else "", target, loss.link, _ends(spec, key), unmeasured(spec))
        for key, loss, target in targets
        if target
    ]


def _ends(spec: Spec, key: str) -> bool:
    return any(layer.ends_by() is not None for layer in spec.layers if key in ("", layer.name))


def _target(key: str, loss: LossModel, info: DataInfo) -> TargetInfo | None:
    """The target that a loss compares with: named, that of the output's name, or the only one."""
    name = loss.target or (key if key in info.targets else "")
    if not loss.target and len(info.targets) == 1:
        return next(iter(info.targets.values()))
    return info.targets.get(name)


def _judged(name: str, outputs: list[Output], path: Path) -> Iterator[Finding]:
    """Say why no output has a metric, if none has."""
    metric = find(name)
    if metric is None or name == "loss":
        return  # a name that is no metric is reported when the spec is loaded
    head, bracket, label = name.partition("[")
    prefix, _, base = head.rpartition(".")
    names = [output.name for output in outputs]
    if prefix not in names:
        yield Finding(path, *_prefix(prefix, base + bracket + label, names))
        return
    output = outputs[names.index(prefix)]
    if base == "loss":
        yield Finding(path, "the loss is that of all outputs together", 'write "loss"')
    elif base in output.unmeasured:
        message = f'"{base}" is not measured: a step is no character here (data.tokens)'
        yield Finding(path, message, "take log_loss or perplexity, which are of steps")
    elif output.kind not in metric.kinds:
        message = f'"{base}" is not measured: the target is {output.kind}'
        yield Finding(path, message, f"metrics: {listed(output.metrics)}")
    elif bracket and label[:-1] not in output.classes:
        message = f'no class is named "{label[:-1]}"'
        yield Finding(path, message, hint(label[:-1], output.classes, "classes"))


def _prefix(prefix: str, metric: str, names: list[str]) -> tuple[str, str]:
    if names == [""]:
        return f'there is only one output, and no "{prefix}"', f'write "{metric}"'
    if not prefix:
        choices = " or ".join(f'"{name}.{metric}"' for name in names)
        return f"which output's {metric}? There are {len(names)}: {', '.join(names)}", (
            f"write {choices}"
        )
    return f'no output is named "{prefix}"', hint(prefix, names, "outputs")


def _weights(weights: Any, target: TargetInfo | None, path: Path) -> Iterator[Finding]:
    if target is None:
        return
    if target.kind != "class":
        yield Finding(path, "has no effect: the target is no class", "remove it")
        return
    classes = list(target.classes or map(str, range(target.width)))
    if isinstance(weights, dict):
        yield from _strange(weights, classes, path)
    elif isinstance(weights, list) and len(weights) != len(classes):
        message = f"expected {len(classes)} weights, one a class, given {len(weights)}"
        yield Finding(path, message, f"classes: {listed(classes)}")


def _strange(names: Iterable[str], classes: list[str], path: Path) -> Iterator[Finding]:
    for name in names:
        if name not in classes:
            message = f'no class is named "{name}"'
            yield Finding((*path, name), message, hint(name, classes, "classes"))
