"""A vector at every step of a sequence:  y_t = x0,  for as many steps as x1 has.

Steps beyond a sequence's end are zeros, and what comes back there does not count.
"""

from nnctl.engine.kernel import rows
from nnctl.ops.registry import Call, Site, register


@rows()
def repeat_vector_forward(x0, x0_width, y, steps, lengths1):
    for i in range(y.shape[0]):
        for t in range(steps):
            for j in range(x0_width):
                y[i, t * x0_width + j] = x0[i, j] if t < lengths1[i] else x0[i, j] * 0


@rows("dx0")
def repeat_vector_backward(dy, dx0, dx0_width, lengths1):
    """dx0 = the sum of dy_t over the steps, in order."""
    for i in range(dx0.shape[0]):
        for j in range(dx0_width):
            dx0[i, j] = dy[i, j]
        for t in range(1, lengths1[i]):
            for j in range(dx0_width):
                dx0[i, j] += dy[i, t * dx0_width + j]


@rows("dx1")
def no_slope(dx1, dx1_width, unit):
    """Nothing depends on what the steps hold."""
    for i in range(dx1.shape[0]):
        for j in range(dx1_width):
            dx1[i, j] = unit * 0


def _forward(site: Site) -> list[Call]:
    return [Call(repeat_vector_forward, {"steps": site.shape[0]})]


def _backward(site: Site) -> list[Call]:
    calls = [Call(repeat_vector_backward), Call(no_slope)]
    return [call for call, wanted in zip(calls, site.needs_dx, strict=True) if wanted]


register("repeat_vector", _forward, _backward)
