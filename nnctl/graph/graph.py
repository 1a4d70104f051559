"""What a network is: nodes in topological order, the parameters they use, and its losses.

Shapes are those of one sample, without a batch axis, channels last. Everything is frozen: a pass
returns a new graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

from nnctl.spec.shapes import Passage, Reach, Shape, Steps, Through

INPUT = "input"  # op of the nodes that data enter by
SPLIT = "split"  # op of an explicit fan-out, where gradients are summed


@dataclass(frozen=True)
class Parameter:
    """A trained array, stored once however many nodes use it. ``name`` is ``LAYER.w``."""

    name: str
    shape: Shape
    init: Any  # an initializer model
    fan_in: int
    fan_out: int
    node: str  # the node that owns it
    kind: str = "weight"  # or "bias", "norm"
    l1: float = 0.0
    l2: float = 0.0

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class ParamUse:
    """That a node reads a parameter, its own or a tied one; ``transposed`` swaps the two axes."""

    parameter: str
    transposed: bool = False


@dataclass(frozen=True)
class State:
    """An array that its node keeps from step to step, untrained. ``name`` is ``LAYER.SHORT``.

    ``of_samples``: there is one of this shape for each sample of a batch, from which the next batch
    goes on. ``pieces``: the names under which files hold equal parts of the last axis.
    """

    name: str
    shape: Shape
    initial: float
    node: str
    of_samples: bool = False
    pieces: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class LengthsOf:
    """Lengths of sequences: those of a data input, as the layers behind it change them."""

    input: str
    through: tuple[Through, ...] = ()

    def after(self, one: Through) -> LengthsOf:
        """The lengths behind one more layer."""
        return self if one == Through() else LengthsOf(self.input, (*self.through, one))

    def of(self, length: Any) -> Any:
        """Steps where the input has ``length``, a number or an array of them."""
        for one in self.through:
            length = one.of(length)
        return length

    def least(self, wanted: int = 1) -> int:
        """The fewest steps of the input of which so many are left."""
        for one in reversed(self.through):
            wanted = one.least(wanted)
        return wanted


@dataclass(frozen=True)
class Node:
    """One operation. ``fields`` are the op's hyperparameters, ``shape`` is that of its output."""

    name: str
    op: str
    inputs: tuple[str, ...]
    shape: Shape
    fields: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, ParamUse] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)  # by short name: names of its states
    least_batch: int = 1  # the fewest samples of a training batch that it can learn from
    layer: str = ""  # of the spec; the nodes of a layer and of its activation share it
    path: tuple[str | int, ...] = ()  # of that layer in the spec
    fused_with: str | None = None  # the node whose epilogue computes this one
    elementwise: bool = False  # y[i] is a function of x[i] alone
    linear: bool = False  # for fixed parameters, y is a linear function of the inputs
    shows: str = ""  # activation inside the layer that its outputs have passed
    epilogue: bool = False  # can take an elementwise node into itself
    keeps_largest: bool = False  # the largest of its outputs is its output of the largest input
    takes_largest: bool = False  # its outputs are the largest of some of its inputs
    tokens: int | None = None  # what it reads are whole numbers below this, not amounts
    looks_up: bool = False  # each step of its output is a row of its w
    takes_table: bool = False  # multiplies each step by its w
    relu_family: bool = False  # decides how the layer before starts
    gradient: bool = True  # False: the derivative is zero almost everywhere (sign, step)
    stepwise: bool = False  # padding behind a sequence's end reaches nothing that counts
    own_lengths: bool = False  # its output's are those of its first input, whatever the others'
    passage: Passage | None = None  # how sequences of several lengths pass it otherwise
    lengths: LengthsOf | None = None  # of its output, where samples have lengths of their own
    flops: int = 0  # forward, for one sample
    reach: tuple[Reach, ...] | None = ()  # of its input's axes; (): its own place, None: everywhere
    reaches: tuple[tuple[Reach, ...] | None, ...] = ()  # the same of each input, where they differ
    steps: Steps | None = None  # of a recurrent layer

    @property
    def size(self) -> int:
        """Numbers in the output of one sample."""
        return prod(self.shape)

    @property
    def where(self) -> tuple[str | int, ...]:
        """Where the spec says it: the layer, or the layer's ``activation``."""
        inside = self.name.removeprefix(self.layer)
        return (*self.path, "activation") if inside == ".activation" else self.path


@dataclass(frozen=True)
class LossNode:
    """A loss on the output of node ``output`` against the target ``target``."""

    output: str
    target: str
    type: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0


