"""``[data.split]``: which share of the samples does what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field, model_validator

from .base import Finding, SpecModel

Text = Annotated[str, Field(min_length=1, max_length=4096)]


class Split(SpecModel):
    """Which share of the samples does what: seeded, and stratified by class.

    ``test`` is cut off first and stays unseen; ``validation`` is then carved out of the training
    part. What selects (early stopping, the best checkpoint) reads validation.
    """

    train: float = Field(
        0.75, gt=0, le=1, description="share to train on; with test given alone, what it leaves"
    )
    test: float = Field(
        0.25,
        ge=0,
        lt=1,
        description="share that stays unseen until the end; with train given alone, what it leaves",
    )
    validation: float = Field(
        0.0, ge=0, lt=1, description="share of the training part that selections read"
    )
    seed: int = Field(0, ge=0, le=2**63 - 1, description="start of the random numbers")
    stratify: bool = Field(True, description="keep each class's share in every part")
    group: Text | None = Field(
        None, description="column whose equal values stay together in one part"
    )
    order: Text | None = Field(
        None, description="column of times: the earliest samples train, the latest test"
    )
    gap: int = Field(
        0,
        ge=0,
        le=1_000_000_000,
        description="samples, of a series rows, of a text tokens left out between parts in order "
        "of time",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, value: Any) -> Any:
        """Let the one share that is given decide the other."""
        if isinstance(value, dict) and ("train" in value) != ("test" in value):
            given, other = ("train", "test") if "train" in value else ("test", "train")
            share = value[given]
            if isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share <= 1:
                return {**value, other: round(1.0 - share, 12)}
        return value

    def conflicts(self) -> Iterable[Finding]:
        total = self.train + self.test
        if abs(total - 1) > 1e-9:
            yield Finding(
                ("train",),
                f"train and test must make 1, given {self.train} + {self.test} = {total:g}",
                "validation is carved out of train, it is not added to it",
            )
        if self.order is None:
            return
        if self.group is not None:
            message = "cannot hold together with order"
            yield Finding(("group",), message, "split by groups or by time, not both")
        if self.seed:
            message = "has no effect with order: a split by time is not random"
            yield Finding(("seed",), message, "remove it")
