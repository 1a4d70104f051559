"""What is known of the data before they are read: shapes, classes, columns. Stdlib only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .shapes import Shape

# Keys that only files of pictures obey.
PICTURE_KEYS = ("channels", "image_size", "frames")


@dataclass(frozen=True)
class TargetInfo:
    """One target: ``width`` classes, or ``width`` numbers a sample; ``rows`` are given outputs
    (soft targets, or the inputs themselves for an autoencoder) of ``width`` numbers."""

    kind: Literal["class", "number", "rows"]
    width: int
    classes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class DataInfo:
    """The header of a data set: enough to infer every shape.

    A single input or target has the key "". ``parts`` counts the samples of test and validation
    where these have files of their own: they are not among ``samples``. ``lengths`` names the
    inputs whose samples have numbers of steps of their own, padded to the longest.
    """

    inputs: dict[str, Shape]
    targets: dict[str, TargetInfo]
    samples: int
    columns: tuple[str, ...] = ()
    files: tuple[str, ...] = field(default=())
    parts: dict[str, int] = field(default_factory=dict)
    lengths: tuple[str, ...] = ()
