"""Gradients of whole networks against central differences of a float64 network in NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnctl.ops import registry
from nnctl.ops.registry import Call, Lowering, Site
from nnctl.plan.binding import Binder
from tests.checks.ops import close
from tests.plan.nets import NETS, Array, data_of, named, net, numbers, plan_of
from tests.reference import network
from tests.vectors.case import Context

ROWS = np.array([3, 0, 11, 7, 2, 19])
H = 2e-3


def slopes(value, params: dict[str, Array], name: str) -> Array:  # type: ignore[no-untyped-def]
    """Fourth-order differences, of every element of one parameter."""
    found = np.zeros_like(params[name])
    for i in np.ndindex(*found.shape):

        def at(h: float, i: tuple[int, ...] = i) -> float:
            moved = params[name].copy()
            moved[i] += h
            return value({**params, name: moved})

        found[i] = (8 * (at(H) - at(-H)) - (at(2 * H) - at(-2 * H))) / (12 * H)
    return found


def check(name: str) -> None:
    """Loss and every element of every gradient of one of the networks."""
    graph, _, info = named(name)
    plan = plan_of(graph)
    inputs, targets = data_of(info)
    plan.attach("train", inputs, targets)
    loss, found = plan.gradients("train", ROWS, step=2)
    params = plan.parameters()
    here = {n: a[ROWS] for n, a in inputs.items()}, {n: a[ROWS] for n, a in targets.items()}
    context = Context(training=True, seed=3, step=2)

    def value(params: dict[str, Array]) -> float:
        return network.mean_loss(graph, params, *here, context)

    assert loss == pytest.approx(value(params), rel=1e-12)
    assert found.keys() == graph.parameters.keys()
    for parameter in params:
        close(found[parameter], slopes(value, params, parameter), 1e-6, parameter)


@pytest.mark.parametrize("name", NETS)
def test_every_element_of_every_gradient(name: str) -> None:
    check(name)


class TestSabotage:
    """Planted faults of the way back, each of which the check must find."""

    def expect_failure(self, name: str) -> None:
        with pytest.raises(AssertionError, match="element|not written"):
            check(name)

    def swap(self, monkeypatch: pytest.MonkeyPatch, tag: str, backward: Lowering) -> None:
        monkeypatch.setitem(registry._OPS, tag, replace(registry.find(tag), backward=backward))

    def test_another_derivative(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.swap(monkeypatch, "tanh", registry.find("sigmoid").backward)
        self.expect_failure("mlp")

    def test_a_fan_out_that_forgets_a_reader(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = registry.find("split").backward
        self.swap(monkeypatch, "split", lambda site: whole(site)[:-1])
        self.expect_failure("fan-out")

    def test_a_product_that_forgets_a_factor(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.swap(monkeypatch, "multiply", registry.find("add").backward)
        self.expect_failure("fan-out")

    def test_overwriting_for_adding_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = Binder._value
        monkeypatch.setattr(
            Binder,
            "_value",
            lambda self, name, call: 0 if name == "dw_accumulates" else real(self, name, call),
        )
        self.expect_failure("tied")

    def test_another_mask_on_the_way_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = registry.find("dropout").backward

        def other(site: Site) -> list[Call]:
            return [Call(call.kernel, {**call.bind, "stream": 7}) for call in whole(site)]

        self.swap(monkeypatch, "dropout", other)
        self.expect_failure("dropout")


@pytest.mark.parametrize("name", NETS)
def test_evaluation_is_the_reference(name: str) -> None:
    graph, _, info = named(name)
    plan = plan_of(graph)
    inputs, targets = data_of(info)
    plan.attach("test", inputs, targets)
    found = plan.evaluate("test")
    context = Context(training=False)
    wanted = network.outputs(graph, plan.parameters(), inputs, context)
    for output in graph.outputs:
        close(found.outputs[output], wanted[output].reshape(20, -1), 1e-10, output)
    for loss in graph.losses:
        pairs = zip(wanted[loss.output], targets[loss.target], strict=True)
        each = [network.counted_losses(loss, x[None], t[None]).mean() for x, t in pairs]
        losses = np.array(each)
        close(found.losses[loss.output], losses, 1e-10, f"losses of {loss.output}")
    total = network.mean_loss(graph, plan.parameters(), inputs, targets, context)
    assert found.loss == pytest.approx(total, rel=1e-12)


class TestThreePaths:
    """The notes' Figure 11: a = (f + 3 + fg)(fg + 2); at f = 4, g = 2: a = 150, da/df = 60."""

    LAYERS = "\n".join(
        [
            *(f'dense units=1 bias=false from="input" name="{n}"' for n in ("f", "g", "k", "m")),
            'add name="d" from=["f","k"]',
            'multiply name="e" from=["f","g"]',
            'add name="b" from=["d","e"]',
            'add name="c" from=["e","m"]',
            'multiply name="a" from=["b","c"]',
        ]
    )

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_sums_over_all_paths(self, dtype: str) -> None:
        graph, _ = net(self.LAYERS, numbers(1), '[loss]\ntype = "mae"\n')
        plan = plan_of(graph, dtype=dtype)
        leaves = {"f": 4.0, "g": 2.0, "k": 3.0, "m": 2.0}
        plan.restore({f"param/{n}.w": np.full((1, 1), v) for n, v in leaves.items()})
        plan.attach("train", {"": np.ones((1, 1))}, {"": np.zeros((1, 1))})
        a, gradients = plan.gradients("train", np.array([0]))
        assert a == 150
        found = {name: float(g[0, 0]) for name, g in gradients.items()}
        assert found == {"f.w": 60, "g.w": 100, "k.w": 10, "m.w": 15}


