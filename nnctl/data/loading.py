"""Load the data that a spec names into memory: a pure function of the spec and the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from nnctl.data import columns, cutting, generated, kinds, records, series, text
from nnctl.data.cutting import Frame
from nnctl.data.dataset import Dataset, Target
from nnctl.data.fingerprint import fingerprint
from nnctl.data.long import Long, require_steps
from nnctl.data.opening import Opened, Opener
from nnctl.data.problems import Locate, by_path
from nnctl.data.reading import Reading
from nnctl.data.roles import INPUT
from nnctl.data.windows import cut
from nnctl.errors import DataError
from nnctl.spec.info import TargetInfo

if TYPE_CHECKING:
    from nnctl.spec.data import DataSpec
    from nnctl.spec.generators.base import GeneratorModel


def load(data: DataSpec, base_dir: Path, locate: Locate = by_path) -> Dataset:
    """Read everything that ``data`` names; relative paths start at ``base_dir``.

    ``locate`` turns a key of the spec into a problem with its line (``spec.problem``). Raises
    DataError with all that is found wrong in the spec's keys or in a file.
    """
    if not isinstance(data.source, str):
        return _generate(data, locate)
    opener = Opener(data, Path(base_dir), locate)
    kind = kinds.of(data)
    if kind in ("series", "text"):
        reader = series if kind == "series" else text
        made = _windows(reader.open_main(opener, keep=True))
        return _sealed(replace(made, name=Path(data.source).name))
    if kind == "records":
        opener = records.RecordOpener(data, Path(base_dir), locate)
    main = opener.main(keep=True)
    parts: dict[str, Dataset | None] = {}
    for key in ("test", "validation"):
        other = opener.other(main, key, keep=True)
        parts[key] = None if other is None else _sealed(_arrays(other, main.content.dtypes))
    made = replace(_arrays(main), name=Path(data.source).name)
    return _sealed(replace(made, test=parts["test"], validation=parts["validation"]))


def load_more(
    data: DataSpec,
    reading: Reading,
    source: str,
    *,
    target: str | None = None,
    labeled: bool = True,
    base_dir: Path = Path(),
) -> Dataset:
    """Read other data as the spec's own were read: to evaluate on them, or to predict.

    ``reading`` comes from the dataset that was trained on, or from a checkpoint. ``source`` is a
    bundled name, or a path relative to ``base_dir``. Without ``labeled`` targets are neither needed
    nor read. Raises DataError where fields, shapes or classes do not fit.
    """
    opener = Opener(data, base_dir, by_path)
    if reading.noun == "text":
        words = text.open_more(opener, reading, source, labeled=labeled)
        made = _more_windows(words, words.frame, labeled)
        return _sealed(replace(made, name=Path(source).name))
    if reading.vocabularies:
        opener = records.RecordOpener(data, base_dir, by_path)
    place = ("data", "source")
    opened = opener.like(reading, source, place, target=target, keep=True, labeled=labeled)
    if kinds.of(data) == "series":
        frame, count = cutting.of_series(data), opened.content.samples
        require_steps(opened.source, count, frame, series.NOUN, labeled=labeled)
        made = _more_windows(opened, frame, labeled)
    else:
        made = _arrays(opened, reading.dtypes)
    return _sealed(replace(made, name=Path(source).name))


def _windows(long: Long) -> Dataset:
    """Return the windows of every part, those to train on holding the others."""
    frame, dtypes = long.frame, long.opened.content.dtypes
    steps = _arrays(long.opened)
    made = {part: cut(steps, frame, frame.starts(block)) for part, block in long.blocks.items()}
    for part, opened in long.others.items():
        steps = _arrays(opened, dtypes)
        made[part] = cut(steps, frame, frame.starts(range(steps.samples)))
    test, validation = (made.get(part) for part in ("test", "validation"))
    return replace(
        made["train"],
        test=test and _sealed(test),
        validation=validation and _sealed(validation),
    )


def _more_windows(opened: Opened, frame: Frame, labeled: bool) -> Dataset:
    """Return the windows of a file: of those without targets the last ends where the file does."""
    steps = _arrays(opened)
    count = steps.samples
    starts = frame.starts(range(count)) if labeled else frame.starts_to_the_end(count)
    return cut(steps, frame, starts, labeled=labeled)


def _sealed(dataset: Dataset) -> Dataset:
    return replace(dataset, fingerprint=fingerprint(dataset))


def _generate(data: DataSpec, locate: Locate) -> Dataset:
    info = generated.describe(data, locate)
    model = cast("GeneratorModel", data.source)
    inputs, labels, lengths = generated.make(model)
    target = info.targets[""]
    values = labels.astype(np.int64 if target.kind == "class" else np.float64)
    if data.target == INPUT:
        values = unit_rows(inputs)
    made = Target(target.kind, values, target.classes)
    reading = generated.reading(model, info, inputs.dtype.name)
    found = {} if lengths is None else {"": lengths}
    dataset = Dataset({"": inputs}, {"": made}, name=model.generate, reading=reading)
    return _sealed(replace(dataset, lengths=found))


def _arrays(opened: Opened, dtypes: Mapping[str, str] | None = None) -> Dataset:
    """Make the arrays of one opened file, inputs of the given types."""
    inputs = opened.content.inputs()
    for key, dtype in (dtypes or {}).items():
        inputs[key] = _conformed(opened, inputs[key], dtype)
    targets = {
        name: Target(
            info.kind,
            _target(opened, name, info, inputs),
            info.classes,
            info.ahead,
            held_by=info.held_by,
        )
        for name, info in opened.targets.items()
    }
    lengths = {name: np.array(each, np.int64) for name, each in opened.lengths().items()}
    reading = opened.reading()
    known = {name: vocabulary.size for name, vocabulary in reading.vocabularies.items()}
    reading = replace(reading, vocabulary_sizes=vocabularies(inputs) | known)
    files = opened.content.files and np.array(opened.content.files(), np.str_)
    columns = _columns(opened)
    lines = np.array(opened.content.lines, np.int64) if len(opened.content.lines) else None
    return Dataset(
        inputs, targets, columns, reading=reading, lengths=lengths, files=files, lines=lines
    )


def vocabularies(inputs: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Return how many tokens there are of each input that may be tokens: whole numbers from 0."""
    found = {k: x for k, x in inputs.items() if x.dtype == np.int64 and x.ndim == 2}
    return {key: int(x.max()) + 1 for key, x in found.items() if x.min() >= 0}


