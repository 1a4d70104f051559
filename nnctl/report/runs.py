"""One run, as a report sees it: what its directory says, read once and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nnctl.report.history import History

if TYPE_CHECKING:
    from nnctl.report.kernels import Array


@dataclass(frozen=True)
class Run:
    """``summary`` is summary.json; ``evaluations`` are documents as of ``eval --json``, by split.

    ``spec`` is the text as it was given, ``settings`` every field of the resolved spec by its
    dotted path, ``layers`` the rows of the layer table, ``fading`` what recurrent layers remember.
    Where pictures were asked for: ``pictures`` of samples by split and sample, ``drawn`` what the
    network made of them where it draws its inputs, ``frames`` which one of clips they show,
    ``activations`` (what is told, arrays), ``kernels`` by layer.
    """

    name: str
    folder: str
    summary: Mapping[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=History)
    evaluations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    layers: tuple[Mapping[str, Any], ...] = ()
    fading: tuple[Mapping[str, Any], ...] = ()
    spec: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, Mapping[int, Array]] = field(default_factory=dict)
    drawn: Mapping[str, Mapping[int, Array]] = field(default_factory=dict)
    frames: Mapping[str, tuple[int, int] | None] = field(default_factory=dict)
    activations: tuple[Mapping[str, Any], Mapping[str, Array]] = ({}, {})
    kernels: Mapping[str, Array] = field(default_factory=dict)


def differences(runs: list[Run]) -> list[dict[str, Any]]:
    """Return the settings in which runs differ: ``{setting, values}``, values in run order."""
    names = dict.fromkeys(name for run in runs for name in run.settings)
    found = [{"setting": n, "values": [run.settings.get(n) for run in runs]} for n in names]
    return [row for row in found if any(value != row["values"][0] for value in row["values"])]
