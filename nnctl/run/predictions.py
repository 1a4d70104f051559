"""What a network says of samples, and its forms: CSV, JSON lines, NPZ.

A class comes with the probability of every class; numbers come in the target's own units;
features are a layer's outputs, flattened in the tables and in their own shape in NPZ. Over steps
every cell is a list, an entry a step: of the classes, and of the probability of each of them.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnctl.data.tokens import Vocabulary
from nnctl.metrics import classified
from nnctl.run.decoding import Numbers
from nnctl.run.heads import Array, Head
from nnctl.run.search import Said

# What a float32 holds, and no more: the same text on every machine.
DIGITS = 9


@dataclass(frozen=True)
class Predicted:
    """One output for N samples. What it has not is None: a class, or numbers.

    ``labels`` (N,) are indices of ``classes``; ``probabilities`` (N, K) belong to the classes, or
    without labels are those of K independent yes-or-no answers. Over steps all of them have an axis
    of steps behind that of the samples. ``texts`` are the sequences that a decoder says, with the
    logarithms of their probabilities; then labels are -1 behind the end. ``ends`` (N,) are the
    steps that each sample has, where these differ.
    """

    name: str
    classes: tuple[str, ...] = ()
    labels: Array | None = None
    probabilities: Array | None = None
    values: Array | None = None
    texts: tuple[str, ...] | None = None
    logs: Array | None = None
    ends: Array | None = None

    @property
    def ragged(self) -> bool:
        """Whether samples have different numbers of steps."""
        if self.ends is not None or self.values is None or self.values.ndim < 3:
            return self.ends is not None
        return bool(np.isnan(self.values).any())

    def steps(self, i: int) -> slice:
        """The steps of a sample."""
        return slice(None if self.ends is None else int(self.ends[i]))

    @property
    def prefix(self) -> str:
        """What its columns start with."""
        return f"{self.name}." if self.name else ""


@dataclass(frozen=True)
class Predictions:
    """All outputs of N samples: ``source`` and ``sample`` say where each row came from, ``files``
    what file it is: "" for a sample that is none, None where none of them is."""

    sources: tuple[str, ...]
    source: Array
    sample: Array
    outputs: tuple[Predicted, ...] = ()
    features: Mapping[str, Array] = field(default_factory=dict)
    files: Array | None = None


def predicted(head: Head, outputs: Array) -> Predicted:
    """Return what an output means, in the words of the data."""
    if head.info.steps is not None:
        return _over_steps(head, outputs, head.info.steps)
    values = np.asarray(outputs, dtype=np.float64).reshape(len(outputs), -1)
    if not head.classes and head.info.kind != "class":
        return Predicted(head.name, values=head.rows(outputs))
    names = head.classes or tuple(map(str, range(head.info.width)))
    if head.link == "sigmoid" and head.info.kind == "rows":
        return Predicted(head.name, names, probabilities=head.rows(outputs))
    seen = classified(values, np.zeros(len(values), np.int64), len(names), head.link)
    probabilities = seen.probabilities
    if np.isnan(probabilities).any():
        return Predicted(head.name, names, seen.predicted, values=values)
    return Predicted(head.name, names, seen.predicted, probabilities)


def spoken(head: Head, said: Said | Numbers, vocabulary: Vocabulary | None) -> Predicted:
    """Return the sequences that a decoder says: numbers as far as it means them, classes as texts
    of its vocabulary, or their names."""
    if isinstance(said, Numbers):
        return Predicted(head.name, values=said.meant)
    texts = []
    for row in said.tokens:
        ended = row[(row >= 0) & (row != head.stop)]
        plain = vocabulary.text(ended.tolist()) if vocabulary is not None else None
        names = [head.classes[k] if k < len(head.classes) else str(k) for k in ended]
        texts.append(" ".join(names) if plain is None else plain)
    classes = head.classes or tuple(map(str, range(head.info.width)))
    return Predicted(head.name, classes, said.tokens, texts=tuple(texts), logs=said.logs)


def _over_steps(head: Head, outputs: Array, steps: int) -> Predicted:
    """Return what the outputs of all steps mean, each by itself."""
    one = replace(head, info=replace(head.info, steps=None))
    found = predicted(one, outputs.reshape(len(outputs) * steps, -1))
    names = ("labels", "probabilities", "values")
    parts = {name: getattr(found, name) for name in names}
    shaped = {n: a.reshape(-1, steps, *a.shape[1:]) for n, a in parts.items() if a is not None}
    return replace(found, **shaped)


def rows(found: Predictions) -> Iterator[dict[str, Any]]:
    """Yield one JSON-able row per sample."""
    for i in range(len(found.sample)):
        row: dict[str, Any] = {}
        if len(found.sources) > 1:
            row["source"] = found.sources[found.source[i]]
        row["sample"] = int(found.sample[i])
        if found.files is not None:
            row["file"] = str(found.files[i]) or None
        for output in found.outputs:
            row |= _cells(output, i)
        for name, values in found.features.items():
            row[name] = [_number(x) for x in values[i].reshape(-1)]
        yield row


def _cells(output: Predicted, i: int) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    if output.texts is not None and output.logs is not None:
        cells = {"prediction": output.texts[i], "log_probability": _number(output.logs[i])}
        return {output.prefix + key: value for key, value in cells.items()}
    if output.labels is not None and output.labels.ndim == 2:
        cells = _step_cells(output, i, output.labels[i][output.steps(i)])
        return {output.prefix + key: value for key, value in cells.items()}
    if output.labels is not None:
        cells["class"] = output.classes[output.labels[i]]
    if output.probabilities is not None:
        pairs = zip(output.classes, output.probabilities[i], strict=True)
        cells["probabilities"] = {name: _number(p) for name, p in pairs}
    if output.values is not None:
        key = "values" if output.labels is not None else "prediction"
        cells[key] = _plain(output.values[i][output.steps(i)])
    return {output.prefix + key: value for key, value in cells.items()}


def _step_cells(output: Predicted, i: int, labels: Array) -> dict[str, Any]:
    """Return the classes of the steps, and the probability that each was given."""
    cells: dict[str, Any] = {"class": [output.classes[label] for label in labels]}
    if output.probabilities is not None:
        given = output.probabilities[i][np.arange(len(labels)), labels]
        cells["probability"] = [_number(p) for p in given]
    if output.values is not None:
        cells["values"] = _plain(output.values[i][output.steps(i)])
    return cells


def _plain(values: Array) -> Any:
    """Return numbers as they are written: a single one, a list, or a list a step."""
    if values.ndim > 1:
        return [_plain(step) for step in values if not np.isnan(step).all()]
    numbers = [_number(x) for x in values]
    return numbers[0] if len(numbers) == 1 else numbers


def table_lines(table: Sequence[Mapping[str, Any]], form: str) -> list[str]:
    """Return the lines of rows of plain values: JSON lines, or CSV with a header."""
    if form == "jsonl":
        return [json.dumps(row, allow_nan=False) for row in table]
    return [_line(list(table[0])), *(_line(list(row.values())) for row in table)] if table else []


def as_jsonl(found: Predictions) -> Iterator[str]:
    """Yield one JSON object a line."""
    for row in rows(found):
        yield json.dumps(row, allow_nan=False)


def as_csv(found: Predictions) -> Iterator[str]:
    """Yield the header and one line a sample; what a cell holds is quoted where it must be."""
    flats: Iterable[dict[str, Any]] = (dict(_flat(row)) for row in rows(found))
    if any(output.ragged for output in found.outputs):
        flats = _as_long(list(flats))
    for k, flat in enumerate(flats):
        if k == 0:
            yield _line(list(flat))
        yield _line(["" if value is None else value for value in flat.values()])


def _as_long(flats: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give all rows the columns of the longest, empty where a sample has fewer steps."""
    names = dict.fromkeys(name for flat in sorted(flats, key=len, reverse=True) for name in flat)
    return [{name: flat.get(name) for name in names} for flat in flats]


