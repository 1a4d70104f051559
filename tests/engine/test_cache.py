"""Where compiled code is kept, and where it is not: it is code, so nobody else may write to it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnctl.engine import cache
from nnctl.errors import UsageError


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test asks anew; those who come after ask for what they had."""
    cache.directory.cache_clear()
    monkeypatch.delenv("NNCTL_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    yield
    cache.directory.cache_clear()


def test_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.directory() == tmp_path / ".cache" / "nnctl" / "compiled" / cache.key()
    assert not cache.is_temporary()


def test_xdg_cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache.directory() == tmp_path / "x" / "nnctl" / "compiled" / cache.key()


def test_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNCTL_CACHE_DIR", str(tmp_path / "mine"))
    assert cache.directory() == tmp_path / "mine" / "compiled" / cache.key()


def test_for_the_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNCTL_CACHE_DIR", str(tmp_path))
    before = os.umask(0)
    try:
        made = cache.directory()
    finally:
        os.umask(before)
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_one_that_others_can_write_to_is_refused(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / ".cache" / "nnctl" / "compiled" / cache.key()
    path.mkdir(parents=True)
    path.chmod(mode)
    assert cache.directory() != path
    assert cache.is_temporary()
    assert stat.S_IMODE(cache.directory().stat().st_mode) == 0o700


def test_one_that_was_chosen_and_is_refused_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNCTL_CACHE_DIR", str(tmp_path))
    path = tmp_path / "compiled" / cache.key()
    path.mkdir(parents=True)
    path.chmod(0o777)
    with pytest.raises(UsageError, match="NNCTL_CACHE_DIR is .* which cannot be used"):
        cache.directory()


def test_one_of_another_owner_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: os.stat(tmp_path).st_uid + 1)
    assert cache.is_temporary()


def test_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that is a file, as good as one that is read-only (which the superuser may write)."""
    home = tmp_path / "home"
    home.write_text("")
    monkeypatch.setenv("HOME", str(home))
    assert cache.is_temporary()
    assert cache.directory().is_dir()


def test_a_chosen_one_that_cannot_be_made_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NNCTL_CACHE_DIR", str(tmp_path / "file" / "below"))
    with pytest.raises(UsageError, match="cannot be used"):
        cache.directory()


def test_a_temporary_one_is_gone_at_exit(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    env = {**os.environ, "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}
    env.pop("NNCTL_CACHE_DIR", None)
    env.pop("XDG_CACHE_HOME", None)
    code = "from nnctl.engine import cache; print(cache.directory())"
    made = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert made.startswith(str(tmp_path))
    assert not Path(made).exists()


class TestKey:
    """Numba does not notice an edit in another file; the key does."""

    def key(self, monkeypatch: pytest.MonkeyPatch, **env: str) -> str:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        cache.key.cache_clear()
        try:
            return cache.key()
        finally:
            cache.key.cache_clear()

    def test_depends_on_the_length_of_vectors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NNCTL_VECTOR_BYTES", raising=False)
        keys = {self.key(monkeypatch)}
        keys |= {self.key(monkeypatch, NNCTL_VECTOR_BYTES=b) for b in ("16", "32")}
        assert len(keys) == 3

    def test_depends_on_tiles(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NNCTL_AMX", raising=False)
        assert self.key(monkeypatch) != self.key(monkeypatch, NNCTL_AMX="0")

    @pytest.mark.parametrize("package", ["engine", "ops", "optim"])
    def test_depends_on_every_source_of_compiled_code(
        self, package: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = self.key(monkeypatch)
        real = Path.read_bytes

        def edited(path: Path) -> bytes:
            more = b"#" if path.parent.name == package and path.name != "__init__.py" else b""
            return real(path) + more

        monkeypatch.setattr(Path, "read_bytes", edited)
        assert self.key(monkeypatch) != before

    def test_depends_on_the_compiler(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = self.key(monkeypatch)
        monkeypatch.setattr(cache, "version", lambda name: "0")
        assert self.key(monkeypatch) != before


def test_key_covers_whatever_compiles() -> None:
    """A package that imports numba is in the key."""
    root = Path(cache.__file__).resolve().parent.parent
    packages = {
        path.relative_to(root).parts[0]
        for path in root.rglob("*.py")
        if any(line.startswith(("import numba", "from numba")) or "@elementwise" in line
               for line in path.read_text().splitlines())
    }  # fmt: skip
    assert packages <= set(cache._PACKAGES)


def test_numba_imported_before(tmp_path: Path) -> None:
    """It has read its settings by then, and would keep our code beside the sources, unkeyed."""
    program = "import numba, nnctl.engine.jit as j; print(numba.config.CACHE_DIR)"
    environment = {**os.environ, "NNCTL_CACHE_DIR": str(tmp_path)}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().startswith(str(tmp_path))
