"""Data of a plan: what does not fit is refused before a kernel reads beyond it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.plan.nets import ADAM, data_of, named, plan_of, same

ORDER = np.arange(20)


def made(name: str = "mlp", **options: object):  # type: ignore[no-untyped-def]
    graph, optimizer, info = named(name, ADAM)
    plan = plan_of(graph, optimizer, **options)
    inputs, targets = data_of(info)
    plan.attach("train", inputs, targets)
    return plan, inputs, targets


@pytest.mark.parametrize("label", [-1, 3, 10**9])
def test_labels_outside_the_classes(label: int) -> None:
    plan, inputs, targets = made()
    targets[""][7] = label
    with pytest.raises(Exception, match=str(label)):
        plan.attach("test", inputs, targets)


@pytest.mark.parametrize("width", [1, 3, 5])
def test_inputs_of_another_width(width: int) -> None:
    plan, _, targets = made()
    with pytest.raises(ValueError, match=r"4"):
        plan.attach("test", {"": np.zeros((20, width))}, targets)


@pytest.mark.parametrize("width", [1, 3])
def test_targets_of_another_width(width: int) -> None:
    plan, inputs, _ = made("deep")
    with pytest.raises(ValueError, match=r"2"):
        plan.attach("test", inputs, {"": np.zeros((20, width))})


def test_targets_of_another_number_of_samples() -> None:
    plan, inputs, targets = made()
    with pytest.raises(ValueError, match="19"):
        plan.attach("test", inputs, {"": targets[""][:19]})


def test_training_without_targets() -> None:
    plan, inputs, _ = made()
    plan.attach("train", inputs)
    for call in (
        lambda: plan.train(ORDER, 0, 0, np.array([0.1])),
        lambda: plan.gradients("train", ORDER[:3]),
        lambda: plan.trace("train", 0),
    ):
        with pytest.raises(ValueError, match="no targets"):
            call()


def test_an_input_of_another_type() -> None:
    plan, inputs, targets = made()
    with pytest.raises(ValueError, match="uint8 here and float64"):
        plan.attach("test", {"": np.zeros((20, 4), np.uint8)}, targets)


@pytest.mark.parametrize("order", [[20], [0, -1], [3, 10**9]])
def test_rows_that_there_are_not(order: list[int]) -> None:
    plan, _, _ = made()
    rows = np.array(order)
    with pytest.raises((IndexError, ValueError), match="20"):
        plan.evaluate("train", rows)
    with pytest.raises((IndexError, ValueError), match="20"):
        plan.loss("train", rows)
    with pytest.raises((IndexError, ValueError), match="20"):
        plan.train(rows, 0, 0, np.array([0.1]))


def test_steps_beyond_the_end_of_the_order() -> None:
    plan, _, _ = made()
    with pytest.raises((IndexError, ValueError), match="20"):
        plan.train(ORDER, 0, 0, np.full(4, 0.1))


def test_arrays_that_are_not_laid_out_in_rows_are_copied() -> None:
    plan, inputs, targets = made()
    other, _, _ = made()
    turned = np.asfortranarray(inputs[""])
    strided = np.repeat(inputs[""], 2, axis=0)[::2]
    for k, array in enumerate((turned, strided)):
        other.attach(f"test{k}", {"": array}, targets)
        wanted = plan.evaluate("train")
        assert same(other.evaluate(f"test{k}").outputs, wanted.outputs)


def test_other_training_data_are_not_mixed_with_the_last_ones() -> None:
    """Going back runs good steps again, which must not read what was attached after them."""
    (plan, inputs, targets), (other, _, _) = made(), made()
    more = {"": inputs[""] + 1}
    for one in (plan, other):
        one.train(ORDER, 0, 0, np.full(2, 0.01))
        one.attach("train", more, targets)
    log = plan.train(ORDER, 0, 2, np.array([0.01, np.inf]))
    assert (log.done, log.nonfinite) == (1, True)
    other.train(ORDER, 0, 2, np.array([0.01]))
    assert same(plan.tensors(), other.tensors())
