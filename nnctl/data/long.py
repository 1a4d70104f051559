"""One long sequence, a table in order of time or a text, and its windows by part. Stdlib only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nnctl.data import cutting
from nnctl.data.cutting import Frame
from nnctl.data.opening import Opened, Opener
from nnctl.data.problems import counted
from nnctl.data.sources.base import Source
from nnctl.errors import DataError
from nnctl.spec.info import DataInfo, TargetInfo
from nnctl.spec.shapes import Shape


@dataclass(frozen=True)
class Long:
    """The steps of the main file, cut into ``blocks`` by part, and the parts that have files."""

    opened: Opened
    frame: Frame
    blocks: Mapping[str, range]
    others: Mapping[str, Opened]

    def info(self) -> DataInfo:
        """Return the header: samples are windows."""
        counts = {part: len(self.frame.starts(block)) for part, block in self.blocks.items()}
        for part, opened in self.others.items():
            counts[part] = len(self.frame.starts(range(opened.content.samples)))
        known = self.opened.info()
        shapes = {key: windowed(shape, self.frame) for key, shape in known.inputs.items()}
        steps = self.frame.window if self.frame.every else None
        targets = {key: replace(info, steps=steps) for key, info in known.targets.items()}
        samples = counts.pop("train")
        parts: dict[str, int] = {p: counts[p] for p in ("test", "validation") if p in counts}
        return replace(
            known,
            inputs=shapes,
            targets=targets,
            samples=samples,
            parts=parts,
            stride=self.frame.stride,
        )


def windowed(shape: Shape, frame: Frame) -> Shape:
    """Return the shape of a window of steps of a shape."""
    return (frame.window, *shape)


def cut(opener: Opener, opened: Opened, frame: Frame, noun: str, keep: bool) -> Long:
    """Divide the main file into blocks, and open the files that are parts of their own.

    Raises DataError where a part holds no window.
    """
    require_steps(opened.source, opened.content.samples, frame, noun)
    others = {}
    for key in ("test", "validation"):
        other = opener.other(opened, key, keep=keep)
        if other is not None:
            require_steps(other.source, other.content.samples, frame, noun)
            others[key] = other
    count = opened.content.samples
    blocks = cutting.blocks(count, frame, opener.data, others, noun, opener.locate)
    return Long(opened, frame, blocks, others)


def require_steps(
    source: Source, count: int, frame: Frame, noun: str, *, labeled: bool = True
) -> None:
    """Raise DataError where a file of so many steps is too short for a single window."""
    if count < (frame.span if labeled else frame.window):
        needed = cutting.needs(frame, noun)
        if not labeled:
            needed = f"a window takes {counted(frame.window, noun)}"
        message = f"too short: it has {counted(count, noun)}, and {needed}"
        raise DataError(source.describe(message, "give more data, or reduce data.window"))


def ahead(info: TargetInfo, frame: Frame, held_by: tuple[str, ...] | None = None) -> TargetInfo:
    """Return what windows make of the target of each step, which is in the inputs that are named;
    in all without."""
    if not frame.horizon:
        return replace(info, ahead=None)
    return replace(info, ahead=frame.horizon, held_by=held_by)
