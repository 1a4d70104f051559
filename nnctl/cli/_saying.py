"""Options of ``predict`` for networks that say something themselves: texts and forecasts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnctl.errors import UsageError

if TYPE_CHECKING:
    from nnctl.data.tokens import Prompt

Prompts = Annotated[
    list[str] | None,
    typer.Option("--prompt", metavar="TEXT", help="Go on from this text. Repeatable."),
]
PromptFile = Annotated[
    str | None,
    typer.Option("--prompt-file", metavar="FILE", help="Go on from a file's text; - is stdin."),
]
Length = Annotated[
    int | None, typer.Option("--length", min=1, help="Symbols to go on with; default 200.")
]
Temperature = Annotated[
    float | None,
    typer.Option(
        "--temperature",
        min=0.0,
        max=100.0,
        help="0: the likeliest symbol; 1, the default: by its probability.",
    ),
]
TopK = Annotated[
    int | None, typer.Option("--top-k", min=0, help="Draw among so many; default 0: among all.")
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Of what is drawn; default 0.")]
Ahead = Annotated[
    int | None,
    typer.Option("--ahead", min=1, help="Carry a series on for so many steps, each from the last."),
]


def sampling(
    length: int | None, temperature: float | None, top_k: int | None, seed: int | None
) -> dict[str, Any]:
    """Return what was said of how symbols are drawn."""
    said = {"length": length, "temperature": temperature, "top_k": top_k, "seed": seed}
    return {name: value for name, value in said.items() if value is not None}


def refuse_idle(
    options: dict[str, Any], inputs: list[str], prompts: Sequence[Any], others: list[str]
) -> None:
    """Raise UsageError for what cannot take effect; ``others`` are those given that are not of how
    symbols are drawn."""
    if prompts and inputs:
        raise UsageError(
            f"a prompt and INPUT cannot hold together, given {inputs[0]}",
            "a prompt is gone on from, files are predicted: give one of them",
        )
    if not prompts and not inputs:
        raise UsageError("there is nothing to predict", "give INPUT files, or --prompt TEXT")
    if options and not prompts:
        name = next(iter(options)).replace("_", "-")
        raise UsageError(f"--{name} has no effect without a prompt", "add --prompt TEXT")
    leading = "a prompt" if prompts else "--ahead" if "--ahead" in others else ""
    idle = [name for name in others if name not in (() if prompts else ("--ahead", "--format"))]
    if leading and idle:
        raise UsageError(f"{idle[0]} has no effect with {leading}", "give one of them")


def given(prompts: list[str] | None, file: str | None) -> list[Prompt]:
    """Return all prompts. Raises UsageError for a file that cannot be read, DataError for one that
    is no text."""
    from nnctl.data.tokens import Prompt, lone_surrogate

    found = [Prompt(text) for text in prompts or []]
    for number, prompt in enumerate(found, 1):
        if lone_surrogate(prompt.text) is not None:  # bytes that are no text
            which = f"prompt {number}" if len(found) > 1 or file else "the prompt"
            raise UsageError(f"{which} is not UTF-8", "give it as UTF-8")
    if file is not None:
        found.append(Prompt(_text_of(file), "<stdin>" if file == "-" else file))
    return found


def _text_of(file: str) -> str:
    from nnctl.data.sources.text import decoded

    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error}", "give a file of text") from error
    return decoded(raw, Path("<stdin>" if file == "-" else file))
