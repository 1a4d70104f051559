"""Smooth activations."""

from __future__ import annotations

from typing import ClassVar, Literal

from .base import ActivationModel


class Linear(ActivationModel):
    """The identity: y = x."""

    linear: ClassVar[bool] = True

    type: Literal["linear"]


class Sigmoid(ActivationModel):
    """1 / (1 + exp(-x)), between 0 and 1."""

    type: Literal["sigmoid"]


class Tanh(ActivationModel):
    """The hyperbolic tangent, between -1 and 1."""

    type: Literal["tanh"]


class Softplus(ActivationModel):
    """ln(1 + exp(x)), a smooth ReLU (Dugas et al. 2001)."""

    type: Literal["softplus"]

    relu_family: ClassVar[bool] = True


class Gelu(ActivationModel):
    """x * Phi(x), Phi the normal distribution function, exact by erf (Hendrycks & Gimpel 2016)."""

    type: Literal["gelu"]

    relu_family: ClassVar[bool] = True


class Silu(ActivationModel):
    """x * sigmoid(x), also called swish (Hendrycks & Gimpel 2016; Ramachandran et al. 2017)."""

    type: Literal["silu"]

    relu_family: ClassVar[bool] = True


class Softmax(ActivationModel):
    """exp(x_j) / sum_k exp(x_k) over the last axis: positive numbers that sum to 1 (Bridle 1990).

    The cross_entropy loss has it built in: leave it out before that loss.
    """

    type: Literal["softmax"]

    elementwise: ClassVar[bool] = False
