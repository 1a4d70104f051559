"""Attention: a weighted mean of values for every query, by how well the query fits their keys.

    y_t = sum_j a_tj v_j,   a_t = softmax over j of s(q_t, k_j)

s is the dot product of the two (Luong et al. 2015) or sum_d w_d tanh(q_td + k_jd) (Bahdanau et al.
2015). Shapes: q (T, D), k (J, D), v (J, E), y (T, E), w (D,). Keys beyond a sequence's end have
no weight, queries beyond it give zeros and take no gradient. A task does whole samples, one after
another; keys are turned round first, so that loops run over them.
"""

from typing import NamedTuple

from nnctl.engine.intrinsics import load_int, size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, tiles
from nnctl.engine.maths import exp, like, tanh
from nnctl.ops.conv_core import clear
from nnctl.ops.conv_kernels import conv_bias_gradient
from nnctl.ops.conv_ways import summed
from nnctl.ops.registry import Call, Record, Site, Temporary, register

DOT, ADDITIVE = 0, 1
SCORES = {"dot": DOT, "additive": ADDITIVE}


class Attended(NamedTuple):
    """Sizes of an attention, in numbers."""

    queries: int
    keys: int
    depth: int  # numbers that a query and a key are compared by
    width: int  # of a value
    score: int


def _room(sizes: Sizes) -> int:
    g = sizes["g"]
    return int((g.depth + 1) * g.keys + g.depth)


def _work(sizes: Sizes) -> int:
    g = sizes["g"]
    times = 12 if g.score == ADDITIVE else 1  # of a tanh, in multiply-adds
    return int(sizes.capacity * g.queries * g.keys * (times * g.depth + g.width))


@inline
def _turn(source, rows, columns, target, unit):
    """target (columns, rows) = the source (rows, columns) turned round."""
    s, t = view(source, rows * columns, unit), view(target, rows * columns, unit)
    for i in range(rows):
        for j in range(columns):
            t[j * rows + i] = s[i * columns + j]


@inline
def _scores(q, turned, w, a, count, g, unit):
    """a_j = how well a query fits key j, for ``count`` keys."""
    for d in range(g.depth):
        k, query = view(turned + size_of(unit) * d * count, count, unit), q[d]
        if g.score == DOT:
            for j in range(count):
                a[j] += query * k[j]
        else:
            weight = w[d]
            for j in range(count):
                a[j] += weight * tanh(query + k[j])


@inline
def _softmax(a, count):
    peak = a[0]
    for j in range(1, count):
        peak = a[j] if a[j] > peak else peak
    for j in range(count):
        a[j] = exp(a[j] - peak)
    total = a[0]
    for j in range(1, count):
        total += a[j]
    for j in range(count):
        a[j] /= total


@tiles("y shares", split=None, rowwise="x0 x1 x2", scratch=_room, work=_work)
def attend_forward(
    x0, x0_ld, x1, x1_ld, x2, x2_ld, w, y, y_ld, shares, lengths, lengths1, g, first_row, last_row,
    scratch, unit,
):  # fmt: skip
    """``shares`` (N, T, J) are the weights a."""
    size, weights = size_of(unit), view(w, g.depth, unit)
    for r in range(first_row, last_row):
        count = load_int(lengths1 + 8 * r)
        _turn(x1 + size * r * x1_ld, count, g.depth, scratch, unit)
        for t in range(g.queries):
            place = shares + size * (r * g.queries + t) * g.keys
            target = y + size * (r * y_ld + t * g.width)
            a, out = view(place, g.keys, unit), view(target, g.width, unit)
            clear(place, g.keys, unit)
            clear(target, g.width, unit)
            if t >= load_int(lengths + 8 * r):
                continue
            query = view(x0 + size * (r * x0_ld + t * g.depth), g.depth, unit)
            _scores(query, scratch, weights, a, count, g, unit)
            _softmax(a, count)
            for j in range(count):
                value, share = view(x2 + size * (r * x2_ld + j * g.width), g.width, unit), a[j]
                for e in range(g.width):
                    out[e] += share * value[e]


