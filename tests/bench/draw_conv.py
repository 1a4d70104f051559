"""Networks of convolutions drawn at random, from what the peer can be told of too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from tests.bench.draw_text import Layer, spec_text

ACTIVATIONS = ("relu", "relu", "relu", "leaky_relu", "elu", "tanh", "gelu", "silu")
FILTERS = (8, 12, 16, 24, 32, 40, 48, 64)
SMALLEST = 6  # an axis of fewer places is not made smaller


class Drawing:
    """A network as far as it is drawn: places and channels of what the last layer gives."""

    def __init__(self, random: Random, side: int, channels: int) -> None:
        self.random, self.side, self.channels = random, side, channels

    def conv(self, filters: int | None = None, *, shrinks: bool = False, **more: object) -> Layer:
        """A convolution; it keeps the places unless it ``shrinks``."""
        random = self.random
        filters = random.choice(FILTERS) if filters is None else filters
        kernel = random.choice([1, 3, 3, 3, 5])
        layer: Layer = {"type": "conv2d", "filters": filters, "kernel_size": kernel}
        if shrinks:
            layer |= {"stride": 2, "padding": kernel // 2}
            self.side = (self.side + 2 * (kernel // 2) - kernel) // 2 + 1
        else:
            layer["padding"] = "same"
            if kernel == 3 and random.random() < 0.15:
                layer["dilation"] = 2
        if self.channels % 4 == filters % 4 == 0 and random.random() < 0.2:
            layer["groups"] = random.choice([2, 4])
        self.channels = filters
        return layer | more

    def after(self) -> list[Layer]:
        """What stands behind a convolution: normalization as often as not, an activation."""
        normalized: list[Layer] = [{"type": "batch_norm"}] if self.random.random() < 0.5 else []
        return [*normalized, {"type": self.random.choice(ACTIVATIONS)}]

    def can_shrink(self) -> bool:
        return self.side >= SMALLEST


def _plain(now: Drawing, name: str) -> Iterator[Layer]:
    yield now.conv(shrinks=now.can_shrink() and now.random.random() < 0.3)
    yield from now.after()


def _pool(now: Drawing, name: str) -> Iterator[Layer]:
    yield from _plain(now, name)
    if now.can_shrink():
        size = now.random.choice([2, 3])
        padding = now.random.choice([0, 1])
        kind = now.random.choice(["max", "max", "avg"])
        yield {"type": f"{kind}_pool2d", "pool_size": size, "stride": 2, "padding": padding}
        now.side = (now.side + 2 * padding - size) // 2 + 1


def _residual(now: Drawing, name: str) -> Iterator[Layer]:
    yield now.conv(name=name)
    yield from now.after()
    yield now.conv(now.channels)
    yield {"type": "batch_norm", "name": f"{name}_body"}
    yield {"type": "add", "from": [name, f"{name}_body"]}
    yield {"type": "relu"}


def _branches(now: Drawing, name: str) -> Iterator[Layer]:
    yield from _plain(now, name)
    before, width = now.channels, 0
    yield {"type": "linear", "name": name}
    for side in "ab":
        now.channels = before
        yield now.conv(**{"name": f"{name}_{side}", "from": name, "activation": "relu"})
        width += now.channels
    now.channels = width
    yield {"type": "concat", "from": [f"{name}_a", f"{name}_b"]}


def _channelwise(now: Drawing, name: str) -> Iterator[Layer]:
    yield {"type": "depthwise_conv2d", "kernel_size": 3, "padding": "same", "bias": False}
    yield from now.after()
    yield now.conv(shrinks=False)


def conv(random: Random) -> str:
    """A middling network of convolutions: plain, pooled, residual, branched, depthwise."""
    side, channels = random.randint(14, 32), random.choice([1, 3])
    batch, classes = random.choice([16, 32, 50]), random.randint(2, 6)
    source: Layer = {
        "generate": "shapes", "height": side, "width": side, "channels": channels,
        "classes": classes, "samples": 12 * batch, "noise": 0.2, "seed": random.randint(0, 999),
    }  # fmt: skip
    now = Drawing(random, side, channels)
    layers = list(_plain(now, "stem"))
    parts: list[Callable[[Drawing, str], Iterator[Layer]]] = [
        _plain, _pool, _pool, _residual, _branches, _channelwise,
    ]  # fmt: skip
    for k in range(random.randint(2, 4)):
        layers += random.choice(parts)(now, f"part{k}")
    if random.random() < 0.2:
        layers.append({"type": "dropout", "rate": round(random.uniform(0.1, 0.5), 2)})
    ends = ["global_avg_pool", "flatten"] if now.side < 2 * SMALLEST else ["global_avg_pool"]
    layers.append({"type": random.choice(ends)})
    layers.append({"type": "dense", "units": classes})
    # Adam moves by the sign of gradients, on which sides that round differently may not agree
    optimizer: Layer = {"type": "sgd", "learning_rate": 0.001, "momentum": 0.9}
    return spec_text(
        source, layers, optimizer, {"batch_size": batch, "seed": random.randint(0, 999)}
    )
