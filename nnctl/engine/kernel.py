"""What a kernel is: a function of arrays with named arguments, and what the plan must know of it.

Three kinds, by what they are given (their argument names are the wiring):

- ``elementwise``: a formula of scalars, applied to every element of its region.
- ``rows``: arrays of shape (rows, row length), the rows of its samples.
- ``tiles``: addresses and sizes, for kernels that place vectors themselves.

``op.py`` turns a kernel into an op that the tape can call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Split:
    """How an op is cut into tasks: blocks of rows by blocks of columns, from shapes alone.

    ``limit`` is the number of rows, or -1 where the rows are the live samples.
    """

    rows: int
    row_tasks: int
    columns: int
    column_tasks: int
    width: int
    limit: int = -1

    @property
    def tasks(self) -> int:
        return self.row_tasks * self.column_tasks

    def words(self) -> list[int]:
        return [self.rows, self.row_tasks, self.columns, self.width, self.limit]


@dataclass(frozen=True)
class Sizes:
    """What a task split may depend on: widths of arrays, bound numbers and records, never the
    threads."""

    capacity: int
    lanes: int
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


@dataclass(frozen=True)
class Bound:
    """What an argument name stands for: ``kind`` decides the code, ``words`` the argument row.

    Kinds: ``rows`` (address, row stride, row length; samples), ``column`` (address; one element a
    sample), ``vector`` (address, count), ``flat`` (address; follows the split's rows), ``table``
    (address of the word that holds the address, row length; a resident array), ``output`` (alike,
    written at the position of the batch), ``int``, ``real``, ``rate`` (column of the table of
    step-dependent scalars), ``address``, ``record`` (whole numbers by name: a NamedTuple's).
    """

    kind: str
    dtype: str = "f"
    words: tuple[int, ...] = ()
    record: type | None = None  # the class of a ``record``


@dataclass(frozen=True)
class Kernel:
    """A kernel and what the plan must know of it.

    ``writes``: arguments written, all others are read. ``whole``: arguments read beyond the task's
    own region (within its rows, all columns, if named in ``rowwise``). ``split``: for ``tiles``;
    ``scratch``: elements that a task needs for itself; ``work``: multiply-adds of a full batch.
    """

    name: str
    function: Callable[..., Any]
    kind: str
    writes: tuple[str, ...]
    whole: tuple[str, ...] = ()
    rowwise: tuple[str, ...] = ()
    split: Callable[[Sizes], Split] | None = None
    scratch: Callable[[Sizes], int] | None = None
    work: Callable[[Sizes], int] | None = None
    checked: bool = False  # raise the flag when an output is not finite

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.function).parameters)


def elementwise(writes: str = "y", checked: bool = False) -> Callable[..., Kernel]:
    """Make a kernel of a formula on scalars; it returns what is written, in order."""

    def make(function: Callable[..., Any]) -> Kernel:
        outputs = tuple(writes.split())
        return Kernel(function.__name__, function, "elementwise", outputs, checked=checked)

    return make


def rows(
    writes: str = "y",
    scratch: Callable[[Sizes], int] | None = None,
    work: Callable[[Sizes], int] | None = None,
) -> Callable[..., Kernel]:
    """Make a kernel of a function on the rows of some samples."""

    def make(function: Callable[..., Any]) -> Kernel:
        outputs = tuple(writes.split())
        return Kernel(function.__name__, function, "rows", outputs, scratch=scratch, work=work)

    return make


def tiles(
    writes: str,
    split: Callable[[Sizes], Split] | None,
    whole: str = "",
    rowwise: str = "",
    scratch: Callable[[Sizes], int] | None = None,
    work: Callable[[Sizes], int] | None = None,
) -> Callable[..., Kernel]:
    """Make a kernel of a function on addresses; ``split(sizes)`` says how it is cut, None leaves it
    to the calls beside it: by samples."""

    def make(function: Callable[..., Any]) -> Kernel:
        return Kernel(
            function.__name__,
            function,
            "tiles",
            tuple(writes.split()),
            tuple(whole.split()),
            tuple(rowwise.split()),
            split,
            scratch,
            work,
        )

    return make
