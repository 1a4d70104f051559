"""The command line of the benchmark.

Exit codes: 0 done, 1 a row is an error (the sides do not agree, or one cannot run), 2 usage,
3 the peer is not installed, 5 a target is missed (only with --require-targets).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nnctl.errors import ExitStatus, NnctlError
from tests.bench import peer
from tests.bench.rows import Row, table, verdict
from tests.bench.timing import SECONDS
from tests.bench.workloads import THREADS, Entry, available, choose, planned

OK, ERROR, USAGE, NO_PEER, MISSED = 0, 1, 2, 3, 5
EPILOG = """A row is WORKLOAD[:MODE][@THREADS], MODE one of train (a step; the default), infer (a
batch), one (a sample) and decode (a symbol): mlp, mlp@1, mlp:infer, mlp:infer@1; patterns such as
'mlp*' work too. Without names all rows are run. Exit codes: 0 done, 1 a row is an error, 2 usage, 3
no PyTorch, 5 a target is missed."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Times the same work here and in PyTorch, in turns.",
        epilog=EPILOG,
    )
    add = made.add_argument
    add("rows", nargs="*", metavar="WORKLOAD", help="rows to run; default: all")
    add("--json", action="store_true", help="print the rows as JSON")
    add("--threads", type=_count, metavar="N", help="threads of both sides; default: 2, and 1")
    add("--seconds", type=float, default=SECONDS, metavar="S", help="time for a row; default: 6")
    add("--seed", type=int, default=0, metavar="N", help="which random networks are drawn")
    add("--compile", action="store_true", help="let torch compile too; the faster one counts")
    add("--require-targets", action="store_true", help="exit 5 where a target is missed")
    add("--list", action="store_true", help="list the workloads")
    add("--memory", action="store_true", help="peak memory of training, in fresh processes")
    add("--startup", action="store_true", help="how long nnctl takes to start")
    add("--accuracy", type=Path, metavar="FOLDER", help="train resnet20 on train/ and test/ images")
    add("--epochs", type=_count, default=10, metavar="N", help="of --accuracy; default: 10")
    add(
        "--seeds", type=_count, default=5, metavar="N", help="of --accuracy, at least 2; default: 5"
    )
    return made


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 1024:
        raise argparse.ArgumentTypeError(f"expected 1 to 1024 threads, given {count}")
    return count


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    try:
        asked = parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    try:
        if asked.list:
            return _list()
        if asked.startup:
            return _startup(asked)
        if not peer.is_installed():
            message = "the peer is PyTorch, which is not installed: pip install '.[peers]'"
            print(f"error: {message}", file=sys.stderr)
            return NO_PEER
        if asked.accuracy is not None:
            return _accuracy(asked)
        return _memory(asked) if asked.memory else _rows(asked)
    except NnctlError as error:
        print(f"error: {error}", file=sys.stderr)
        return ERROR if error.status == ExitStatus.INTERNAL else USAGE


def _list() -> int:
    from nnctl.spec.registry import tags

    for name in available():
        target = Entry(name).target
        print(f"{name:14s} {'' if target is None else f'target {target:g}'}".rstrip())
    for name, needs in planned(tags("layers")).items():
        why = f"needs layer types {', '.join(needs)}" if needs else "needs a spec file"
        print(f"{name:14s} target {Entry(name).target:g}, not yet: {why}")
    return OK


def _rows(asked: argparse.Namespace) -> int:
    from tests.bench.run import Options, run

    _warn_if_busy()
    options = Options(asked.seconds, asked.seed, asked.compile, note=_note)
    found: list[tuple[Row, float | None]] = []
    for entry in choose(asked.rows, asked.threads):
        row = run(entry, options)
        found.append((row, entry.target))
        ratio = row.error or f"{row.ratio:.2f} times the speed of {row.peer}"
        _note(f"{row.workload}: {ratio}")
    if asked.json:
        print(json.dumps([row.to_json() for row, _ in found], indent=1))
    else:
        print(table(found))
    verdicts = {verdict(row, target) for row, target in found}
    return _status("error" in verdicts, "missed" in verdicts, asked)


def _memory(asked: argparse.Namespace) -> int:
    from tests.bench.memory import compare, text

    rows = [compare(entry) for entry in choose(asked.rows or ["mlp"], asked.threads)]
    print(json.dumps([row.to_json() for row in rows], indent=1) if asked.json else text(rows))
    return _status(False, any(row.ratio <= 1 for row in rows), asked)


def _accuracy(asked: argparse.Namespace) -> int:
    from tests.bench.accuracy import compare, text

    found = compare(asked.accuracy, asked.epochs, asked.seeds, asked.threads or THREADS, _note)
    print(json.dumps(found.to_json(), indent=1) if asked.json else text(found))
    return _status(False, not found.is_met, asked)


def _startup(asked: argparse.Namespace) -> int:
    from tests.bench.startup import measure, text

    _warn_if_busy()
    rows = measure(_note)
    print(json.dumps([row.to_json() for row in rows], indent=1) if asked.json else text(rows))
    return _status(False, not all(row.is_met for row in rows), asked)


def _status(is_error: bool, is_missed: bool, asked: argparse.Namespace) -> int:
    if is_error:
        return ERROR
    return MISSED if is_missed and asked.require_targets else OK


def _warn_if_busy() -> None:
    """Say so where other programs run: threads that wait for each other then wait for them too."""
    load, cpus = os.getloadavg()[0], os.cpu_count() or 1
    if load > 0.5 * cpus:
        _note(f"warning: the machine is busy (load {load:.1f} on {cpus} CPUs): not to be trusted")


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
