"""Runs made up for the report's tests."""

import math
from typing import Any

from nnctl.report.history import history
from nnctl.report.runs import Run


def epoch_events(count: int = 12, rate: float = 0.1) -> list[dict[str, Any]]:
    """Epochs whose training loss falls on while the others turn at half way."""
    events = []
    for epoch in range(1, count + 1):
        train = 2.0 * math.exp(-rate * epoch)
        other = train + 0.02 * max(0, epoch - count // 2)
        events.append(
            {
                "epoch": epoch,
                "step": 10 * epoch,
                "learning_rate": 0.01,
                "running_loss": train + 0.1,
                "improved": epoch <= count // 2,
                "metrics": {
                    "train": {"loss": train, "accuracy": 0.9},
                    "validation": {"loss": other, "accuracy": 0.8},
                    "test": {"loss": other + 0.01, "accuracy": 0.79},
                },
            }
        )
    return events


def evaluation(name: str = "cat") -> dict[str, Any]:
    """What ``eval --json`` says of two classes, one of them without a sample."""
    return {
        "split": "test",
        "samples": 7,
        "metrics": {"loss": 0.25, "accuracy": 6 / 7, "log_loss": None},
        "per_class": [
            {"class": name, "precision": 1.0, "recall": 6 / 7, "f1": 12 / 13, "support": 7},
            {"class": "dog", "precision": 0.0, "recall": None, "f1": 0.0, "support": 0},
        ],
        "confusion": {"classes": [name, "dog"], "counts": [[6, 1], [0, 0]]},
        "gates": [{"gate": "accuracy>=0.9", "value": 6 / 7, "passed": False}],
        "worst": [{"sample": 3, "loss": 2.5, "true": name, "predicted": "dog"}],
    }


def run(name: str = "pets-001", rate: float = 0.1, **more: Any) -> Run:
    """A whole run; ``more`` replaces its fields."""
    fields: dict[str, Any] = {
        "summary": {
            "seconds": 75.2,
            "reason": "epochs",
            "best": {"monitor": "validation.loss", "value": 0.5},
            "environment": {"nnctl": "0.1.0", "threads": 2},
        },
        "history": history(epoch_events(rate=rate)),
        "evaluations": {"test": evaluation()},
        "layers": ({"layer": "dense_1", "shape": "2", "parameters": 1234},),
        "spec": 'name = "pets"\n',
        "settings": {"optimizer.learning_rate": rate, "training.epochs": 12},
    }
    return Run(name=name, folder=f"runs/{name}", **(fields | more))
