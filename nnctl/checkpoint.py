"""A checkpoint is one safetensors file: named arrays, and one JSON document beside them.

``(tensors, meta) <-> file``. Equal content gives equal bytes: safetensors sorts the tensors, and
the metadata have a single key, because the order of several is random there. A sha256 of the whole
file lies inside, because safetensors itself notices truncation but not a flipped bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse
from safetensors.numpy import save as serialize

from nnctl.errors import CheckpointError
from nnctl.files import os_errors, write_atomic

FORMAT = 1
KEY = "nnctl"
SUFFIX = ".safetensors"
# safetensors puts the length of its JSON header in the first eight bytes and allows 100 MB of it.
PREFIX_BYTES = 8
HEADER_LIMIT = 100_000_000

# The document begins with the file's sha256, taken with zeros in its place.
MARK = b'"{\\"sha256\\":\\"'
ZEROS = b"0" * 64

_NUMBERS = "is the file whole? of number types float64, float32 and float16 can be read"

Tensors = dict[str, np.ndarray[Any, Any]]
Meta = dict[str, Any]


def save(path: Path, tensors: Mapping[str, np.ndarray[Any, Any]], meta: Mapping[str, Any]) -> None:
    """Write a checkpoint, atomically and durably. Raises CheckpointError; never half a file."""
    write_atomic(path, _sealed(tensors, meta))


def load(path: Path) -> tuple[Tensors, Meta]:
    """Read and verify a checkpoint. Raises CheckpointError for whatever is wrong with it."""
    with os_errors(f"cannot read the checkpoint {path}", "name a run directory or a checkpoint"):
        blob = path.read_bytes()
    try:
        return decode(blob)
    except CheckpointError as error:
        raise error.at(file=str(path)) from error.__cause__


def encode(tensors: Mapping[str, np.ndarray[Any, Any]], meta: Mapping[str, Any]) -> bytes:
    """Return the bytes of a checkpoint: a pure function of the content of its arguments."""
    return b"".join(_sealed(tensors, meta))


def _sealed(
    tensors: Mapping[str, np.ndarray[Any, Any]], meta: Mapping[str, Any]
) -> list[bytes | memoryview]:
    """Return the bytes in pieces: around its own hash, without another copy of the tensors."""
    # safetensors 0.8 writes the raw buffer of a strided view: wrong values, silently (#825).
    # ascontiguousarray makes 0-d arrays 1-d, so those keep their own shape.
    arrays = {k: np.ascontiguousarray(v).reshape(np.shape(v)) for k, v in tensors.items()}
    document = _json({**meta, "format": FORMAT})
    document = f'{{"sha256":"{ZEROS.decode()}",{document[1:]}'
    blob = serialize(arrays, metadata={KEY: document})
    start, digest = _digest(blob)
    view = memoryview(blob)
    return [view[:start], digest, view[start + len(digest) :]]


def decode(blob: bytes) -> tuple[Tensors, Meta]:
    """Return (tensors, meta) of a checkpoint's bytes, verified. Raises CheckpointError."""
    header = _header(blob[:PREFIX_BYTES], blob[PREFIX_BYTES : PREFIX_BYTES + HEADER_LIMIT])
    _require_whole(header, blob)
    meta = _meta_of_header(header)
    start, digest = _digest(blob)
    if blob[start : start + len(digest)] != digest:
        _refuse("damaged: its content does not match the sha256 inside")
    try:
        return parse(blob), meta
    except (SafetensorError, KeyError, ValueError, OverflowError, TypeError) as error:
        _refuse(f"damaged: {error}", error)


def read_meta(path: Path) -> Meta:
    """Read only the meta, at a cost that does not depend on the tensors. Nothing is verified."""
    with os_errors(f"cannot read the checkpoint {path}"), path.open("rb") as file:
        prefix = file.read(PREFIX_BYTES)
        length = int.from_bytes(prefix, "little")
        body = file.read(min(length, HEADER_LIMIT))
    try:
        return _meta_of_header(_header(prefix, body))
    except CheckpointError as error:
        raise error.at(file=str(path)) from error.__cause__


