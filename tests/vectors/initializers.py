"""Initializers: the mean and spread that theory gives, and the bounds where there are any."""

from __future__ import annotations

from math import sqrt

FAN_IN, FAN_OUT = 200, 300

# type, fields, mean, standard deviation, (lowest, highest)
_WIDE = (-float("inf"), float("inf"))
_GLOROT, _HE = sqrt(6 / (FAN_IN + FAN_OUT)), sqrt(6 / FAN_IN)
INITIALIZERS = [
    ("zeros", {}, 0.0, 0.0, (0.0, 0.0)),
    ("constant", {"value": 0.25}, 0.25, 0.0, (0.25, 0.25)),
    ("uniform", {"low": -0.5, "high": 1.5}, 0.5, 2 / sqrt(12), (-0.5, 1.5)),
    ("normal", {"mean": 1.0, "std": 0.2}, 1.0, 0.2, _WIDE),
    ("glorot_uniform", {}, 0.0, _GLOROT / sqrt(3), (-_GLOROT, _GLOROT)),
    ("glorot_normal", {}, 0.0, sqrt(2 / (FAN_IN + FAN_OUT)), _WIDE),
    ("he_uniform", {}, 0.0, _HE / sqrt(3), (-_HE, _HE)),
    ("he_normal", {}, 0.0, sqrt(2 / FAN_IN), _WIDE),
]
