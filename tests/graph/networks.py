"""Small networks for the graph's tests, written as users write them."""

from __future__ import annotations

from nnctl.errors import SpecError
from nnctl.graph import Graph, build
from nnctl.spec import Spec, load_spec_text
from nnctl.spec.info import DataInfo, TargetInfo

CLASSES = TargetInfo("class", 10)
IMAGES = DataInfo({"": (8, 8, 1)}, {"": CLASSES}, 1797)
ROWS = DataInfo({"": (4,)}, {"": TargetInfo("class", 3)}, 150)
NUMBERS = DataInfo({"": (4,)}, {"": TargetInfo("number", 1)}, 150)

HEAD = '[data]\nsource = "digits"\n'
LOSS = '[loss]\ntype = "cross_entropy"\n'


def spec(layers: str, rest: str = LOSS, data: str = HEAD, first: str = "") -> Spec:
    """Load a spec of layers, one a line: ``dense units=3 name="a"`` (spaces only between keys)."""
    tables = "".join(_table(line) for line in layers.strip().splitlines())
    return load_spec_text(f"{first}\n{data}\n{tables}\n{rest}", "net.toml")


def _table(line: str) -> str:
    kind, *pairs = line.split()
    return "\n".join(
        ["[[layers]]", f'type="{kind}"', *(p.replace("=", " = ", 1) for p in pairs), ""]
    )


def graph(layers: str, rest: str = LOSS, info: DataInfo = ROWS, **more: str) -> Graph:
    """Build the graph of a small network."""
    return build(spec(layers, rest, **more), info)


def problems(layers: str, rest: str = LOSS, info: DataInfo = ROWS, **more: str) -> list[str]:
    """Return the complaints about a small network, without their hints."""
    try:
        graph(layers, rest, info, **more)
    except SpecError as error:
        return [str(problem).splitlines()[0] for problem in error.problems]
    return []


def hints(layers: str, rest: str = LOSS, info: DataInfo = ROWS, **more: str) -> list[str]:
    """Return the hints of the complaints."""
    try:
        graph(layers, rest, info, **more)
    except SpecError as error:
        return [problem.hint for problem in error.problems]
    return []
