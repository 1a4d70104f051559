"""Evaluation, features and traces: any number of rows, in any portions, to the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.plan import Plan
from tests.checks.ops import close
from tests.graph import networks
from tests.plan.nets import ADAM, NETS, data_of, named, net, plan_of, same
from tests.reference import network
from tests.vectors.case import Context

ORDER = np.arange(20)


def made(name: str, **options: object) -> Plan:
    graph, optimizer, info = named(name, ADAM)
    plan = plan_of(graph, optimizer, **options)
    plan.attach("train", *data_of(info))
    return plan


@pytest.mark.parametrize("name", ["dropout", "two losses", "two inputs"])
@pytest.mark.parametrize("size", [1, 3, 7, 20, 64])
def test_size_of_portions_changes_no_bit(name: str, size: int) -> None:
    wanted = made(name, dtype="float32").evaluate("train")
    found = made(name, dtype="float32", eval_batch=size).evaluate("train")
    assert same(found.outputs, wanted.outputs)
    assert same(found.losses, wanted.losses)
    assert found.loss == wanted.loss


@pytest.mark.parametrize("rows", [[5], [3, 3, 19], list(range(19, -1, -1)), [0] * 17])
def test_some_rows_in_any_order(rows: list[int]) -> None:
    plan = made("fan-out", dtype="float32")
    whole, some = plan.evaluate("train"), plan.evaluate("train", np.array(rows))
    for name, values in some.outputs.items():
        assert np.array_equal(values, whole.outputs[name][rows])
    for name, losses in some.losses.items():
        assert np.array_equal(losses, whole.losses[name][rows])
    assert some.loss == pytest.approx(np.mean(next(iter(some.losses.values()))), rel=1e-14)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 17])
def test_splits_of_any_size(count: int) -> None:
    graph, _, info = named("mlp")
    plan = plan_of(graph, eval_batch=8)
    inputs, targets = data_of(info, count)
    plan.attach("test", inputs, targets)
    wanted = network.outputs(graph, plan.parameters(), inputs, Context(training=False))
    (output,) = graph.outputs
    close(plan.evaluate("test").outputs[output], wanted[output], 1e-10, "outputs")


def test_a_split_without_targets() -> None:
    plan = made("mlp")
    inputs, _ = data_of(NETS["mlp"][1], 9, seed=8)
    plan.attach("new", inputs)
    found = plan.evaluate("new")
    assert found.losses == {}
    assert np.isnan(found.loss)
    plan.attach("known", inputs, {"": np.zeros(9, np.int64)})
    assert same(found.outputs, plan.evaluate("known").outputs)


@pytest.mark.parametrize("name", NETS)
def test_features_of_every_node(name: str) -> None:
    plan = made(name)
    graph, _, info = named(name)
    rows = np.array([4, 0, 17, 4])
    inputs, _ = data_of(info)
    here = {n: a[rows] for n, a in inputs.items()}
    wanted = network.outputs(graph, plan.parameters(), here, Context(training=False))
    for node in graph.nodes:
        if node.op != "input":
            found = plan.features("train", rows, node.name)
            assert found.shape == (4, *node.shape)
            last = plan.tapes.last_node(node.name)
            close(found, wanted[last], 1e-10, node.name)


def test_features_of_a_layer_are_behind_its_activation() -> None:
    layers = 'dense units=5 activation="tanh" name="a"\ndense units=3'
    graph, _ = net(layers, NETS["mlp"][1], networks.LOSS)
    plan = plan_of(graph)
    inputs, targets = data_of(NETS["mlp"][1])
    plan.attach("train", inputs, targets)
    w, b = (plan.parameters()[n] for n in ("a.w", "a.b"))
    close(plan.features("train", None, "a"), np.tanh(inputs[""] @ w + b), 1e-10, "a")
    close(plan.features("train", None, "a.activation"), np.tanh(inputs[""] @ w + b), 1e-10, "a")


@pytest.mark.parametrize("name", NETS)
def test_trace_shows_what_a_step_on_one_sample_computes(name: str) -> None:
    plan = made(name)
    graph, _, info = named(name)
    inputs, _ = data_of(info)
    here = {n: a[[6]] for n, a in inputs.items()}
    context = Context(training=True, seed=3, step=0)
    wanted = network.outputs(graph, plan.parameters(), here, context)
    params = plan.parameters()
    _, gradients = plan.gradients("train", np.array([6]))
    shown = dict(plan.trace("train", 6))
    assert list(shown) == [n.name for n in plan.graph.nodes]
    for node in graph.nodes:
        arrays = shown[node.name]
        close(arrays["y"], wanted[node.name].reshape(-1), 1e-10, f"{node.name}.y")
        if node.inputs:
            close(arrays["x"], wanted[node.inputs[0]].reshape(-1), 1e-10, f"{node.name}.x")
        for role, use in node.params.items():
            assert np.array_equal(arrays[role], params[use.parameter])
            assert np.array_equal(arrays[f"d{role}"], gradients[use.parameter])
        if node.op == "dense" and "b" in node.params and "tied" not in name:
            dy = arrays["dy"].reshape(-1, node.shape[-1]).sum(axis=0)
            close(dy, arrays["db"], 1e-12, f"{node.name}.dy is db of one sample")


def test_looking_does_not_touch_training() -> None:
    plan, other = made("dropout"), made("dropout")
    for step in range(3):
        rate = np.array([1e-2])
        for one in (plan, other):
            one.train(ORDER, 8 * step, step, rate)
        plan.evaluate("train")
        plan.loss("train", np.arange(4))
        plan.gradients("train", np.arange(4))
        plan.features("train", None, "dense_1")
        plan.trace("train", 2)
        plan.penalty()
    assert same(plan.tensors(), other.tensors())


def test_dropout_of_a_step_is_fixed_and_of_another_differs() -> None:
    plan = made("dropout")
    rows = np.arange(8)
    assert plan.loss("train", rows, step=4) == plan.loss("train", rows, step=4)
    assert plan.loss("train", rows, step=4) != plan.loss("train", rows, step=5)
    other = made("dropout")
    log = other.train(np.arange(8), 0, 4, np.array([1e-2]))
    assert log.losses[0] == plan.loss("train", rows, step=4)


def test_more_rows_than_a_batch_are_refused() -> None:
    with pytest.raises(ValueError, match="9 rows, the plan's batch is 8"):
        made("mlp").loss("train", np.arange(9))


def test_no_rows_at_all() -> None:
    graph, _, info = named("mlp")
    plan = plan_of(graph)
    plan.attach("train", *data_of(info))
    found = plan.evaluate("train", np.zeros(0, dtype=np.int64))
    assert {name: values.shape for name, values in found.outputs.items()} == {"dense_2": (0, 3)}


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_outside_the_classes_are_refused(label: int) -> None:
    """Kernels write where the label says."""
    graph, _, info = named("mlp")
    plan = plan_of(graph)
    inputs, targets = data_of(info)
    targets[""][7] = label
    with pytest.raises(ValueError, match="of 3 classes"):
        plan.attach("train", inputs, targets)


def test_what_reads_targets_needs_them() -> None:
    """Kernels would read them where another split's have lain."""
    graph, _, info = named("mlp")
    plan = plan_of(graph)
    inputs, targets = data_of(info)
    plan.attach("train", inputs, targets)
    plan.attach("bare", inputs)
    for ask in (lambda: plan.loss("bare", np.arange(4)), lambda: plan.trace("bare", 0)):
        with pytest.raises(ValueError, match="'bare' has no targets"):
            ask()


def test_inputs_of_another_type_are_refused() -> None:
    """A tape reads one type; what is cut to it would lose its fractions unseen."""
    graph, _, info = named("mlp")
    plan = plan_of(graph)
    inputs, targets = data_of(info)
    plan.attach("train", {"": np.ones((20, 4), dtype=np.int64)}, targets)
    with pytest.raises(ValueError, match="float64 here and int64 in another split"):
        plan.attach("test", inputs, targets)
