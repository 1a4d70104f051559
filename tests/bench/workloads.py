"""Which workloads there are, what each must reach, and the rows that a name asks for.

A workload is the spec file ``specs/NAME.toml``; a planned one without a file is listed as such.
``random_FAMILY`` is drawn anew from the family's grammar (draw.py), by a seed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from nnctl.errors import UsageError
from tests.bench.draw import GRAMMARS

SPECS = Path(__file__).parent / "specs"
THREADS = 2
MODES = ("train", "infer", "one", "decode")
"""A training step; inference of a batch; inference of one sample, a call each; a symbol of one
sequence that goes on with what it has said itself."""

SHARE = 0.8
"""What a random network must reach of its family's target."""


@dataclass(frozen=True)
class Target:
    """How many times PyTorch's speed is to be reached, by mode (None: only looked at)."""

    train: float
    needs: tuple[str, ...] = ()  # layer types, for those that wait for them
    infer: float | None = None
    one: float | None = None
    decode: float | None = None

    def of(self, mode: str) -> float | None:
        """Return the target of a mode."""
        found: float | None = getattr(self, mode)
        return found


_POOLED = ("conv2d", "max_pool2d")
TARGETS = {
    "tiny": Target(25.0),
    "mlp": Target(1.3),
    "digits": Target(5.0, _POOLED, infer=5.0),
    "lenet": Target(2.0, _POOLED, infer=2.0),
    "fig3": Target(1.5, _POOLED, infer=1.5),
    "resnet20": Target(1.4, ("conv2d", "batch_norm", "global_avg_pool"), infer=1.4),
    "charrnn": Target(1.3, ("embedding", "rnn"), one=5.0, decode=5.0),
    "chargru": Target(1.5, ("embedding", "gru"), one=5.0, decode=5.0),
    "charlstm": Target(1.6, ("embedding", "lstm"), one=5.0, decode=5.0),
    "seqgru": Target(5.0, ("gru",), one=5.0),
}
# Random networks are of middling size: the named nets of that size are their measure.
FAMILIES = {"dense": TARGETS["mlp"], "conv": TARGETS["resnet20"], "recurrent": TARGETS["charrnn"]}


@dataclass(frozen=True)
class Entry:
    """A row that is asked for: ``mlp``, ``mlp@1``, ``mlp:infer``, ``mlp:infer@1``."""

    workload: str
    mode: str = "train"
    threads: int = THREADS

    @property
    def name(self) -> str:
        """The row's name: what is not the default is said."""
        mode = "" if self.mode == "train" else f":{self.mode}"
        return f"{self.workload}{mode}" + ("" if self.threads == THREADS else f"@{self.threads}")

    @property
    def target(self) -> float | None:
        """The ratio that the row must reach, if one is set."""
        if self.workload in TARGETS:
            return TARGETS[self.workload].of(self.mode)
        family = FAMILIES.get(self.workload.removeprefix("random_"))
        found = None if family is None else family.of(self.mode)
        return None if found is None else SHARE * found


def available(specs: Path = SPECS) -> list[str]:
    """Return the workloads that can be run: planned ones first, then other files, then drawn."""
    files = {path.stem for path in specs.glob("*.toml")}
    planned = [name for name in TARGETS if name in files]
    return [*planned, *sorted(files - set(planned)), *(f"random_{name}" for name in GRAMMARS)]


def planned(layer_tags: Iterable[str], specs: Path = SPECS) -> dict[str, list[str]]:
    """Return the planned workloads without a spec, with the layer types each still needs."""
    here, tags = set(available(specs)), set(layer_tags)
    return {
        name: [tag for tag in target.needs if tag not in tags]
        for name, target in TARGETS.items()
        if name not in here
    }


def entries(threads: int | None = None, specs: Path = SPECS) -> list[Entry]:
    """Return all rows: every workload and mode at the default threads and at one.

    With ``threads``, at that many only.
    """
    counts = (THREADS, 1) if threads is None else (threads,)
    return [
        Entry(name, mode, count)
        for name in available(specs)
        for mode in MODES
        for count in counts
        if mode != "decode" or Entry(name, mode).target is not None
    ]


def choose(patterns: Sequence[str], threads: int | None = None, specs: Path = SPECS) -> list[Entry]:
    """Return the rows that names or patterns (``mlp*``) ask for; without any, all rows.

    ``threads`` holds for the names that do not say theirs. Raises UsageError for a strange one.
    """
    every = entries(threads, specs)
    if not patterns:
        return every
    chosen: dict[str, Entry] = {}
    for pattern in patterns:
        if any(sign in pattern for sign in "*?["):
            found = [entry for entry in every if fnmatchcase(entry.name, pattern)]
        else:
            found = [_parse(pattern, threads or THREADS, specs)]
        if not found:
            raise UsageError(f"no row is like {pattern!r}", "--list shows the workloads")
        chosen |= {entry.name: entry for entry in found}
    return list(chosen.values())


_NAME = re.compile(r"(?P<workload>\w+)(?::(?P<mode>\w+))?(?:@(?P<threads>[1-9]\d{0,3}))?")


def _parse(name: str, threads: int, specs: Path) -> Entry:
    match = _NAME.fullmatch(name)
    if match is None or (match["mode"] or "train") not in MODES:
        modes = ", ".join(MODES)
        hint = f"write WORKLOAD[:MODE][@THREADS], MODE one of {modes}"
        raise UsageError(f"{name!r} names no row", hint)
    if match["workload"] not in available(specs):
        waits = " yet: it has no spec file" if match["workload"] in TARGETS else ""
        hint = f"workloads: {', '.join(available(specs))}"
        raise UsageError(f"no workload {match['workload']!r}{waits}", hint)
    count = int(match["threads"]) if match["threads"] else threads
    return Entry(match["workload"], match["mode"] or "train", count)