class TestTied:
    def test_gradients_add_up_and_the_parameter_is_there_once(self) -> None:
        """Against the same network with parameters of their own, at the same values."""
        tied, _, info = named("tied")
        layers, _, rest, data = NETS["tied"]
        loose, _ = net(
            layers.replace(' share="a" transposed=true', "").replace(' share="a"', ""),
            info, rest, data=data,
        )  # fmt: skip
        one, other = plan_of(tied), plan_of(loose)
        values = one.parameters()
        assert {n for n in values if n.endswith(".w")} == {"a.w", "dense_4.w"}
        assert tied.parameter_count == sum(a.size for a in values.values())
        own = {f"param/{n}": a for n, a in values.items()}
        own |= {"param/back.w": values["a.w"].T, "param/again.w": values["a.w"]}
        own |= {"param/again.b": values["a.b"]}
        other.restore(own)
        for plan in (one, other):
            plan.attach("train", *data_of(info))
        loss, found = one.gradients("train", ROWS)
        wanted_loss, apart = other.gradients("train", ROWS)
        assert loss == pytest.approx(wanted_loss, rel=1e-14)
        summed = apart["a.w"] + apart["back.w"].T + apart["again.w"]
        close(found["a.w"], summed, 1e-12, "a.w")
        close(found["a.b"], apart["a.b"] + apart["again.b"], 1e-12, "a.b")
        close(found["dense_4.w"], apart["dense_4.w"], 1e-12, "dense_4.w")

    def test_penalty_counts_it_once(self) -> None:
        graph, _, info = named("tied", "[regularization]\nl2 = 0.5\n")
        bare, _, _ = named("tied")
        plan, other = plan_of(graph), plan_of(bare)
        for one in (plan, other):
            one.attach("train", *data_of(info))
        w = plan.parameters()["a.w"]
        found = plan.gradients("train", ROWS)[1]["a.w"]
        close(found, other.gradients("train", ROWS)[1]["a.w"] + 0.5 * w, 1e-12, "a.w")


