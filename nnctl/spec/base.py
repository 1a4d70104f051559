"""The base of every spec model: strict, frozen, no unknown keys, and what cannot hold together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from .shapes import Parameter, Passage, Reach, Shape, ShapeError, State, Steps, size

__all__ = [
    "Finding",
    "LayerModel",
    "Parameter",
    "Shape",
    "ShapeError",
    "SpecModel",
    "State",
    "Words",
]


@dataclass(frozen=True)
class Finding:
    """A legal-looking setting that cannot hold, at a path relative to the model that says so."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""

    def under(self, *prefix: str | int) -> Finding:
        """Return the same finding seen from further up."""
        return Finding((*prefix, *self.path), self.message, self.hint)


class SpecModel(BaseModel):
    """A table of the spec."""

    # Built when first used: what is part of another model would be built twice (a fifth of the
    # start of ``nnctl check``).
    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        protected_namespaces=(),
        defer_build=True,
    )

    called: ClassVar[Mapping[str, str]] = {}
    """By names that other tools have for its keys: what to write here."""

    def conflicts(self) -> Iterable[Finding]:
        """Find what each field allows but all of them together do not."""
        return ()

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> Self:
        findings = list(self.conflicts())
        if findings:
            raise PydanticCustomError("conflict", "conflict", {"findings": findings})
        return self


def table(description: str, **values: Any) -> Any:
    """Make a field whose default is a table of ``values``: a model with its own defaults."""
    return Field(
        default_factory=lambda: dict(values), validate_default=True, description=description
    )


@dataclass(frozen=True)
class Expect:
    """Annotation: how a message names what a field expects, where its type alone cannot."""

    text: str


@dataclass(frozen=True, eq=False)
class Also:
    """Annotation: a short form that is accepted too, as JSON Schema; None is one entry alone."""

    schema: dict[str, Any] | None = None

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        full = handler(schema)
        return {"anyOf": [self.schema or full["additionalProperties"], full]}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


NAME = r"^[A-Za-z_][A-Za-z0-9_.-]*$"

Name = Annotated[
    str,
    Field(pattern=NAME, max_length=200),
    Expect("a name of letters, digits, _, - and ., starting with a letter or _"),
]
Words = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    Field(min_length=1),
    BeforeValidator(_listed),
    Expect("a name or a list of names"),
    Also({"type": "string", "minLength": 1}),
]


Layer = TypeVar("Layer", bound="LayerModel")


def made(kind: type[Layer], tag: str, **fields: Any) -> Layer:
    """Make a layer that no table says."""
    return kind.model_validate({"type": tag, **fields})


PREVIOUS = "@previous"
"""Read by a member: the outputs of the steps before, the right ones where there are targets."""


@dataclass(frozen=True)
class Part:
    """A layer inside a layer: what it is called there, and the parts that it reads; none: what the
    whole layer reads. "@0" is the first of what that reads. ``path``: where the table of it is."""

    name: str
    layer: LayerModel
    reads: tuple[str, ...] = ()
    path: tuple[str | int, ...] = ()


