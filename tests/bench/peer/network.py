"""A graph as a torch module: built from the tables of ``work.describe``, whatever the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.bench.peer.layers import LAYERS, Function, Layers, build
from tests.bench.peer.recurrent import STEPS  # its layers are registered, too

INPUT = "input"
WINDOWED = ("conv", "max_pool", "avg_pool", "global_", "batch_norm")


class Network(nn.Module):
    """Maps the inputs' tensors, in their order, to the outputs', a tuple."""

    def __init__(
        self,
        network: Mapping[str, Any],
        parameters: Mapping[str, np.ndarray],
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        self.names: dict[str, str] = {}  # of parameters: ours -> the module's
        self._values = parameters
        self._inputs = list(network["inputs"].values())
        self._outputs = list(network["outputs"])
        self._nodes = nodes = [node for node in network["nodes"] if node["op"] != INPUT]
        self.has_grids = any(node["op"].startswith(WINDOWED) for node in nodes)
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        self._calls = [(self._built(n), n["inputs"], n["name"]) for n in nodes]
        self._chain = self._as_chain()

    def _built(self, node: Mapping[str, Any], layers: Layers = LAYERS) -> Function:
        if not self.has_grids:  # then a table is no image, and keeps its order
            return build({**node, "grid": False, "flattened": None}, self._weight, layers)
        grid = len(node["shape"]) > 1
        return build({**node, "grid": grid}, self._weight, layers)

    def as_input(self, values: np.ndarray) -> Tensor:
        """Return an array of ours as the network reads it: channels first, in its format."""
        tensor = torch.as_tensor(values)
        return self._laid_out(tensor.movedim(-1, 1)) if self.has_grids else tensor

    def _laid_out(self, tensor: Tensor) -> Tensor:
        is_image = tensor.ndim == 4
        return tensor.contiguous(
            memory_format=self._format if is_image else torch.contiguous_format
        )

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
            self.register_parameter(self.names[name], nn.Parameter(self._laid_out(turned)))
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

    def stepper(self) -> Function:
        """The function of a step of a chain of layers, which keeps states from call to call."""
        functions = [
            self._built(n, STEPS) if n["op"] in STEPS else self._built(n) for n in self._nodes
        ]

        def step(x: Tensor) -> Tensor:
            for function in functions:
                x = function(x)
            return x

        return step

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
