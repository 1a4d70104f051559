"""The matrix: every registered type against all that is promised of every type. No empty cell.

A type that is added has all its cells or fails here, by name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl import checkpoint
from nnctl.data.header import inspect
from nnctl.errors import SpecError
from nnctl.graph import Graph, build
from nnctl.init import initialize
from nnctl.optim import schedules
from nnctl.plan import Plan, compile_plan
from nnctl.spec import load_spec, reference, registry
from nnctl.spec.base import LayerModel
from nnctl.spec.info import DataInfo, TargetInfo
from tests.checks import driver, loss_machine, losses, machine, ops, optim, optim_machine
from tests.graph import networks
from tests.plan import test_encoder_decoder, test_parts
from tests.plan.nets import data_of, net, plan_of, same
from tests.vectors import collect

SPECS = Path(__file__).resolve().parent.parent / "specs"
FAMILIES = ("layers", "losses", "optimizers", "schedules", "initializers")
TYPES = [(family, tag) for family in FAMILIES for tag in registry.tags(family)]
Array = np.ndarray[Any, Any]

COUNT, BATCH, STEPS = 44, 16, 6  # 44 samples: two whole batches and one of 12, twice
PLAIN = "dense units=9\ntanh\ndense units=3"
# how a layer that cannot stand alone in a row is written
WRITTEN = {
    "add": 'tanh name="t"\nadd from=["t","d"]',
    "average": 'tanh name="t"\naverage from=["t","d"]',
    "multiply": 'tanh name="t"\nmultiply from=["t","d"]',
    "concat": 'tanh name="t"\nconcat from=["t","d"]',
    "dense": "dense units=4",
    "embedding": "embedding units=3\nflatten\ntanh",
    "batch_norm": "tanh\nbatch_norm",
    "group_norm": "group_norm groups=3",
    "reshape": "reshape shape=[3,3]\nflatten",
    "sign": "sign straight_through=true",
    "step": "step straight_through=true",
    **{t: f"reshape shape=[3,3]\n{t} units=3\nflatten" for t in ("rnn", "lstm", "gru")},
    "output_rnn": "reshape shape=[3,3]\n"
    "output_rnn units=4 outputs=3 teacher_forcing=false\nflatten",
    "bidirectional": 'reshape shape=[3,3]\nbidirectional layer={type="gru",units=2}\nflatten',
    "adaptive_avg_pool": "reshape shape=[3,3,1]\nadaptive_avg_pool output_size=2\nflatten",
}
SEQUENCES = 'reshape shape=[3,3] name="s"\ntanh name="t"\n'
WRITTEN |= {
    "attention": f'{SEQUENCES}attention from=["t","s"] score="additive" units=2\nflatten',
    "attend": f'{SEQUENCES}attend from=["t","t","s"]\nflatten',
    "repeat_vector": 'reshape shape=[3,3] name="s"\nrepeat_vector from=["d","s"]\nflatten',
    "mean_steps": "reshape shape=[3,3]\nmean_steps",
    "encoder_decoder": (
        'encoder_decoder encoder=[{type="gru",units=2}] decoder=[{type="embedding",units=2},'
        '{type="gru",units=3},{type="dense",units=3}]'
    ),
}
# how the layer is put behind a recurrent one, where that takes more than itself
BEHIND = {
    "mean_steps": 'mean_steps name="m"\nrepeat_vector from=["m","d"]',
    **{
        tag: f'{tag} name="m"\nrepeat_vector from=["m","d"]'
        for tag in ("global_avg_pool", "global_max_pool", "global_min_pool")
    },
    "attention": 'tanh name="t"\nattention from=["t","d"] units=2',
    "attend": 'tanh name="t"\nattend from=["t","t","d"]',
    "repeat_vector": 'rnn units=2 returns="last" name="l"\nrepeat_vector from=["l","d"]',
}
# layers that sequences of several lengths pass, though they read more than a step
PASSED = {"conv1d", "conv1d_transpose", "depthwise_conv1d", "separable_conv1d", "up_sampling1d"}
PASSED |= {"max_pool1d", "min_pool1d", "avg_pool1d"}
PASSED |= {"global_avg_pool", "global_max_pool", "global_min_pool"}
GRIDS = {1: "[3,3]", 2: "[3,3,1]", 3: "[1,3,3,1]"}
WINDOWS = {1: "2", 2: "2", 3: "[1,2,2]"}
for _rank, _grid in GRIDS.items():
    _kernel = WINDOWS[_rank]
    for _tag, _fields in {
        f"conv{_rank}d": f'filters=2 kernel_size={_kernel} activation="tanh"',
        f"conv{_rank}d_transpose": f"filters=2 kernel_size={_kernel} stride={_kernel}",
        f"depthwise_conv{_rank}d": f"kernel_size={_kernel} depth_multiplier=2",
        f"separable_conv{_rank}d": f"filters=3 kernel_size={_kernel} depth_multiplier=2",
        f"max_pool{_rank}d": f"pool_size={_kernel} stride=1",
        f"min_pool{_rank}d": f"pool_size={_kernel} stride=1",
        f"avg_pool{_rank}d": f"pool_size={_kernel} stride=1",
        f"up_sampling{_rank}d": f'size={_kernel} interpolation="linear"',
    }.items():
        WRITTEN[_tag] = f"reshape shape={_grid}\n{_tag} {_fields}\nflatten"
for _tag in ("global_avg_pool", "global_max_pool", "global_min_pool"):
    WRITTEN[_tag] = f"reshape shape=[3,3]\n{_tag}"
FIELDS = {
    "linear_annealing": "final = 0.001\nepochs = 2\n",
    "constant": "value=0.1",
}


def text_of(family: str, tag: str) -> tuple[str, str]:
    """Layers and tables of a small network that a type has a part in."""
    layers, loss, optimizer, schedule = PLAIN, "cross_entropy", "adam", ""
    if family == "layers":
        layers = f'dense units=9 name="d"\n{WRITTEN.get(tag, tag)}\ndense units=3'
        if registry.model("layers", tag).reads_tokens:  # type: ignore[attr-defined]
            layers = f"{WRITTEN[tag]}\ndense units=3"
        if _is_whole(tag):
            layers = WRITTEN[tag]
    elif family == "initializers":
        extra = "," + FIELDS[tag] if tag in FIELDS else ""
        layers = f'dense units=9 init={{type="{tag}"{extra}}}\ntanh\ndense units=3'
    elif family == "losses":
        loss = tag
        if tag == "binary_cross_entropy":
            layers = "dense units=9\ntanh\ndense units=1"
    elif family == "optimizers":
        optimizer = tag
    else:
        schedule = f'[schedule]\ntype = "{tag}"\n{FIELDS.get(tag, "")}'
        schedule = schedule.replace(FIELDS["constant"], "")
    rest = f'[loss]\ntype = "{loss}"\n[optimizer]\ntype = "{optimizer}"\n{schedule}'
    return layers, rest


def _is_whole(tag: str) -> bool:
    """Whether a layer is a network of its own, from a sequence to a sequence."""
    return "decoder" in registry.model("layers", tag).model_fields


def info_of(family: str, tag: str) -> DataInfo:
    if family == "layers" and _is_whole(tag):
        return DataInfo({"": (4, 2)}, {"": TargetInfo("class", 3, steps=3)}, COUNT)
    if family == "losses" and not registry.model("losses", tag).for_classes:  # type: ignore[attr-defined]
        return DataInfo({"": (5,)}, {"": TargetInfo("number", 3)}, COUNT)
    if family == "layers" and registry.model("layers", tag).reads_tokens:  # type: ignore[attr-defined]
        return DataInfo({"": (5,)}, {"": TargetInfo("class", 3)}, COUNT, vocabularies={"": 7})
    width = 2 if tag == "binary_cross_entropy" else 3
    return DataInfo({"": (5,)}, {"": TargetInfo("class", width)}, COUNT)


class Net:
    """A network that a type has a part in; trained in two epochs of three steps."""

    def __init__(self, family: str, tag: str) -> None:
        layers, rest = text_of(family, tag)
        self.info = info_of(family, tag)
        self.spec = networks.spec(layers, rest)
        self.graph: Graph = build(self.spec, self.info)
        self.order = np.random.default_rng(0).permutation(COUNT)

    def plan(self, threads: int = 1, batch: int = BATCH) -> Plan:
        plan = compile_plan(self.graph, batch=batch, eval_batch=8, threads=threads, seed=1,
                            optimizer=self.spec.optimizer)  # fmt: skip
        plan.restore({f"param/{n}": a for n, a in initialize(self.graph, 1).items()})
        plan.attach("train", *data_of(self.info, COUNT))
        return plan

    def train(self, plan: Plan, first: int = 0, last: int = STEPS) -> list[float]:
        seen: list[float] = []
        for step in range(first, last):
            rate = schedules.rates(self.spec.schedule, self.spec.optimizer, step, 1, 3)
            log = plan.train(self.order, step % 3 * BATCH, step, rate)
            assert log.done == 1
            seen += log.losses.tolist()
        return seen


# -- the columns -------------------------------------------------------------------------------


def _first(name: str, tag: str) -> Any:
    found = [case for case in collect(name) if getattr(case, "tag", None) == tag]
    assert found, f"no test vector for {tag!r}"
    return found[0]


def gradient(family: str, tag: str) -> None:
    """Against an independent reference in float64: gradients; rates, starts: their formulas."""
    if family == "layers" and _is_whole(tag):
        test_encoder_decoder.gradients(tag)
    elif family == "layers" and tag in {case[0] for case in collect("COMPOSITES")}:
        test_parts.gradient(next(case for case in collect("COMPOSITES") if case[0] == tag))
    elif family == "layers":
        ops.gradient(machine.engine, _first("CASES", tag))
    elif family == "losses":
        losses.gradient(loss_machine.engine, _first("LOSSES", tag))
    elif family == "optimizers":
        optim.changing_rate(optim_machine.engine, _first("OPTIMIZERS", tag))
    else:
        formulas = collect("SCHEDULES" if family == "schedules" else "INITIALIZERS")
        assert tag in {entry[0] for entry in formulas}, f"no formula for {tag!r}"


def threads(family: str, tag: str) -> None:
    """The same bits at 1, 2 and 3 threads."""
    net = Net(family, tag)
    results = []
    for count in (1, 2, 3):
        plan = net.plan(count)
        with driver.always_threaded():
            seen = net.train(plan)
        plan.close()
        results.append({**plan.tensors(), "losses": np.array(seen)})
    assert same(results[0], results[1])
    assert same(results[0], results[2])


def resume(family: str, tag: str) -> None:
    """Interrupted after any step and resumed in another plan: the bits of never having stopped."""
    net = Net(family, tag)
    whole = net.plan()
    seen = net.train(whole)
    for stop in (1, 2, 4):
        first, second = net.plan(), net.plan()
        before = net.train(first, 0, stop)
        blob = checkpoint.encode(first.tensors(), {"step": stop})
        second.restore(checkpoint.decode(blob)[0])
        assert before + net.train(second, stop) == seen
        assert same(whole.tensors(), second.tensors())


def partial_batch(family: str, tag: str) -> None:
    """A batch that is not full is as one of its own size, but for the last digit of its sums."""
    net = Net(family, tag)
    rows = np.arange(12)
    loss, wanted = net.plan(batch=12).gradients("train", rows)
    found_loss, found = net.plan(batch=BATCH).gradients("train", rows)
    assert found_loss == pytest.approx(loss, rel=1e-12)
    for name, gradient in wanted.items():
        ops.near(found[name], gradient, 1e-5, name)


def save_and_load(family: str, tag: str) -> None:
    """A checkpoint's bytes hold the network: it evaluates to the same bits from them."""
    net = Net(family, tag)
    plan, other = net.plan(), net.plan()
    net.train(plan)
    tensors, meta = checkpoint.decode(checkpoint.encode(plan.tensors(), {"spec": "x"}))
    other.restore(tensors)
    assert meta["spec"] == "x"
    found, wanted = (p.evaluate("train") for p in (other, plan))
    assert same(found.outputs, wanted.outputs)
    assert found.loss == wanted.loss
    assert np.isfinite(wanted.loss)