class LayerModel(SpecModel):
    """A layer of the network: an entry of ``[[layers]]``, chosen by ``type``."""

    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """Fewest and most inputs; None where any number will do."""

    elementwise: ClassVar[bool] = False
    """Each output number is a function of the input number at its place, and of nothing else."""

    linear: ClassVar[bool] = False
    """For fixed parameters the output is a linear (affine) function of the inputs."""

    epilogue: ClassVar[bool] = False
    """The elementwise layer that follows it may be computed where its own output lies."""

    keeps_largest: ClassVar[bool] = False
    """The largest of its outputs is its output of the largest input, and so are the gradients."""

    takes_largest: ClassVar[bool] = False
    """Its outputs are the largest of some of its inputs."""

    looks_up: ClassVar[bool] = False
    """Each step of its output is a row of its table ``w``, which its input names."""

    takes_table: ClassVar[bool] = False
    """It multiplies each step of its input by ``w``, as could be done to a table's rows first."""

    differentiable: ClassVar[bool] = True
    """False: it has no gradient to train by, unless ``straight_through`` is asked for."""

    relu_family: ClassVar[bool] = False
    """He's start suits the layer before (He et al. 2015); Glorot's suits the others."""

    reads_tokens: ClassVar[bool] = False
    """Its inputs are tokens, whole numbers that name something, straight from the data."""

    closes_loop: ClassVar[bool] = False
    """In evaluation it is fed its own outputs, whatever it is fed in training."""

    own_lengths: ClassVar[bool] = False
    """Its output has its first input's lengths, whatever those of the others are."""

    without: ClassVar[tuple[str, ...]] = ()
    """Keys of its family that it does not have: they keep their defaults."""

    laid_out: ClassVar[tuple[str, ...]] = ()
    """Fields that say how its parameters lie in memory: layers that share them must agree."""

    type: str
    name: Name | None = Field(
        None, description="what others call it; default TYPE_k, the k-th layer of its type"
    )
    from_: Words | None = Field(
        None, alias="from", description="the layers it reads; default: the layer before"
    )
    share: Name | None = Field(
        None, description="the layer of the same type whose parameters it uses as its own"
    )

    def with_tokens(self, counts: Sequence[int | None]) -> Self:
        """The layer, once it is known how many tokens the data have of each input (None: none)."""
        return self

    def tokens(self) -> int | None:
        """How many tokens it knows, where it reads tokens."""
        return None

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """Shape of one output sample. Raises ShapeError."""
        return inputs[0]

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        """The trained arrays it needs, by short name, in a fixed order."""
        return {}

    def states(self, inputs: Sequence[Shape]) -> dict[str, State]:
        """The arrays that it keeps from step to step, by short name, in a fixed order."""
        return {}

    @property
    def shows(self) -> str:
        """The activation that its outputs have passed inside the layer, if its own key says so."""
        return ""

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        """Whether a step of its output has nothing of steps beyond a sequence's end, as long as
        they only pad it: such a layer may meet sequences of several lengths."""
        return self.elementwise

    def passage(self, inputs: Sequence[Shape]) -> Passage | None:
        """How sequences of several lengths pass it, if they can though it is not stepwise, or why
        they cannot."""
        return None

    def parts(self) -> tuple[Part, ...]:
        """The layers that it stands for, in order; the last one is its output, without a name."""
        return ()

    def members(self) -> tuple[Part, ...]:
        """The layers that stand in its place in the network, each a layer of its own; the last one
        has its name."""
        return ()

    def own_share(self) -> tuple[float, int]:
        """How often, in the end, it is fed its own outputs in training, and the training steps
        until then; 0: always the right ones."""
        return (0.0, 1)

    def ends_by(self) -> str | None:
        """The member that learns where a sequence of numbers ends."""
        return None

    def steps(self, inputs: Sequence[Shape]) -> Steps | None:
        """How it goes through a sequence, if it hands a state on from step to step."""
        return None

    def least_batch(self, inputs: Sequence[Shape]) -> int:
        """The fewest samples of a training batch that it can learn from."""
        return 1

    def flops(self, inputs: Sequence[Shape]) -> int:
        """Floating-point operations of a forward pass, per sample (a multiply-add is two)."""
        return size(self.output_shape(inputs))

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        """What of its input's axes one output number reads, channels aside.

        () is the place where it stands, None is everywhere.
        """
        out, (*places, _) = self.output_shape(inputs), inputs[0] or (0,)
        stays = self.elementwise or (bool(places) and out[:-1] == tuple(places))
        return () if stays else None

    def reaches(self, inputs: Sequence[Shape]) -> tuple[tuple[Reach, ...] | None, ...]:
        """The same of each of its inputs."""
        return (self.reach(inputs),) * len(inputs)
