"""Lifetimes: no two arrays that live at once share memory, and sharing changes no bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nnctl.engine.kernel import Sizes, Split, rows
from nnctl.graph import Graph
from nnctl.ops import registry
from nnctl.plan import Plan, tape
from nnctl.plan.buffers import Buffer, Maker, place
from nnctl.plan.phases import Group, lives
from nnctl.plan.steps import Step
from nnctl.plan.tape import Tape
from tests.graph import networks
from tests.plan.nets import ADAM, NETS, classes, data_of, named, net, plan_of, same

DAGS = 24


def random_layers(seed: int) -> str:
    """A random directed acyclic graph of all sorts of layers that ends in three units."""
    stream = np.random.default_rng(seed)
    widths = {"input": 4}
    unread: set[str] = set()
    lines = []

    def pick() -> str:
        name = str(stream.choice(list(widths)))
        unread.discard(name)
        return name

    for k in range(int(stream.integers(4, 14))):
        kind = str(stream.choice(["dense", "dense", "tanh", "gelu", "add", "multiply", "concat",
                                  "dropout", "softmax", "flatten", "relu"]))  # fmt: skip
        source = pick()
        name, width, more = f"n{k}", widths[source], f'from="{source}"'
        if kind == "dense":
            width = int(stream.integers(1, 40))
            more += f" units={width}"
        elif kind == "dropout":
            more += " rate=0.3"
        elif kind in ("add", "multiply"):
            alike = [n for n, w in widths.items() if w == width]
            others = [str(stream.choice(alike)) for _ in range(int(stream.integers(1, 3)))]
            unread.difference_update(others)
            more = f"from={_list([source, *others])}"
        elif kind == "concat":
            other = pick()
            more, width = f"from={_list([source, other])}", width + widths[other]
        lines.append(f'{kind} name="{name}" {more}')
        widths[name] = width
        unread.add(name)
    ends = sorted(unread)
    if len(ends) > 1:
        lines.append(f'concat name="all" from={_list(ends)}')
    lines.append('dense name="h" units=11' + ("" if len(ends) > 1 else f' from="{ends[0]}"'))
    return "\n".join([*lines, 'dense name="out" units=3'])


def _list(names: list[str]) -> str:
    return "[" + ",".join(f'"{n}"' for n in names) + "]"


def random_plan(seed: int, threads: int = 1) -> Plan:
    info = classes()
    graph, optimizer = net(random_layers(seed), info, networks.LOSS + ADAM)
    plan = plan_of(graph, optimizer, dtype="float32", batch=11, threads=threads)
    plan.attach("train", *data_of(info, 30))
    return plan


def trained(plan: Plan) -> dict[str, np.ndarray]:
    log = plan.train(np.arange(30), 0, 0, np.full(3, 1e-2))
    plan.close()
    assert log.done == 3
    return {**plan.tensors(), "losses": log.losses}


def overlaps(one: Tape) -> list[str]:
    """Pairs of arrays of a tape that share memory while both live."""
    alive = lives(one.phases)
    found = []
    for i, (a, first, last) in enumerate(alive):
        for b, start, end in alive[i + 1 :]:
            apart = a.address + a.bytes <= b.address or b.address + b.bytes <= a.address
            if not apart and first <= end and start <= last:
                found.append(f"{a.name} and {b.name}")
    return found


@pytest.mark.parametrize("seed", range(DAGS))
def test_sharing_changes_no_bit(seed: int) -> None:
    shared, kept = random_plan(seed), random_plan(seed)
    kept.tapes._made["train"] = kept.tapes.kept_train()
    room = [len(p.tapes.train().room.bytes) for p in (shared, kept)]
    assert room[0] < room[1]
    assert not overlaps(shared.tapes.train())
    assert same(trained(shared), trained(kept))


@pytest.mark.parametrize("name", NETS)
def test_arrays_that_live_at_once_are_apart(name: str) -> None:
    graph, optimizer, info = named(name, ADAM)
    plan = plan_of(graph, optimizer)
    plan.attach("train", *data_of(info))
    for one in (plan.tapes.train(), plan.tapes.probe(), plan.tapes.evaluation(losses=True)):
        assert not overlaps(one)


def test_lives_cut_short_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: an array is thought dead one phase too early."""
    monkeypatch.setattr(
        tape, "lives", lambda phases: [(b, i, max(i, j - 1)) for b, i, j in lives(phases)]
    )
    assert any(overlaps(random_plan(seed).tapes.train()) for seed in range(4))