def _flat(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, Mapping):
            stem = key.removesuffix("probabilities")
            yield from ((f"{stem}p[{name}]", p) for name, p in value.items())
        elif isinstance(value, list):
            for k, x in enumerate(value):
                yield from _flat({f"{key}_{k}": x})
        else:
            yield key, value


def _line(cells: Sequence[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()


def as_npz(found: Predictions) -> bytes:
    """Return a NumPy archive; names are fixed-width text, so that nothing in it is pickled."""
    arrays: dict[str, Array] = {"sample": found.sample}
    if len(found.sources) > 1:
        arrays["source"] = np.array(found.sources)[found.source]
    if found.files is not None:
        arrays["file"] = found.files
    for output in found.outputs:
        parts = {
            "class": output.labels,
            "classes": np.array(output.classes) if output.classes else None,
            "probabilities": output.probabilities,
            "prediction" if output.labels is None else "values": output.values,
            "text": None if output.texts is None else np.array(output.texts),
            "log_probability": output.logs,
            "steps": output.ends,
        }
        arrays |= {output.prefix + key: part for key, part in parts.items() if part is not None}
    arrays |= found.features
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # np.savez takes no array called "file"
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return buffer.getvalue()


TEXT: Mapping[str, Callable[[Predictions], Iterator[str]]] = {"csv": as_csv, "jsonl": as_jsonl}


def _number(value: Any) -> float | None:
    """Round to the digits that are meant; NaN and Inf, which JSON lacks, are None."""
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
