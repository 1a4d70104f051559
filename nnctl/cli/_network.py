"""A spec's network without its data: what ``check`` and ``show`` look at. No numpy, no numba."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnctl.graph import Graph
    from nnctl.spec import Spec
    from nnctl.spec.info import DataInfo


@dataclass(frozen=True)
class Network:
    """A spec, the header of its data, and the graph that the two make."""

    spec: Spec
    info: DataInfo
    graph: Graph


def load_network(path: Path, overrides: Sequence[str] = ()) -> Network:
    """Read a spec and its data's headers and build the graph. Raises SpecError, DataError."""
    from nnctl.data.header import inspect
    from nnctl.graph import build
    from nnctl.spec import load_spec

    spec = load_spec(path, overrides)
    info = inspect(spec.data, spec.base_dir, spec.problem)
    return Network(spec, info, build(spec, info))
