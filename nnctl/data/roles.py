"""Give every field of a source its role: input, target, group, time. Stdlib only.

Unless the spec lists features or inputs, whatever has no other role is an input.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from nnctl.data.problems import Locate, SpecPath, listing
from nnctl.data.sources.base import Source, Wanted
from nnctl.errors import DataError, Problem
from nnctl.spec import suggest

if TYPE_CHECKING:
    from nnctl.spec.data import DataSpec

INPUT = "@input"
"""The target that is the input itself, for autoencoders; ``@input.NAME`` among several inputs."""


@dataclass(frozen=True)
class Roles:
    """Which fields are what. A target without fields is the input that ``mirrors`` names."""

    inputs: dict[str, tuple[str, ...]]
    targets: dict[str, tuple[str, ...]]
    mirrors: dict[str, str]
    group: str | None = None
    order: str | None = None

    def wanted(self, *, targets: bool = True, columns: bool = True) -> Wanted:
        """Return what to read: without targets what a prediction needs, without columns what a
        file that is not split needs."""
        others = [name for names in self.targets.values() for name in names] if targets else []
        others += [name for name in (self.group, self.order) if name and columns]
        return Wanted(self.inputs, tuple(dict.fromkeys(others)))


def assign(source: Source, data: DataSpec, locate: Locate, *, labeled: bool = True) -> Roles:
    """Read the spec's names against the fields of the source; without ``labeled``, inputs alone.

    Raises DataError with a problem at the spec's key for each name that is not there, is given two
    roles that exclude each other, or is missing.
    """
    return _Assignment(source, data, locate).run(labeled)


class _Assignment:
    """The problems of one assignment, collected."""

    def __init__(self, source: Source, data: DataSpec, locate: Locate) -> None:
        self.source, self.data, self.locate = source, data, locate
        self.problems: list[Problem] = []

    def run(self, labeled: bool) -> Roles:
        targets, mirrors = self._targets() if labeled else ({}, {})
        split = self.data.split
        group = self._known(split.group if labeled else None, ("data", "split", "group"))
        order = self._known(split.order if labeled else None, ("data", "split", "order"))
        taken = {name for names in targets.values() for name in names}
        if self._forecasts:
            taken = set()
        # What a bundled set is about is no input to rebuild either.
        label = self.source.defaults.target if mirrors else None
        inputs = self._inputs(taken, taken | {name for name in (group, order, label) if name})
        for name, mirrored in mirrors.items():
            self._check_mirror(name, mirrored, inputs)
        if self.problems:
            raise DataError(self.problems)
        return Roles(inputs, targets, mirrors, group, order)

    @property
    def _forecasts(self) -> bool:
        """Whether the target is of a later step than the input, which may hold its past then."""
        return self.data.window is not None and self.data.horizon != 0

    def _report(self, path: SpecPath, message: str, hint: str = "") -> None:
        self.problems.append(self.locate(path, message, hint))

    def _known(self, name: str | None, path: SpecPath) -> str | None:
        """Return a field's name if the source has it; a problem otherwise."""
        if name is None or name in self.source.names:
            return name
        noun = self.source.noun
        message = f'no {noun} "{name}" in {self.source.path.name}'
        self._report(path, message, suggest.hint(name, self.source.names[:40], noun + "s"))
        return None

    def _matching(self, names: Iterable[str], path: SpecPath) -> tuple[str, ...]:
        """Expand names and patterns such as ``pixel_*`` to fields, in the source's order."""
        found: list[str] = []
        for position, name in enumerate(names):
            matches = [name] if name in self.source.names else []
            if not matches and any(mark in name for mark in "*?["):
                matches = [each for each in self.source.names if fnmatchcase(each, name)]
            place: SpecPath = path if path == ("data", "target") else (*path, position)
            if not matches:
                self._known(name, place)
            for match in matches:
                if match in found:
                    self._report(place, f'"{match}" is listed twice', "list it once")
                found.append(match)
        return tuple(dict.fromkeys(found))

    def _targets(self) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        targets: dict[str, tuple[str, ...]] = {}
        mirrors: dict[str, str] = {}
        for name, given, path in self._given_targets():
            if given[0] == INPUT or given[0].startswith(INPUT + "."):
                targets[name], mirrors[name] = (), given[0][len(INPUT) + 1 :]
            else:
                targets[name] = self._matching(given, path)
        return targets, mirrors

    def _given_targets(self) -> list[tuple[str, list[str], SpecPath]]:
        if self.data.targets:
            table = self.data.targets.items()
            return [(name, given, ("data", "targets", name)) for name, given in table]
        target = self.data.target or self.source.defaults.target
        if self.source.is_paired and not (target or "").startswith("@"):
            target = self.source.defaults.target  # the spec names the file, not the field
        if target is None:
            noun = self.source.noun
            message = f"which {noun} of {self.source.path.name} is the target?"
            hint = f"{noun}s: {listing(self.source.names)}\nset target to one of them"
            if self.source.is_paired:
                message = f"{self.source.path.name} holds no target"
                hint = "set target to the file of the targets"
            self._report(("data", "target"), message, f'{hint}, or to "{INPUT}" (autoencoder)')
            return []
        return [("", [target], ("data", "target"))]

    def _inputs(self, targets: set[str], taken: set[str]) -> dict[str, tuple[str, ...]]:
        if self.data.inputs:
            lists = dict(self.data.inputs)
            paths: dict[str, SpecPath] = {name: ("data", "inputs", name) for name in lists}
        elif self.data.features is not None:
            lists, paths = {"": self.data.features}, {"": ("data", "features")}
        else:
            default = self.source.defaults.inputs or self.source.names
            return self._default_inputs(tuple(name for name in default if name not in taken))
        inputs = {key: self._matching(names, paths[key]) for key, names in lists.items()}
        for key, names in inputs.items():
            self._check_inputs(names, paths[key], targets)
        return inputs

    def _default_inputs(self, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        noun, file = self.source.noun, self.source.path.name
        if not names:
            message = f"{file} has no {noun} left to be the input"
            self._report(("data", "source"), message, f"{noun}s: {listing(self.source.names)}")
        elif len(names) > 1 and not self.source.merges:
            message = f"which {noun} of {file} is the input?"
            hint = f"set data.features to one of {listing(names)}, or name them in data.inputs"
            self._report(("data", "features"), message, hint)
        return {"": names}

    def _check_inputs(self, names: tuple[str, ...], path: SpecPath, targets: set[str]) -> None:
        for name in names:
            if name in targets:
                message = f'"{name}" is the target, and cannot be an input too'
                self._report(path, message, "leave it out: the network would read the answer")
        if len(names) > 1 and not self.source.merges:
            message = f"one input is one {self.source.noun}, given {len(names)}"
            self._report(path, message, "name several inputs in data.inputs")

    def _check_mirror(self, name: str, mirrored: str, inputs: dict[str, tuple[str, ...]]) -> None:
        if mirrored in inputs:
            return
        path: SpecPath = ("data", "targets", name) if name else ("data", "target")
        choices = [f"{INPUT}.{key}" if key else INPUT for key in inputs]
        given = f"{INPUT}.{mirrored}" if mirrored else INPUT
        self._report(path, f'there is no input "{given}"', f"inputs: {listing(choices)}")
