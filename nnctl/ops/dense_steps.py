"""Dense layers, on flat samples (``dense.py``) or on every step of a sequence alike.

On x (T, F) -> y (T, units) it is the convolution over steps whose window is one place, and runs as
that: ``w`` lies in panels in both. With another layer's w turned round it is the way back of that
convolution.
"""

from __future__ import annotations

from nnctl.ops import dense
from nnctl.ops.conv import Place
from nnctl.ops.conv_ways import abreast, bias_gradient
from nnctl.ops.geometry import ZEROS
from nnctl.ops.registry import Call, Site, register
from nnctl.windows import Axis


def _place(site: Site) -> Place:
    (steps, inputs), outputs = site.shapes[0], site.shape[-1]
    channels, filters = (outputs, inputs) if site.transposed else (inputs, outputs)
    return Place(site, [Axis(steps, steps)], channels, filters, 1, ZEROS)


def _forward(site: Site) -> list[Call]:
    """y_t = x_t @ w + b."""
    if len(site.shapes[0]) == 1:
        return dense.forward(site)
    place, bias = _place(site), "b" if "b" in site.parameters else "zeros"
    return place.back("x", "y", bias) if site.transposed else place.forward("x", "y", bias)


def _backward(site: Site) -> list[Call]:
    """dx_t = dy_t @ w.T, and dw and db summed over samples and steps."""
    if len(site.shapes[0]) == 1:
        return dense.backward(site)
    place, turned = _place(site), site.transposed
    back: list[Call] = []
    if site.needs_dx[0]:
        back = place.forward("dy", "dx", "zeros") if turned else place.back("dy", "dx")
    weights = place.weights("dy", "x") if turned else place.weights("x", "dy")
    return abreast(back, weights, bias_gradient(site, "dy", *site.shape))


register("dense", _forward, _backward, layouts={"w": "panels"})
