"""The specs whose first losses are kept, and what both sides start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnctl.data import order
from nnctl.run.prepare import Prepared, prepare
from nnctl.spec import load_spec

SPECS = Path(__file__).parents[2] / "specs"
STEPS = 10

# Name -> spec and overrides. Dropout is off: its masks are nnctl's own.
CASES: dict[str, tuple[str, ...]] = {
    "breast_cancer_mlp": ("breast_cancer_mlp",),
    "breast_cancer_weighted": (
        "breast_cancer_mlp",
        'loss={type="binary_cross_entropy", pos_weight=2.5, label_smoothing=0.1}',
    ),
    "diabetes_full_batch": ("diabetes_full_batch",),
    "diabetes_mlp": ("diabetes_mlp",),
    "diabetes_mae_l1": ("diabetes_mlp", 'loss.type="mae"', "regularization.l1=0.01"),
    "digits_autoencoder": ("digits_autoencoder",),
    "digits_mlp": ("digits_mlp",),
    "digits_regularized_mlp": (
        "digits_regularized_mlp",
        "layers.2.rate=0.0",
        "schedule.epochs=3",
        "training.batch_size=512",
    ),
    "digits_residual_mlp": (
        "digits_residual_mlp",
        "blocks.residual.parameters.rate=0.0",
        "layers.4.with.rate=0.0",
    ),
    "digits_nesterov": (
        "digits_mlp",
        'optimizer={type="sgd", learning_rate=0.05, momentum=0.9, nesterov=true}',
    ),
    "digits_nesterov_torch": (
        "digits_mlp",
        'optimizer={type="sgd", learning_rate=0.05, momentum=0.9, nesterov=true, form="torch"}',
    ),
    "digits_smoothed": (
        "digits_mlp",
        'loss={type="cross_entropy", label_smoothing=0.1, class_weights="balanced"}',
        'optimizer={type="sgd", learning_rate=0.1}',
    ),
    "iris_multi_branch": ("iris_multi_branch",),
    "iris_online": ("iris_online",),
    "spirals_mlp": ("spirals_mlp",),
    "wine_mlp": ("wine_mlp",),
    "xor_mlp": ("xor_mlp",),
    **{
        f"wine_{tag}": ("wine_mlp", f'layers.0.activation="{tag}"')
        for tag in ("leaky_relu", "elu", "gelu", "silu")
    },
}


def prepared(case: str, dtype: str = "float64") -> Prepared:
    """Return the spec of a case with its data and its network, not yet started."""
    name, *overrides = CASES[case]
    return prepare(load_spec(SPECS / f"{name}.toml", [*overrides, f'training.dtype="{dtype}"']))


def start(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Return first parameters that come from a formula and no random stream, float64."""
    found = {}
    for number, (name, shape) in enumerate(sorted(shapes.items())):
        size = int(np.prod(shape))
        wave = np.sin(0.7391 * np.arange(size) + 1.3 * number)
        found[name] = (wave / np.sqrt(shape[0])).reshape(shape)
    return found


def batches(found: Prepared) -> list[tuple[int, int, np.ndarray]]:
    """Return (epoch, row in its order, rows) of the first STEPS batches, the last of an epoch
    with what is left."""
    training, count = found.spec.training, found.parts["train"].samples
    steps: list[tuple[int, int, np.ndarray]] = []
    epoch = 0
    while len(steps) < STEPS:
        rows = order(training.seed, epoch, count, training.shuffle)
        size = found.batch_size
        steps += [(epoch, at, rows[at : at + size]) for at in range(0, count, size)]
        epoch += 1
    return steps[:STEPS]