@pytest.mark.parametrize("seed", range(20))
def test_places_of_random_lives(seed: int) -> None:
    stream = np.random.default_rng(seed)
    alive = []
    for k in range(40):
        size = int(stream.integers(1, 3000))
        first = int(stream.integers(0, 30))
        one = Buffer(f"b{k}", "vector", "f", size, size, size, 4)
        alive.append((one, first, first + int(stream.integers(0, 8))))
    offsets, total = place(alive)
    assert all(offset % 64 == 0 for offset in offsets.values())
    assert max(offsets[b] + b.bytes for b, _, _ in alive) == total
    assert total < sum(b.bytes for b, _, _ in alive)
    for i, (a, first, last) in enumerate(alive):
        for b, start, end in alive[i + 1 :]:
            if first <= end and start <= last:
                assert offsets[a] + a.bytes <= offsets[b] or offsets[b] + b.bytes <= offsets[a]
    _, apart = place(alive, keep_all=True)
    assert apart == sum(b.bytes for b, _, _ in alive)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_padding_of_parameters_and_slots_stays_zero(dtype: str) -> None:
    """Products read whole panels; what lies behind the last column must not grow."""
    from tests.checks import driver

    graph, optimizer, info = named("tied", ADAM)
    plan = plan_of(graph, optimizer, dtype=dtype)
    plan.attach("train", *data_of(info))
    plan.train(np.arange(20), 0, 0, np.full(3, 0.1))
    used = np.zeros(plan.zone.elements, dtype=bool)
    driver.fill(plan, used, True)
    assert 0 < used.sum() < used.size
    for zone in ("p", "m", "v", "g"):
        assert not driver.parts(plan, zone)[~used].any(), zone


def test_the_order_of_lives_is_that_of_arguments() -> None:
    """A set's order is that of addresses: places would differ from process to process."""

    @rows("a b c d e f")
    def kernel(x, a, b, c, d, e, f):
        """Touches many buffers of one size."""

    make = Maker(8, np.dtype(np.float32), 8)
    for _ in range(5):
        step = Step(kernel, {n: make.rows(n, 5) for n in "fxabcde"}, Sizes(8, 8, {}), "")
        found = lives([[Group(Split(8, 1, 5, 1, 5), [step])]])
        assert "".join(buffer.name for buffer, _, _ in found) == "fxabcde"


def test_an_output_that_the_backward_pass_reads_is_not_written_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A layer whose own backward names y keeps it, though an activation could work in place."""

    @rows("dx")
    def reads_y(dy, y, dx):
        """Stands for the backward of such a layer."""

    def own(name: str) -> bool:
        graph, optimizer = net(f'dense units=3 name="a"\n{name}\ndense units=3', classes())
        lowered = plan_with_data(graph, optimizer).tapes._lowering(8, training=True)
        lowered.forward()
        made = list(lowered.y.values())
        return made[1] is not made[2]

    assert not own("relu")
    assert own("silu"), "its derivative is written in x"
    dense = registry.find("dense")
    more = dataclasses.replace(
        dense, backward=lambda site: [*dense.backward(site), registry.Call(reads_y)]
    )
    monkeypatch.setitem(registry._OPS, "dense", more)
    assert own("relu")


def plan_with_data(graph: Graph, optimizer: object) -> Plan:
    plan = plan_of(graph, optimizer)
    plan.attach("train", *data_of(classes()))
    return plan
