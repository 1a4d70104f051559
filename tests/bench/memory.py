"""Peak memory of training: each side in a fresh process, the same steps on the same data.

Ours takes the shipped path from the spec file. The peer reads network and data from a file and
imports torch and NumPy only, so that nothing of nnctl is counted against it. It takes the memory
format of images that needs less.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from nnctl.errors import NnctlError, UsageError
from tests.bench.work import formats
from tests.bench.workloads import Entry

STEPS = 200
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class MemoryRow:
    """Peak resident megabytes (10^6 bytes) of each side's process."""

    workload: str
    threads: int
    ours_mb: float
    peer_mb: float
    ratio: float  # peer_mb / ours_mb

    def to_json(self) -> dict[str, object]:
        """Return the row as a table."""
        return asdict(self)


def peak_bytes() -> int:
    """Return the largest resident size this process has had, in bytes.

    From /proc where it is: ``ru_maxrss`` also counts what the parent held when it forked.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def train_ours(workload: str, threads: int, steps: int, form: str) -> None:
    """Train a workload for some steps."""
    from tests.bench.ours import Ours, read

    ours = Ours(read(workload), threads)
    ours.train(steps)
    ours.close()


def train_peer(file: str, threads: int, steps: int, form: str) -> None:
    """Train the work in a file for some steps with torch, images in one of its formats."""
    from tests.bench.peer.side import Peer
    from tests.bench.work import Work

    Peer(Work.load(Path(file)), threads, form).train(steps)


SIDES = {"ours": train_ours, "peer": train_peer}


def compare(entry: Entry, steps: int = STEPS) -> MemoryRow:
    """Run both sides of an entry, one after the other.

    Raises UsageError for another mode than training.
    """
    from tests.bench.ours import Ours, read

    if entry.mode != "train":
        raise UsageError(f"{entry.name}: memory is measured for training only")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "work.npz"
        ours = Ours(read(entry.workload), entry.threads)
        work = ours.work()
        work.save(file)
        ours.close()
        how = [str(entry.threads), str(steps)]
        own = _peak(["ours", entry.workload, *how, ""])
        other = min(_peak(["peer", str(file), *how, form]) for form in formats(work))
    return MemoryRow(entry.name, entry.threads, own, other, other / own)


def _peak(arguments: list[str]) -> float:
    command = [sys.executable, "-m", "tests.bench.memory", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NnctlError(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return float(json.loads(done.stdout)["peak"]) / 1e6


def text(rows: Sequence[MemoryRow]) -> str:
    """Return the rows for a person."""
    return "\n".join(
        f"{row.workload}: peak {row.ours_mb:.0f} MB, peer {row.peer_mb:.0f} MB "
        f"({'under' if row.ratio > 1 else 'NOT under'} the peer's)"
        for row in rows
    )


if __name__ == "__main__":
    side, what, threads, steps, form = sys.argv[1:]
    SIDES[side](what, int(threads), int(steps), form)
    print(json.dumps({"peak": peak_bytes()}))
