"""Losses on a tape: the batch's targets, the losses of its samples, their mean, the gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnctl.graph.graph import LossNode
from nnctl.ops import batch as ends
from nnctl.ops import steps as over_steps
from nnctl.ops.registry import Call, find_loss

if TYPE_CHECKING:
    from nnctl.plan.buffers import Buffer
    from nnctl.plan.lower import Lowering


def add_loss(low: Lowering, loss: LossNode, backward: bool) -> None:
    """Gather the target, compute the losses of the samples and, in training, the gradient."""
    kind, how = low.resident.loss_kinds[loss.output], find_loss(loss.type)
    arrays = _target(low, loss, kind)
    arrays |= {"x": low.y[loss.output], "losses": low.make.column("losses", "d")}
    low.losses[loss.output] = arrays["losses"]
    arrays |= low.saved_by(f"loss.{loss.output}", how.saved, (low.nodes[loss.output].size,))
    if loss.output in low.resident.class_weights:
        arrays["class_weights"] = low.resident.class_weights[loss.output]
    fields = {**loss.fields, "loss_weight": float(loss.weight)}
    if loss.output in low.counts:
        fields["steps"] = low.resident.loss_steps[loss.output]
        arrays["share"] = _share(low, loss) if backward else None
    forward, gradient = how.kernels[kind]
    low.add(arrays, fields, Call(forward), f"loss.{loss.output}")
    if backward:
        dx = low.make.rows(f"{loss.output}.dy", low.nodes[loss.output].size)
        low.dy[(f"loss.{loss.output}", 0)] = dx
        low.add({**arrays, "dx": dx}, fields, Call(gradient), loss.output, "dy")


def add_sums(low: Lowering) -> None:
    """Write the weighted mean loss of the batch to the log."""
    total = low.make.vector("loss.total", 8, "d")
    for k, loss in enumerate(low.graph.losses):
        arrays = {"losses": low.losses[loss.output], "total": total}
        numbers = {"weight": float(loss.weight), "is_first": int(k == 0)}
        kernel = ends.sum_losses
        if loss.output in low.counts:
            arrays["counts"] = low.counts[loss.output]
            kernel = over_steps.sum_step_losses
        low.add(arrays, numbers, Call(kernel), f"loss.{loss.output}", "sum")


def _share(low: Lowering, loss: LossNode) -> Buffer:
    """One over the steps of the batch that count."""
    share = low.make.vector(f"loss.{loss.output}.share", 1)
    arrays = {"counts": low.counts[loss.output], "share": share}
    low.add(arrays, {}, Call(over_steps.share_of_a_step), f"loss.{loss.output}", "share")
    return share


def _target(low: Lowering, loss: LossNode, kind: str) -> dict[str, Any]:
    label = f"target.{loss.target or loss.output}"
    steps = low.resident.loss_steps.get(loss.output)
    if steps is not None:
        low.counts[loss.output] = low.make.column(f"{label}.counts", "d")
    if kind.startswith("class"):
        return _labels(low, loss, label, steps)
    width = low.nodes[loss.output].size
    rows = low.make.rows(label, width)
    source = low.table(f"target.{loss.output}", width, "d")
    low.gather_into(rows, source, "d", low.resident.scalers.get(loss.target), label)
    if steps is not None:
        low.holed.add(rows)
        arrays = {"target": rows, "counts": low.counts[loss.output]}
        low.add(arrays, {"steps": steps}, Call(over_steps.count_rows), label, "counts")
    return {"target": rows}


def _labels(low: Lowering, loss: LossNode, label: str, steps: int | None) -> dict[str, Any]:
    if steps is None:
        labels = low.make.column(label, "i")
        arrays = {"labels": labels, "source": low.table(f"target.{loss.output}", 1, "i")}
        low.add(arrays, {}, Call(ends.gather_labels), label)
        return {"labels": labels}
    labels = low.make.rows(label, steps, "i")
    arrays = {"labels": labels, "source": low.table(f"target.{loss.output}", steps, "i")}
    arrays["counts"] = low.counts[loss.output]
    low.add(arrays, {"steps": steps}, Call(over_steps.gather_step_labels), label)
    return {"labels": labels}