def test_weights_of_losses() -> None:
    """The total's gradient is the weighted sum of the losses' own."""
    graph, _, info = named("two losses")
    layers, _, rest, data = NETS["two losses"]
    found = {}
    for w in ((0.5, 2.0), (1.0, 1e-6), (1e-6, 1.0)):
        changed = rest.replace("weight = 0.5", f"weight = {w[0]}").replace(
            "weight = 2.0", f"weight = {w[1]}"
        )
        plan = plan_of(net(layers, info, changed, data=data)[0])
        plan.attach("train", *data_of(info))
        found[w] = plan.gradients("train", ROWS)
    for name in graph.parameters:
        summed = 0.5 * found[1.0, 1e-6][1][name] + 2 * found[1e-6, 1.0][1][name]
        np.testing.assert_allclose(found[0.5, 2.0][1][name], summed, atol=2e-5)


def test_class_weights() -> None:
    graph, _, info = named("mlp")
    weights = np.array([0.5, 3.0, 1.0])
    plan = plan_of(graph, class_weights={graph.losses[0].output: weights})
    inputs, targets = data_of(info)
    plan.attach("train", inputs, targets)
    loss, _ = plan.gradients("train", ROWS)
    wanted = network.mean_loss(
        graph, plan.parameters(), {"": inputs[""][ROWS]}, {"": targets[""][ROWS]}, Context(),
        {graph.losses[0].output: weights},
    )  # fmt: skip
    assert loss == pytest.approx(wanted, rel=1e-12)


class TestScaling:
    """Inputs and targets are standardized by the tape itself, with the plan's own numbers."""

    def test_normalized_inputs(self) -> None:
        graph, _, info = named("mlp")
        inputs, targets = data_of(info)
        mean, scale = np.array([1.0, -2.0, 0.5, 3.0]), np.array([2.0, 0.5, 1.0, 4.0])
        plan, bare = plan_of(graph, normalizers={"": (mean, scale)}), plan_of(graph)
        plan.attach("train", inputs, targets)
        bare.attach("train", {"": (inputs[""] - mean) * scale}, targets)
        loss, found = plan.gradients("train", ROWS)
        wanted_loss, wanted = bare.gradients("train", ROWS)
        assert loss == pytest.approx(wanted_loss, rel=1e-13)
        for name, gradient in wanted.items():
            close(found[name], gradient, 1e-12, name)

    def test_bytes_become_shares_of_one(self) -> None:
        graph, _, info = named("mlp")
        raw = np.random.default_rng(0).integers(0, 256, (20, 4)).astype(np.uint8)
        plan, bare = plan_of(graph), plan_of(graph)
        targets = data_of(info)[1]
        plan.attach("train", {"": raw}, targets)
        bare.attach("train", {"": raw / 255.0}, targets)
        found, wanted = (p.gradients("train", ROWS) for p in (plan, bare))
        assert found[0] == pytest.approx(wanted[0], rel=1e-13)

    def test_outputs_come_in_original_units_and_losses_of_scaled_targets(self) -> None:
        graph, _, info = named("deep")
        inputs, targets = data_of(info)
        mean, scale = np.array([100.0, -7.0]), np.array([0.1, 3.0])
        plan = plan_of(graph, target_scalers={"": (mean, scale)})
        raw = {"": targets[""] / scale + mean}
        plan.attach("test", inputs, raw)
        bare = plan_of(graph)
        bare.attach("test", inputs, targets)
        found, wanted = plan.evaluate("test"), bare.evaluate("test")
        (name,) = graph.outputs
        np.testing.assert_allclose(
            found.outputs[name], wanted.outputs[name] / scale + mean, rtol=1e-12
        )
        np.testing.assert_allclose(found.losses[name], wanted.losses[name], rtol=1e-9)
        assert found.loss == pytest.approx(wanted.loss, rel=1e-9)


def test_probe_runs_with_gradient_norms_asked_for() -> None:
    """The norm is written where the caller said, also when no training gave a place for it."""
    graph, optimizer, info = named("mlp")
    plan = plan_of(graph, optimizer, gradient_norm=True)
    plan.attach("train", *data_of(info))
    _, found = plan.gradients("train", np.arange(8))
    log = plan.train(np.arange(8), 0, 0, np.array([1e-3]))
    wanted = np.sqrt(sum((g**2).sum() for g in found.values()))
    assert log.gradient_norms[0] == pytest.approx(wanted, rel=1e-12)
