"""From TOML to a Spec: every mistake of the file, its base and the flags at once, each located."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from nnctl.errors import Problem, SpecError

from . import wiring
from .base import Finding
from .blocks.expand import Expansion, expand
from .files import Tree, read_tree, text_tree
from .overrides import apply
from .positions import Path as Keys
from .root import Spec
from .source import File, lookup
from .suggest import hint
from .together import check

if TYPE_CHECKING:
    from .places import Slot
    from .problems import Fault


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
    tree.trace.moved = expansion.moved | _gate_places(data.get("gates"))
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
    main = tree.trace.origins[()]
    raise SpecError(_ordered(problems, main.name if isinstance(main, File) else ""))


def _gate_places(table: Any) -> dict[Keys, Keys]:
    """Gates are a list; where they are written as a table, a gate stands at its key."""
    keys = list(table) if isinstance(table, dict) else []
    return {("gates", index): ("gates", key) for index, key in enumerate(keys)}


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
    table = tree.data.get("blocks")
    blocks: list[str] = list(table) if isinstance(table, dict) else []
    for name in blocks:
        own = tree.trace.origin(("blocks", name)) is tree.trace.origin(())
        if own and name not in expansion.used and not flagged:
            others = sorted((expansion.used | set(blocks)) - {name})
            remedy = hint(name, others, "blocks") or 'use it in a layer of type = "block"'
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
    from .written import SpecFile

    root, trace = Slot(SpecFile), tree.trace
    for finding in blocks:
        yield trace.written(finding.path, finding.message, finding.hint)
    for path, failure in expansion.failures:
        found = translate(Slot(type_of(failure)), lookup(tree.data, path), failure)
        for fault in relocate(found, path):
            f = fault.finding
            yield trace.written(f.path, f.message, f.hint, value=fault.value)
    faults: list[Fault] = []
    parts: Any = spec
    if error is not None:
        found = translate(root, resolved, error)
        faults += found
        hidden = _hidden(root, resolved, found)
        faults += [fault for fault in hidden if fault not in found]
        parts = _parts(without(resolved, [fault.finding.path for fault in faults]))
    said = {finding.path for finding in blocks}
    for fault in faults:
        f = fault.finding
        if trace.raw(f.path) not in said:
            yield trace.problem(f.path, f.message, f.hint, value=fault.value)
    for finding in (*_wires(resolved, expansion), *check(parts)):
        yield trace.problem(finding.path, finding.message, finding.hint)


def _hidden(root: Slot, data: dict[str, Any], found: list[Fault]) -> list[Fault]:
    """Find what does not hold together in tables that have other mistakes, by taking these out."""
    from .problems import translate

    hidden: list[Fault] = []
    for _ in range(3):
        wrong = [fault for fault in found if fault.kind != "conflict"]
        paths = [f.finding.path[: -1 if f.kind == "missing" else None] for f in wrong]
        data = without(data, [path for path in paths if path])
        _, error = _validated(data)
        found = translate(root, data, error) if error is not None else []
        hidden += [fault for fault in found if fault.kind == "conflict" and fault not in hidden]
    return hidden


def type_of(failure: ValidationError) -> Any:
    """The block model that a failure is about, by its title."""
    from .blocks.use import Block, BlockUse

    return {model.__name__: model for model in (Block, BlockUse)}[failure.title]


def without(data: dict[str, Any], paths: Iterable[Keys]) -> dict[str, Any]:
    """Copy tables without the entries at some paths; entries of lists stay where they are."""
    rest = deepcopy(data)
    for *table, key in paths:
        try:
            inner = lookup(rest, tuple(table))
        except (KeyError, IndexError, TypeError):
            continue
        if isinstance(inner, dict):
            inner.pop(key, None)
    return rest


_LEAST = {"data": {"source": "x"}, "layers": [{"type": "flatten"}], "loss": {"type": "mse"}}


def _parts(data: dict[str, Any]) -> SimpleNamespace:
    """Read each table on its own, so that a mistake in one hides none between the others."""
    parts = SimpleNamespace()
    for name, info in Spec.model_fields.items():
        key = info.alias or name
        own = {key: data[key]} if key in data else {}
        spec, _ = _validated({"name": "x", **_LEAST, **own})
        missing = key in _LEAST and not own
        setattr(parts, name, getattr(spec, name) if spec is not None and not missing else None)
    return parts


def _ordered(problems: Iterable[Problem], main: str) -> list[Problem]:
    """Sort by place: flags, then the file, then those that it extends; say each thing once."""
    seen: dict[tuple[Any, ...], Problem] = {}
    for problem in problems:
        place = (problem.file, problem.line, problem.path)
        seen.setdefault((*place, problem.message), problem)
    files = {main: 0}
    for problem in seen.values():
        files.setdefault(problem.file, len(files))
    return sorted(seen.values(), key=lambda p: (p.line > 0, files[p.file], p.line, p.column))
