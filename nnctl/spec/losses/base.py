"""What all losses have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Shape, ShapeError, SpecModel
from nnctl.spec.registry import Tagged
from nnctl.spec.shapes import format_shape, size

if TYPE_CHECKING:
    from nnctl.spec.info import TargetInfo


class LossModel(SpecModel):
    """What is minimized: ``[loss]``, or ``[loss.OUTPUT]`` for each of several outputs."""

    link: ClassVar[Literal["softmax", "sigmoid", "identity"]] = "identity"
    """The function inside the loss that turns what it reads into probabilities, if any."""

    for_classes: ClassVar[bool] = False
    """It is made for class labels."""

    type: str
    weight: float = Field(1.0, gt=0, le=1e6, description="factor of this loss in the total")
    target: str | None = Field(
        None, min_length=1, description="the target it compares with; default: the only one"
    )

    def check(self, output: Shape, target: TargetInfo) -> None:
        """Raise ShapeError if an output of this shape cannot be compared with the target.

        The message goes on from ``loss "TYPE" ...``; ``{layer}`` in it becomes the output's name,
        ``{units}`` in the hint the key of its width, ``{place}`` where that layer stands.
        """


def of_a_step(output: Shape, target: TargetInfo) -> Shape:
    """Return what of an output stands beside one target: all of it, or a step's part.

    Raises ShapeError where a target over steps finds no output of as many steps.
    """
    if target.steps is None:
        return output
    needs = f"needs {target.steps} steps of outputs (the target has one for each step)"
    if len(output) != 2:
        hint = "let every layer give something for every step: no flatten, no pool of all steps;\n"
        hint += 'tokens go through a layer of type = "embedding" first'
        if target.kind == "class":
            hint += '\nset task in [data] if the target is of the whole sample: "classification" '
            hint += 'for records, "regression" if it is numbers'
        raise ShapeError(f"{needs}, {{layer}} has {format_shape(output)}", hint)
    if output[0] != target.steps:
        hint = 'keep the number of steps in the layers before it: padding = "same" or "causal";\n'
        hint += 'a layer of type = "encoder_decoder" gives sequences of another length'
        raise ShapeError(f"{needs}, {{layer}} has {output[0]}", hint)
    return output[1:]


def need_outputs(output: Shape, count: int, why: str) -> None:
    """Raise ShapeError unless the output is one row of ``count`` numbers."""
    if output == (count,):
        return
    noun = "output" if count == 1 else "outputs"
    message = f"needs {count} {noun} ({why}), {{layer}} has {format_shape(output)}"
    if len(output) == 1:
        raise ShapeError(message, f"set {{units}} = {count}{{place}}")
    raise ShapeError(message, f'end in a dense layer with units = {count}, behind a "flatten"')


def need_size(output: Shape, count: int, why: str) -> None:
    """Raise ShapeError unless the output has ``count`` numbers, whatever its axes."""
    if size(output) != count:
        need_outputs(output, count, why)


Loss = Annotated[LossModel, Tagged("losses")]