@dataclass(frozen=True)
class Fed:
    """An input that is no data: the outputs of the steps before of the layer ``output``.

    Where there are targets it is ``target``, a step later, of ``width`` classes or numbers. Classes
    are tokens, ``tokens`` of them, with ``start`` before the first; ``stop`` ends a sequence, if
    there is such a class.
    """

    target: str
    output: str
    shape: Shape
    width: int
    tokens: int | None = None
    start: int | None = None
    stop: int | None = None
    own_share: float = 0.0  # in training: how often it is what the layer said itself, in the end
    own_after: int = 1  # training steps until then
    ends: str | None = None  # of numbers: the layer that learns where a sequence ends
    closed: bool = False  # in training alone: else the layer feeds itself

    @property
    def steps(self) -> int:
        """Steps of the longest sequence."""
        return self.shape[0]

    @property
    def ends_target(self) -> str:
        """What ``ends`` is compared with: 1 at the last step of a sequence, 0 before."""
        return f"{self.target}.ends"


@dataclass(frozen=True)
class Graph:
    """A network. ``inputs`` maps names of inputs ("" for the only one) to shapes; those that are
    ``fed`` are not of the data."""

    nodes: tuple[Node, ...]
    parameters: Mapping[str, Parameter]
    inputs: Mapping[str, Shape]
    outputs: tuple[str, ...]
    losses: tuple[LossNode, ...]
    states: Mapping[str, State] = field(default_factory=dict)
    lengths: tuple[str, ...] = ()  # inputs whose samples have lengths of their own
    fed: Mapping[str, Fed] = field(default_factory=dict)

    @property
    def spoken(self) -> dict[str, Fed]:
        """What must be fed step by step where there are no targets."""
        return {name: one for name, one in self.fed.items() if not one.closed}

    def node(self, name: str) -> Node:
        """Return a node by name; KeyError if there is none."""
        return self.by_name()[name]

    def by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    def readers(self) -> dict[str, list[str]]:
        """Return, for each node, the names of the nodes that read it, once per reading."""
        found: dict[str, list[str]] = {node.name: [] for node in self.nodes}
        for reader, read in self.edges():
            found.setdefault(read, []).append(reader)
        return found

    def edges(self) -> Iterator[tuple[str, str]]:
        """Yield (reader, read) for every input of every node."""
        for node in self.nodes:
            for name in node.inputs:
                yield node.name, name

    def ancestors(self, names: Iterable[str]) -> set[str]:
        """Return some nodes, and all that they depend on."""
        found = set(names)
        for node in reversed(self.nodes):
            if node.name in found:
                found.update(node.inputs)
        return found

    def tokens(self) -> dict[str, int]:
        """Return, for each data input that is read as tokens, how many tokens its readers know."""
        names = {input_node_name(name): name for name in self.inputs if name not in self.fed}
        found: dict[str, int] = {}
        for node in self.nodes:
            for read in node.inputs if node.tokens is not None else ():
                if read in names and node.tokens is not None:
                    known = found.get(names[read], node.tokens)
                    found[names[read]] = min(known, node.tokens)
        return found

    def least_lengths(self) -> dict[str, tuple[int, Node]]:
        """Return, for each input with lengths, the fewest steps of which every layer has one left,
        and the first layer that needs so many."""
        found: dict[str, tuple[int, Node]] = {}
        for node in self.nodes:
            if node.lengths is not None:
                known = found.get(node.lengths.input, (0, node))
                least = node.lengths.least()
                found[node.lengths.input] = (least, node) if least > known[0] else known
        return found

    @property
    def carried(self) -> tuple[str, ...]:
        """The states that go on from batch to batch, a row for each sample."""
        return tuple(name for name, state in self.states.items() if state.of_samples)

    @property
    def parameter_count(self) -> int:
        """Trained numbers; tied ones count once."""
        return sum(parameter.size for parameter in self.parameters.values())


def input_node_name(name: str) -> str:
    """Return the node's name for a data input: ``input``, or ``input.NAME`` among several."""
    return f"{INPUT}.{name}" if name else INPUT


def small_batch(node: Node, count: int) -> tuple[str, str]:
    """Say that a node cannot learn from a training batch of so few samples, and what to do."""
    many = f"{count} sample" + ("" if count == 1 else "s")
    return (
        f'{node.op} in "{node.layer}" cannot learn from a batch of {many}: every number would be '
        "its own mean, and what it gives always the same",
        f"use batches of {node.least_batch} samples or more, or layer_norm in its place",
    )
