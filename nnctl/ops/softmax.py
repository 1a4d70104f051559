"""Softmax as a layer of its own: y_j = exp(x_j) / sum_k exp(x_k) over the last axis."""

from nnctl.engine.kernel import rows
from nnctl.engine.maths import exp
from nnctl.ops.registry import Call, Site, register


@rows()
def softmax_forward(x, y, x_width, inner):
    for i in range(x.shape[0]):
        for start in range(0, x_width, inner):
            peak = x[i, start]
            for j in range(start + 1, start + inner):
                peak = x[i, j] if x[i, j] > peak else peak
            for j in range(start, start + inner):
                y[i, j] = exp(x[i, j] - peak)
            total = y[i, start]
            for j in range(start + 1, start + inner):
                total += y[i, j]
            for j in range(start, start + inner):
                y[i, j] /= total


@rows("dx")
def softmax_backward(dy, y, dx, dx_width, inner):
    """dx_j = y_j (dy_j - sum_k dy_k y_k): the full Jacobian's product."""
    for i in range(dy.shape[0]):
        for start in range(0, dx_width, inner):
            dot = dy[i, start] * y[i, start]
            for j in range(start + 1, start + inner):
                dot += dy[i, j] * y[i, j]
            for j in range(start, start + inner):
                dx[i, j] = y[i, j] * (dy[i, j] - dot)


def _forward(site: Site) -> list[Call]:
    return [Call(softmax_forward, {"inner": site.shape[-1]})]


def _backward(site: Site) -> list[Call]:
    return [Call(softmax_backward, {"inner": site.shape[-1]})]


register("softmax", _forward, _backward)
