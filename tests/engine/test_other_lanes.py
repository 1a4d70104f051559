"""The same checks where vectors have 16 or 32 bytes, as on other processors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

LENGTHS = ("16", "32")
Running = dict[str, "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """Both at once: most of the time goes into compiling, each on a core of its own."""
    command = [sys.executable, "-m", "tests.engine.other_lanes"]
    started = {
        length: subprocess.Popen(
            command,
            env={**os.environ, "NNCTL_VECTOR_BYTES": length},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for length in LENGTHS
    }
    yield started
    for process in started.values():
        process.kill()
        process.communicate()


@pytest.mark.parametrize("length", LENGTHS)
def test_vectors_of_another_length(length: str, running: Running) -> None:
    process = running[length]
    out, said = process.communicate()
    assert process.returncode == 0, said[-3000:]
    assert int(out) >= 60


def test_another_length_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nnctl", "doctor"],
        env={**os.environ, "NNCTL_VECTOR_BYTES": "24"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: NNCTL_VECTOR_BYTES is '24'\n")
