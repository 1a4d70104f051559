"""What is known of the data before they are read: shapes, classes, columns. Stdlib only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .shapes import Shape

START, STOP = "<start>", "<stop>"
"""Classes of a sequence's steps: what stands before the first, and what ends it."""

# Keys that only files of pictures obey.
PICTURE_KEYS = ("channels", "image_size", "frames")


@dataclass(frozen=True)
class TargetInfo:
    """One target: ``width`` classes, or ``width`` numbers a sample; ``rows`` are given outputs
    (soft targets, or the inputs themselves for an autoencoder) of ``width`` numbers.

    With ``steps`` there is one at each of so many steps of a sequence, not one a sample; not all of
    them count. ``ahead`` says that it lies so many steps behind what the network reads; ``held_by``
    names the inputs that hold it too, where these are not all.
    """

    kind: Literal["class", "number", "rows"]
    width: int
    classes: tuple[str, ...] | None = None
    steps: int | None = None
    ahead: int | None = None
    held_by: tuple[str, ...] | None = None


def fields_of(target: TargetInfo) -> dict[str, Any]:
    """Return the fields of a target for JSON, without those of steps that it does not have."""
    fields = asdict(target)
    idle = [key for key in ("steps", "ahead", "held_by") if fields[key] is None]
    return {key: value for key, value in fields.items() if key not in idle}


def target_of(fields: Mapping[str, Any]) -> TargetInfo:
    """Return the target whose fields came through JSON, which has lists for tuples."""
    lists = {k: tuple(fields[k]) for k in ("classes", "held_by") if fields.get(k) is not None}
    return TargetInfo(**{**fields, **lists})


@dataclass(frozen=True)
class DataInfo:
    """The header of a data set: enough to infer every shape.

    A single input or target has the key "". ``parts`` counts the samples of test and validation
    where these have files or blocks of their own: they are not among ``samples``.
    ``vocabularies`` counts the symbols of inputs that are tokens; ``lengths`` names the inputs
    whose samples are sequences of different lengths. ``stride``: samples are windows of one long
    sequence, and from the start of one to that of the next are so many steps.
    """

    inputs: dict[str, Shape]
    targets: dict[str, TargetInfo]
    samples: int
    columns: tuple[str, ...] = ()
    files: tuple[str, ...] = field(default=())
    parts: dict[str, int] = field(default_factory=dict)
    vocabularies: dict[str, int] = field(default_factory=dict)
    lengths: tuple[str, ...] = ()
    stride: int | None = None
