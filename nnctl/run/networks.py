"""What a checkpoint says of its network: spec, data shapes, normalization; enough to run it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnctl import checkpoint
from nnctl.errors import CheckpointError, SpecError
from nnctl.run.locate import run_of_file
from nnctl.spec import Spec, load_spec, load_spec_text
from nnctl.spec.info import DataInfo, fields_of, target_of

# Tensors that belong to the network's surroundings and not to the training state.
CONSTANTS = ("normalize/", "target/")


def spec_and_info(path: Path) -> tuple[Spec, DataInfo]:
    """Return spec and data header of a checkpoint file without reading its tensors."""
    meta = checkpoint.read_meta(path)
    return spec_of(meta, base_dir_of(path), name=str(path)), info_of_meta(meta)


def base_dir_of(path: Path) -> Path:
    """Return where the relative paths in a checkpoint's spec start: its run knows, or else here."""
    run = run_of_file(path)
    stored = run.summary().get("base_dir") if run else None
    return Path(stored) if stored else Path()


def spec_of(
    meta: Mapping[str, Any],
    base_dir: Path,
    overrides: tuple[str, ...] = (),
    name: str = "the checkpoint's spec",
) -> Spec:
    """Return the spec in a checkpoint's meta, with ``--set`` overrides. Raises CheckpointError for
    a spec that this version does not read, SpecError for a wrong override."""
    text = meta.get("spec")
    if not isinstance(text, str):
        raise CheckpointError("checkpoint unusable: it holds no spec")
    try:
        spec = load_spec_text(text, name, base_dir)
    except SpecError as error:
        raise CheckpointError(error.problems) from error
    return load_spec(base_dir / "resolved.toml", overrides, text=text) if overrides else spec


def info_to_meta(info: DataInfo) -> dict[str, Any]:
    """Return the data header as JSON-able data, without what is of no use to a network."""
    meta = {
        "inputs": {name: list(shape) for name, shape in info.inputs.items()},
        "targets": {name: fields_of(target) for name, target in info.targets.items()},
        "samples": info.samples,
    }
    for key in ("parts", "vocabularies", "lengths", "stride"):
        if getattr(info, key):
            meta[key] = getattr(info, key)
    return meta


def info_of_meta(meta: Mapping[str, Any]) -> DataInfo:
    """Return the data header in a checkpoint's meta. Raises CheckpointError."""
    try:
        info = meta["info"]
        inputs = {name: tuple(shape) for name, shape in info["inputs"].items()}
        targets = {name: target_of(fields) for name, fields in info["targets"].items()}
        parts, sizes = (dict(info.get(key, {})) for key in ("parts", "vocabularies"))
        lengths = tuple(info.get("lengths", ()))
        more = {"vocabularies": sizes, "lengths": lengths, "stride": info.get("stride")}
        return DataInfo(inputs, targets, info["samples"], parts=parts, **more)
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"checkpoint unusable: no data header ({error})") from error


def parted(tensors: checkpoint.Tensors) -> tuple[checkpoint.Tensors, checkpoint.Tensors]:
    """Return (tensors of the training state, tensors of normalization)."""
    constants = {n: t for n, t in tensors.items() if n.startswith(CONSTANTS)}
    return {n: t for n, t in tensors.items() if n not in constants}, constants
