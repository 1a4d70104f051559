"""Losses for classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Expect, Shape, ShapeError

from .base import LossModel, need_outputs

if TYPE_CHECKING:
    from nnctl.spec.info import TargetInfo

_NUMBERS = 'use "mse", or set task = "classification" in [data] if the numbers are labels'
_Weight = Annotated[float, Field(ge=0, le=1e6)]


class CrossEntropy(LossModel):
    """-sum_j t_j ln softmax(s)_j, mean over the batch; softmax is built in, so s are plain signals.

    The gradient is softmax(s) - t (Bridle 1990). Targets are classes, one-hot or soft rows.
    ``label_smoothing`` = e trains on (1 - e) * t + e / classes (Szegedy et al. 2016).
    """

    link: ClassVar[Literal["softmax", "sigmoid", "identity"]] = "softmax"
    for_classes: ClassVar[bool] = True

    type: Literal["cross_entropy"]
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of the target spread evenly over all classes"
    )
    class_weights: (
        Annotated[
            Literal["balanced"] | list[_Weight] | dict[str, _Weight],
            Expect('"balanced", a list of numbers in the order of the classes, or a table'),
        ]
        | None
    ) = Field(
        None, description='weight of each class; "balanced" is samples / (classes * count of it)'
    )

    def check(self, output: Shape, target: TargetInfo) -> None:
        if target.kind == "number":
            raise ShapeError("needs classes, and the target is numbers", _NUMBERS)
        if target.kind == "class" and output == (1,) and target.width == 2:
            hint = "set {units} = 2{place}, or use binary_cross_entropy"
            raise ShapeError("needs 2 outputs (2 classes), {layer} has 1", hint)
        noun = "classes" if target.kind == "class" else "numbers in a target row"
        need_outputs(output, target.width, f"{target.width} {noun}")


class BinaryCrossEntropy(LossModel):
    """-(w t ln p + (1 - t) ln(1 - p)), p = sigmoid(s) built in, mean over the batch.

    One output for two classes (the second is 1), or one for each of several labels.
    """

    link: ClassVar[Literal["softmax", "sigmoid", "identity"]] = "sigmoid"
    for_classes: ClassVar[bool] = True

    type: Literal["binary_cross_entropy"]
    pos_weight: float = Field(1.0, gt=0, le=1e6, description="w, the weight of the positive class")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="e: trains on (1 - e) * t + e / 2")

    def check(self, output: Shape, target: TargetInfo) -> None:
        if target.kind != "class":
            need_outputs(output, target.width, f"{target.width} labels")
        elif target.width != 2:
            hint = f'use "cross_entropy", with {{units}} = {target.width}{{place}}'
            raise ShapeError(f"needs 2 classes, and the target has {target.width}", hint)
        else:
            need_outputs(output, 1, "one for two classes: the probability of the second")
