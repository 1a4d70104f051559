"""Numbers side by side, of two rows."""

from nnctl.engine.intrinsics import view
from nnctl.engine.jit import inline


@inline
def multiply_into(source, mask, target, count, unit):
    """target = source * mask."""
    s, m, t = view(source, count, unit), view(mask, count, unit), view(target, count, unit)
    for j in range(count):
        t[j] = s[j] * m[j]


@inline
def add(source, target, count, unit):
    """target += source."""
    s, t = view(source, count, unit), view(target, count, unit)
    for j in range(count):
        t[j] += s[j]
