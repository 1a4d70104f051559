"""The layers whose outputs and gradients by PyTorch are kept, and the numbers they are given.

Settings are those that both can be told of; layouts are ours. Where conventions differ, it says so
at the case or in ``make_layers.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LayerCase:
    """A layer with its fields, on a batch of samples; ``params`` are shapes by name.

    ``drawn``: all numbers are random, between -1 and 1, what comes back to the output too.
    """

    tag: str
    shape: Shape
    fields: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Shape] = field(default_factory=dict)
    batch: int = 2
    drawn: bool = False

    @property
    def id(self) -> str:
        return f"{self.tag} {self.shape} {dict(self.fields)}"

    def given(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The input and the parameters."""
        make = drawn if self.drawn else wave
        params = {n: make(s, k) for k, (n, s) in enumerate(self.params.items(), start=1)}
        return make((self.batch, *self.shape), 0), params

    def upstream(self, shape: Shape) -> np.ndarray:
        """What comes back to an output of a shape, batch and all."""
        return (drawn if self.drawn else wave)(shape, 9)


def wave(shape: Shape, number: int) -> np.ndarray:
    """Numbers of a formula, no two of them equal."""
    count = int(np.prod(shape))
    return np.sin(0.7391 * np.arange(count) + 1.3 * number + 0.2).reshape(shape)


def drawn(shape: Shape, number: int) -> np.ndarray:
    """Random numbers between -1 and 1, to four digits."""
    return np.random.default_rng(number).integers(-9999, 10000, shape) / 1e4


def _weights(kernel: Shape, inner: int, outer: int, bias: int) -> dict[str, Shape]:
    return {"w": (*kernel, inner, outer), **({"b": (bias,)} if bias else {})}


