"""Find the run or checkpoint that a command line means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nnctl.errors import CheckpointError
from nnctl.run.rundir import ROOT, RunDir, newest

# ``nnctl resume checkpoint`` works as it is typed.
WORDS = {"checkpoint": "", "latest": "latest", "best": "best"}


@dataclass(frozen=True)
class Located:
    """``run`` is None for a file outside of any run; ``link`` is "latest", "best" or "" where a
    whole run is meant; ``file`` is set where one file is."""

    run: RunDir | None
    link: str = ""
    file: Path | None = None

    def checkpoint(self, default: str = "best") -> Path:
        """Return the file to read: the link given, or ``default``. Raises CheckpointError."""
        if self.file is not None:
            return self.file
        if self.run is None:
            raise ValueError("neither a run nor a file")
        path = self.run.best if (self.link or default) == "best" else self.run.latest
        if not path.exists():
            steps = list(self.run.steps().values())
            if not steps:
                raise CheckpointError(
                    f"no checkpoint in {self.run.path}", f"nnctl resume {self.run.path} makes one"
                )
            return steps[-1]
        return path


def locate(argument: str | None, root: Path = ROOT) -> Located:
    """Return what is meant by a run directory, a run's name, a file, ``RUN/best``, a bare word
    such as ``latest``, or nothing, which is the newest run. Raises CheckpointError."""
    if argument is None or argument in WORDS:
        run = newest(root)
        if run is None:
            raise CheckpointError(f"there is no run in {root}/", "nnctl train SPEC starts one")
        return Located(run, WORDS.get(argument or "", ""))
    path = Path(argument)
    if not path.exists() and len(path.parts) == 1 and (root / path).is_dir():
        path = root / path
    if path.is_dir():
        return Located(_run_of_directory(path))
    if path.is_file():
        return Located(run_of_file(path), file=path)
    if path.name in ("latest", "best") and path.parent.is_dir():
        return Located(_run_of_directory(path.parent), path.name)
    raise CheckpointError(
        f"no such run or checkpoint: {argument}",
        "give a run directory, a checkpoint file, or nothing for the newest run",
    )


def _run_of_directory(path: Path) -> RunDir:
    run = RunDir(path.parent if path.name == "checkpoints" else path)
    if not run.is_run():
        raise CheckpointError(f"not a run directory: {path}", "it has no checkpoints/ in it")
    return run


def run_of_file(path: Path) -> RunDir | None:
    """Return the run that a checkpoint file lies in, or None."""
    folder = path.absolute().parent
    run = RunDir(folder.parent)
    return run if folder.name == "checkpoints" and run.is_run() else None
