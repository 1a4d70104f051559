"""Make ``goldens.json``: what scikit-learn says about random cases. Not run by the suite.

``python tests/metrics/make_goldens.py > tests/metrics/goldens.json``
"""

import json
import sys

import numpy as np
import sklearn
from sklearn import metrics as sk


def cases(rng):
    """Yield (name, logits, labels, classes): scores on a coarse grid, so that they tie."""
    for k in (2, 3, 7):
        for n in (1, 5, 60):
            yield f"random-{k}-{n}", rng.integers(-4, 5, (n, k)) / 2, rng.integers(0, k, n), k
    absent = rng.integers(0, 3, 40) * 2
    yield "absent", rng.normal(size=(40, 6)).round(3), absent, 6
    unlikely = np.c_[rng.normal(size=(30, 3)), np.full(30, -9.0)].round(3)
    yield "never-predicted", unlikely, rng.integers(0, 4, 30), 4
    yield "all-tied", np.zeros((12, 4)), rng.integers(0, 4, 12), 4
    yield "one-class", rng.normal(size=(10, 3)).round(3), np.full(10, 1), 3
    yield "perfect", np.eye(4)[[0, 1, 2, 3, 3]] * 5, np.array([0, 1, 2, 3, 3]), 4


def defined(value):
    """Return a JSON number, or None for an undefined one."""
    return None if np.isnan(value) else float(value)


def per_class(labels, predicted, classes):
    """Return precision, recall, F1 and support of every class."""
    scores = sk.precision_recall_fscore_support(
        labels, predicted, labels=range(classes), zero_division=np.nan
    )
    names = ("precision", "recall", "f1", "support")
    return [
        {name: defined(column[k]) for name, column in zip(names, scores, strict=True)}
        for k in range(classes)
    ]


def summary(labels, predicted, probabilities, classes):
    """Return accuracy, log loss and the macro means."""
    every = range(classes)
    macro = sk.precision_recall_fscore_support(
        labels, predicted, labels=every, average="macro", zero_division=np.nan
    )
    named = dict(zip(("macro_precision", "macro_recall", "macro_f1"), macro[:3], strict=True))
    named["accuracy"] = sk.accuracy_score(labels, predicted)
    named["log_loss"] = sk.log_loss(labels, probabilities, labels=every)
    return {name: defined(value) for name, value in named.items()}


def softmax(scores):
    """Return the softmax along the rows."""
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def classification(rng):
    """Return the multi-class goldens."""
    return [
        {
            "name": name,
            "scores": scores.tolist(),
            "labels": labels.tolist(),
            "classes": k,
            "metrics": summary(labels, scores.argmax(1), softmax(scores), k),
            "per_class": per_class(labels, scores.argmax(1), k),
            "confusion": sk.confusion_matrix(labels, scores.argmax(1), labels=range(k)).tolist(),
            "top_2_accuracy": sk.top_k_accuracy_score(labels, scores, k=2, labels=range(k))
            if k > 2 and not _tied(scores)
            else None,
        }
        for name, scores, labels, k in cases(rng)
    ]


def _tied(scores):
    return any(len(set(row)) < len(row) for row in scores.tolist())


def binary(rng):
    """Return goldens of one logit a sample."""
    found = []
    for n, low, high in ((1, 0, 2), (50, 0, 2), (20, 1, 2), (20, 0, 1)):
        scores, labels = rng.integers(-5, 6, n) / 2, rng.integers(low, high, n)
        p = 1 / (1 + np.exp(-scores))
        predicted = (p > 0.5).astype(int)
        found.append(
            {
                "name": f"binary-{n}-{low}-{high}",
                "scores": scores.tolist(),
                "labels": labels.tolist(),
                "classes": 2,
                "metrics": summary(labels, predicted, np.c_[1 - p, p], 2),
                "per_class": per_class(labels, predicted, 2),
                "confusion": sk.confusion_matrix(labels, predicted, labels=[0, 1]).tolist(),
            }
        )
    return found


def regression(rng):
    """Return the regression goldens."""
    found = []
    for n, w in ((2, 1), (30, 1), (25, 3)):
        truth, guess = rng.normal(5, 40, (n, w)).round(3), rng.normal(5, 40, (n, w)).round(3)
        found.append(
            {
                "name": f"regression-{n}-{w}",
                "predictions": guess.tolist(),
                "truth": truth.tolist(),
                "metrics": {
                    "mae": sk.mean_absolute_error(truth, guess),
                    "mse": sk.mean_squared_error(truth, guess),
                    "rmse": sk.root_mean_squared_error(truth, guess),
                    "r2": sk.r2_score(truth, guess),
                },
            }
        )
    return found


def main():
    """Write the goldens to stdout."""
    rng = np.random.default_rng(20240601)
    goldens = {
        "made_by": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
        "classification": classification(rng),
        "binary": binary(rng),
        "regression": regression(rng),
    }
    json.dump(goldens, sys.stdout, indent=None, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