def _conv(shape: Shape, filters: int, kernel: Shape, bias: bool = True, **more: Any) -> LayerCase:
    params = _weights(kernel, shape[-1] // more.get("groups", 1), filters, filters * bias)
    return LayerCase(f"conv{len(kernel)}d", shape, {"kernel_size": list(kernel), **more}, params)


def _transposed(shape: Shape, filters: int, kernel: Shape, **more: Any) -> LayerCase:
    params = _weights(kernel, filters // more.get("groups", 1), shape[-1], filters)
    tag = f"conv{len(kernel)}d_transpose"
    return LayerCase(tag, shape, {"kernel_size": list(kernel), **more}, params)


def _channels(shape: Shape, times: int, kernel: Shape, **more: Any) -> LayerCase:
    fields = {"kernel_size": list(kernel), "depth_multiplier": times, **more}
    params = _weights(kernel, 1, shape[-1] * times, shape[-1] * times)
    return LayerCase(f"depthwise_conv{len(kernel)}d", shape, fields, params)


def _separable(shape: Shape, filters: int, kernel: Shape, **more: Any) -> LayerCase:
    one = (1,) * len(kernel)
    params = {"depthwise_w": (*kernel, 1, shape[-1]), "pointwise_w": (*one, shape[-1], filters)}
    fields = {"kernel_size": list(kernel), **more}
    return LayerCase(f"separable_conv{len(kernel)}d", shape, fields, {**params, "b": (filters,)})


def _pool(tag: str, shape: Shape, size: int, stride: int, padding: Any, **more: Any) -> LayerCase:
    fields = {"pool_size": size, "stride": stride, "padding": padding, **more}
    return LayerCase(tag, shape, fields)


def _norm(tag: str, batch: int, shape: Shape, trained: Shape, **more: Any) -> LayerCase:
    fields = {"epsilon": 1e-3, "scale": True, "shift": True, **more}
    return LayerCase(tag, shape, fields, {"gamma": trained, "beta": trained}, batch)


def _recurrent(tag: str, shape: Shape, units: int, bias: bool = True, **more: Any) -> LayerCase:
    columns = {"rnn": 1, "lstm": 4, "gru": 3}[tag] * units
    params = {"w": (shape[1], columns), "u": (units, columns)}
    for name in {"gru": ("b", "b_h")}.get(tag, ("b",)) if bias else ():
        params[name] = (columns,)
    fields = {"units": units, "returns": "sequence", "backward": False, **more}
    return LayerCase(tag, shape, fields, params, 3, drawn=True)


def _with(case: LayerCase, *without: str, **params: Shape) -> LayerCase:
    """The same with other parameters."""
    kept = {name: shape for name, shape in case.params.items() if name not in without}
    return replace(case, params={**kept, **params})


DECAY = 0.8
CASES = [
    _conv((7, 3), 4, (3,), padding=1),
    _conv((8, 2), 3, (3,), padding="causal", dilation=2),
    _conv((5, 6, 3), 4, (3, 3), padding="same"),
    _conv((5, 4, 2), 3, (4, 2), padding="same", bias=False),
    _conv((6, 7, 3), 5, (3, 2), stride=[2, 1], padding=[1, 0]),
    _conv((6, 6, 4), 6, (3, 3), groups=2, dilation=[2, 1]),
    _conv((4, 5, 2), 3, (3, 3), padding=1, padding_mode="reflect"),
    _conv((4, 4, 2), 3, (3, 3), padding=2, padding_mode="edge", stride=2),
    _conv((3, 4, 4, 2), 3, (2, 3, 2), padding=[0, 1, 1], stride=[1, 2, 1]),
    _transposed((4, 3), 2, (3,), stride=2),
    _transposed((3, 3, 2), 3, (3, 3), stride=2, padding=1, output_padding=1),
    _transposed((3, 2, 4), 6, (2, 3), stride=[1, 2], groups=2),
    _transposed((3, 3, 2), 2, (2, 2), dilation=2, padding=1),
    _transposed((2, 2, 3, 2), 2, (2, 1, 2), stride=2),
    _channels((5, 5, 3), 1, (3, 3), padding="same"),
    _channels((5, 4, 2), 3, (3, 2), stride=2, padding=1),
    _separable((5, 5, 3), 4, (3, 3), padding="same"),
    _pool("max_pool1d", (9, 3), 3, 2, 1),
    _pool("max_pool2d", (6, 7, 3), 3, 2, 1),
    _pool("max_pool3d", (4, 4, 5, 2), 2, 2, "valid"),
    _pool("min_pool2d", (5, 5, 2), 2, 1, "valid"),
    _pool("avg_pool2d", (6, 5, 3), 3, 2, 1, count_padding=True),
    _pool("avg_pool2d", (6, 5, 3), 3, 2, 1, count_padding=False),
    _pool("avg_pool1d", (7, 2), 2, 2, "valid"),
    LayerCase("adaptive_avg_pool", (5, 7, 2), {"output_size": [3, 2]}),
    LayerCase("global_avg_pool", (4, 3, 5)),
    LayerCase("global_max_pool", (4, 3, 5)),
    LayerCase("up_sampling2d", (3, 4, 2), {"size": [2, 3], "interpolation": "linear"}),
    LayerCase("up_sampling2d", (3, 2, 2), {"size": 2, "interpolation": "nearest"}),
    _norm("batch_norm", 6, (5,), (5,), running_decay=DECAY),
    _norm("batch_norm", 3, (3, 4, 2), (2,), running_decay=DECAY),
    _norm("layer_norm", 2, (3, 4, 6), (6,), axes="last"),
    _norm("layer_norm", 2, (3, 4, 2), (3, 4, 2), axes="all"),
    _norm("group_norm", 2, (3, 3, 6), (6,), groups=3),
    _recurrent("rnn", (5, 3), 4, nonlinearity="tanh"),
    _recurrent("rnn", (4, 2), 3, nonlinearity="relu", returns="last"),
    _recurrent("rnn", (4, 2), 3, nonlinearity="tanh", backward=True),
    _recurrent("lstm", (5, 3), 4),
    _recurrent("lstm", (6, 2), 3, returns="last"),
    _recurrent("lstm", (4, 3), 2, returns="last", backward=True),
    _recurrent("lstm", (4, 2), 3, bias=False, backward=True),
    _recurrent("gru", (5, 3), 4),
    _recurrent("gru", (6, 2), 3, returns="last"),
    _recurrent("gru", (4, 3), 2, returns="last", backward=True),
    _recurrent("gru", (3, 2), 3, bias=False, backward=True),
    _with(_recurrent("rnn", (4, 3), 2, nonlinearity="tanh", initial_state="learned"), h0=(2,)),
    _with(_recurrent("lstm", (4, 3), 2, initial_state="learned"), h0=(2,), c0=(2,)),
    _with(_recurrent("gru", (4, 2), 3, backward=True, initial_state="learned"), h0=(3,)),
    _with(_recurrent("gru", (4, 3), 4, reset="before"), "b_h", u=(4, 8), u_m=(4, 4)),
    _with(_recurrent("rnn", (4, 3), 5, nonlinearity="tanh", layer_norm=True), gain=(5,)),
    _with(
        _recurrent("lstm", (4, 3), 5, layer_norm=True),
        gain_w=(20,),
        gain_u=(20,),
        gain_c=(5,),
        shift_c=(5,),
    ),
    _with(_recurrent("gru", (4, 3), 5, layer_norm=True), gain_w=(15,), gain_u=(15,)),
]
