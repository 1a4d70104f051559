"""From a graph to a plan."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from nnctl.engine import abreast, amx, control, cpu, tiles, turn
from nnctl.engine import threads as thread_count
from nnctl.graph.graph import INPUT, Graph, Parameter, State
from nnctl.graph.masks import mask_ends
from nnctl.graph.passes import fuse, insert_splits, look_up, sink
from nnctl.ops.dense import padded
from nnctl.ops.registry import find
from nnctl.optim import registry as rules
from nnctl.optim.registry import Rule
from nnctl.plan.buffers import Buffer
from nnctl.plan.layout import KINDS, Vector, Zone
from nnctl.plan.memory import Memory
from nnctl.plan.plan import Plan
from nnctl.plan.resident import Resident, Scaling
from nnctl.plan.tapes import Tapes

Pair = tuple[np.ndarray, np.ndarray]


def compile_plan(
    graph: Graph,
    *,
    batch: int = 32,
    eval_batch: int = 256,
    dtype: str = "float32",
    seed: int = 0,
    threads: int | None = None,
    optimizer: Any = None,
    normalizers: Mapping[str, Pair | None] | None = None,
    target_scalers: Mapping[str, Pair | None] | None = None,
    class_weights: Mapping[str, np.ndarray | None] | None = None,
    gradient_norm: bool = False,
) -> Plan:
    """Return a plan with all parameters zero (``restore`` fills them) and no data yet.

    ``batch`` samples a training step, ``eval_batch`` at once in evaluation. ``optimizer`` is its
    spec model; without one the plan cannot train. ``normalizers`` by input and ``target_scalers``
    by target are (mean, scale): x becomes (x - mean) * scale. ``class_weights`` by output.
    ``gradient_norm``: log the norm of every step's gradient.
    """
    given, (lean, graph) = graph, _passed(graph, batch)
    kind, lanes = np.dtype(dtype), cpu.lanes(dtype)
    rule = None if optimizer is None else rules.find(optimizer.type, optimizer.model_dump())
    zone, kept = _zone(graph, lanes), _kept(graph, lanes, batch)
    make = _Constants(graph, kind, lanes, batch)
    scaled = {**(normalizers or {}), **_of_fed(graph, target_scalers or {})}
    scalings = {
        n: make.scaling(f"input.{n}", s, prod(graph.inputs[n]))
        for n, s in scaled.items()
        if s is not None
    }
    scalers = {
        n: make.scaling(f"target.{n}", s, _target_width(graph, n, np.size(s[0])))
        for n, s in (target_scalers or {}).items()
        if s is not None
    }
    weights = {loss.output: make.weights(loss, class_weights or {}) for loss in graph.losses}
    places = _places(graph)
    memory = _memory(zone, kept, rule, make.values, places, kind)
    words = Buffer("words", "words", "i", 0, 0, 0, 8, True, memory.address + memory.words_at)
    resident = Resident(
        _parts(zone, memory, "p", kind), _parts(zone, memory, "g", kind),
        _parts(kept, memory, "kept", kind), make.passing, make.zeros, words, places, scalings,
        scalers, weights, {}, {}, {},
    )  # fmt: skip
    tapes = Tapes(
        graph, lean, memory, zone, resident, rule, optimizer, batch,
        1 if graph.carried else eval_batch,  # a window goes on from the one before
        kind.name, thread_count.count(threads), gradient_norm,
    )  # fmt: skip
    made = Plan(graph, memory, tapes, zone, kept, rule, optimizer, seed, target_scalers or {})
    made.given, made.scalings = given, scaled
    return made


def _of_fed(graph: Graph, scalers: Mapping[str, Pair | None]) -> dict[str, Pair | None]:
    """What is fed back is scaled as the targets are."""
    return {name: scalers.get(one.target) for name, one in graph.fed.items()}


def _passed(graph: Graph, batch: int) -> tuple[Graph, Graph]:
    """The graph of tapes that keep no array for anyone to look at, and that of the others."""
    graph = mask_ends(graph)
    return insert_splits(fuse(look_up(sink(graph), batch))), insert_splits(fuse(graph))


def _target_width(graph: Graph, target: str, width: int) -> int:
    """Numbers of a target of one sample: those that the losses on it read, over all steps."""
    read = [graph.node(loss.output).size for loss in graph.losses if loss.target == target]
    return max([width, *read])


def _memory(
    zone: Zone,
    kept: Zone,
    rule: Rule | None,
    constants: Mapping[Buffer, np.ndarray],
    places: Mapping[str, int],
    kind: np.dtype,
) -> Memory:
    """Lay out what all tapes share; fill in what never changes."""
    state = ("p", *(rule.slots if rule else ()))
    others = ("g", *(rule.temporary if rule else ()))
    memory = Memory(zone, state, kept, others, list(constants), places, kind)
    with np.errstate(over="ignore"):  # a mean beyond single precision: its double is used
        for buffer, values in constants.items():
            memory.constant(buffer)[: len(values)] = values
    for k in (1, 2):
        memory.set_word(control.PRODUCTS + 8 * (k - 1), tiles.product(kind.name, k).address)
    memory.set_word(control.TURN, turn.turn(kind.name).address)
    memory.set_word(control.ROW, abreast.row_product(kind.name).address)
    if cpu.HAS_TILES and kind == np.float32:
        memory.set_word(control.TILES, amx.product().address)
    return memory


def _zone(graph: Graph, lanes: int) -> Zone:
    nodes = graph.by_name()

    def layout(parameter: Parameter) -> Any:
        short = parameter.name.removeprefix(f"{parameter.node}.")
        node = nodes[parameter.node]
        kind = find(node.op).layouts.get(short, "vector")
        return KINDS[kind].of(tuple(parameter.shape), lanes, node.fields)

    return Zone.of({n: layout(p) for n, p in graph.parameters.items()}, 2 * lanes)


def _kept(graph: Graph, lanes: int, batch: int) -> Zone:
    def shape(one: State) -> tuple[int, ...]:
        return (batch, *one.shape) if one.of_samples else tuple(one.shape)

    layouts = {name: Vector(shape(one), lanes) for name, one in graph.states.items()}
    return Zone.of(layouts, 2 * lanes)


_LABELS = {"p": "{}", "g": "d({})", "kept": "state/{}"}


def _parts(zone: Zone, memory: Memory, name: str, kind: np.dtype) -> dict[str, Buffer]:
    found = {}
    for parameter, layout in zone.layouts.items():
        address = memory.zone_address(name) + zone.starts[parameter] * kind.itemsize
        label = _LABELS[name].format(parameter)
        size = prod(layout.shape)
        found[parameter] = Buffer(
            label, "vector", "f", size, size, layout.elements, kind.itemsize, True, address
        )
    return found


def _places(graph: Graph) -> dict[str, int]:
    names = [f"input.{name}" for name in graph.inputs]
    names += [f"lengths.{name}" for name in graph.lengths]
    names += [f"output.{name}" for name in graph.outputs]
    names += [f"{what}.{x.output}" for x in graph.losses for what in ("target", "losses")]
    names += ["said", "manner"]
    names += [f"features.{node.name}" for node in graph.nodes if node.op != INPUT]
    return {name: k for k, name in enumerate(names)}


class _Constants:
    """Collects the arrays that no step of training changes: zeros, normalization, class weights,
    what evaluation carries."""

    def __init__(self, graph: Graph, kind: np.dtype, lanes: int, batch: int) -> None:
        self.kind = kind
        self.graph = graph
        self.values: dict[Buffer, np.ndarray] = {}
        rows = [parameter.shape[-1] for parameter in graph.parameters.values()]
        widest = max([*rows, *(node.size for node in graph.nodes)])
        self.zeros = self._add("zeros", np.zeros(padded(widest, lanes) + 2 * lanes))
        self.passing = {
            name: self._add(f"{name}.passing", np.zeros(batch * graph.states[name].size))
            for name in graph.carried
        }

    def _add(self, name: str, values: np.ndarray, letter: str = "f") -> Buffer:
        count = len(values)
        item = 8 if letter == "d" else self.kind.itemsize
        buffer = Buffer(name, "vector", letter, count, count, count, item, True)
        self.values[buffer] = values
        return buffer

    def scaling(self, name: str, scaling: Pair, width: int) -> Scaling:
        """Mean and scale, repeated from one per channel to one per number."""
        mean, scale = (np.resize(np.asarray(part, dtype=np.float64), width) for part in scaling)
        return Scaling(
            self._add(f"{name}.mean", mean),
            self._add(f"{name}.scale", scale),
            self._add(f"{name}.mean64", mean, "d"),
            self._add(f"{name}.scale64", scale, "d"),
        )

    def weights(self, loss: Any, given: Mapping[str, np.ndarray | None]) -> Buffer:
        width = max(self.graph.node(loss.output).size, 2)
        values = given.get(loss.output.removesuffix(".split"))
        return self._add(
            f"{loss.output}.class_weights", np.ones(width) if values is None else values
        )
