"""What all optimizers have in common."""

from __future__ import annotations

from typing import Annotated

from nnctl.spec.base import SpecModel
from nnctl.spec.registry import Tagged


class OptimizerModel(SpecModel):
    """The rule that turns gradients into steps: ``[optimizer]``, chosen by ``type``."""

    type: str

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the arrays that it keeps for each parameter, beside the parameter itself."""
        return ()


Optimizer = Annotated[OptimizerModel, Tagged("optimizers")]
