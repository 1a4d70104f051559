"""How many threads run a call: what it takes and who is awake decide, and no bit depends on it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from nnctl.plan import runner
from nnctl.plan.runner import JOINING, PHASE, SHORT_CALL, WAKING, Runner


class Crew:
    """Notes what it is asked to run."""

    def __init__(self, awake: bool) -> None:
        self.awake = awake
        self.calls: list[tuple[str, int]] = []

    def short(self, memory: int, tape: int, steps: int, threads: int) -> None:
        self.calls.append(("short", threads))

    def long(self, memory: int, tape: int, steps: int, threads: int) -> None:
        self.calls.append(("long", threads))


@pytest.mark.parametrize(
    ("work", "steps", "share", "awake", "expected"),
    [
        (WAKING + 1, 1, 1.0, False, ("short", 2)),
        (WAKING - 1, 1, 1.0, False, ("alone", 1)),
        (WAKING - 1, 1, 1.0, True, ("short", 2)),
        (JOINING + 1, 1, 1.0, True, ("short", 2)),
        (JOINING - 1, 1, 1.0, True, ("alone", 1)),
        (JOINING + 1, 1, 0.5, True, ("alone", 1)),
        (JOINING - 1, 2, 1.0, True, ("short", 2)),
        (SHORT_CALL, 1, 1.0, False, ("long", 2)),
        (SHORT_CALL / 10, 10, 1.0, True, ("long", 2)),
        (SHORT_CALL, 1, 0.5, False, ("short", 2)),
        (3 * PHASE - 1, 1000, 1.0, True, ("long", 1)),  # three phases, each too short for two
    ],
)
def test_threads_of_a_call(
    work: float, steps: int, share: float, awake: bool, expected: tuple[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    tape: Any = SimpleNamespace(work=work, phases=[None] * 3, address=0)
    memory: Any = SimpleNamespace(address=0)
    made, crew = Runner(memory, 2, 0), Crew(awake)
    made._crew = crew  # type: ignore[assignment]
    monkeypatch.setattr(runner, "run", lambda *a: crew.calls.append(("alone", a[-1])))
    made._go(tape, steps, share)
    assert crew.calls == [expected]


def test_nobody_is_awake_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    tape: Any = SimpleNamespace(work=WAKING - 1, phases=[None], address=0)
    memory: Any = SimpleNamespace(address=0)
    made, calls = Runner(memory, 2, 0), []
    monkeypatch.setattr(runner, "run", lambda *a: calls.append(a[-1]))
    made._go(tape, 1, 1.0)
    assert calls == [1] and made._crew is None
