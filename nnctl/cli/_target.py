"""What ``nnctl show`` looks at: a spec file, or what a checkpoint says of its network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnctl.cli._network import Network, load_network
from nnctl.errors import UsageError


def load_target(target: str | None, overrides: Sequence[str]) -> Network:
    """Return the network of a spec file, or else of a checkpoint or run."""
    if target is not None and (target.endswith(".toml") or not _is_checkpoint(target)):
        return load_network(Path(target), overrides)
    if overrides:
        raise UsageError(
            "--set and --batch change a spec, and a checkpoint's is fixed", "give the spec file"
        )
    return _of_checkpoint(target)


def _is_checkpoint(target: str) -> bool:
    """Tell whether it is a file of that kind, a directory or a name such as ``latest``."""
    path = Path(target)
    return path.suffix == ".safetensors" or not path.is_file()


def _of_checkpoint(target: str | None) -> Network:
    from nnctl.graph import build
    from nnctl.run.locate import locate
    from nnctl.run.networks import spec_and_info

    spec, info = spec_and_info(locate(target).checkpoint())
    return Network(spec, info, build(spec, info))
