"""What each table allows but all of them together do not. A table that is not legal is None."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from .base import Finding
from .data import DataSpec
from .losses.base import LossModel
from .measures import metric_problem
from .metrics import SPLITS, find, split_name
from .training import Checkpoint, Regularization, Training

if TYPE_CHECKING:
    from .info import DataInfo
    from .root import Spec


class Parts(Protocol):
    """The tables of a spec."""

    @property
    def data(self) -> DataSpec | None: ...
    @property
    def training(self) -> Training | None: ...
    @property
    def checkpoint(self) -> Checkpoint | None: ...
    @property
    def regularization(self) -> Regularization | None: ...
    @property
    def losses(self) -> dict[str, LossModel] | None: ...
    @property
    def layers(self) -> list[Any] | None: ...


def check(parts: Parts) -> Iterator[Finding]:
    """Find settings that cannot take effect, or cannot hold, beside the others."""
    if parts.training is not None and parts.training.early_stopping is not None:
        path = ("training", "early_stopping")
        yield from _selection(path, parts.training.early_stopping.monitor, parts.data)
    if parts.checkpoint is not None and parts.checkpoint.monitor is not None:
        yield from _selection(("checkpoint",), parts.checkpoint.monitor, parts.data)
        if parts.training is not None and parts.training.evaluate_every == 0:
            message = "has no effect with evaluate_every = 0: nothing is evaluated on the way"
            yield Finding(("checkpoint", "monitor"), message, "set evaluate_every = 1")
    yield from _penalties(parts)
    yield from _targets(parts)


def _selection(path: tuple[str, ...], monitor: str, data: DataSpec | None) -> Iterator[Finding]:
    """Whatever selects reads the validation part, which must exist."""
    split, name = split_name(monitor)
    at = (*path, "monitor")
    if split == "test":
        reason = "what selects must not read the test part, or its figures mean nothing"
        yield Finding(at, f'"{monitor}" is refused: {reason}', f'write "validation.{name}"')
        return
    if split == "train":
        reason = "the training part always improves, so it selects nothing"
        yield Finding(at, f'"{monitor}" is refused: {reason}', f'write "validation.{name}"')
        return
    problem = metric_problem(name)
    if not split:
        head, _, rest = monitor.partition(".")
        said = f'"{head}" is no split' if rest else "it names no split"
        meant = next((each for each in (monitor, rest) if find(each)), "loss")
        remedy = f'write "validation.{rest if rest and find(rest) else meant}"'
        message = f'expected SPLIT.METRIC, given "{monitor}": {said}'
        yield Finding(at, message, f"{remedy}\nsplits: {', '.join(SPLITS)}")
    elif problem is not None:
        yield Finding(at, problem.message, problem.hint)
    if data is not None and not data.has_validation and not data.may_be_folder:
        yield _nothing_to_select_by(path)


def after_header(spec: Spec, info: DataInfo) -> Iterator[Finding]:
    """Find what only the header of the data can tell: whether samples have lengths of their own,
    whether a folder has a validation part."""
    if spec.training.bucket_by_length and not info.lengths:
        message = "has no effect: the samples have no lengths of their own"
        yield Finding(("training", "bucket_by_length"), message, "remove it")
    if not spec.data.may_be_folder or spec.data.has_validation or "validation" in info.parts:
        return
    if spec.training.early_stopping is not None:
        yield _nothing_to_select_by(("training", "early_stopping"))
    if spec.checkpoint.monitor is not None:
        yield _nothing_to_select_by(("checkpoint",))


def _nothing_to_select_by(path: tuple[str, ...]) -> Finding:
    message = "needs samples to select by, and there is no validation part"
    remedy = 'add one: [data] split = { validation = 0.15 }, or data.validation = "FILE"'
    return Finding(path, message, remedy)


def _penalties(parts: Parts) -> Iterator[Finding]:
    table = parts.regularization
    if table is None or not table.biases or parts.layers is None or table.l1 or table.l2:
        return
    own = any(getattr(layer, key, None) for layer in parts.layers for key in ("l1", "l2"))
    if not own:
        message = "has no effect: there is no l1 or l2 penalty"
        yield Finding(("regularization", "biases"), message, "set l1 or l2, or remove it")


def _targets(parts: Parts) -> Iterator[Finding]:
    """A loss names one of the targets; with several of them it has to."""
    if parts.data is None or parts.losses is None:
        return
    from .suggest import hint

    names = list(parts.data.targets or ())
    for output, loss in parts.losses.items():
        path = ("loss", output, "target")
        if loss.target is not None and loss.target not in names:
            message = f'no target is named "{loss.target}"'
            remedy = hint(loss.target, names, "targets") or "name targets in [data.targets]"
            yield Finding(path, message, remedy)
        if loss.target is None and len(names) > 1 and output not in names:
            message = "which target does it compare with?"
            yield Finding(path[:2], message, f'target = "{names[0]}"\ntargets: {", ".join(names)}')
    if parts.data.normalize_target and all(loss.for_classes for loss in parts.losses.values()):
        message = "has no effect: every loss is for classes, which are not scaled"
        yield Finding(("data", "normalize_target"), message, "remove it")
