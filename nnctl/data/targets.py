"""Decide what a target is, and turn its field into class indices or numbers.

A target is classes where its values are words, or whole numbers with few distinct values (at most
100, and at most half as many as there are samples); integer arrays are classes always. Everything
else is numbers. ``task`` overrules. Class names are sorted, as numbers where all are numbers.

Beside an input that is a sequence of T steps, whole numbers (N, T) are a class for each step, named
0, 1, ... (-1 does not count), and numbers (N, T, width) are numbers for each (NaN does not count).
Stdlib only: ``check`` reads through this.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from math import prod

from nnctl.data.problems import MAX_PROBLEMS, listing
from nnctl.data.sources.base import Field
from nnctl.data.sources.table import parse_number
from nnctl.errors import DataError, Problem
from nnctl.spec import suggest
from nnctl.spec.info import TargetInfo

MAX_GUESSED_CLASSES = 100

Place = Callable[[int, str, str], Problem]


def decide(
    fields: Sequence[Field],
    task: str | None,
    classes: tuple[str, ...] | None,
    place: Place,
    steps: Container[int] = (),
) -> TargetInfo:
    """Return what the target made of these fields is; ``steps`` are those that inputs have.

    Raises DataError where it cannot be one.
    """
    if len(fields) > 1:
        return _several(fields, task)
    (only,) = fields
    over_steps = _over_steps(only, task, place) if only.shape and only.shape[0] in steps else None
    if over_steps is not None:
        return over_steps
    if only.shape:
        width = prod(only.shape)
        if task == "classification":
            return TargetInfo("rows", width, tuple(map(str, range(width))))
        return TargetInfo("number", width)
    if _is_class(only, task, place):
        names = classes or class_names(only, place)
        if len(names) < 2:
            message = f'target "{only.name}" has a single class, "{names[0]}"'
            raise DataError(place(0, message, "a classifier needs at least two classes"))
        return TargetInfo("class", len(names), names)
    return TargetInfo("number", 1)


def are_numbers(fields: Sequence[Field]) -> bool:
    """Tell whether every value of all fields is a number."""
    texts = (str(value) for field in fields for value in field.values or ())
    return all(parse_number(text) is not None for text in texts)


def _over_steps(field: Field, task: str | None, place: Place) -> TargetInfo | None:
    """Return what a target is that has something for each step of an input, if it is that."""
    steps = field.shape[0]
    if len(field.shape) == 2 and task != "classification":
        return TargetInfo("number", field.shape[1], None, steps)
    if field.whole is None or task == "regression":
        return None
    values = field.whole()
    low, high = min(values), max(values)
    if low < -1 and task is None:
        return None
    if high < 1:
        given = f"its labels are {low} to {high}" if low < high else f"all its labels are {low}"
        message = f'target "{field.name}" has not two classes: {given}'
        raise DataError(place(0, message, "a classifier needs at least two classes"))
    found = TargetInfo("class", high + 1, tuple(map(str, range(high + 1))), steps)
    if low < -1:
        check_steps(field, found, place)
    return found


def check_steps(field: Field, info: TargetInfo, place: Place) -> None:
    """Raise DataError at a label of a step that is no class, and not -1."""
    values = field.whole() if field.whole is not None else ()
    if not values or (min(values) >= -1 and max(values) < info.width):
        return
    at = next(i for i, value in enumerate(values) if not -1 <= value < info.width)
    row, step = divmod(at, info.steps or 1)
    message = f'label {values[at]} of "{field.name}" at step {step} is none of {info.width} classes'
    raise DataError(place(row, message, f"labels are 0 to {info.width - 1}, or -1: not counted"))


def _several(fields: Sequence[Field], task: str | None) -> TargetInfo:
    width = sum(prod(field.shape) for field in fields)
    names = tuple(field.name for field in fields)
    if task == "classification":
        return TargetInfo("rows", width, names)
    return TargetInfo("number", width)


def _is_class(field: Field, task: str | None, place: Place) -> bool:
    if task == "regression" or (field.values is None and task is None):
        return False
    if field.values is None:
        message = f'target "{field.name}" holds {field.kind} numbers, which name no classes'
        raise DataError(place(0, message, "store the labels as whole numbers or as text"))
    if task == "classification" or field.kind == "integer":
        return True
    values = set(field.values)
    numbers = {value for value in values if parse_number(value) is not None}
    if len(numbers) < len(values):
        if 2 * len(numbers) > len(values):
            _refuse_mixture(field, place)
        return True
    whole = all(value.lstrip("+-").isdigit() for value in values)
    few = len(values) <= MAX_GUESSED_CLASSES and 2 * len(values) <= len(field.values)
    return whole and few


def _refuse_mixture(field: Field, place: Place) -> None:
    values = field.values or ()
    row = next(row for row, value in enumerate(values) if parse_number(value) is None)
    message = f'target "{field.name}": "{values[row]}" among numbers'
    hint = 'correct it, or set data.task = "classification" if these are names of classes'
    raise DataError(place(row, message, hint))


def class_names(field: Field, place: Place) -> tuple[str, ...]:
    """Return the distinct labels, sorted; as numbers where all of them are numbers."""
    labels = list(dict.fromkeys(field.values or ()))
    if field.kind == "integer":
        return tuple(str(label) for label in sorted(labels))
    numbers = {label: parse_number(label) for label in labels}
    if any(number is None for number in numbers.values()):
        return tuple(sorted(labels))
    ordered = sorted(labels, key=lambda label: (numbers[label], label))
    for one, other in zip(ordered, ordered[1:], strict=False):
        if numbers[one] == numbers[other]:
            row = list(field.values or ()).index(other)
            message = f'class "{other}" of "{field.name}" is the number "{one}" written otherwise'
            raise DataError(place(row, message, "write each class in one way"))
    return tuple(ordered)


def labels(field: Field, classes: Sequence[str], place: Place) -> list[int]:
    """Return the class index of each sample. Raises DataError for labels that are no class."""
    index = {name: k for k, name in enumerate(classes)}
    found: list[int] = []
    problems: list[Problem] = []
    for row, value in enumerate(field.values or ()):
        label = index.get(str(value), -1)
        if label < 0 and len(problems) < MAX_PROBLEMS:
            message = f'label "{value}" of "{field.name}" is none of the {len(classes)} classes'
            problems.append(place(row, message, suggest_class(str(value), classes)))
        found.append(label)
    if problems:
        raise DataError(problems)
    return found


def suggest_class(value: str, classes: Sequence[str]) -> str:
    """Say which class was meant, if one is near, and list the classes."""
    near = suggest.nearest(value, classes)
    return (f'did you mean "{near}"?\n' if near else "") + f"classes: {listing(classes)}"


def numbers(field: Field, place: Place) -> list[float]:
    """Return a text field as numbers. Raises DataError at each value that is none."""
    found: list[float] = []
    problems: list[Problem] = []
    for row, value in enumerate(field.values or ()):
        number = parse_number(value) if isinstance(value, str) else float(value)
        if number is None:
            message = f'"{field.name}": expected a number, given "{value}"'
            hint = 'correct it, or set data.task = "classification" if these are names of classes'
            problems.append(place(row, message, hint))
            if len(problems) >= MAX_PROBLEMS:
                break
            continue
        found.append(number)
    if problems:
        raise DataError(problems)
    return found
