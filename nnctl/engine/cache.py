"""Where compiled code is kept: a directory keyed by everything that could change it.

Numba notices an edit in a function's own file only, so the key holds a hash of all engine sources.
The cache holds pickles, which is code: a directory that others can write to is never used.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from nnctl.errors import UsageError

_PACKAGES = ("engine", "ops", "optim")


@lru_cache
def key() -> str:
    """Return the hash of all that compiled code depends on, and that numba does not check."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for name in ("numba", "llvmlite"):
        digest.update(f"{name} {version(name)}\n".encode())
    for name in ("NNCTL_VECTOR_BYTES", "NNCTL_AMX"):
        digest.update(f"{os.environ.get(name, '')}\n".encode())
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def parent() -> Path:
    """Return the directory that holds the caches of all versions."""
    chosen = os.environ.get("NNCTL_CACHE_DIR")
    if chosen:
        return Path(chosen).absolute()
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "nnctl"


def _usable(path: Path) -> bool:
    """Make ``path`` for the owner only; say whether it can be written, by nobody else."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = path.stat()
        if hasattr(os, "getuid") and info.st_uid != os.getuid():
            return False
        if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return False
        with tempfile.TemporaryFile(dir=path):
            return True
    except OSError:
        return False


@lru_cache
def directory() -> Path:
    """Return the directory in use; a temporary one where the user's cache cannot be written."""
    path = parent() / "compiled" / key()
    is_chosen = bool(os.environ.get("NNCTL_CACHE_DIR"))
    # A user without a home has "~" as one, which would be a folder of that name right here.
    if is_chosen and not _usable(parent()):
        path = Path()
    if path.is_absolute() and _usable(path):
        return path
    if is_chosen:
        raise UsageError(
            f"NNCTL_CACHE_DIR is {os.environ['NNCTL_CACHE_DIR']!r}, which cannot be used",
            "it must be writable by you, and by nobody else; unset it to use the default",
        )
    temporary = Path(tempfile.mkdtemp(prefix="nnctl-cache-"))
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return temporary


def is_temporary() -> bool:
    """Say whether compiled code is lost at exit, because no cache directory is writable."""
    return directory().name.startswith("nnctl-cache-")


def prepare() -> None:
    """Point numba at the cache directory. Called once, as a rule before numba is imported."""
    os.environ["NUMBA_CACHE_DIR"] = str(directory())
    # A program that uses numba itself may have imported it: numba read its settings then.
    config = sys.modules.get("numba.core.config")
    if config is not None:
        config.CACHE_DIR = str(directory())  # type: ignore[attr-defined]
