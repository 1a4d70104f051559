"""Find the images of a folder, and what each is an example of. Stdlib only; opens no file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnctl.data.files import require_target
from nnctl.data.problems import file_error, first_of, in_file, listing
from nnctl.errors import DataError

ENDINGS = (".png", ".jpg", ".jpeg", ".gif")
# Folders of these names, in small or capital letters, are parts of a data set, not classes.
PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("validation", "valid", "val"), "validation"),
}

_HINT = "put images (.png, .jpg, .jpeg, .gif) into a folder for each class"


@dataclass(frozen=True)
class Item:
    """One sample: an image, or the frames of a clip in order."""

    path: Path
    frames: tuple[Path, ...]
    label: str = ""

    @property
    def is_clip(self) -> bool:
        """Whether it is a folder of frames; an animated GIF is seen when it is opened."""
        return self.path not in self.frames


def parts(folder: Path) -> dict[str, Path]:
    """Return the parts of a folder that is divided, by their names in the spec; else nothing.

    Raises DataError where it is not clear whether it is divided.
    """
    named = [(PARTS.get(path.name.lower(), ""), path) for path in _folders(folder)]
    found = {part: path for part, path in reversed(named) if part}
    train = found.get("train")
    if train is None:
        return {}
    for part, path in named:
        if part and found[part] != path:
            message = f"both {found[part].name} and {path.name} are there"
            raise file_error(folder, message, "join them: they are the same part")
    others = [path.name for part, path in named if not part]
    if not others:
        return found
    if _folders(train) and not _images(train):
        message = f"{others[0]} lies beside {train.name}, which holds folders as a part does"
        hint = "parts are called train, validation and test: rename it, or move it away; if\n"
        raise file_error(folder, message, f"{hint}{train.name} is a class of clips, rename that")
    return {}


def labeled(folder: Path) -> list[Item]:
    """Return the samples of folders that are classes. Raises DataError for an empty one."""
    classes = _folders(folder)
    if not classes:
        found = "images, but no folder of a class" if _images(folder) else "no images"
        hint = (
            _HINT + '\nor set data.target to "@input" (autoencoder)' if _images(folder) else _HINT
        )
        raise file_error(folder, found, hint)
    if _images(folder):
        message = f"{_images(folder)[0].name} lies beside the folders of the classes"
        raise file_error(folder, message, "move it into the folder of its class")
    items = [list(_of_class(path)) for path in classes]
    if not any(items):
        raise file_error(folder, "no images", _HINT)
    empty = [path for path, own in zip(classes, items, strict=True) if not own]
    if empty:
        message = "a class without images"
        hint = "put images (.png, .jpg, .jpeg, .gif) into it, or remove the folder"
        raise DataError(first_of(in_file(path, message, hint) for path in empty))
    return [item for own in items for item in own]


def unlabeled(folder: Path, *, clips: bool) -> list[Item]:
    """Return all samples below a folder; with ``clips``, a folder's images are the frames of one.

    Raises DataError where there are none.
    """
    items = list(_below(folder, clips))
    if not items:
        raise file_error(folder, "no images", f"files that are read end in {listing(ENDINGS)}")
    return items


def classes(items: list[Item]) -> tuple[str, ...]:
    """Return the labels in order of name, in which digits count as a number."""
    return tuple(sorted({item.label for item in items}, key=natural))


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return what sorts names so that 9 comes before 10."""
    pieces = re.split(r"([0-9]+)", name)
    return [(0, int(p), "") if p[:1].isdigit() else (1, 0, p) for p in pieces if p], name


def _of_class(folder: Path) -> Iterator[Item]:
    for path in _images(folder):
        yield Item(path, (path,), folder.name)
    for path in _folders(folder):
        frames = tuple(_images(path))
        if not frames:
            message = "a clip without frames"
            hint = "a folder within a class is a clip and holds its frames as images"
            raise file_error(path, message, hint)
        yield Item(path, frames, folder.name)


def _below(folder: Path, clips: bool) -> Iterator[Item]:
    images = _images(folder)
    stills = [path for path in images if not (clips and path.suffix.lower() == ".gif")]
    if clips and stills:
        yield Item(folder, tuple(stills))
    for path in images:
        if not clips or path not in stills:
            yield Item(path, (path,))
    for path in _folders(folder):
        yield from _below(path, clips)


def _entries(folder: Path, *, folders: bool) -> list[Path]:
    """Return what is in a folder, in order: the folders, or all else."""
    require_target(folder)
    try:
        with os.scandir(folder) as found:
            entries = [e for e in found if e.name[0] != "."]
        names = [e.name for e in entries if (e.is_dir() or _is_lost(e)) == folders]
    except OSError as error:
        raise file_error(folder, f"cannot be read: {error.strerror or error}") from None
    return [folder / name for name in sorted(names, key=natural)]


def _is_lost(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a link to nothing that may have been a folder."""
    return entry.is_symlink() and "." not in entry.name and not os.path.exists(entry.path)


def _folders(folder: Path) -> list[Path]:
    return _entries(folder, folders=True)


def _images(folder: Path) -> list[Path]:
    return [p for p in _entries(folder, folders=False) if p.suffix.lower() in ENDINGS]
