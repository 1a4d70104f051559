"""Layers with several inputs: sum, mean, product, concatenation along an axis."""

from math import prod

from nnctl.engine.kernel import elementwise, rows
from nnctl.ops.registry import Call, Site, register


@elementwise()
def add_two(x0, x1):
    return x0 + x1


@elementwise()
def add_next(x, y):
    return y + x


@elementwise("dx")
def add_backward(dy):
    return dy


def _add_forward(site: Site) -> list[Call]:
    later = [Call(add_next, {"x": f"x{i}"}) for i in range(2, len(site.inputs))]
    return [Call(add_two), *later]


def _add_backward(site: Site) -> list[Call]:
    wanted = [i for i, needed in enumerate(site.needs_dx) if needed]
    copied = wanted[1:] if site.takes_over else wanted
    return [Call(add_backward, {"dx": f"dx{i}"}) for i in copied]


@elementwise()
def scale(y, share):
    return y * share


@elementwise("dx")
def average_backward(dy, share):
    return dy * share


def _average_forward(site: Site) -> list[Call]:
    return [*_add_forward(site), Call(scale, {"share": 1.0 / len(site.inputs)})]


def _average_backward(site: Site) -> list[Call]:
    wanted = [i for i, needed in enumerate(site.needs_dx) if needed]
    share = 1.0 / len(site.inputs)
    return [Call(average_backward, {"dx": f"dx{i}", "share": share}) for i in wanted]


@elementwise()
def multiply_two(x0, x1):
    return x0 * x1


@elementwise()
def multiply_next(x, y):
    return y * x


@elementwise("dx")
def multiply_gradient(dy, x):
    return dy * x


@elementwise("dx")
def multiply_more(dx, x):
    return dx * x


def _multiply_forward(site: Site) -> list[Call]:
    later = [Call(multiply_next, {"x": f"x{i}"}) for i in range(2, len(site.inputs))]
    return [Call(multiply_two), *later]


def _multiply_backward(site: Site) -> list[Call]:
    """dx_i = dy times all other inputs; never y / x_i, which fails at 0."""
    calls = []
    for i in (i for i, needed in enumerate(site.needs_dx) if needed):
        others = [j for j in range(len(site.inputs)) if j != i]
        kernels = [multiply_gradient] + [multiply_more] * (len(others) - 1)
        calls += [
            Call(k, {"dx": f"dx{i}", "x": f"x{j}"}) for k, j in zip(kernels, others, strict=True)
        ]
    return calls


@rows()
def concat_forward(x, y, x_inner, y_inner, offset, x_width):
    """Copy a piece of x_inner values into each run of y_inner values, at ``offset``."""
    for i in range(x.shape[0]):
        for piece in range(x_width // x_inner):
            for j in range(x_inner):
                y[i, piece * y_inner + offset + j] = x[i, piece * x_inner + j]


@rows("dx")
def concat_backward(dy, dx, x_inner, y_inner, offset, dx_width):
    for i in range(dy.shape[0]):
        for piece in range(dx_width // x_inner):
            for j in range(x_inner):
                dx[i, piece * x_inner + j] = dy[i, piece * y_inner + offset + j]


def _pieces(site: Site) -> list[dict[str, int]]:
    """Where each input lies within a run of the output: the joined axis and all behind it."""
    axis = int(site.fields["axis"])
    widths = [prod(shape[axis:]) for shape in site.shapes]
    return [
        {"x_inner": w, "y_inner": sum(widths), "offset": sum(widths[:i])}
        for i, w in enumerate(widths)
    ]


def _concat_forward(site: Site) -> list[Call]:
    return [Call(concat_forward, {"x": f"x{i}", **p}) for i, p in enumerate(_pieces(site))]


def _concat_backward(site: Site) -> list[Call]:
    wanted = [(i, p) for i, p in enumerate(_pieces(site)) if site.needs_dx[i]]
    return [Call(concat_backward, {"dx": f"dx{i}", **p}) for i, p in wanted]


register("add", _add_forward, _add_backward, takes_over=True)
register("average", _average_forward, _average_backward)
register("multiply", _multiply_forward, _multiply_backward)
register("concat", _concat_forward, _concat_backward)
