"""The engine's plan of a network, as ``nnctl show --plan`` prints it. Imports the engine."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from nnctl.cli._network import Network
from nnctl.cli.table import table
from nnctl.graph.describe import human_bytes
from nnctl.plan.describe import PlanRows, describe
from nnctl.run.prepare import prepare


def compile_and_describe(network: Network) -> PlanRows:
    """Return the plan of a training step on the spec's own data."""
    plan = prepare(network.spec).plan
    try:
        return describe(plan)
    finally:
        plan.close()


def as_text(network: Network, found: PlanRows) -> str:
    """Return a line for each call; a phase ends in a barrier, its groups run side by side."""
    rows = [
        (
            f"{call.phase}.{call.group}",
            call.label,
            call.kernel,
            str(call.tasks),
            ", ".join(call.writes),
        )
        for call in found.calls
    ]
    lines = table(("phase", "call", "kernel", "tasks", "writes"), rows, "lllrl")
    total = (
        f"{len(found.calls)} calls in {found.phases} phases, {found.threads} threads, batches of "
        f"{found.batch} in {found.dtype}, {human_bytes(found.activation_bytes)} for activations"
    )
    return f"{network.spec.name}\n\n{lines}\n\n{total}"


def as_document(network: Network, found: PlanRows) -> dict[str, Any]:
    """Return the same as a JSON document."""
    return {"name": network.spec.name, **asdict(found)}
