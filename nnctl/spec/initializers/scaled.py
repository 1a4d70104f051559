"""Starts scaled by the number of inputs (fan_in) and outputs (fan_out) of the layer."""

from __future__ import annotations

from typing import Literal

from .base import InitializerModel


class GlorotUniform(InitializerModel):
    """Uniform on +-sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""

    type: Literal["glorot_uniform"]


class GlorotNormal(InitializerModel):
    """Normal with variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010)."""

    type: Literal["glorot_normal"]


class HeUniform(InitializerModel):
    """Uniform on +-sqrt(6 / fan_in) (He et al. 2015)."""

    type: Literal["he_uniform"]


class HeNormal(InitializerModel):
    """Normal with variance 2 / fan_in (He et al. 2015)."""

    type: Literal["he_normal"]
