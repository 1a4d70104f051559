"""The whole spec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr

from nnctl.errors import Problem

from .base import Also, Expect, LayerModel, SpecModel, Words, table
from .data import DataSpec
from .losses.base import Loss
from .measures import Gates, MetricNames
from .optimizers.base import Optimizer
from .registry import Tagged, is_single
from .schedules.base import Schedule
from .source import Trace
from .start import Start
from .training import Checkpoint, Regularization, Training


def _by_output(value: Any) -> Any:
    """Turn ``[loss]``, which is short for the loss of the only output, into ``{"": ...}``."""
    return {"": value} if is_single(value) else value


LAYERS = Expect("one table [[layers]] or more")
RunName = Annotated[
    str,
    Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"),
    Expect("a name of letters, digits, _, - and ."),
]


class Spec(SpecModel):
    """A network, its data and its training: everything a run is made from."""

    name: RunName = Field(description="what runs are called; default: the file's name")
    description: str = Field("", max_length=10_000, description="a note for people")
    problem_: str | None = Field(
        None,
        alias="problem",
        min_length=1,
        max_length=100,
        description="what is to be recognized",
    )
    data: DataSpec = Field(description="where the samples come from")
    layers: Annotated[list[Annotated[LayerModel, Tagged("layers")]], LAYERS] = Field(
        min_length=1, description="the network, each layer reading the one before unless it says"
    )
    outputs: Words | None = Field(
        None, description="the layers that are outputs; default: those that nothing reads"
    )
    losses: Annotated[
        dict[str, Loss],
        Field(min_length=1),
        BeforeValidator(_by_output),
        Expect("[loss] with a type, or a table [loss.OUTPUT] for each output"),
        Also(),
    ] = Field(alias="loss", description="what is minimized")
    init: Start | None = Field(
        None, description="parameters of a file to start from; default: each layer's own init"
    )
    optimizer: Optimizer = table("how gradients become steps", type="adam")
    schedule: Schedule = table("the learning rate over the epochs", type="constant")
    regularization: Regularization = table("penalties on all weights")
    training: Training = table("how the run goes")
    metrics: MetricNames | None = Field(None, description="what to measure; default: by the task")
    gates: Gates = Field([], description="conditions that end a run with exit code 5 when not met")
    checkpoint: Checkpoint = table("when checkpoints are written")

    _trace: Any = PrivateAttr(None)

    def __eq__(self, other: object) -> bool:
        """Equal when every field is: where it was read from does not count."""
        return isinstance(other, Spec) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    @property
    def base_dir(self) -> Path:
        """The folder that relative paths start from: that of the spec file."""
        return self._trace.folder if self._trace else Path()

    def problem(self, path: tuple[str | int, ...], message: str, hint: str = "") -> Problem:
        """Make a Problem at a path of the spec, such as ``("layers", 3, "units")``."""
        if self._trace is None:
            return Problem(message, hint, path=".".join(map(str, path)))
        trace: Trace = self._trace
        return trace.problem(path, message, hint)

    def resolved_toml(self) -> str:
        """Write the spec with every default; loading the text gives an equal spec."""
        from .writer import toml

        return toml(self)

    def digest_dict(self) -> dict[str, Any]:
        """All of it as plain tables, lists, strings and numbers, with every default."""
        from .writer import plain

        tables: dict[str, Any] = plain(self)
        return tables
