"""From ``data.source`` to an open source, its roles and its targets: the part that ``check`` and
training share, so that both see the same data. Stdlib only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.data import bundled, columns, kinds, targets
from nnctl.data.files import require_target, siblings
from nnctl.data.problems import Locate, SpecPath, listing
from nnctl.data.reading import Reading
from nnctl.data.roles import Roles, assign
from nnctl.data.sources import open_source
from nnctl.data.sources.base import Content, Field, Options, Source, Wanted
from nnctl.errors import DataError, Problem, SpecError
from nnctl.spec import suggest
from nnctl.spec.info import PICTURE_KEYS, DataInfo, TargetInfo
from nnctl.spec.shapes import Shape, format_shape

if TYPE_CHECKING:
    from nnctl.spec.data import DataSpec


@dataclass(frozen=True)
class Opened:
    """One file of data, read as far as was asked for, and what it was found to be."""

    source: Source
    roles: Roles
    content: Content
    targets: dict[str, TargetInfo]

    def labels(self, name: str) -> Sequence[int] | Sequence[float] | None:
        """Return a target's class indices, or its numbers where they are text.

        None where only ``load`` of the fields can tell. Raises DataError.
        """
        fields = [self.content.fields[field] for field in self.roles.targets[name]]
        info, place = self.targets[name], self.content.place
        if info.steps is not None:
            if info.kind == "class":
                targets.check_steps(fields[0], info, place)
            return None
        if info.kind == "class":
            return targets.labels(fields[0], info.classes or (), place)
        if len(fields) == 1 and fields[0].values is not None:
            return targets.numbers(fields[0], place)
        return None

    def lengths(self) -> Mapping[str, Sequence[int]]:
        """Return the lengths of sequences, by the input whose samples they are."""
        return {}

    def check(self) -> None:
        """Look at every value that is neither an input nor an array of numbers.

        Raises DataError, as loading the data would.
        """
        for name in self.targets:
            self.labels(name)
        fields, place = self.content.fields, self.content.place
        group, order = self.roles.group, self.roles.order
        if group is not None and group in fields:
            columns.groups(fields[group], place)
        if order is not None and order in fields:
            columns.times(fields[order], place)

    def reading(self) -> Reading:
        """Return how the file was read, to read others alike."""
        content, roles = self.content, replace(self.roles, group=None, order=None)
        shapes, dtypes = dict(content.shapes), dict(content.dtypes)
        return Reading(self.source.path.name, self.source.noun, roles, shapes, dtypes, self.targets)

    def info(self) -> DataInfo:
        """Return the header of the data."""
        files = tuple(str(file) for file in self.source.files)
        shapes = dict(self.content.shapes)
        tokens = {key: sizes for key, sizes in self._vocabularies().items() if sizes}
        names, count = self.source.names, self.content.samples
        return DataInfo(shapes, self.targets, count, names, files, vocabularies=tokens)

    def _vocabularies(self) -> dict[str, int]:
        """Return how many tokens there are of each input of them; 0 where it is none."""
        found = self.content.tokens().items()
        return {key: max(values) + 1 if min(values) >= 0 else 0 for key, values in found}


@dataclass(frozen=True)
class Opener:
    """Opens the main file of a spec, then others that must fit it (test, validation, new data)."""

    data: DataSpec
    base_dir: Path
    locate: Locate

    def main(self, *, keep: bool) -> Opened:
        """Open ``data.source``. Raises DataError, or SpecError for keys that have no effect."""
        source = self.by_name(str(self.data.source), ("data", "source"), self.data.target)
        self._refuse_idle_keys(source)
        roles = assign(source, self.data, self.locate)
        content = source.read(roles.wanted(), keep=keep)
        infos = {name: self._decide(source, roles, content, name) for name in roles.targets}
        return Opened(source, roles, content, infos)

    def other(self, opened: Opened, key: str, *, keep: bool) -> Opened | None:
        """Open ``data.test`` or ``data.validation``, or that part of the main folder, if any."""
        given, main = getattr(self.data, key), opened.reading()
        if given is None:
            part = opened.source.parts.get(key)
            return None if part is None else self._fitted(main, part, keep=keep)
        path: SpecPath = ("data", key)
        if isinstance(given, str):
            return self.like(main, given, path, keep=keep)
        return self.like(main, given.source, (*path, "source"), target=given.target, keep=keep)

    def like(
        self,
        main: Reading,
        name: str,
        path: SpecPath,
        *,
        target: str | None = None,
        keep: bool,
        labeled: bool = True,
    ) -> Opened:
        """Open another file, with the roles, shapes and classes of the main one.

        A file whose fields are of another sort (arrays for columns) has roles of its own: the
        names that the spec gives, else those that are usual there.

        ``path`` is the key of the spec that names the file, ``target`` its own name of the target.
        Without ``labeled``, targets are neither needed nor read. Raises DataError.
        """
        source = self.by_name(name, path, target, labeled=labeled, fits=_shape_of(main))
        return self._fitted(main, source, target=target, keep=keep, labeled=labeled)

    def _fitted(
        self,
        main: Reading,
        source: Source,
        *,
        target: str | None = None,
        keep: bool,
        labeled: bool = True,
    ) -> Opened:
        if source.noun == "text":
            message = f"a text, and {main.name} is none"
            raise DataError(source.describe(message, f"give data of the form of {main.name}"))
        same = main.roles is not None and source.noun == main.noun
        roles = main.roles if same else None
        roles = roles or assign(source, self.data, self.locate, labeled=labeled)
        roles = _renamed(roles, source, target)
        wanted = roles.wanted(targets=labeled, columns=False)
        _require_fields(main, source, wanted)
        content = source.read(wanted, keep=keep)
        _require_shapes(main, source, content)
        return Opened(source, roles, content, main.targets if labeled else {})

    def by_name(
        self,
        name: str,
        path: SpecPath,
        target: str | None = None,
        *,
        labeled: bool = True,
        fits: Shape | None = None,
    ) -> Source:
        """Open a bundled set by a bare name, a file by a name with a dot or a slash."""
        if any(mark in name for mark in "./\\"):
            self.require_file(name, path)
            options = self._options(target, labeled, fits)
            return open_source(self.base_dir / name, options)
        known = bundled.folders()
        if name not in known:
            hint = suggest.hint(name, known, "bundled datasets")
            if (self.base_dir / name).exists():
                hint = f'a file is named with its folder: "./{name}"'
            raise DataError(self.locate(path, f'no bundled dataset "{name}"', hint))
        return bundled.open_bundled(name)

    def _options(self, target: str | None, labeled: bool, fits: Shape | None) -> Options:
        data = self.data
        size = None if data.image_size is None else (data.image_size[0], data.image_size[1])
        if fits is not None and target is None and (data.target or "").startswith("@"):
            labeled = False  # nothing that is compared with itself has a class
        options = Options(self.base_dir, target, data.delimiter, data.header, labeled)
        return replace(
            options, channels=data.channels, image_size=size, frames=data.frames, fits=fits
        )

    def require_file(self, name: str, path: SpecPath) -> None:
        file = self.base_dir / name
        require_target(file)
        if not file.exists():
            near = suggest.nearest(file.name, siblings(file))
            hint = f'did you mean "{Path(name).with_name(near)}"?\n' if near else ""
            hint += "a relative path starts at the folder of the spec file"
            raise DataError(self.locate(path, f'no such file: "{name}"', hint))

    def _refuse_idle_keys(self, source: Source) -> None:
        """Raise SpecError for keys that this kind of file cannot obey."""
        problems = []
        for key in ("delimiter", "header"):
            if getattr(self.data, key) is not None and not source.is_text:
                message = f"has no effect: {source.path.name} is not a text file"
                problems.append(self.locate(("data", key), message, "remove it"))
        for key in PICTURE_KEYS:
            if getattr(self.data, key) is not None and key not in source.obeys:
                what = "clips" if key == "frames" else "files of images"
                message = f"has no effect: {source.path.name} holds no {what}"
                problems.append(self.locate(("data", key), message, "remove it"))
        problems += self._idle_parts(source)
        problems += kinds.idle(self.data, source, self.locate)
        if problems:
            raise SpecError(problems)

    def _idle_parts(self, source: Source) -> Iterator[Problem]:
        split = self.data.split
        for key in source.parts:
            message = f"has no effect: {source.path.name} holds the {key} samples"
            if getattr(self.data, key) is not None:
                yield self.locate(("data", key), message, "remove one of them")
            if getattr(split, key) not in (0, type(split).model_fields[key].default):
                yield self.locate(("data", "split", key), message, "remove it")

    def _decide(self, source: Source, roles: Roles, content: Content, name: str) -> TargetInfo:
        if name in roles.mirrors:
            return TargetInfo("rows", prod(content.shapes[roles.mirrors[name]]))
        fields = [content.fields[field] for field in roles.targets[name]]
        known = source.defaults
        own = known.target is not None and roles.targets[name] == (known.target,)
        task = self.data.task or (known.task if own else None)
        if task is None and self.data.window is not None and targets.are_numbers(fields):
            task = "regression"  # of a series, which is to be carried on
        classes = known.classes if own and task == "classification" else None
        steps = _any_steps(fields) if self.data.steps == "all" else _steps(content)
        return targets.decide(fields, task, classes, content.place, steps)


def _any_steps(fields: Sequence[Field]) -> set[int]:
    """Return how many steps targets have that are said to be sequences."""
    return {field.shape[0] for field in fields if field.shape}


def _steps(content: Content) -> set[int]:
    """Return how many steps the inputs have that are sequences: of features, or of tokens."""
    shapes = content.shapes.items()
    return {s[0] for k, s in shapes if len(s) == (1 if content.dtypes[k] == "int64" else 2)}


def _shape_of(main: Reading) -> Shape:
    return next(iter(main.shapes.values()), ())


def _renamed(roles: Roles, source: Source, target: str | None) -> Roles:
    """Take another name for the only target, where the other file has one of its own."""
    if target is None or source.is_paired or "" not in roles.targets:
        return roles
    return replace(roles, targets={"": (target,)})


def _require_fields(main: Reading, source: Source, wanted: Wanted) -> None:
    needed = [name for names in wanted.inputs.values() for name in names]
    missing = [name for name in (*needed, *wanted.fields) if name not in source.names]
    missing = list(dict.fromkeys(missing))  # of a series an input may be the target too
    if missing:
        noun = source.noun + ("s" if len(missing) > 1 else "")
        message = f"no {noun} {listing(missing)}, which {main.name} has"
        hint = f"{source.noun}s here: {listing(source.names)}"
        raise DataError(source.describe(message, hint))


def _shape_hint(source: Source, found: Shape, expected: Shape) -> str:
    """Say how samples that are images or clips get the shape that is expected."""
    if "image_size" not in source.obeys or len(found) != len(expected):
        return "give data of one shape"
    if found[-3:-1] != expected[-3:-1]:
        return "resize all of them: set data.image_size = [height, width]"
    if found[-1] != expected[-1]:
        return f"convert all of them: set data.channels = {expected[-1]}"
    return "read as many frames of all of them: set data.frames"


def _require_shapes(main: Reading, source: Source, content: Content) -> None:
    for key, shape in main.shapes.items():
        found: Shape = content.shapes[key]
        if found != shape:
            given = f"samples of shape {format_shape(found)}"
            message = f"{given}, expected {format_shape(shape)} as in {main.name}"
            raise DataError(source.describe(message, _shape_hint(source, found, shape)))
        if main.dtypes[key] == "uint8" and content.dtypes[key] != "uint8":
            given = content.dtypes[key]
            message = f"numbers of type {given}, expected bytes (uint8) as in {main.name}"
            raise DataError(source.describe(message, "give images as bytes from 0 to 255"))
