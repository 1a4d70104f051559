"""Networks drawn at random from the grammar of specs: one function a family, a pure function of
its random numbers. What is fast only for the named networks is not fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from tests.bench.draw_conv import conv
from tests.bench.draw_recurrent import recurrent
from tests.bench.draw_text import Layer, spec_text

ACTIVATIONS = ("relu", "leaky_relu", "elu", "sigmoid", "tanh", "softplus", "gelu", "silu")


def dense(random: Random) -> str:
    """A middling network of dense layers: plain, residual, branched or gated, some dropout."""
    features, classes = random.randint(32, 512), random.randint(2, 20)
    batch = random.choice([32, 50, 64, 100, 128])
    layers = list(_trunk(random))
    layers.append({"type": "dense", "units": classes})
    source: Layer = {
        "generate": "blobs", "features": features, "classes": classes,
        "samples": 40 * batch, "spread": 0.2, "seed": random.randint(0, 999),
    }  # fmt: skip
    optimizer: Layer = {"type": "adam", "learning_rate": 0.001}
    return spec_text(
        source, layers, optimizer, {"batch_size": batch, "seed": random.randint(0, 999)}
    )


def _trunk(random: Random) -> Iterator[Layer]:
    kinds: list[Callable[[Random, str], list[Layer]]] = [_plain, _residual, _branches, _gate]
    yield from _plain(random, "stem")
    for k in range(random.randint(1, 3)):
        yield from random.choice(kinds)(random, f"part{k}")
        if random.random() < 0.3:
            yield {"type": "dropout", "rate": round(random.uniform(0.1, 0.5), 2)}


def _units(random: Random) -> int:
    return random.randint(64, 512)


def _dense(random: Random, units: int, name: str, source: str = "") -> Layer:
    layer: Layer = {"type": "dense", "name": name}
    if source:
        layer["from"] = source
    return layer | {"units": units, "activation": random.choice(ACTIVATIONS)}


def _plain(random: Random, name: str) -> list[Layer]:
    return [_dense(random, _units(random), name)]


def _residual(random: Random, name: str) -> list[Layer]:
    units = _units(random)
    return [
        _dense(random, units, name),
        _dense(random, units, f"{name}_inner"),
        {"type": "add", "from": [name, f"{name}_inner"]},
    ]


def _branches(random: Random, name: str) -> list[Layer]:
    return [
        _dense(random, _units(random), name),
        *(_dense(random, _units(random) // 2, f"{name}_{side}", name) for side in "ab"),
        {"type": "concat", "from": [f"{name}_a", f"{name}_b"]},
    ]


def _gate(random: Random, name: str) -> list[Layer]:
    units = _units(random)
    gate = _dense(random, units, f"{name}_gate", name) | {"activation": "sigmoid"}
    return [
        _dense(random, _units(random), name),
        _dense(random, units, f"{name}_value", name),
        gate,
        {"type": "multiply", "from": [f"{name}_value", f"{name}_gate"]},
    ]


GRAMMARS: dict[str, Callable[[Random], str]] = {
    "dense": dense,
    "conv": conv,
    "recurrent": recurrent,
}


def draw(family: str, seed: int) -> str:
    """Return the text of the spec that a seed draws from a family's grammar."""
    return GRAMMARS[family](Random(f"{family} {seed}"))
