"""Behind the end of a sequence (N, T, C): zeros (mask), or its last step again (hold).

Backward: dx is dy up to the end and 0 behind it; what comes back to copies of the last step is
added to that, in order.
"""

from __future__ import annotations

from nnctl.engine.kernel import Kernel, rows
from nnctl.ops.registry import Call, Lowering, Site, register


@rows()
def mask_forward(x, x_width, y, steps, lengths, unit):
    for i in range(y.shape[0]):
        end = lengths[i] * (x_width // steps)
        for j in range(end):
            y[i, j] = x[i, j]
        for j in range(end, x_width):
            y[i, j] = unit * 0


@rows("dx")
def mask_backward(dy, dx, dx_width, steps, lengths, unit):
    for i in range(dx.shape[0]):
        end = lengths[i] * (dx_width // steps)
        for j in range(end):
            dx[i, j] = dy[i, j]
        for j in range(end, dx_width):
            dx[i, j] = unit * 0


@rows()
def hold_forward(x, x_width, y, steps, lengths):
    for i in range(y.shape[0]):
        width = x_width // steps
        end = lengths[i] * width
        for j in range(end):
            y[i, j] = x[i, j]
        for j in range(end, x_width):
            y[i, j] = x[i, end - width + (j - end) % width]


@rows("dx")
def hold_backward(dy, dx, dx_width, steps, lengths, unit):
    for i in range(dx.shape[0]):
        width = dx_width // steps
        end = lengths[i] * width
        for j in range(end):
            dx[i, j] = dy[i, j]
        for j in range(end, dx_width):
            dx[i, end - width + (j - end) % width] += dy[i, j]
            dx[i, j] = unit * 0


def _bound(kernel: Kernel) -> Lowering:
    def lower(site: Site) -> list[Call]:
        return [Call(kernel, {"steps": site.shape[0]})]

    return lower


register("mask", _bound(mask_forward), _bound(mask_backward))
register("hold", _bound(hold_forward), _bound(hold_backward))