@inline
def _slopes(dout, x2_row, a, ds, count, g, unit):
    """ds_j, the gradient of score j of a query, from that of its output."""
    mean = like(0, unit)
    for j in range(count):
        value = view(x2_row + size_of(unit) * j * g.width, g.width, unit)
        total = like(0, unit)
        for e in range(g.width):
            total += dout[e] * value[e]
        ds[j] = total
        mean += a[j] * total
    for j in range(count):
        ds[j] = a[j] * (ds[j] - mean)


@inline
def _back(q, k_row, w, slope, dq, dk_row, dw, g, unit):
    """Add what one query and one key get of the gradient of their score."""
    k, dk, one = view(k_row, g.depth, unit), view(dk_row, g.depth, unit), like(1, unit)
    if g.score == DOT:
        for d in range(g.depth):
            dq[d] += slope * k[d]
            dk[d] += slope * q[d]
    else:
        for d in range(g.depth):
            fit = tanh(q[d] + k[d])
            back = slope * w[d] * (one - fit * fit)
            dq[d] += back
            dk[d] += back
            dw[d] += slope * fit


@tiles("dx0 dx1 dx2 dw_rows", split=None, rowwise="dy x0 x1 x2", scratch=_room, work=_work)
def attend_backward(
    dy, dy_ld, x0, x0_ld, x1, x1_ld, x2, x2_ld, w, shares, lengths, lengths1, g, dx0, dx0_ld, dx1,
    dx1_ld, dx2, dx2_ld, dw_rows, first_row, last_row, scratch, unit,
):  # fmt: skip
    """All gradients of some samples; ``dw_rows`` (N, D) are their parts of dw."""
    size, weights = size_of(unit), view(w, g.depth, unit)
    ds = view(scratch, g.keys, unit)
    for r in range(first_row, last_row):
        count = load_int(lengths1 + 8 * r)
        clear(dx0 + size * r * dx0_ld, g.queries * g.depth, unit)
        clear(dx1 + size * r * dx1_ld, g.keys * g.depth, unit)
        clear(dx2 + size * r * dx2_ld, g.keys * g.width, unit)
        clear(dw_rows + size * r * g.depth, g.depth, unit)
        dw = view(dw_rows + size * r * g.depth, g.depth, unit)
        for t in range(min(g.queries, load_int(lengths + 8 * r))):
            a = view(shares + size * (r * g.queries + t) * g.keys, g.keys, unit)
            dout = view(dy + size * (r * dy_ld + t * g.width), g.width, unit)
            _slopes(dout, x2 + size * r * x2_ld, a, ds, count, g, unit)
            query = view(x0 + size * (r * x0_ld + t * g.depth), g.depth, unit)
            dq = view(dx0 + size * (r * dx0_ld + t * g.depth), g.depth, unit)
            for j in range(count):
                key = x1 + size * (r * x1_ld + j * g.depth)
                dkey = dx1 + size * (r * dx1_ld + j * g.depth)
                _back(query, key, weights, ds[j], dq, dkey, dw, g, unit)
                dvalue, share = view(dx2 + size * (r * dx2_ld + j * g.width), g.width, unit), a[j]
                for e in range(g.width):
                    dvalue[e] += share * dout[e]


def _sizes(site: Site) -> Attended:
    (queries, depth), (keys, _), (_, width) = site.shapes
    return Attended(queries, keys, depth, width, SCORES[str(site.fields["score"])])


def _elements(site: Site) -> int:
    g = _sizes(site)
    return site.capacity * g.queries * g.keys


def _names(site: Site) -> dict[str, str | int | float | Temporary | Record]:
    return {"g": _sizes(site), **({} if "w" in site.parameters else {"w": "zeros"})}


def _forward(site: Site) -> list[Call]:
    return [Call(attend_forward, _names(site))]


def _backward(site: Site) -> list[Call]:
    g, names = _sizes(site), _names(site)
    for i, size in enumerate(site.inputs):
        if not site.needs_dx[i]:
            names |= {f"dx{i}": Temporary(f"dx{i}", site.capacity * size), f"dx{i}_ld": size}
    calls = [Call(attend_backward, names)]
    if "w" in site.parameters:
        rows = {"dy": "dw_rows", "dy_ld": g.depth, "places": 1, "filters": g.depth}
        calls += summed(site, conv_bias_gradient, rows, "w", g.depth)
    return calls


register(
    "attend",
    _forward,
    _backward,
    saved={
        "shares": _elements,
        "dw_rows": lambda site: site.capacity * _sizes(site).depth,
    },
)
