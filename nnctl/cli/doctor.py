"""Show the environment: versions, CPU, threads, cache directory.

Everything that decides how fast nnctl runs here, and whether two machines are alike: the same
versions and the same width of vectors give the same bits. What stands in the way is said on stderr.
"""

from __future__ import annotations

from nnctl.cli._options import Json
from nnctl.cli.output import Output


def command(json: Json = False) -> None:
    from nnctl.cli._environment import environment, trouble

    out = Output(json=json)
    facts = environment()
    problems = trouble(facts)
    width = max(map(len, facts))
    lines = [f"{name.replace('_', ' ').ljust(width)}  {_text(v)}" for name, v in facts.items()]
    out.text("\n".join(lines))
    for problem in problems:
        out.warn(f"warning: {problem}")
    out.document({**facts, "problems": problems})


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
