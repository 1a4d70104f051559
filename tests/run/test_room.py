"""Networks that a machine's memory cannot hold are refused before any work."""

from __future__ import annotations

from nnctl.cli._network import load_network
from nnctl.run.room import memory, too_large

from .runs import nnctl, write_spec

HUGE = (
    "units = 8",
    'units = 1000000\nname = "wide"\n\n[[layers]]\ntype = "dense"\nunits = 1000000',
)


def test_training_is_refused_and_check_warns(tmp_path):
    spec = write_spec(tmp_path, HUGE)
    said = 'make it smaller: "dense_2" has 1,000,000,000,000 of the parameters'
    found = nnctl("train", spec, "--run-dir", tmp_path / "run", cwd=tmp_path)
    assert found.returncode == 2
    assert "14.6 TiB for its 1,000,006,000,002 parameters" in found.stderr
    assert said in found.stderr
    assert not (tmp_path / "run").exists()
    found = nnctl("check", spec, cwd=tmp_path)
    assert found.returncode == 0
    assert "warning: the network takes 14.6 TiB" in found.stderr
    assert said in found.stderr


def test_what_is_counted(tmp_path):
    """Four bytes a number: the parameter, its gradient, and the two moments of adam."""
    network = load_network(write_spec(tmp_path))
    needed = (2 * 8 + 8 + 8 * 2 + 2) * 4 * 4
    assert too_large(network.spec, network.graph, needed) is None
    assert too_large(network.spec, network.graph, needed - 1) is not None
    assert too_large(network.spec, network.graph, None) is None


def test_the_limit_of_a_cgroup_counts(tmp_path):
    machine = memory(tmp_path)
    assert machine is None or machine > 1 << 26
    (tmp_path / "memory.max").write_text("max\n")
    assert memory(tmp_path) == machine
    (tmp_path / "memory.max").write_text("1048576\n")
    assert memory(tmp_path) == 1 << 20
