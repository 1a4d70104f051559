"""A recurrent layer is the network unrolled by hand: dense layers that share their weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from nnctl.spec.info import DataInfo, TargetInfo
from tests.plan.nets import Array, data_of, net, plan_of

STEPS, INPUTS, UNITS, ROWS = 4, 3, 4, np.array([3, 0, 11, 7, 2])
TARGET = {"": TargetInfo("number", 2)}
SERIES = DataInfo({"": (STEPS, INPUTS)}, TARGET, 100)
NAMES = [f"s{k}" for k in range(1, STEPS + 1)]
APART = DataInfo(dict.fromkeys(NAMES, (INPUTS,)), TARGET, 100)
DATA = '[data]\nsource = "steps.npz"\ntarget = "y"\n[data.inputs]\n'
DATA += "".join(f'{name} = "{name}"\n' for name in NAMES)
GATES = {"rnn": "h", "lstm": "ifgo"}


class Unrolled:
    """Layers for each step, in the order that they are taken in; what comes first has the weights
    of all. ``owner``: of each weight, by gate."""

    def __init__(self, kind: str, backward: bool) -> None:
        self.owner: dict[str, str] = {}
        self.lines: list[str] = []
        order = range(STEPS, 0, -1) if backward else range(1, STEPS + 1)
        before = 0
        for t in order:
            self.lines += (self._lstm if kind == "lstm" else self._rnn)(t, before)
            before = t
        self.last = f"h{before}"

    def _dense(self, weight: str, t: int, source: str, more: str = "") -> str:
        name = f"{weight}{t}"
        owner = self.owner.setdefault(weight, name)
        tied = f' share="{owner}"' if owner != name else ""
        return f'dense units={UNITS} name="{name}" from="{source}"{more}{tied}'

    def _sum(self, gate: str, t: int, before: int, function: str, name: str) -> Iterator[str]:
        """function(x w + b + h u); the state before the first step is zero."""
        yield self._dense(f"w{gate}", t, f"input.s{t}")
        if before:
            yield self._dense(f"u{gate}", t, f"h{before}", " bias=false")
            yield f'add from=["w{gate}{t}","u{gate}{t}"]'
        yield f'{function} name="{name}{t}"'

    def _rnn(self, t: int, before: int) -> Iterator[str]:
        yield from self._sum("h", t, before, "tanh", "h")

    def _lstm(self, t: int, before: int) -> Iterator[str]:
        for gate in "igo":
            yield from self._sum(gate, t, before, "tanh" if gate == "g" else "sigmoid", gate)
        yield f'multiply from=["i{t}","g{t}"] name="{"new" if before else "c"}{t}"'
        if before:
            yield from self._sum("f", t, before, "sigmoid", "f")
            yield f'multiply from=["f{t}","c{before}"] name="old{t}"'
            yield f'add from=["new{t}","old{t}"] name="c{t}"'
        yield f'tanh from="c{t}" name="shown{t}"'
        yield f'multiply from=["o{t}","shown{t}"] name="h{t}"'


def parameters(kind: str, owner: dict[str, str], whole: dict[str, Array]) -> dict[str, Array]:
    """The weights of the recurrent layer as those of the layers by hand."""
    found = {f"head.{short}": whole[f"head.{short}"] for short in "wb"}
    for k, gate in enumerate(GATES[kind]):
        own = slice(k * UNITS, (k + 1) * UNITS)
        found[f"{owner[f'w{gate}']}.w"] = whole["r.w"][:, own]
        found[f"{owner[f'w{gate}']}.b"] = whole["r.b"][own]
        found[f"{owner[f'u{gate}']}.w"] = whole["r.u"][:, own]
    return found


@pytest.mark.parametrize(
    ("kind", "returns", "backward"),
    [
        ("rnn", "last", False),
        ("rnn", "sequence", True),
        ("lstm", "last", True),
        ("lstm", "sequence", False),
    ],
)
def test_outputs_and_gradients_are_those_of_the_network_by_hand(
    kind: str, returns: str, backward: bool
) -> None:
    layer = f'{kind} units={UNITS} name="r" returns="{returns}" backward={str(backward).lower()}\n'
    layer += ("flatten\n" if returns == "sequence" else "") + 'dense units=2 name="head"'
    one = plan_of(net(layer, SERIES)[0])
    made = Unrolled(kind, backward)
    states = ",".join(f'"h{t}"' for t in range(1, STEPS + 1))
    if returns == "sequence":
        made.lines += [f'concat from=[{states}] name="all"', 'dense units=2 name="head"']
    else:
        made.lines.append(f'dense units=2 name="head" from="{made.last}"')
    other = plan_of(net("\n".join(made.lines), APART, data=DATA)[0])
    other.restore(
        {f"param/{n}": a for n, a in parameters(kind, made.owner, one.parameters()).items()}
    )
    inputs, targets = data_of(SERIES)
    one.attach("train", inputs, targets)
    other.attach("train", {f"s{k + 1}": inputs[""][:, k] for k in range(STEPS)}, targets)
    loss, whole = one.gradients("train", ROWS)
    again, found = other.gradients("train", ROWS)
    assert again == pytest.approx(loss, rel=1e-12)
    wanted = parameters(kind, made.owner, whole)
    assert found.keys() == wanted.keys()
    for name, gradient in found.items():
        assert np.abs(gradient).max() > 1e-6, name
        np.testing.assert_allclose(gradient, wanted[name], rtol=0, atol=1e-12, err_msg=name)
    outputs = [plan.evaluate("train", ROWS).outputs["head"] for plan in (one, other)]
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-12)
    one.close()
    other.close()
