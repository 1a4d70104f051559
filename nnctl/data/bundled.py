"""Find the datasets that come with nnctl, and read what their ``dataset.toml`` says of them.

A dataset is a folder with ``dataset.toml``; there is no list. Wheels hold the folders inside the
package; a checkout holds them beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli

from nnctl.data.problems import file_error
from nnctl.data.sources.base import Content, Defaults, Options, Source, Wanted
from nnctl.data.sources.table import open_source
from nnctl.data.sources.text import TextFile
from nnctl.spec.shapes import Shape

if TYPE_CHECKING:
    import numpy as np

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "datasets", _PACKAGE.parent / "datasets")


@dataclass(frozen=True)
class Card:
    """What a bundled dataset says of itself."""

    name: str
    folder: Path
    description: str
    file: str
    task: str
    samples: int
    target: str | None = None
    classes: tuple[str, ...] | None = None
    shape: Shape | None = None
    maximum: float = 1.0


def folders() -> dict[str, Path]:
    """Return the folder of every bundled dataset by its name, sorted."""
    for place in _PLACES:
        found = sorted(toml.parent for toml in place.glob("*/dataset.toml"))
        if found:
            return {folder.name: folder for folder in found}
    return {}


def card(name: str) -> Card:
    """Read the card of a bundled dataset. Raises KeyError where there is none of that name."""
    folder = folders()[name]
    table: dict[str, Any] = tomli.loads((folder / "dataset.toml").read_text(encoding="utf-8"))
    for key in ("classes", "shape"):
        if key in table:
            table[key] = tuple(table[key])
    return Card(name=name, folder=folder, **table)


def open_bundled(name: str) -> Source:
    """Open a bundled dataset. Raises KeyError where there is none of that name."""
    found = card(name)
    if found.task == "text":
        return TextFile(found.folder / found.file, found.samples)
    return Bundled(found)


def is_text(name: str) -> bool:
    """Whether a name is that of a bundled text."""
    return name in folders() and card(name).task == "text"


class Bundled(Source):
    """A bundled table; where its card gives a shape, all feature columns together are an image."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.table = open_source(card.folder / card.file, Options())
        super().__init__(self.table.path, self.table.names)
        self.is_table = card.shape is None
        self.defaults = Defaults(card.target, card.task, card.classes)

    def read(self, wanted: Wanted, *, keep: bool) -> Content:
        """Read the table, scale pixels to [0, 1] and give images their shape."""
        content = self.table.read(wanted, keep=keep)
        if content.samples != self.card.samples:
            message = f"{content.samples} rows, expected {self.card.samples}"
            raise file_error(self.path, message, "the bundled file was changed; install again")
        shapes = {key: self._shape(names) for key, names in wanted.inputs.items()}

        def inputs() -> dict[str, np.ndarray]:
            raw = content.inputs()
            return {key: self._scaled(raw[key]).reshape(-1, *shapes[key]) for key in raw}

        # float32 holds a pixel divided by a power of two exactly; tables stay double.
        dtypes = dict.fromkeys(shapes, "float32") if self.card.shape else content.dtypes
        return replace(content, shapes=shapes, dtypes=dtypes, inputs=inputs)

    def _shape(self, names: tuple[str, ...]) -> Shape:
        """Return the image's shape if the columns are all of its pixels in order."""
        shape = self.card.shape
        pixels = tuple(name for name in self.names if name != self.card.target)
        return shape if shape and names == pixels else (len(names),)

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        return (values / self.card.maximum).astype("float32") if self.card.shape else values