def _conformed(opened: Opened, values: np.ndarray, dtype: str) -> np.ndarray:
    """Return inputs in the type of the data that were read first, with the same meaning."""
    if values.dtype == dtype:
        return values
    if values.dtype == np.uint8:  # images there, given in [0, 1]
        return (values / 255.0).astype(dtype)
    made = values.astype(dtype)
    if dtype == "int64" and not np.array_equal(made, values):
        row = int(np.argwhere(made != values)[0, 0])
        message = "a fraction, expected whole numbers as in the training data"
        raise DataError(opened.content.place(row, message, "round the numbers, or train on such"))
    return made


def _target(
    opened: Opened, name: str, info: TargetInfo, inputs: dict[str, np.ndarray]
) -> np.ndarray:
    if name in opened.roles.mirrors:
        return unit_rows(inputs[opened.roles.mirrors[name]])
    values = opened.labels(name)
    if values is not None:
        return np.array(values, np.int64) if info.kind == "class" else _column(values)
    if info.steps is not None:
        return _of_steps(opened, name, info)
    parts = [_numbers(opened, field) for field in opened.roles.targets[name]]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _of_steps(opened: Opened, name: str, info: TargetInfo) -> np.ndarray:
    """Return labels (N, steps), or numbers (N, steps, width)."""
    field = opened.content.fields[opened.roles.targets[name][0]]
    if field.load is None or field.shape[0] != info.steps or len(field.shape) > 2:
        message = f'"{field.name}" has no target for each of {info.steps} steps'
        raise DataError(opened.content.place(0, message, "give targets as in the training data"))
    values = field.load()
    if info.kind == "class":
        return values.astype(np.int64)
    return values.astype(np.float64).reshape(len(values), info.steps, -1)


def _column(values: Sequence[int] | Sequence[float] | np.ndarray) -> np.ndarray:
    return np.array(values, np.float64).reshape(-1, 1)


def _numbers(opened: Opened, name: str) -> np.ndarray:
    """Return a field as float64 (N, width)."""
    from nnctl.data.targets import numbers

    field = opened.content.fields[name]
    if field.load is None:
        return _column(numbers(field, opened.content.place))
    values = field.load()
    return values.reshape(len(values), -1).astype(np.float64)


def unit_rows(inputs: np.ndarray) -> np.ndarray:
    """Return inputs as floating rows (N, width), bytes as 255ths: an autoencoder's target."""
    rows = inputs.reshape(len(inputs), -1)
    if rows.dtype == np.uint8:
        return rows.astype(np.float32) / np.float32(255)
    return rows if rows.dtype.kind == "f" else rows.astype(np.float64)


def _columns(opened: Opened) -> dict[str, np.ndarray]:
    """Return what the split goes by: "group" as text, "order" as float64."""
    found: dict[str, np.ndarray] = {}
    fields, place = opened.content.fields, opened.content.place
    group, order = opened.roles.group, opened.roles.order
    if group is not None and group in fields:
        found["group"] = np.array(columns.groups(fields[group], place), dtype=np.str_)
    if order is not None and order in fields:
        field = fields[order]
        times = columns.times(field, place)
        values = field.load() if times is None and field.load else np.array(times, np.float64)
        if values.ndim != 1:
            message = f'"{field.name}" has {values.ndim - 1} axes a sample, expected one time'
            raise DataError(place(0, message, "name an array of one number a sample"))
        found["order"] = values.astype(np.float64)
    return found
