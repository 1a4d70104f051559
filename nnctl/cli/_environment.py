"""Facts about this machine, for ``nnctl doctor``."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "numba", "llvmlite", "pydantic", "typer", "safetensors", "matplotlib")


def environment() -> dict[str, Any]:
    """Return the facts in the order in which they are shown."""
    from nnctl import __version__

    return {
        "nnctl": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "system": platform.platform(),
        **_cpu(),
        **_threads(),
        **_cache(),
    }


def trouble(facts: dict[str, Any]) -> list[str]:
    """Return what stands in the way of training here, or makes it slow."""
    found = [f"{name} is not installed" for name in PACKAGES if facts[name] is None]
    if facts["vector_bits"] < 256:
        found.append(f"vectors of {facts['vector_bits']} bits: training will be slow on this CPU")
    if facts["cache_temporary"]:
        found.append("no cache directory is writable: every command compiles anew")
    return found


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu() -> dict[str, Any]:
    from nnctl.engine import cpu

    return {
        "cpu": _cpu_name(),
        "vector_bits": 8 * cpu.VECTOR_BYTES,
        "lanes_float32": cpu.VECTOR_BYTES // 4,
        "fused_multiply_add": cpu.HAS_FMA,
        "tiles": cpu.HAS_TILES,
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _threads() -> dict[str, Any]:
    from nnctl.engine import threads

    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return {
        "cpus": os.cpu_count(),
        "cpus_by_affinity": affinity,
        "cpus_by_cgroup_quota": threads.cgroup_quota(),
        "threads": threads.available(),
    }


def _cache() -> dict[str, Any]:
    from nnctl.engine import cache

    directory = cache.directory()
    return {
        "cache": str(directory),
        "cache_temporary": cache.is_temporary(),
        "cache_files": sum(1 for _ in directory.rglob("*.nbi")),
    }
