"""Cases at random: a layer, its setting, and the gradients that it must have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from tests.properties import settings
from tests.properties.settings import BATCHES, Chance, Fields, channels, is_small
from tests.reference import conv_back, pool
from tests.reference.conv import conv, each
from tests.vectors import conv as convolutions
from tests.vectors import conv_transpose as transposes
from tests.vectors import depthwise as channelwise
from tests.vectors.case import Array, OpCase

Arrays = Mapping[str, Array]
Back = Callable[[Array, Arrays, Array], dict[str, Array]]
Drawn = tuple[OpCase, Back, int]


@dataclass(frozen=True)
class RandomCase:
    """``back(x, params, dy)`` gives dx0 and the gradients of the parameters by name.

    ``terms``: numbers of the longest sum. ``spare``: room in the batch for more samples than there
    are. ``ties``: inputs are whole numbers, many of them equal.
    """

    number: str
    op: OpCase
    back: Back
    terms: int
    spare: int
    ties: bool

    def data(self, seed: int) -> tuple[Array, dict[str, Array], Array]:
        """Input, parameters and upstream gradient, which float32 holds exactly."""
        stream = np.random.Generator(np.random.Philox(key=[seed, 2**32]))

        def normal(*shape: int) -> Array:
            return stream.normal(size=shape).astype(np.float32).astype(np.float64)

        x = normal(self.op.batch, *self.op.shapes[0])
        x = np.round(x) if self.ties else x
        params = {name: normal(*shape) for name, shape in self.op.params.items()}
        return x, params, normal(self.op.batch, *self.op.shape)


def _sums(dy: Array) -> Array:
    return np.asarray(dy.sum(axis=tuple(range(dy.ndim - 1))))


def _conv(chance: Chance, rank: int) -> Drawn:
    fields, places = settings.windows(chance, rank)
    groups = settings.groups(chance)
    least = 15 if chance.holds(0.4) else 1  # both many: windows of three by tiles
    wide, filters = channels(chance, groups, least), channels(chance, groups, least)
    given = {**fields, "groups": groups} if groups > 1 else fields
    case = convolutions.case(
        (*places, wide), filters, chance.of(BATCHES), chance.holds(0.7), **given
    )

    def back(x: Array, params: Arrays, dy: Array) -> dict[str, Array]:
        dx, dw = conv_back.conv_back(x, params["w"], dy, given)
        return {"dx0": dx, "dw": dw, "db": _sums(dy)}

    return case, back, wide // groups


def _transposed(chance: Chance, rank: int) -> Drawn:
    fields, places = settings.transposed(chance, rank)
    groups = settings.groups(chance)
    wide, filters = channels(chance, groups), channels(chance, groups)
    given = {**fields, "groups": groups} if groups > 1 else fields
    case = transposes.case((*places, wide), filters, chance.of(BATCHES), chance.holds(0.7), **given)

    def back(x: Array, params: Arrays, dy: Array) -> dict[str, Array]:
        dx, dw = conv_back.transposed_back(x, params["w"], dy, given)
        return {"dx0": dx, "dw": dw, "db": _sums(dy)}

    return case, back, wide // groups


def _depthwise(chance: Chance, rank: int) -> Drawn:
    fields, places = settings.windows(chance, rank)
    wide, times = channels(chance), chance.of([1, 1, 2, 3])
    given: Fields = {**fields, "depth_multiplier": times} if times > 1 else fields
    case = channelwise.depthwise((*places, wide), chance.of(BATCHES), chance.holds(0.7), **given)

    def back(x: Array, params: Arrays, dy: Array) -> dict[str, Array]:
        dx, dw = conv_back.conv_back(x, params["w"], dy, {**given, "groups": wide})
        return {"dx0": dx, "dw": dw, "db": _sums(dy)}

    return case, back, 1


def _separable(chance: Chance, rank: int) -> Drawn:
    fields, places = settings.windows(chance, rank)
    wide, times = channels(chance), chance.of([1, 1, 2, 3])
    given: Fields = {**fields, "depth_multiplier": times} if times > 1 else fields
    case = channelwise.separable(
        (*places, wide), channels(chance), chance.of(BATCHES), chance.holds(0.7), **given
    )

    def back(x: Array, params: Arrays, dy: Array) -> dict[str, Array]:
        grouped = {**given, "groups": wide}
        between = conv(x, params["depthwise_w"], None, grouped)
        second = params["pointwise_w"].reshape(between.shape[-1], -1)
        rows, sent = between.reshape(-1, between.shape[-1]), dy.reshape(-1, dy.shape[-1])
        dx, dw = conv_back.conv_back(x, params["depthwise_w"], dy @ second.T, grouped)
        turned = (rows.T @ sent).reshape(params["pointwise_w"].shape)
        return {"dx0": dx, "ddepthwise_w": dw, "dpointwise_w": turned, "db": _sums(dy)}

    return case, back, wide * times


def _pool(chance: Chance, rank: int) -> Drawn:
    kind, (fields, places) = chance.of(["max", "min", "avg"]), settings.pooled(chance, rank)
    if kind == "avg":
        read = settings.pads(fields["padding"], each(fields["pool_size"], rank))
        fields["count_padding"] = chance.holds(0.5) and read

    def forward(x: list[Array], params: Arrays, context: object) -> Array:
        return np.asarray(pool.pool(x[0], kind, **fields))

    def back(x: Array, params: Arrays, dy: Array) -> dict[str, Array]:
        return {"dx0": conv_back.pool_back(x, dy, kind, **fields)}

    return _shaped(chance, f"{kind}_pool{rank}d", forward, fields, places), back, 1


def _whole(chance: Chance, rank: int) -> Drawn:
    kind, (_, places) = chance.of(["max", "min", "avg"]), settings.pooled(chance, rank)

    def forward(x: list[Array], params: Arrays, context: object) -> Array:
        return np.asarray(pool.whole(x[0], kind))

    def back(x: Array, params: Arrays, dy: Array) -> dict[str, Array]:
        one = dy.reshape(len(dy), *[1] * rank, -1)
        return {"dx0": conv_back.pool_back(x, one, kind, list(places))}

    return _shaped(chance, f"global_{kind}_pool", forward, {}, places), back, prod(places)


def _adaptive(chance: Chance, rank: int) -> Drawn:
    _, places = settings.pooled(chance, rank)
    outs = chance.each(rank, 1, max(places))

    def forward(x: list[Array], params: Arrays, context: object) -> Array:
        return np.asarray(pool.adaptive(x[0], outs))

    def back(x: Array, params: Arrays, dy: Array) -> dict[str, Array]:
        return {"dx0": conv_back.adaptive_back(x, dy)}

    fields = {"output_size": chance.said(outs)}
    return _shaped(chance, "adaptive_avg_pool", forward, fields, places), back, prod(places)


def _shaped(
    chance: Chance, tag: str, forward: Callable[..., Array], fields: Fields, places: tuple[int, ...]
) -> OpCase:
    shape = (*places, channels(chance))
    out = forward([np.zeros((1, *shape))], {}, None).shape[1:]
    return OpCase(tag, (shape,), out, forward, fields, batch=chance.of(BATCHES))


KINDS: dict[str, tuple[Callable[[Chance, int], Drawn], int]] = {
    "conv": (_conv, 3),
    "conv_transpose": (_transposed, 3),
    "depthwise_conv": (_depthwise, 3),
    "separable_conv": (_separable, 2),
    "pool": (_pool, 3),
    "whole": (_whole, 3),
    "adaptive": (_adaptive, 3),
}
ORDER = (
    "conv", "conv_transpose", "conv", "depthwise_conv", "pool", "conv", "separable_conv",
    "conv_transpose", "conv", "pool", "whole", "adaptive",
)  # fmt: skip


def draw(seed: int, number: int) -> RandomCase:
    """Case ``number`` of a seed: kinds in turn, everything else at random."""
    chance = Chance(seed, number)
    make, ranks = KINDS[ORDER[number % len(ORDER)]]
    while True:
        op, back, inner = make(chance, chance.of([1, 2, 2, 3][: ranks + 1]))
        rank = len(op.shapes[0]) - 1
        window = prod(each(op.fields.get("kernel_size", op.fields.get("pool_size", 1)), rank))
        places = max(prod(op.shape[:-1]), prod(op.shapes[0][:-1]))
        if is_small((places,), window, inner, op.shape[-1], op.batch):
            break
    terms = max(window * max(inner, op.shape[-1]), op.batch * places)
    spare = chance.of([0, 0, 0, 1, 3, op.batch])
    ties = "max" in op.tag or "min" in op.tag
    return RandomCase(f"{seed}:{number}", op, back, terms, spare, ties and chance.holds(0.5))
