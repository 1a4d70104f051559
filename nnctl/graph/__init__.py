"""The network as data: build it from a spec, check it, differentiate it, describe it.

Pure Python, without numpy: ``nnctl check`` and ``nnctl show`` need no more than this.
"""

from nnctl.graph.autodiff import BackwardStep, backward_order
from nnctl.graph.build import build
from nnctl.graph.graph import Graph, LossNode, Node, Parameter, ParamUse
from nnctl.graph.passes import fuse, insert_splits
from nnctl.graph.verify import verify

__all__ = [
    "BackwardStep",
    "Graph",
    "LossNode",
    "Node",
    "ParamUse",
    "Parameter",
    "backward_order",
    "build",
    "fuse",
    "insert_splits",
    "verify",
]
