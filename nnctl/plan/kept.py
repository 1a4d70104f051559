"""What an op keeps from its forward pass for its backward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

from nnctl.ops.registry import Saved, Site
from nnctl.plan.buffers import Buffer, Maker


def saved(
    make: Maker,
    owner: str,
    kinds: Mapping[str, Saved],
    shape: Sequence[int],
    site: Site | None = None,
) -> dict[str, Buffer]:
    """Make the buffers; ``shape`` is that of the op's output, ``site`` its place, if it has one."""
    known: dict[Saved, Callable[[str], Buffer]] = {
        "rows": lambda label: make.rows(label, prod(shape)),
        "column": make.column,
        "channels": lambda label: make.vector(label, shape[-1]),
    }
    found = {}
    for name, kind in kinds.items():
        label = f"{owner}.{name}"
        if callable(kind) and site is not None:
            found[name] = make.vector(label, kind(site))
        else:
            found[name] = known[kind](label)
    return found
