"""``[init]``: the tensors that a network starts from, out of another program's file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.checkpoint import read_foreign
from nnctl.errors import CheckpointError, Problem, SpecError
from nnctl.graph import Graph, Node
from nnctl.interop import torch
from nnctl.interop.torch import Wanted
from nnctl.spec.shapes import format_shape
from nnctl.spec.suggest import hint

if TYPE_CHECKING:
    from nnctl.spec import Spec
    from nnctl.spec.start import Start

Array = np.ndarray[Any, Any]
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")
CONVERT = """\
nnctl reads no pickles, which can run code; where PyTorch is, convert the file:
import torch, safetensors.torch
safetensors.torch.save_file(torch.load("FILE", weights_only=True), "FILE.safetensors")"""


@dataclass(frozen=True)
class Loaded:
    """Tensors as checkpoints name them, the file's hash, and the layers that start afresh."""

    tensors: dict[str, Array]
    sha256: str
    fresh: tuple[str, ...]


def load(spec: Spec, graph: Graph) -> Loaded:
    """Read the file of a spec's ``[init]`` and fit it to the graph.

    Raises CheckpointError with every tensor that is missing, not wanted or of another shape;
    SpecError for names in ``skip`` that nothing has.
    """
    start = spec.init
    if start is None:
        raise ValueError("the spec has no [init]")
    path = spec.base_dir / start.from_
    if path.suffix in PICKLES:
        message = f"expected a safetensors file, given {start.from_}"
        raise CheckpointError(spec.problem(("init", "from"), message, CONVERT))
    tensors, digest = _read(spec, path)
    if start.sha256 not in (None, digest):
        message = f"expected a file with the sha256 {start.sha256}, {path} has {digest}"
        remedy = "bring back the file that the run began with, or start a new run"
        raise CheckpointError(spec.problem(("init", "sha256"), message, remedy))
    wanted, unlike = torch.wanted(graph)
    if unlike:
        raise CheckpointError([spec.problem(node.where, *_unlike(node)) for node in unlike])
    _check_skip(spec, start, wanted, tensors)
    left = [entry for entry in wanted if not _skipped(entry.layer, start)]
    problems = list(_problems(left, tensors, start))
    if problems:
        where = str(path)
        raise CheckpointError(Problem(p.message, p.hint, where) for p in problems)
    fresh = tuple(dict.fromkeys(e.layer for e in wanted if _skipped(e.layer, start)))
    return Loaded({e.ours: e.converted(tensors[e.theirs]) for e in left}, digest, fresh)


def _read(spec: Spec, path: Path) -> tuple[Mapping[str, Array], str]:
    try:
        return read_foreign(path)
    except CheckpointError as error:
        problems = [
            spec.problem(
                ("init", "from"), f"{p.file}: {p.message}" if p.file else p.message, p.hint
            )
            for p in error.problems
        ]
        raise CheckpointError(problems) from error


def _skipped(name: str, start: Start) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in start.skip or ())


def _check_skip(
    spec: Spec, start: Start, wanted: list[Wanted], tensors: Mapping[str, Array]
) -> None:
    """Refuse entries that name nothing, and a list that leaves nothing to load."""
    layers = list(dict.fromkeys(entry.layer for entry in wanted))
    problems = [
        spec.problem(
            ("init", "skip", index),
            f'neither a layer with parameters nor a tensor of {start.from_} is named "{each}"',
            hint(each, layers, "layers"),
        )
        for index, each in enumerate(start.skip or ())
        if not any(name == each or name.startswith(f"{each}.") for name in (*layers, *tensors))
    ]
    if not problems and all(_skipped(entry.layer, start) for entry in wanted):
        problems = [spec.problem(("init", "skip"), "leaves nothing to load", "remove [init]")]
    if problems:
        raise SpecError(problems)


def _problems(
    wanted: list[Wanted], tensors: Mapping[str, Array], start: Start
) -> Iterator[Problem]:
    """Find everything that does not fit, layer by layer, then what no layer wants."""
    for entry in wanted:
        afresh = f'init.skip = ["{entry.layer}"] starts the layer afresh'
        if not entry.theirs:
            role = entry.ours.rpartition(".")[2]
            message = f'"{entry.layer}" has the parameter {role}, which has no name in PyTorch'
            yield Problem(message, afresh)
        elif entry.theirs not in tensors:
            missing = f'the tensor "{entry.theirs}" of "{entry.layer}" is missing'
            yield Problem(missing, afresh)
        else:
            fault = _fault(entry, tensors[entry.theirs])
            if fault:
                yield Problem(f'the tensor "{entry.theirs}" {fault}', afresh)
    known = {entry.theirs for entry in wanted}
    for name in tensors:
        if name not in known and not name.endswith(torch.IGNORED) and not _skipped(name, start):
            yield Problem(f'no layer wants the tensor "{name}"', f'init.skip = ["{name}"]')


def _unlike(node: Node) -> tuple[str, str]:
    message = f'"{node.layer}": {node.op} reads numbers that PyTorch has in another order'
    return message, "channels come first there, so no weights of PyTorch can compute the same here"


def _fault(entry: Wanted, found: Array) -> str:
    if found.shape != entry.shape:
        shapes = f"{format_shape(found.shape)}, expected {format_shape(entry.shape)}"
        return f'has the shape {shapes} for "{entry.layer}"'
    if not np.issubdtype(found.dtype, np.floating):
        return f"holds {found.dtype.name}, expected floating-point numbers"
    if not np.isfinite(found).all():
        return "holds NaN or Inf"
    if entry.ours.endswith(".running_var") and (found < 0).any():
        return "holds negative variances"
    return ""