def mask(family: str, tag: str) -> None:
    """In sequences of several lengths the padding changes no bit, or the layer is refused."""
    if family != "layers":
        return
    kept = [line for line in WRITTEN.get(tag, tag).splitlines()
            if line.split()[0] in (tag, "tanh")]  # fmt: skip
    kept = [BEHIND[tag]] if tag in BEHIND else kept
    layers = ['rnn units=9 name="d"', *kept, 'rnn units=3 returns="last"']
    layers = kept if _is_whole(tag) else layers
    steps = 3 if _is_whole(tag) else None
    info = DataInfo({"": (5, 4)}, {"": TargetInfo("class", 3, steps=steps)}, BATCH, lengths=("",))
    try:
        graph, _ = net("\n".join(layers), info, '[loss]\ntype="cross_entropy"\n')
    except SpecError as error:
        assert any(word in str(error) for word in ("padding", "axes", "axis", "bins")), error
        assert tag not in PASSED, error
        return
    inputs, targets = data_of(info, BATCH)
    least = max(steps for steps, _ in graph.least_lengths().values())
    lengths = np.maximum(1 + np.arange(BATCH) % 5, least)
    found = []
    for padding in (0.0, 50.0):
        x = np.where((np.arange(5) < lengths[:, None])[..., None], inputs[""], padding)
        plan = plan_of(graph, batch=BATCH)
        plan.attach("train", {"": x}, targets, {"": lengths})
        loss, gradients = plan.gradients("train", np.arange(BATCH))
        found.append({**gradients, "loss": np.array(loss), **plan.evaluate("train").outputs})
    assert same(*found), "what the padding holds is seen"


