"""Layers that give the same numbers another shape, and the node that marks fan-out.

A sample's values lie in one row, in the order of its shape, so a new shape is the same memory.
"""

from nnctl.engine.kernel import elementwise
from nnctl.ops.registry import Call, Site, register


@elementwise("dx")
def split_two(dy0, dy1):
    return dy0 + dy1


@elementwise("dx")
def split_next(dy0, dx):
    return dx + dy0


def split_backward(site: Site) -> list[Call]:
    """The gradient of a value that several layers read is the sum of theirs, in their order."""
    count = int(site.fields["consumers"])
    later = [Call(split_next, {"dy0": f"dy{i}"}) for i in range(2, count)]
    return [Call(split_two), *later]


register("flatten", same=True)
register("reshape", same=True)
register("split", backward=split_backward, same=True, takes_over=True)
