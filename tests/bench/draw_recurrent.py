"""Recurrent networks drawn at random, from what the peer can be told of too."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.bench.draw_text import Layer, spec_text


def recurrent(random: Random) -> str:
    """A middling stack of recurrent layers on random steps, its last state, a dense layer."""
    steps, inputs = random.randint(6, 40), random.randint(4, 64)
    classes, batch = random.randint(2, 10), random.choice([16, 32, 50, 64])
    source: Layer = {
        "generate": "blobs", "features": steps * inputs, "classes": classes,
        "samples": 12 * batch, "spread": 0.2, "seed": random.randint(0, 999),
    }  # fmt: skip
    layers: list[Layer] = [{"type": "reshape", "shape": [steps, inputs]}]
    for k in range(random.randint(0, 2)):
        layers += _part(random, f"part{k}", "sequence")
        if random.random() < 0.3:
            layers.append({"type": "dropout", "rate": round(random.uniform(0.1, 0.5), 2)})
    layers += _part(random, "end", "last")
    layers.append({"type": "dense", "units": classes})
    # Adam moves by the sign of gradients, on which sides that round differently may not agree
    optimizer: Layer = {"type": "sgd", "learning_rate": 0.01, "momentum": 0.9}
    return spec_text(
        source, layers, optimizer, {"batch_size": batch, "seed": random.randint(0, 999)}
    )


def _part(random: Random, name: str, returns: str) -> Iterator[Layer]:
    """A layer in either direction, or one in each and both states side by side."""
    if random.random() < 0.7:
        yield {"name": name, **_cell(random, returns), "backward": random.random() < 0.3}
        return
    cell = _cell(random, returns)
    yield {"type": "linear", "name": name}
    for side, backward in (("ahead", False), ("back", True)):
        yield {"name": f"{name}_{side}", "from": name, **cell, "backward": backward}
    yield {"type": "concat", "from": [f"{name}_ahead", f"{name}_back"]}


def _cell(random: Random, returns: str) -> Layer:
    kind = random.choice(["rnn", "lstm", "lstm", "gru", "gru"])
    cell: Layer = {"type": kind, "units": random.randint(16, 160), "returns": returns}
    if kind == "rnn":
        cell["nonlinearity"] = random.choice(["tanh", "tanh", "relu"])
    if random.random() < 0.2:
        cell["bias"] = False
    return cell