def read_foreign(path: Path) -> tuple[Tensors, str]:
    """Return the tensors of any safetensors file, whoever wrote it, and the file's sha256.

    Raises CheckpointError.
    """
    with os_errors(f"cannot read {path}"):
        blob = path.read_bytes()
    try:
        header = _header(blob[:PREFIX_BYTES], blob[PREFIX_BYTES : PREFIX_BYTES + HEADER_LIMIT])
        _require_whole(header, blob)
        return parse(blob), hashlib.sha256(blob).hexdigest()
    except CheckpointError as error:
        raise error.at(file=str(path)) from error.__cause__
    except (SafetensorError, KeyError, ValueError, OverflowError, TypeError) as error:
        told = f"numbers of type {error.args[0]}" if isinstance(error, KeyError) else error
        raise CheckpointError(f"{path}: its tensors cannot be read: {told}", _NUMBERS) from error


def _header(prefix: bytes, body: bytes) -> dict[str, Any]:
    length = int.from_bytes(prefix, "little")
    if not prefix:
        _refuse("the file is empty (0 bytes)")
    if len(prefix) < PREFIX_BYTES or not body or length > HEADER_LIMIT or body[:1] != b"{":
        _refuse("not a checkpoint: it is not a safetensors file")
    if length > len(body):
        _refuse(f"truncated: its header has {length} bytes, {len(body)} are there")
    try:
        header = json.loads(body[:length])
    except (ValueError, RecursionError) as error:
        _refuse("damaged: its header cannot be read", error)
    if not isinstance(header, dict):
        _refuse("not a checkpoint: its header is not a table")
    return header


def _require_whole(header: Mapping[str, Any], blob: bytes) -> None:
    """Refuse a file that is shorter than its header says; what else is wrong, others find."""
    tables = [entry for name, entry in header.items() if name != "__metadata__"]
    try:
        ends = [int(entry["data_offsets"][1]) for entry in tables]
    except (KeyError, IndexError, TypeError, ValueError):
        return
    start = PREFIX_BYTES + int.from_bytes(blob[:PREFIX_BYTES], "little")
    expected = start + max(ends, default=0)
    if len(blob) < expected:
        there = f"{len(blob)} bytes are there, {expected} expected by its header"
        _refuse(f"truncated: {there}", hint="the file was cut short; copy or download it again")


def _meta_of_header(header: dict[str, Any]) -> Meta:
    text = (header.get("__metadata__") or {}).get(KEY)
    if text is None:
        _refuse("not a checkpoint of nnctl: a safetensors file without its metadata")
    try:
        meta = json.loads(text)
        version = int(meta["format"])
        meta.pop("sha256", None)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        _refuse("damaged: its metadata cannot be read", error)
    if version > FORMAT:
        _refuse(f"format {version} is newer than this nnctl reads ({FORMAT}); update nnctl")
    return dict(meta)


def _digest(blob: bytes) -> tuple[int, bytes]:
    """Return where the sha256 stands in a checkpoint's bytes, and what it should be, in hex."""
    start = blob.find(MARK) + len(MARK)
    if start < len(MARK):
        _refuse("damaged: it has no sha256")
    view = memoryview(blob)
    total = hashlib.sha256(view[:start])
    total.update(ZEROS)
    total.update(view[start + len(ZEROS) :])
    return start, total.hexdigest().encode()


def _json(meta: Mapping[str, Any]) -> str:
    """Encode to the one text that equal content has; NaN and Inf have no place in it."""
    return json.dumps(meta, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _refuse(what: str, cause: BaseException | None = None, hint: str = "") -> NoReturn:
    raise CheckpointError(f"checkpoint unusable: {what}", hint) from cause
