"""Hold tokens against the vocabulary of the layers that read them, before anything is computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnctl.data import Part
from nnctl.errors import DataError, Problem
from nnctl.graph import Graph
from nnctl.spec import Spec


def check_tokens(graph: Graph, part: Part, file: str = "") -> None:
    """Refuse what is no token of the network's. Raises DataError at the first of each input."""
    problems = []
    for name, known in graph.tokens().items():
        values = part.inputs[name]
        odd = (values < 0) | (values >= known)
        if values.dtype.kind == "f":
            odd |= values != np.floor(values)
        if odd.any():
            row, step = (int(i) for i in np.argwhere(odd.reshape(part.samples, -1))[0])
            value = values.reshape(part.samples, -1)[row, step]
            which = f' of input "{name}"' if name else ""
            message = f"sample {part.index[row]}: token {value:g} at step {step}{which} is outside"
            message += f" the vocabulary of {known}"
            hint = f"tokens are whole numbers from 0 to {known - 1}; correct the file, or train a"
            problems.append(Problem(message, f"{hint} network that knows more", file=file))
    if problems:
        raise DataError(problems)


def file_of(spec: Spec, part: str) -> str:
    """Return the file that a part's samples are rows of; nothing where a formula made them."""
    given = getattr(spec.data, part, None) if part != "train" else None
    source = getattr(given, "source", given) or spec.data.source
    return str(Path(spec.base_dir) / source) if isinstance(source, str) else ""
