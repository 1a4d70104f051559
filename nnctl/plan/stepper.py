"""Running a network a step at a time, with its states carried on from call to call."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnctl.graph.passes import look_up_all
from nnctl.graph.stepping import CARRIED, Stepped
from nnctl.plan.compile import compile_plan
from nnctl.plan.plan import Plan

NAME = "steps"
Arrays = Mapping[str, np.ndarray]


class Stepper:
    """The network of one step beside the whole one, whose parameters it takes.

    ``rows`` sequences go on side by side. ``begin`` first, then ``step`` as often as is wanted, or
    ``speak`` for many steps in one call.
    """

    def __init__(self, stepped: Stepped, whole: Plan, rows: int) -> None:
        self.stepped, scalers = stepped, whole.scalings
        self.plan = compile_plan(
            look_up_all(stepped.graph),
            batch=rows,
            eval_batch=rows,
            dtype=whole.dtype,
            seed=whole.seed,
            threads=whole.threads,
            normalizers={n: scalers[n] for n in stepped.graph.inputs if n in scalers},
        )
        self.take(whole)

    def take(self, whole: Plan) -> None:
        """Take the parameters that the whole network has now."""
        parameters = whole.parameters()
        wanted = self.stepped.graph.parameters
        self.plan.restore({f"param/{name}": parameters[name] for name in wanted})

    def begin(self, fed: np.ndarray, kept: Arrays, lengths: Arrays, starts: Arrays) -> None:
        """Start ``len(fed)`` sequences. ``fed`` (R, 1, ...) is what the first step reads, ``kept``
        and ``lengths`` what stays for all steps, ``starts`` (R, states) what recurrent nodes start
        from; the others start from zero, or from what is trained."""
        own = np.array(fed)  # it changes from step to step
        self.plan.attach(NAME, {self.stepped.fed: own, **kept}, None, lengths)
        self.fed = self.plan.splits[NAME].inputs[self.stepped.fed]
        self.count = len(fed)
        for node in self.stepped.starts:
            state = self._carried(node)
            state[:] = self._learned(node)
            if node in starts:
                given = starts[node]
                state[: self.count, : given.shape[1]] = given

    def _learned(self, node: str) -> np.ndarray | float:
        """The states that a recurrent node starts from, where they are trained."""
        one = self.stepped.graph.node(node)
        names = one.steps.learned if one.steps is not None else ()
        if not names:
            return 0.0
        parameters = self.plan.parameters()
        return np.concatenate([parameters[one.params[name].parameter] for name in names])

    def _carried(self, node: str) -> np.ndarray:
        """The states of a recurrent node (rows, states), where they lie."""
        name = f"{node}.{CARRIED}"
        values = self.plan.values
        shape = tuple(values.kept.layouts[name].shape)
        held = values.kept.part(name, self.plan.memory.zone("kept"))
        return held[: shape[0] * shape[1]].reshape(shape)

    def feed(self, values: np.ndarray) -> None:
        """Say what the next step reads (R, ...)."""
        self.fed[:] = values.reshape(self.fed.shape)

    def step(self) -> dict[str, np.ndarray]:
        """Take a step; return its outputs (R, K) by node."""
        return self.plan.evaluate(NAME).outputs

    def reorder(self, parents: np.ndarray) -> None:
        """Let sequence i go on from where ``parents[i]`` is."""
        for node in self.stepped.starts:
            state = self._carried(node)
            state[: self.count] = state[parents]

    def speak(
        self,
        said: np.ndarray,
        first: int,
        steps: int,
        *,
        temperature: float = 0.0,
        top_k: int = 0,
        seed: int = 0,
        never: int = -1,
        stop: int = -1,
    ) -> None:
        """Take steps ``first`` to ``first + steps`` in one call, each fed what was chosen before.

        ``said`` int64 (all steps + 1, rows) holds what was said and given, and -1 where it is to be
        filled in.
        """
        tape = self.plan.tapes.speaking(self.stepped.fed, never, stop)
        manner = np.array([temperature, top_k], dtype=np.float64)
        self.plan.use(NAME)
        self.plan.memory.set_place("said", said)
        self.plan.memory.set_place("manner", manner)
        self.plan.runner.seed = seed
        live = np.full(steps, self.count)
        rows = np.arange(self.count)
        self.plan.runner.run(tape, rows, np.zeros(steps), live, np.zeros(steps), first_step=first)

    def close(self) -> None:
        """End the threads."""
        self.plan.close()
