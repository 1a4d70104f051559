"""A checkpoint file: same content, same bytes; whatever is wrong with one is said and refused."""

from __future__ import annotations

import errno
import json
import os
import stat

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nnctl import checkpoint, files
from nnctl.errors import CheckpointError

TENSORS = {
    "param/dense_1.w": np.arange(12, dtype=np.float32).reshape(3, 4),
    "slot/adam.m/dense_1.w": np.linspace(0, 1, 12).reshape(3, 4),
    "state/count": np.array(7, dtype=np.int64),
    "state/empty": np.zeros((0, 3), dtype=np.float32),
    "images": np.arange(5, dtype=np.uint8),
}
META = {"spec": 'name = "x"\n', "state": {"epoch": 1, "loss": 0.1 + 0.2}}


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "a.safetensors"
    checkpoint.save(path, TENSORS, META)
    tensors, meta = checkpoint.load(path)
    assert tensors.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert tensors[name].dtype == value.dtype and tensors[name].shape == value.shape
        np.testing.assert_array_equal(tensors[name], value)
    assert meta == {**META, "format": 1}
    assert checkpoint.read_meta(path)["state"] == META["state"]


def test_bytes_depend_on_the_content_alone():
    backwards = dict(reversed(TENSORS.items()))
    blobs = {checkpoint.encode(TENSORS, META) for _ in range(5)}
    blobs |= {checkpoint.encode(backwards, dict(reversed(META.items()))) for _ in range(5)}
    assert len(blobs) == 1


def test_strided_views_are_written_by_value():
    square = np.arange(16.0).reshape(4, 4)
    views = {"t": square.T, "step": square[:, ::2], "back": square[::-1], "f": square.copy("F")}
    tensors, _ = checkpoint.decode(checkpoint.encode(views, {}))
    for name, value in views.items():
        np.testing.assert_array_equal(tensors[name], value)


def test_loaded_and_saved_again_is_the_same_file():
    blob = checkpoint.encode(TENSORS, META)
    assert checkpoint.encode(*checkpoint.decode(blob)) == blob


