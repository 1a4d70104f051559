"""Make ``layers.json``: outputs and gradients of layers by PyTorch. Not run by the suite.

``python -m tests.goldens.make_layers > tests/goldens/layers.json``

PyTorch has channels first: a sample (..., C) is (C, ...) there. Weights of a convolution are
(filters, channels / groups, kernel...), of a transposed one (channels, filters / groups,
kernel...). Its momentum of running statistics is 1 - our decay, and their variance is that of
n - 1, while ours is that of n; batches themselves are normalized by that of n on both sides.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.goldens.layers import CASES, LayerCase

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

Params = dict[str, Tensor]
BORDERS = {"zeros": "zeros", "reflect": "reflect", "edge": "replicate"}


def convolved(case: LayerCase, x: Tensor, params: Params) -> Tensor:
    fields, rank = dict(case.fields), len(case.shape) - 1
    channels, filters = x.shape[1], params["w"].shape[-1]
    padding = fields.get("padding", 0)
    if padding == "causal":
        reach = fields["dilation"] * (fields["kernel_size"][0] - 1)
        x, padding = F.pad(x, (reach, 0)), 0
    made = getattr(nn, f"Conv{rank}d")(
        channels,
        filters,
        fields["kernel_size"],
        fields.get("stride", 1),
        padding,
        fields.get("dilation", 1),
        fields.get("groups", channels if "depth_multiplier" in fields else 1),
        "b" in params,
        BORDERS[fields.get("padding_mode", "zeros")],
    )
    return called(made, x, {"weight": turned(params["w"]), "bias": params.get("b")})


def called(module: nn.Module, x: Tensor, values: dict[str, Tensor | None], *more: Any) -> Tensor:
    """Run a module with parameters that are functions of others."""
    given = {name: value for name, value in values.items() if value is not None}
    found: Tensor = torch.func.functional_call(module, given, (x, *more))
    return found


def turned(w: Tensor) -> Tensor:
    """(kernel..., a, b) as (b, a, kernel...)."""
    return w.movedim((-1, -2), (0, 1))


def transposed(case: LayerCase, x: Tensor, params: Params) -> Tensor:
    run = getattr(F, f"conv_transpose{len(case.shape) - 1}d")
    names = ("stride", "padding", "output_padding", "groups", "dilation")
    more = {name: case.fields[name] for name in names if name in case.fields}
    found: Tensor = run(x, turned(params["w"]), params["b"], **more)
    return found


def separable(case: LayerCase, x: Tensor, params: Params) -> Tensor:
    between = convolved(
        LayerCase("", case.shape, {**case.fields, "depth_multiplier": 1}),
        x,
        {"w": params["depthwise_w"]},
    )
    return F.conv2d(between, turned(params["pointwise_w"]), params["b"])


def pooled(case: LayerCase, x: Tensor, params: Params) -> Tensor:
    fields, kind, rank = case.fields, case.tag[:3], len(case.shape) - 1
    padding = 0 if fields["padding"] == "valid" else fields["padding"]
    more = {}
    if kind == "avg":
        more["count_include_pad"] = fields.get("count_padding", False)
    run = getattr(F, f"{'avg' if kind == 'avg' else 'max'}_pool{rank}d")
    sign = -1 if kind == "min" else 1
    found: Tensor = sign * run(sign * x, fields["pool_size"], fields["stride"], padding, **more)
    return found


def enlarged(case: LayerCase, x: Tensor, params: Params) -> Tensor:
    size, mode = case.fields["size"], case.fields["interpolation"]
    factors = [float(s) for s in ([size, size] if isinstance(size, int) else size)]
    if mode == "nearest":
        return F.interpolate(x, scale_factor=factors, mode="nearest")
    return F.interpolate(x, scale_factor=factors, mode="bilinear", align_corners=False)


def batch_norm(case: LayerCase, x: Tensor, params: Params) -> Tensor:
    more = {"training": True, "eps": case.fields["epsilon"]}
    return F.batch_norm(x, None, None, params["gamma"], params["beta"], **more)


def layer_norm(case: LayerCase, x: Tensor, params: Params) -> Tensor:
    back = x.movedim(1, -1)
    gamma, beta = params["gamma"], params["beta"]
    return F.layer_norm(back, gamma.shape, gamma, beta, case.fields["epsilon"]).movedim(-1, 1)


def group_norm(case: LayerCase, x: Tensor, params: Params) -> Tensor:
    fields = case.fields
    return F.group_norm(x, fields["groups"], params["gamma"], params["beta"], fields["epsilon"])


RECURRENT = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def recurrent(case: LayerCase, x: Tensor, params: Params) -> Tensor:
    """Steps are the second axis on both sides; gates lie in one order, torch's weights are turned.
    Where we have one bias it has two, of which the second is zero."""
    fields, inputs, biased = case.fields, x.shape[-1], "b" in params
    more = {"nonlinearity": fields["nonlinearity"]} if case.tag == "rnn" else {}
    made = RECURRENT[case.tag](inputs, fields["units"], bias=biased, batch_first=True, **more)
    values: dict[str, Tensor | None] = {
        "weight_ih_l0": params["w"].t(),
        "weight_hh_l0": params["u"].t(),
        "bias_ih_l0": params.get("b"),
        "bias_hh_l0": params.get("b_h", torch.zeros_like(params["b"]) if biased else None),
    }
    x = x.flip(1) if fields["backward"] else x
    states = [params[n].expand(1, len(x), -1).contiguous() for n in ("h0", "c0") if n in params]
    start = (tuple(states) if len(states) > 1 else states[0],) if states else ()
    if fields.get("layer_norm") or fields.get("reset") == "before":
        y = (stepped(case, x, params),)
    else:
        y = called(made, x, values, *start)
    y = y[0]
    if fields["returns"] == "last":
        return y[:, -1]
    return y.flip(1) if fields["backward"] else y


def normed(a: Tensor, gain: Tensor) -> Tensor:
    return F.layer_norm(a, gain.shape, gain)


def stepped(case: LayerCase, x: Tensor, params: Params) -> Tensor:
    """What torch has no module for, step by step: its own layer normalization and slopes."""
    h = c = torch.zeros(len(x), case.fields["units"])
    states = []
    for now in x.unbind(1):
        h, c = STEPPED[case.tag](now, h, c, params)
        states.append(h)
    return torch.stack(states, 1)


def normed_rnn(x: Tensor, h: Tensor, c: Tensor, p: Params) -> tuple[Tensor, Tensor]:
    return torch.tanh(normed(x @ p["w"] + h @ p["u"], p["gain"]) + p["b"]), c


def normed_lstm(x: Tensor, h: Tensor, c: Tensor, p: Params) -> tuple[Tensor, Tensor]:
    sums = normed(x @ p["w"], p["gain_w"]) + normed(h @ p["u"], p["gain_u"]) + p["b"]
    i, f, g, o = sums.chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * torch.tanh(F.layer_norm(c, c.shape[1:], p["gain_c"], p["shift_c"])), c


def other_gru(x: Tensor, h: Tensor, c: Tensor, p: Params) -> tuple[Tensor, Tensor]:
    """The reset gate before the product, or all products normalized."""
    n, given = h.shape[1], x @ p["w"]
    if "u_m" in p:
        r, z, m = (given + p["b"]).chunk(3, 1)
        of_r, of_z = (h @ p["u"]).chunk(2, 1)
        m = torch.tanh(m + (torch.sigmoid(r + of_r) * h) @ p["u_m"])
    else:
        again, gain_w, gain_u, b_h = h @ p["u"], p["gain_w"], p["gain_u"], p["b_h"]
        gates, gates_h = given[:, : 2 * n], again[:, : 2 * n]
        r, z = (normed(gates, gain_w[: 2 * n]) + p["b"][: 2 * n]).chunk(2, 1)
        of_r, of_z = (normed(gates_h, gain_u[: 2 * n]) + b_h[: 2 * n]).chunk(2, 1)
        m = normed(given[:, 2 * n :], gain_w[2 * n :]) + p["b"][2 * n :]
        of_m = normed(again[:, 2 * n :], gain_u[2 * n :]) + b_h[2 * n :]
        m = torch.tanh(m + torch.sigmoid(r + of_r) * of_m)
    z = torch.sigmoid(z + of_z)
    return z * h + (1 - z) * m, c


STEPPED: dict[str, Any] = {"rnn": normed_rnn, "lstm": normed_lstm, "gru": other_gru}
WHOLE: dict[str, Any] = {
    "adaptive_avg_pool": lambda c, x, p: F.adaptive_avg_pool2d(x, c.fields["output_size"]),
    "global_avg_pool": lambda c, x, p: x.mean((2, 3)),
    "global_max_pool": lambda c, x, p: x.amax((2, 3)),
    "up_sampling2d": enlarged,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
}


def function(tag: str) -> Any:
    if tag in WHOLE:
        return WHOLE[tag]
    if tag.startswith("separable"):
        return separable
    if "pool" in tag:
        return pooled
    return transposed if tag.endswith("transpose") else convolved


def golden(case: LayerCase) -> dict[str, Any]:
    """Return the output and all gradients, channels last, as flat lists; and the shape of y."""
    values, shapes = case.given()
    x = torch.tensor(values, requires_grad=True)
    params = {n: torch.tensor(v, requires_grad=True) for n, v in shapes.items()}
    if case.tag in RECURRENT:
        y = recurrent(case, x, params)
    else:
        y = function(case.tag)(case, x.movedim(-1, 1), params).movedim(1, -1)
    y.backward(torch.from_numpy(case.upstream(tuple(y.shape))))
    arrays = {"y": y.detach(), "dx0": x.grad, **{f"d{n}": p.grad for n, p in params.items()}}
    found: dict[str, Any] = {"shape": list(y.shape[1:])}
    return found | {n: rounded(a.numpy()) for n, a in arrays.items() if a is not None}


def rounded(array: np.ndarray) -> list[float]:
    return [float(f"{v:.7g}") for v in array.reshape(-1).tolist()]


def running() -> dict[str, list[float]]:
    """Return running statistics after a batch of every batch_norm, from 0 and 1."""
    found = {}
    for case in CASES:
        if case.tag == "batch_norm":
            x = torch.tensor(case.given()[0]).movedim(-1, 1)
            mean, var = torch.zeros(x.shape[1]), torch.ones(x.shape[1])
            F.batch_norm(x, mean, var, None, None, True, 1 - case.fields["running_decay"])
            found[case.id] = [rounded(mean.numpy()), rounded(var.numpy())]
    return found


def main() -> None:
    """Write the goldens to stdout, a case on a line."""
    print('{"made_by": ' + json.dumps({"torch": torch.__version__}) + ",")
    print('"running": ' + json.dumps(running(), separators=(",", ":")) + ",")
    lines = (
        json.dumps(case.id) + ": " + json.dumps(golden(case), separators=(",", ":"))
        for case in CASES
    )
    print('"layers": {\n' + ",\n".join(lines) + "\n}}")


if __name__ == "__main__":
    main()
    sys.exit(0)
