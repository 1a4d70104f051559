"""What a trained network is worth: metrics as plain float64 NumPy functions, one file per family.

A *view* (``views.py``) holds the outputs beside the truth and what several metrics share; every
function registered with ``@metric`` (``registry.py``) turns one view into one number.

    view = classified(outputs, labels, classes=10, link="softmax")
    compute(view)                       # {"accuracy": 0.97, "log_loss": 0.11, ...}
    per_class(view, names)              # one row per class
"""

from nnctl.metrics.per_class import per_class
from nnctl.metrics.registry import compute, names, views_of
from nnctl.metrics.sequences import Sequences, over_steps
from nnctl.metrics.views import (
    Classified,
    Ending,
    Forecast,
    MultiLabel,
    Regressed,
    View,
    classified,
    log_softmax,
    view,
)

__all__ = [
    "Classified",
    "Ending",
    "Forecast",
    "MultiLabel",
    "Regressed",
    "Sequences",
    "View",
    "classified",
    "compute",
    "log_softmax",
    "names",
    "over_steps",
    "per_class",
    "view",
    "views_of",
]
