"""``[training]``, ``[regularization]`` and ``[checkpoint]``: how the run goes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from .base import Expect, Finding, SpecModel

Monitor = Annotated[
    str,
    Field(min_length=1, max_length=200),
    Expect('a metric of a split, "validation.loss" for example'),
]


class EarlyStopping(SpecModel):
    """Stop when the monitored value has not improved for ``patience`` evaluations (Prechelt 1998).

    It reads validation, never test: the test part stays unseen until the end.
    """

    monitor: Monitor = Field("validation.loss", description="what is watched: SPLIT.METRIC")
    patience: int = Field(
        5, ge=1, le=1_000_000, description="evaluations without improvement before it stops"
    )
    min_delta: float = Field(0.0, ge=0, le=1e6, description="smallest change that counts")
    restore_best: bool = Field(True, description="end with the parameters of the best evaluation")


class Training(SpecModel):
    """How long, in which portions, from which seed, and when to stop."""

    epochs: int = Field(10, ge=1, le=10_000_000, description="passes over the training part")
    batch_size: Annotated[
        Annotated[int, Field(ge=1, le=2**31 - 1)] | Literal["full"],
        Expect('an integer of at least 1, or "full"'),
    ] = Field(32, description='samples a step; 1 is online, "full" is deterministic descent')
    seed: int = Field(
        0, ge=0, le=2**63 - 1, description="start of all random numbers: parameters, order, dropout"
    )
    dtype: Literal["float32", "float64"] = Field("float32", description="number format")
    shuffle: bool = Field(True, description="a new order of the samples each epoch")
    bucket_by_length: bool = Field(
        False,
        description="put samples of near lengths into a batch: steps that none has cost nothing",
    )
    max_steps: int | None = Field(None, ge=1, le=2**62, description="stop after this many steps")
    loss_below: float | None = Field(
        None, ge=0, le=1e12, description="stop when the training loss of an epoch is below"
    )
    gradient_norm_below: float | None = Field(
        None, gt=0, le=1e12, description="stop when the norm of the gradient is below"
    )
    early_stopping: EarlyStopping | None = Field(
        None, description="stop when validation no longer improves; default: off"
    )
    evaluate_every: int = Field(
        1, ge=0, le=10_000_000, description="epochs between evaluations; 0: only at the end"
    )
    evaluate_train: bool = Field(
        True, description="evaluate the training part too, for curves that can be compared"
    )
    log_every: int = Field(
        0, ge=0, le=2**62, description="steps between events; 0: one event an epoch"
    )
    threads: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="threads; default: the cores of this machine. Changes no bit",
    )

    def conflicts(self) -> Iterable[Finding]:
        for key in ("early_stopping", "loss_below"):
            if getattr(self, key) is not None and self.evaluate_every == 0:
                message = "has no effect with evaluate_every = 0: nothing is evaluated on the way"
                yield Finding((key,), message, "set evaluate_every = 1")
        if self.bucket_by_length and not self.shuffle:
            message = "has no effect with shuffle = false: samples stay in their order"
            yield Finding(("bucket_by_length",), message, "remove one of them")
        elif self.bucket_by_length and self.batch_size == "full":
            message = 'has no effect with batch_size = "full": there is one batch'
            yield Finding(("bucket_by_length",), message, "remove it, or give a number of samples")


class Regularization(SpecModel):
    """Penalties on all weights: l1 * sum |w| + l2 / 2 * sum w^2 is added to the loss.

    Gradients l1 * sign(w) (0 at 0) and l2 * w. Biases and normalization parameters are left out
    unless ``biases`` is set; a layer's own ``l1`` and ``l2`` win.
    """

    l1: float = Field(0.0, ge=0, le=1e6, description="factor of the sum of magnitudes")
    l2: float = Field(0.0, ge=0, le=1e6, description="factor of half the sum of squares")
    biases: bool = Field(False, description="penalize biases too")


class Checkpoint(SpecModel):
    """When a checkpoint is written, beside those at the end, on a stop and every 30 seconds."""

    every_epochs: int | None = Field(None, ge=1, le=10_000_000, description="epochs between two")
    every_steps: int | None = Field(None, ge=1, le=2**62, description="steps between two")
    every_minutes: float | None = Field(None, gt=0, le=1e6, description="minutes between two")
    keep: int = Field(3, ge=1, le=1_000_000, description="how many to keep, besides the best")
    monitor: Monitor | None = Field(
        None, description="what decides the best: SPLIT.METRIC; default: that of early_stopping"
    )