@settings(max_examples=300, deadline=None)
@example(1688)
@given(st.integers(min_value=0))
def test_a_flipped_bit_anywhere_is_noticed(position):
    blob = bytearray(checkpoint.encode(TENSORS, META))
    blob[position // 8 % len(blob)] ^= 1 << position % 8
    with pytest.raises(CheckpointError, match="checkpoint unusable"):
        checkpoint.decode(bytes(blob))


def test_a_truncated_file_says_how_much_is_missing():
    blob = checkpoint.encode({"param/w": np.zeros((3, 4))}, {})
    with pytest.raises(CheckpointError) as found:
        checkpoint.decode(blob[:-10])
    there = f"{len(blob) - 10} bytes are there, {len(blob)} expected by its header"
    assert found.value.problems[0].message == f"checkpoint unusable: truncated: {there}"
    with pytest.raises(CheckpointError, match=r"the file is empty \(0 bytes\)"):
        checkpoint.decode(b"")


def test_every_truncation_is_noticed():
    blob = checkpoint.encode(TENSORS, META)
    for size in range(len(blob)):
        with pytest.raises(CheckpointError, match="checkpoint unusable"):
            checkpoint.decode(blob[:size])
    with pytest.raises(CheckpointError):
        checkpoint.decode(blob + b"\0")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(blob):
    with pytest.raises(CheckpointError):
        checkpoint.decode(blob)


def test_a_newer_format_says_so():
    blob = checkpoint.encode({}, {})
    newer = blob.replace(b'\\"format\\":1', b'\\"format\\":9')
    assert newer != blob
    with pytest.raises(CheckpointError, match="format 9 is newer"):
        checkpoint.decode(newer)


def test_a_foreign_safetensors_file_says_so(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "foreign.safetensors"
    save_file({"w": np.zeros(3)}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint of nnctl") as error:
        checkpoint.load(path)
    assert error.value.problems[0].file == str(path)
    with pytest.raises(CheckpointError, match="not a checkpoint of nnctl"):
        checkpoint.read_meta(path)


def test_numbers_of_another_type_are_told(tmp_path):
    header = b'{"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    path = tmp_path / "half.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(CheckpointError, match="cannot be read: numbers of type BF16"):
        checkpoint.read_foreign(path)


def test_nan_in_the_meta_is_a_bug_of_the_caller():
    with pytest.raises(ValueError):
        checkpoint.encode({}, {"loss": float("nan")})


def test_a_missing_file_and_a_directory_say_so(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(CheckpointError, match="cannot read the checkpoint"):
            checkpoint.load(path)
        with pytest.raises(CheckpointError, match="cannot read the checkpoint"):
            checkpoint.read_meta(path)


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_file_is_as_readable_as_the_umask_says(tmp_path, mask):
    before = os.umask(mask)
    try:
        checkpoint.save(tmp_path / "a", TENSORS, META)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~mask


CALLS = ("write", "fchmod", "fsync", "replace", "open")


def calls_of_a_save(path):
    """Return the names of the system calls of one save, in order."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            real = getattr(os, name)
            patch.setattr(os, name, lambda *a, n=name, r=real, **k: (seen.append(n), r(*a, **k))[1])
        checkpoint.save(path, TENSORS, META)
    return seen


def failing_at(patch, index, fail):
    """Let the ``index``-th of those calls, counted over all names, do ``fail()`` instead."""
    count = iter(range(10_000))
    for name in CALLS:
        real = getattr(os, name)
        patch.setattr(
            os, name, lambda *a, r=real, **k: fail() if next(count) == index else r(*a, **k)
        )


def no_space():
    raise OSError(errno.ENOSPC, "No space left on device")


def test_no_failing_call_of_a_save_loses_anything(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    names = calls_of_a_save(path)
    assert names == ["open", *["write"] * 3, "fchmod", "fsync", "replace", "open", "fsync"]
    newer = {"other": np.ones(1000)}
    for index, name in enumerate(names):
        checkpoint.save(path, TENSORS, META)
        with monkeypatch.context() as patch:
            failing_at(patch, index, no_space)
            with pytest.raises(CheckpointError, match="No space left on device") as error:
                checkpoint.save(path, newer, META)
        assert "files written before are whole" in error.value.problems[0].hint
        tensors, _ = checkpoint.load(path)
        renamed = index > names.index("replace")
        assert tensors.keys() == (newer if renamed else TENSORS).keys(), name
        assert [p.name for p in tmp_path.iterdir()] == [path.name], "no temporary file stays"


def test_a_kill_at_any_call_of_a_save_loses_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    for index in range(len(calls_of_a_save(path))):
        checkpoint.save(path, TENSORS, META)
        child = os.fork()
        if child == 0:
            failing_at(monkeypatch, index, lambda: os._exit(9))
            checkpoint.save(path, {"other": np.ones(1000)}, META)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        checkpoint.load(path)
        files.remove_leftovers(tmp_path)
        assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_short_writes_are_continued(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, bytes(data[:100])))
    checkpoint.save(tmp_path / "a", TENSORS, META)
    checkpoint.load(tmp_path / "a")


def test_a_full_device_is_a_clear_error(tmp_path, monkeypatch):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    handle = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr("tempfile.mkstemp", lambda **k: (handle, str(tmp_path / "x.tmp")))
    with pytest.raises(CheckpointError, match="No space left"):
        checkpoint.save(tmp_path / "a", TENSORS, META)


def test_links_are_relative_and_replaced(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
        files.point(tmp_path / "link", name)
        assert os.readlink(tmp_path / "link") == name
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "one", "two"]


def test_deeply_nested_json_is_refused_in_words():
    header = json.dumps({"__metadata__": {"nnctl": "[" * 100_000}}).encode()
    with pytest.raises(CheckpointError):
        checkpoint.decode(len(header).to_bytes(8, "little") + header)
