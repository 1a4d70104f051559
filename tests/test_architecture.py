"""The house rules, read from the source: who imports whom, what is complete, how long, never."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from nnctl.init import starts
from nnctl.ops import registry as ops
from nnctl.optim import registry as rules
from nnctl.spec import registry as spec
from tests.vectors import collect

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "nnctl"

# room: what it may import of nnctl. Arrows point one way.
MAY = {
    "__main__": {"cli"},
    "errors": set(),
    "random": set(),
    "windows": set(),
    "files": {"errors"},
    "spec": {"errors", "windows"},
    "engine": {"errors", "random"},
    "ops": {"errors", "engine", "random", "windows"},
    "optim": {"errors", "engine", "ops", "random"},
    "graph": {"errors", "spec"},
    "plan": {"errors", "graph", "ops", "optim", "engine", "random"},
    "init": {"errors", "random", "spec"},
    "data": {"errors", "spec", "random"},
    "augment": {"errors", "spec", "random"},
    "metrics": {"errors"},
    "checkpoint": {"errors", "files"},
    "train": {
        "graph", "plan", "optim", "init", "data", "augment", "metrics", "errors", "random", "spec",
    },
    "report": {"errors", "metrics", "checkpoint", "run", "spec"},
    "interop": {"errors", "spec", "graph", "checkpoint"},
}  # fmt: skip
MAY["run"] = set(MAY) - {"__main__", "report"}
MAY["cli"] = set(MAY) - {"__main__"}
# of a room it may import no more than these modules
ONLY = {
    ("report", "run"): {"nnctl.run.rundir", "nnctl.run.artifacts", "nnctl.run.eventlog"},
    ("run", "interop"): {"nnctl.interop", "nnctl.interop.weights"},
}

# room: what it may import from elsewhere, beside the standard library
ELSEWHERE = {
    "spec": {"pydantic", "pydantic_core", "tomli"},
    "engine": {"numpy", "numba", "llvmlite"},
    "checkpoint": {"numpy", "safetensors"},
    "cli": {"typer", "click", "rich", "numpy"},
    "report": {"numpy", "PIL", "jinja2", "matplotlib", "markupsafe", "tomli"},
    "data": {"numpy", "PIL", "tomli"},
    "augment": {"numpy", "PIL"},
    "interop": {"numpy"},
}
NUMPY = {"ops", "optim", "plan", "init", "metrics", "train", "run", "random"}
NETWORK = {
    "socket", "ssl", "urllib", "http", "ftplib", "smtplib", "xmlrpc", "requests", "httpx",
    "aiohttp",
}  # fmt: skip

BUDGETS = {"file": 300, "function": 60, "kernel": 80}
# "path[:function]": why it is longer than its budget
LONGER: dict[str, str] = {}


@cache
def sources(folder: Path = HOUSE) -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in sorted(folder.rglob("*.py"))}


def room_of(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path, tree: ast.Module) -> Iterator[str]:
    """The full names of all modules that a file imports, also inside functions."""
    package = ["nnctl", *path.relative_to(HOUSE).parts[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def modules_of(names: Iterable[str]) -> set[str]:
    """Which of some names are modules of nnctl, and not what they hold."""
    found = set()
    for name in names:
        at = ROOT.joinpath(*name.split("."))
        if name.startswith("nnctl.") and (at.with_suffix(".py").exists() or at.is_dir()):
            found.add(name)
    return found


# -- arrows ------------------------------------------------------------------------------------


def wrong_arrows(trees: dict[Path, ast.Module]) -> list[str]:
    found = []
    for path, tree in trees.items():
        room = room_of(path)
        for module in sorted(modules_of(imports(path, tree))):
            other = module.split(".")[1]
            if other == room or room == "__init__":
                continue
            if other not in MAY.get(room, set()):
                found.append(f"{name_of(path)} imports {module}")
            allowed = ONLY.get((room, other))
            if allowed is not None and module not in {*allowed, f"nnctl.{other}"}:
                found.append(f"{name_of(path)} imports {module}")
    return found


def test_imports_point_one_way() -> None:
    assert wrong_arrows(sources()) == []


def test_every_room_is_in_the_table() -> None:
    rooms = {room_of(path) for path in sources()} - {"__init__"}
    assert rooms <= set(MAY)


def test_arrows_of_the_table_make_no_circle() -> None:
    def reach(room: str, seen: tuple[str, ...]) -> None:
        assert room not in seen, " -> ".join([*seen, room])
        for other in MAY.get(room, ()):
            reach(other, (*seen, room))

    for room in MAY:
        if room not in ("run", "cli"):
            reach(room, ())


def test_a_planted_arrow_is_found() -> None:
    planted = {
        HOUSE / "graph" / "build.py": ast.parse("from nnctl.plan import Plan"),
        HOUSE / "spec" / "load.py": ast.parse("def f():\n    from ..graph import build"),
        HOUSE / "engine" / "tape.py": ast.parse("import nnctl.ops.dense"),
        HOUSE / "report" / "page.py": ast.parse("from nnctl.run import session"),
        HOUSE / "plan" / "plan.py": ast.parse("from nnctl.graph import Graph"),  # a right one
    }
    wrong = {line.split(" imports ")[0] for line in wrong_arrows(planted)}
    assert wrong == {name_of(path) for path in planted} - {"nnctl/plan/plan.py"}


def strangers(trees: dict[Path, ast.Module]) -> list[str]:
    """Imports of other packages that a room has no business with."""
    found = []
    for path, tree in trees.items():
        room = room_of(path)
        allowed = ELSEWHERE.get(room, set()) | ({"numpy"} if room in NUMPY else set())
        for name in sorted({n.split(".")[0] for n in imports(path, tree)}):
            if name in ("nnctl", "__future__") or name in allowed:
                continue
            if name not in sys.stdlib_module_names or name in NETWORK:
                found.append(f"{name_of(path)} imports {name}")
    return found


def test_packages_are_imported_where_they_belong() -> None:
    """The compiler in the engine only, the tables of a spec without arrays, no network anywhere."""
    assert strangers(sources()) == []


def test_a_planted_stranger_is_found() -> None:
    planted = {
        HOUSE / "graph" / "build.py": ast.parse("import numpy as np"),
        HOUSE / "plan" / "plan.py": ast.parse("from numba import njit"),
        HOUSE / "run" / "session.py": ast.parse("import urllib.request"),
    }
    assert len(strangers(planted)) == 3


@pytest.mark.parametrize(
    ("code", "without"),
    [
        ("import nnctl.cli.app", ("numba", "numpy", "pydantic")),
        ("import nnctl.errors, nnctl.spec.info", ("numba", "numpy", "pydantic")),
        ("import nnctl.spec.load, nnctl.graph, nnctl.data.header", ("numba", "numpy")),
        ("import nnctl.init, nnctl.data, nnctl.metrics, nnctl.checkpoint", ("numba",)),
        ("import nnctl.optim.schedules, nnctl.train, nnctl.report", ("numba",)),
    ],
)
def test_what_is_slow_is_not_imported_in_passing(code: str, without: tuple[str, ...]) -> None:
    check = f"{code}\nimport sys\nprint([n for n in {without} if n in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert found.stdout.strip() == "[]"


def test_references_and_vectors_do_not_import_what_they_judge() -> None:
    found = [
        f"{name_of(path)}: {name}"
        for folder in ("reference", "vectors")
        for path in sorted((ROOT / "tests" / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if name.split(".")[0] == "nnctl"
        or (name.startswith("tests.") and name.split(".")[1] not in ("reference", "vectors"))
    ]
    assert found == []


# -- what there is once, and never -------------------------------------------------------------


def calls(name: str) -> Callable[[ast.AST], bool]:
    def found(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
        )

    return found


def places(found: Callable[[ast.AST], bool]) -> list[str]:
    return sorted(
        {
            name_of(path)
            for path, tree in sources().items()
            for node in ast.walk(tree)
            if found(node)
        }
    )


def test_generated_source_runs_in_one_place() -> None:
    assert places(calls("exec")) == ["nnctl/engine/source.py"]


def _prints(node: ast.AST) -> bool:
    if calls("print")(node):
        return True
    return (
        isinstance(node, ast.Attribute)
        and node.attr in ("stdout", "stderr")
        and isinstance(node.value, ast.Name)
        and node.value.id == "sys"
    )


def test_one_place_writes_to_the_streams() -> None:
    assert places(_prints) == ["nnctl/cli/output.py"]


def test_numbas_compilers_are_named_in_one_place() -> None:
    def compiles(node: ast.AST) -> bool:
        return isinstance(node, ast.ImportFrom) and node.module == "numba" and any(
            alias.name in ("njit", "jit", "cfunc", "vectorize", "guvectorize", "prange")
            for alias in node.names
        )  # fmt: skip

    assert places(compiles) == ["nnctl/engine/jit.py"]


def test_no_bare_assert() -> None:
    """``python -O`` drops them, and they say nothing to a user."""
    assert places(lambda node: isinstance(node, ast.Assert)) == []


def test_nothing_that_is_read_can_run_code() -> None:
    def runs(node: ast.AST) -> bool:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] + [getattr(node, "module", None) or ""]
            return any(n in ("pickle", "marshal", "shelve", "dill", "cloudpickle") for n in names)
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            return not (isinstance(node.value, ast.Constant) and node.value.value is False)
        return any(calls(name)(node) for name in ("eval", "input", "__import__"))

    assert places(runs) == []


# -- no special cases --------------------------------------------------------------------------

NEUTRAL = ("nnctl/train/loop.py", "nnctl/run/session.py", "nnctl/plan/")
FAMILIES = ("layers", "losses", "optimizers", "schedules", "initializers")
# tags that are ordinary words too, where they stand for something else
WORDS = {"step", "zeros"}


def tags_in(tree: ast.Module) -> set[str]:
    known = {tag for family in FAMILIES for tag in spec.tags(family)} - WORDS
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
        and isinstance(node.body[0], ast.Expr)
    }  # fmt: skip
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and id(node) not in documented and node.value in known
    }


def test_the_loop_the_plan_and_the_session_know_no_type_by_name() -> None:
    found = {
        name_of(path): tags
        for path, tree in sources().items()
        if name_of(path).startswith(NEUTRAL) and (tags := tags_in(tree))
    }
    assert found == {}


def test_a_planted_special_case_is_found() -> None:
    assert tags_in(ast.parse('if node.op == "dense":\n    pass')) == {"dense"}
    assert tags_in(ast.parse('match loss.type:\n    case "mse":\n        pass')) == {"mse"}
    assert tags_in(ast.parse('def f():\n    "dense"\n')) == set()


# -- completeness ------------------------------------------------------------------------------

INTERNAL = {"split", "mask", "hold"}  # made by a pass, never written by a user


def _tags(cases: Iterable[object]) -> set[str]:
    return {case if isinstance(case, str) else getattr(case, "tag", None) or case[0]  # type: ignore[index]
            for case in cases}  # fmt: skip


def _schedules() -> set[str]:
    folder = HOUSE / "optim" / "schedules"
    return {path.stem for path in folder.glob("*.py")} - {"__init__"}


WHOLE = {"encoder_decoder"}  # stands for layers of its own: tests/plan/test_encoder_decoder.py
FAMILY: dict[str, tuple[Callable[[], set[str]], str]] = {
    "layers": (lambda: set(ops.tags()) - INTERNAL, "CASES"),
    "losses": (lambda: set(ops.loss_tags()), "LOSSES"),
    "optimizers": (lambda: set(rules.tags()), "OPTIMIZERS"),
    "schedules": (_schedules, "SCHEDULES"),
    "initializers": (lambda: set(starts()), "INITIALIZERS"),
}


@pytest.mark.parametrize("family", FAMILY)
def test_spec_machine_and_vectors_have_the_same_types(family: str) -> None:
    registered, vectors = FAMILY[family]
    composites = _tags(collect("COMPOSITES")) | WHOLE  # of others: no op of their own
    sets = {
        "spec models": set(spec.tags(family)) - composites,
        "registered": registered(),
        "test vectors": _tags(collect(vectors)) - INTERNAL,
    }
    every = set().union(*sets.values())
    missing = {where: sorted(every - found) for where, found in sets.items() if every - found}
    assert missing == {}, f"{family}: missing {missing}"


def test_internal_ops_have_vectors_too() -> None:
    assert _tags(collect("CASES")) >= INTERNAL


# -- budgets -----------------------------------------------------------------------------------


def is_kernel(node: ast.FunctionDef) -> bool:
    """Whether a function is compiled: its decorator is one of the makers of kernels."""
    makers = {"elementwise", "rows", "tiles", "inline", "helper", "entry", "native", "intrinsic"}
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(call, ast.Name) and call.id in makers:
            return True
    return False


def too_long(trees: dict[Path, ast.Module], lines: Callable[[Path], int]) -> dict[str, int]:
    found = {name_of(p): n for p in trees if (n := lines(p)) > BUDGETS["file"]}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                kernel = isinstance(node, ast.FunctionDef) and is_kernel(node)
                if length > BUDGETS["kernel" if kernel else "function"]:
                    found[f"{name_of(path)}:{node.name}"] = length
    return found


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_files_and_functions_stay_within_their_budgets() -> None:
    found = too_long(sources(), _lines)
    assert {n: length for n, length in found.items() if n not in LONGER} == {}
    assert set(LONGER) <= set(found), "an exception that is not needed any more"
    assert len(LONGER) <= 10


def test_what_is_too_long_is_found() -> None:
    body = "\n".join("    x = 1" for _ in range(60))
    planted = {
        HOUSE / "plan" / "plan.py": ast.parse(f"def f():\n{body}\n@rows()\ndef k():\n{body}")
    }
    assert too_long(planted, lambda path: 301) == {"nnctl/plan/plan.py": 301,
                                                  "nnctl/plan/plan.py:f": 61}  # fmt: skip
