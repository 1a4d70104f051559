"""What the CPU can do: width of its vectors, whether it multiplies and adds in one step, whether it
has tiles."""

from __future__ import annotations

import ctypes
import os
import platform
import sys

import llvmlite.binding as llvm
import numpy as np

from nnctl.errors import UsageError


def _features() -> dict[str, bool]:
    chosen = os.environ.get("NUMBA_CPU_FEATURES")
    if chosen is not None:
        return {name.lstrip("+-"): name.startswith("+") for name in chosen.split(",") if name}
    return dict(llvm.get_host_cpu_features())


def _vector_bytes(features: dict[str, bool]) -> int:
    chosen = os.environ.get("NNCTL_VECTOR_BYTES")
    if chosen in ("16", "32", "64"):
        return int(chosen)
    if chosen:
        raise UsageError(f"NNCTL_VECTOR_BYTES is {chosen!r}", "set it to 16, 32 or 64, or unset it")
    if features.get("avx512f") and features.get("avx512vl"):
        return 64
    return 32 if features.get("avx2") else 16


def _has_tiles() -> bool:
    """Whether products may be taken on tiles of bfloat16 (Intel AMX), which Linux allows a process
    that asks for it."""
    chosen = os.environ.get("NNCTL_AMX", "")
    if chosen not in ("", "0", "1"):
        raise UsageError(f"NNCTL_AMX is {chosen!r}", "set it to 0 or 1, or unset it")
    able = VECTOR_BYTES == 64 and FEATURES.get("amx-tile") and FEATURES.get("amx-bf16")
    found = chosen != "0" and bool(able) and sys.platform == "linux" and _may_use_tiles()
    if chosen == "1" and not found:
        raise UsageError(
            "NNCTL_AMX is 1, and there are no tiles to use: they need a CPU with AMX of bfloat16, "
            "vectors of 64 bytes, and a Linux that allows them",
            "unset it, or set it to 0",
        )
    return found


def _may_use_tiles() -> bool:
    return bool(ctypes.CDLL(None).syscall(ARCH_PRCTL, ASK_FOR_STATE, TILES) == 0)


# Linux on x86-64: the system call, and how it is asked for the state of tiles
ARCH_PRCTL, ASK_FOR_STATE, TILES = 158, 0x1023, 18

FEATURES = _features()
VECTOR_BYTES = _vector_bytes(FEATURES)
IS_X86 = platform.machine().lower() in ("x86_64", "amd64", "i686")
HAS_FMA = bool(FEATURES.get("fma")) or platform.machine().lower() in ("aarch64", "arm64")
HAS_TILES = _has_tiles()


def lanes(dtype: np.dtype | type | str) -> int:
    """Return how many elements of ``dtype`` one vector holds."""
    return VECTOR_BYTES // np.dtype(dtype).itemsize
