"""Two recurrent layers of one kind, one for each direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from pydantic_core import PydanticCustomError

from nnctl.spec.base import Expect, Finding, LayerModel, Part, Shape, SpecModel
from nnctl.spec.inside import Inside
from nnctl.spec.shapes import Reach

from .merge import Add, Average, Concat
from .recurrent import Recurrent


class _Inner(Inside):
    """The layer that both directions are."""

    message = "has no effect here"
    hint = 'set it on "bidirectional"'

    def choose(self, value: Any) -> type[SpecModel]:
        found = super().choose(value)
        if not issubclass(found, Recurrent):
            raise PydanticCustomError("not_expected", "not a recurrent layer")
        return found

    def refuse(self, made: LayerModel) -> Iterator[Finding]:
        yield from super().refuse(made)
        if getattr(made, "backward", False):
            hint = "leave it out: there is one layer for each direction"
            yield Finding(("backward",), self.message, hint)
        if getattr(made, "stateful", False):
            message = "cannot hold here: backward in time, a window would go on from a later one"
            yield Finding(("stateful",), message, "remove it, or use the inner layer alone")


MERGES: dict[str, tuple[type[LayerModel], str]] = {
    "concat": (Concat, "concat"),
    "sum": (Add, "add"),
    "mean": (Average, "average"),
}


class Bidirectional(LayerModel):
    """Two recurrent layers of one kind, each with its own weights: one goes from the first step to
    the last, the other from the last to the first (Schuster & Paliwal 1997).

    Their weights are called NAME.forward.w and NAME.backward.w, and so on.
    """

    without: ClassVar[tuple[str, ...]] = ("share",)

    type: Literal["bidirectional"]
    layer: Annotated[
        Recurrent,
        _Inner("layers"),
        Expect('a recurrent layer, such as { type = "lstm", units = 32 }'),
    ] = Field(description="what both directions are: rnn, lstm or gru")
    merge: Literal["concat", "sum", "mean"] = Field(
        "concat", description="how the states of both directions become one output"
    )

    def parts(self) -> tuple[Part, ...]:
        back = self.layer.model_copy(update={"backward": True})
        model, tag = MERGES[self.merge]
        joined = model.model_validate({"type": tag})
        both = ("forward", "backward")
        return Part("forward", self.layer), Part("backward", back), Part("", joined, both)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        shape = self.layer.output_shape(inputs)
        return (*shape[:-1], shape[-1] * 2) if self.merge == "concat" else shape

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        return None