@cache
def shipped() -> dict[str, set[str]]:
    """Which types the shipped specs use, by family; what they leave to defaults counts."""
    used: dict[str, set[str]] = {family: set() for family in FAMILIES}
    for path in sorted(SPECS.glob("*.toml")):
        spec = load_spec(path)
        graph = build(spec, inspect(spec.data, spec.base_dir))
        parts = [part.layer for one in spec.layers for part in one.members()]
        used["layers"] |= {one.type for one in (*spec.layers, *parts)}
        used["layers"] |= {node.op for node in graph.nodes}
        used["losses"] |= {loss.type for loss in graph.losses}
        used["optimizers"].add(spec.optimizer.type)
        used["schedules"].add(spec.schedule.type)
        for one in graph.parameters.values():
            starts = one.init if isinstance(one.init, tuple) else (one.init,)
            used["initializers"] |= {start.type for start in starts}
    return used


def shipped_spec(family: str, tag: str) -> None:
    """A spec in ``specs/`` shows it."""
    assert tag in shipped()[family], f"no spec in specs/ uses {tag!r}"


def documented(family: str, tag: str) -> None:
    """``nnctl explain`` says what it is, and what each of its fields is."""
    model = registry.model(family, tag)
    topics = [topic for topic in reference.find(tag) if topic.text]
    assert topics, f"nothing explains {tag!r}"
    assert (model.__doc__ or "").strip(), f"{tag!r} has no docstring"
    (own, *_) = [t for t in topics if {f.key for f in t.fields} >= _fields(model)]
    unsaid = [field.key for field in own.fields if not field.text]
    assert not unsaid, f"{tag!r}: nothing is said of {unsaid}"


def _fields(model: Any) -> set[str]:
    own = {info.alias or name for name, info in model.model_fields.items()}
    if getattr(model, "parameters", None) is LayerModel.parameters:
        own -= {"share"}  # there is nothing to share
    return own - {"type", *getattr(model, "without", ())}


COLUMNS: dict[str, Callable[[str, str], None]] = {
    column.__name__: column
    for column in (
        gradient, threads, resume, partial_batch, save_and_load, mask, shipped_spec, documented,
    )
}  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(("family", "tag"), TYPES, ids=lambda part: str(part))
def test_cell(family: str, tag: str, column: str) -> None:
    COLUMNS[column](family, tag)


def test_the_matrix_fails_on_an_empty_cell() -> None:
    """A type that nothing knows fails in every column."""
    for name, column in COLUMNS.items():
        with pytest.raises(Exception, match=r"."):
            column("layers", "unheard_of")
        assert name
