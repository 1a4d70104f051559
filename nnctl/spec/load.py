"""From TOML to a Spec: every mistake of the file, its base and the flags at once, each located."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pydantic import ValidationError

from nnctl.errors import Problem, SpecError

from . import wiring
from .base import Finding
from .blocks.expand import Expansion, expand
from .files import Tree, read_tree, text_tree
from .overrides import apply
from .root import Spec
from .source import lookup
from .together import check


def load_spec(path: Path | str, overrides: Sequence[str] = (), *, text: str | None = None) -> Spec:
    """Load a spec file with ``--set`` overrides; ``text`` stands in for the file's content.

    Raises SpecError with every problem.
    """
    path = Path(path)
    return _resolve(read_tree(path, text), list(overrides), path.stem)


def load_spec_text(text: str, name: str, base_dir: Path | str = ".") -> Spec:
    """Load a spec that stands in no file, such as a checkpoint's; ``name`` is for messages."""
    return _resolve(text_tree(text, name, Path(base_dir)), [], Path(name).stem)


def _resolve(tree: Tree, overrides: list[str], stem: str) -> Spec:
    problems = apply(tree, overrides)
    data = tree.data
    entries = data.get("layers")
    expansion = expand(entries if isinstance(entries, list) else [], data.get("blocks"))
    tree.trace.moved = dict(expansion.moved)
    resolved = {key: value for key, value in data.items() if key not in ("blocks", "extends")}
    resolved.setdefault("name", _name(stem))
    if isinstance(entries, list) and (expansion.layers or not expansion.whole):
        resolved["layers"] = expansion.layers
    spec, error = _validated(resolved)
    blocks = _block_findings(tree, expansion, bool(overrides))
    if spec is not None and not blocks and not expansion.failures and not problems:
        findings = [*_wires(resolved, expansion), *check(spec)]
        if not findings:
            spec._trace = tree.trace
            return spec
    problems += _explained(tree, resolved, expansion, error, blocks, spec)
    raise SpecError(_ordered(problems))


def _name(stem: str) -> str:
    """Make a legal name of a file's stem."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_.-") else "-" for c in stem)
    return kept.lstrip(".-")[:100] or "spec"


def _validated(data: dict[str, Any]) -> tuple[Spec | None, ValidationError | None]:
    try:
        return Spec.model_validate(data), None
    except ValidationError as error:
        return None, error


def _wires(resolved: dict[str, Any], expansion: Expansion) -> Iterator[Finding]:
    """Check names and references, where every layer is known."""
    if expansion.whole:
        yield from wiring.check(wiring.read(expansion.layers), resolved)


def _block_findings(tree: Tree, expansion: Expansion, flagged: bool) -> list[Finding]:
    """What is wrong with blocks; one that the file defines must be used."""
    found = list(expansion.findings)
    blocks = tree.data.get("blocks")
    for name in blocks if isinstance(blocks, dict) else ():
        own = tree.trace.origin(("blocks", name)) is tree.trace.origin(())
        if own and name not in expansion.used and not flagged:
            from .suggest import hint

            asked = sorted(expansion.used - set(blocks))
            remedy = hint(name, asked, "asked for") or "use it in a layer of type = \"block\""
            found.append(Finding(("blocks", name), f'no layer uses the block "{name}"', remedy))
    return found


def _explained(
    tree: Tree,
    resolved: dict[str, Any],
    expansion: Expansion,
    error: ValidationError | None,
    blocks: list[Finding],
    spec: Spec | None,
) -> Iterator[Problem]:
    """Turn everything that was found into problems; only here the models of all types load."""
    from .places import Slot
    from .problems import relocate, translate
    from .root import SpecFile

    root, trace = Slot(SpecFile), tree.trace
    for finding in blocks:
        yield trace.problem(finding.path, finding.message, finding.hint)
    faults = []
    for path, failure in expansion.failures:
        part = lookup(tree.data, path)
        model = Slot(type_of(failure))
        faults += relocate(translate(model, part, failure), path)
    if error is not None:
        faults += translate(root, resolved, error)
    parts: Any = spec if spec is not None else _parts(resolved)
    together = [*_wires(resolved, expansion), *check(parts)]
    for fault in faults:
        f = fault.finding
        yield trace.problem(f.path, f.message, f.hint, value=fault.value)
    for finding in together:
        yield trace.problem(finding.path, finding.message, finding.hint)


def type_of(failure: ValidationError) -> Any:
    """The block model that a failure is about, by its title."""
    from .blocks.use import Block, BlockUse

    return {model.__name__: model for model in (Block, BlockUse)}[failure.title]


def _parts(resolved: dict[str, Any]) -> SimpleNamespace:
    """Read each table on its own, so that a mistake in one hides none between the others."""
    parts = SimpleNamespace()
    for name, info in Spec.model_fields.items():
        key = info.alias or name
        filler = {"data": {"source": "x"}, "layers": [{"type": "flatten"}], "loss": {"type": "mse"}}
        trial = {"name": "x", **filler}
        if key in resolved:
            trial[key] = resolved[key]
        spec, _ = _validated(trial)
        setattr(parts, name, getattr(spec, name) if spec is not None else None)
    return parts


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    """Sort by place, flags first; say each thing once."""
    seen: dict[tuple[Any, ...], Problem] = {}
    for problem in problems:
        place = (problem.file, problem.line, problem.path)
        seen.setdefault((*place, problem.message), problem)
    files: dict[str, int] = {}
    for problem in seen.values():
        files.setdefault(problem.file, len(files))
    return sorted(seen.values(), key=lambda p: (p.line > 0, files[p.file], p.line, p.column))
