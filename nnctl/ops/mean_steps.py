"""The mean of a sequence's steps:  y = sum_t x_t / length,  over those that it has, in order."""

from nnctl.engine.kernel import rows
from nnctl.ops.registry import Call, Site, register


@rows()
def mean_steps_forward(x, y, y_width, lengths, unit):
    for i in range(y.shape[0]):
        for j in range(y_width):
            y[i, j] = x[i, j]
        for t in range(1, lengths[i]):
            for j in range(y_width):
                y[i, j] += x[i, t * y_width + j]
        share = type(unit)(1.0 / lengths[i])
        for j in range(y_width):
            y[i, j] *= share


@rows("dx")
def mean_steps_backward(dy, dy_width, dx, steps, lengths, unit):
    for i in range(dx.shape[0]):
        share = type(unit)(1.0 / lengths[i])
        for t in range(steps):
            for j in range(dy_width):
                dx[i, t * dy_width + j] = dy[i, j] * share if t < lengths[i] else dy[i, j] * 0


def _backward(site: Site) -> list[Call]:
    return [Call(mean_steps_backward, {"steps": site.shapes[0][0]})]


register("mean_steps", mean_steps_forward, _backward)
