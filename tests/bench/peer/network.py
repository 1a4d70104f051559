"""A graph as a torch module: built from the tables of ``work.describe``, whatever the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.bench.peer.layers import Function, build

INPUT = "input"


class Network(nn.Module):
    """Maps the inputs' tensors, in their order, to the outputs', a tuple."""

    def __init__(self, network: Mapping[str, Any], parameters: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        self.names: dict[str, str] = {}  # of parameters: ours -> the module's
        self._values = parameters
        self._inputs = list(network["inputs"].values())
        self._outputs = list(network["outputs"])
        nodes = [node for node in network["nodes"] if node["op"] != INPUT]
        self._calls = [(build(n, self._weight), n["inputs"], n["name"]) for n in nodes]
        self._chain = self._as_chain()

    def _weight(
        self, node: Mapping[str, Any], short: str, turn: Callable[[Tensor], Tensor] | None = None
    ) -> nn.Parameter | None:
        use = node["params"].get(short)
        if use is None:
            return None
        name = use["parameter"]
        if name not in self.names:
            values = torch.tensor(self._values[name], dtype=torch.float32)
            turned = values if turn is None else turn(values)
            self.names[name] = name.replace(".", "_")
            self.register_parameter(self.names[name], nn.Parameter(turned.contiguous()))
        return self.get_parameter(self.names[name])

    def parameter(self, name: str) -> Tensor:
        """Return a parameter by its full name in our graph."""
        return self.get_parameter(self.names[name])

    def _as_chain(self) -> list[Function] | None:
        """The functions in a row, if every node reads just the one before it: less to look up."""
        before = self._inputs[-1]
        for _, inputs, name in self._calls:
            if list(inputs) != [before]:
                return None
            before = name
        is_chain = len(self._inputs) == 1 and self._outputs == [before]
        return [function for function, _, _ in self._calls] if is_chain else None

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Run all nodes in order."""
        if self._chain is not None:
            (x,) = inputs
            for function in self._chain:
                x = function(x)
            return (x,)
        values = dict(zip(self._inputs, inputs, strict=True))
        for function, sources, name in self._calls:
            values[name] = function(*[values[source] for source in sources])
        return tuple(values[name] for name in self._outputs)
