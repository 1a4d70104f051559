"""One row: both sides built, found to agree, and timed in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnctl.errors import NnctlError
from tests.bench.agreement import Disagreement, check
from tests.bench.ours import Ours, read
from tests.bench.rows import Row
from tests.bench.timing import SECONDS, interleave
from tests.bench.work import Work, formats
from tests.bench.workloads import SPECS, Entry

if TYPE_CHECKING:
    from tests.bench.peer.side import Peer

MakePeer = Callable[[Work, int, str], "Peer"]
# What is random on both sides in different ways; switched off while the losses are compared.
QUIET = {"dropout": "rate=0.0"}
TRIAL_SECONDS = 0.6


@dataclass(frozen=True)
class Options:
    """How rows are run."""

    seconds: float = SECONDS
    seed: int = 0  # of the random networks
    compiled: bool = False  # try torch.compile too
    specs: Path = SPECS
    note: Callable[[str], None] = lambda text: None


def torch_peer(work: Work, threads: int, form: str) -> Peer:
    """Return the torch side; torch is imported here."""
    from tests.bench.peer.side import Peer

    return Peer(work, threads, form)


def run(entry: Entry, options: Options, make_peer: MakePeer = torch_peer) -> Row:
    """Return the row of an entry; whatever goes wrong is a row with an error."""
    try:
        return _run(entry, options, make_peer)
    except (NnctlError, Disagreement, ArithmeticError) as error:
        return Row(entry.name, entry.threads, error=str(error))
    except Exception as error:
        if type(error).__name__ != "NotInPeer":
            raise
        return Row(entry.name, entry.threads, error=str(error))


def _run(entry: Entry, options: Options, make_peer: MakePeer) -> Row:
    with _ours(entry, options) as ours:
        work = ours.work()
        peers = [make_peer(work, entry.threads, form) for form in formats(work)]
        if options.compiled:
            peers += _compiled(work, entry, options, make_peer)
        difference = max(_difference(entry, options, ours, p, make_peer) for p in peers)
        peer = _fastest(peers, ours, entry.mode)
        timing = interleave(getattr(ours, entry.mode), getattr(peer, entry.mode), options.seconds)
    return Row(
        entry.name,
        entry.threads,
        timing.ours_ms,
        timing.peer_ms,
        peer.name,
        timing.peer_ms / timing.ours_ms,
        timing.runs,
        difference,
    )


def _difference(
    entry: Entry, options: Options, ours: Ours, peer: Peer, make_peer: MakePeer
) -> float:
    """Return by how much the losses differ, without what each side draws for itself."""
    overrides = quiet(ours.prepared.graph)
    if not overrides:
        ours.reset()
        return check(ours, peer, entry.mode)
    with _ours(entry, options, overrides) as silent:
        return check(silent, make_peer(silent.work(), entry.threads, peer.form), entry.mode)


def _fastest(peers: list[Peer], ours: Ours, mode: str) -> Peer:
    """Return the peer that is to be beaten, after a trial beside ours if there are several."""
    if len(peers) == 1:
        return peers[0]

    def trial(peer: Peer) -> float:
        return interleave(getattr(ours, mode), getattr(peer, mode), TRIAL_SECONDS).peer_ms

    return min(peers, key=trial)


@contextmanager
def _ours(entry: Entry, options: Options, overrides: tuple[str, ...] = ()) -> Iterator[Ours]:
    ours = Ours(read(entry.workload, overrides, options.seed, options.specs), entry.threads)
    try:
        yield ours
    finally:
        ours.close()


def quiet(graph: Any) -> tuple[str, ...]:
    """Return the overrides that switch off what is random in a network's training."""
    return tuple(
        ".".join(map(str, node.path)) + f".{QUIET[node.op]}"
        for node in graph.nodes
        if node.op in QUIET
    )


def _compiled(work: Work, entry: Entry, options: Options, make_peer: MakePeer) -> list[Peer]:
    """Return the compiled peer, or nothing, with a note, where torch cannot compile."""
    try:
        make_peer(work, entry.threads, "compiled").train(1)
    except Exception as error:
        options.note(f"{entry.name}: torch.compile does not work here: {str(error)[:200]}")
        return []
    return [make_peer(work, entry.threads, "compiled")]
