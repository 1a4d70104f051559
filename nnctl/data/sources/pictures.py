"""Images: a folder of them for each class, a folder of unknown ones, or a single file.

They stay bytes in memory. ``check`` reads the heads of the files alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnctl.data.problems import MAX_PROBLEMS, counted, file_error, first_of, in_file
from nnctl.data.sources import pixels, tree
from nnctl.data.sources.arrays import ArrayHeader, Arrays
from nnctl.data.sources.base import Content, Defaults, Options, Source, Wanted
from nnctl.data.sources.tree import Item
from nnctl.errors import DataError, Problem
from nnctl.spec.shapes import Shape, format_shape

if TYPE_CHECKING:
    import numpy as np

EXTENSIONS = tree.ENDINGS
TARGET = "class"

Heads = dict[Path, list[pixels.Head]]
Text = Callable[[Any], str]


def open_source(path: Path, options: Options) -> Source:
    """Read the head of one image, which can be predicted for and not be trained on."""
    if options.is_labeled:
        hint = "name the folder that holds a folder of images for each class"
        raise file_error(path, "a single image is no data set", hint)
    return Pictures(path, [Item(path, (path,))], options, path.parent)


def open_folder(path: Path, options: Options) -> Source:
    """Read the heads of all images of a folder, and of its parts if it is divided."""
    divided = tree.parts(path)
    if not divided:
        return Pictures(path, _items(path, options), options, path)
    if options.fits is not None:
        names = ", ".join(str(part) for part in divided.values())
        raise file_error(path, "a folder of several parts", f"name one of them: {names}")
    main = Pictures(path, _items(divided["train"], options), options, path)
    later = replace(options, fits=main.headers["x"].sample_shape)
    for name in ("test", "validation"):
        if name in divided:
            main.parts[name] = Pictures(divided[name], _items(divided[name], later), later, path)
    return main


def _items(folder: Path, options: Options) -> list[Item]:
    if not options.is_labeled:
        return tree.unlabeled(folder, clips=len(options.fits or ()) == 4)
    items = tree.labeled(folder)
    names = tree.classes(items)
    if len(names) < 2 and options.fits is None:
        hint = 'a classifier needs two: add a folder, or set data.target to "@input" (autoencoder)'
        raise file_error(folder, f'only one folder of a class, "{names[0]}"', hint)
    return items


class Pictures(Arrays):
    """Images or clips as an array x, and the names of their folders.

    ``root`` is the folder as the user named it: files are told by their paths below it.
    """

    def __init__(self, path: Path, items: list[Item], options: Options, root: Path) -> None:
        self.items, self.size, self.root = items, options.image_size, root
        self.clips, shape = _shape(items, options)
        headers = {"x": ArrayHeader(path, "", (len(items), *shape), "|u1")}
        if options.is_labeled:
            headers[TARGET] = ArrayHeader(path, "", (len(items),), "<U1")
        super().__init__(path, headers)
        self.obeys = ("channels", "image_size", *(("frames",) if self.clips else ()))
        if options.is_labeled:
            names = tree.classes(items)
            self.defaults = Defaults(TARGET, "classification", names, ("x",))

    def data(self, name: str) -> bytes:
        """Return the pixels."""
        return self.array(name).tobytes()

    def labels(self, name: str) -> list[Any]:
        """Return the class of each sample."""
        return [item.label for item in self.items]

    def array(self, name: str) -> np.ndarray:
        """Decode all images into one array. Raises DataError for those that are damaged."""
        import numpy as np  # not above: `check` imports this file

        shape = self.headers[name].shape
        made = np.empty(shape, np.uint8)
        count = shape[1] if self.clips else 1
        rows = made if self.clips else made[:, np.newaxis]

        def decode(place: int, item: Item) -> None:
            files = item.frames[:count]
            each = count if len(files) == 1 else 1
            found = (f for p in files for f in pixels.frames(p, each, shape[-1], self.size))
            for at, frame in zip(rows[place], found, strict=True):
                at[...] = frame

        _each_item(self.items, decode)
        return made

    def read(self, wanted: Wanted, *, keep: bool) -> Content:
        """Read as any arrays; a mistake that is found later names the image."""

        def place(row: int, message: str, hint: str) -> Problem:
            return in_file(self.items[row].path, message, hint)

        return replace(super().read(wanted, keep=keep), place=place, files=self._files)

    def _files(self) -> list[str]:
        below = (item.path.relative_to(self.root).as_posix() for item in self.items)
        return [self.root.name if name == "." else name for name in below]


def _each_item(items: list[Item], look: Callable[[int, Item], None]) -> None:
    """Look at every sample. Raises DataError with what is wrong with some of them."""
    problems: list[Problem] = []
    for place, item in enumerate(items):
        try:
            look(place, item)
        except DataError as error:
            problems += error.problems
            if len(problems) >= MAX_PROBLEMS:
                break
    if problems:
        raise DataError(problems)


def _heads(items: list[Item]) -> Heads:
    found: Heads = {}

    def look(place: int, item: Item) -> None:
        found[item.path] = [pixels.head(path) for path in item.frames]

    _each_item(items, look)
    return found


def _shape(items: list[Item], options: Options) -> tuple[bool, tuple[int, ...]]:
    """Return whether samples are clips, and their shape. Raises DataError where they differ."""
    heads = _heads(items)
    frames = {item.path: sum(head.frames for head in heads[item.path]) for item in items}
    moving = {item.path: item.is_clip or frames[item.path] > 1 for item in items}
    hint = "keep images and clips (folders of frames, animated GIFs) apart"
    known = _known(options.fits)
    clips = _same(items, moving, hint, lambda one: "a clip" if one else "an image", known[0])
    sides = {path: [(head.height, head.width) for head in own] for path, own in heads.items()}
    hint = "resize all of them: set data.image_size = [height, width]"
    side = options.image_size or _each(items, sides, hint, format_shape, known[1])
    depths = {path: [head.channels for head in own] for path, own in heads.items()}
    hint = "convert all of them: set data.channels to 1 (gray), 3 (RGB) or 4 (RGBA)"
    depth = options.channels or _each(
        items, depths, hint, lambda n: counted(n, "channel"), known[2]
    )
    if not clips:
        return False, (*side, depth)
    if options.frames is None:
        hint = "read as many of all of them: set data.frames"
        count = _same(items, frames, hint, lambda n: counted(n, "frame"), known[3])
        return True, (count, *side, depth)
    short = [item.path for item in items if frames[item.path] < options.frames]
    if short:
        hint = "reduce data.frames, or leave the clip out"
        wanted = f"expected {options.frames} (data.frames)"
        found = ((path, f"{counted(frames[path], 'frame')}, {wanted}") for path in short)
        raise DataError(first_of(in_file(path, message, hint) for path, message in found))
    return True, (options.frames, *side, depth)


def _known(fits: Shape | None) -> tuple[Any, Any, Any, Any]:
    """Return of samples of a shape: whether they are clips, their sides, channels, frames."""
    if fits is None or len(fits) < 3:
        return None, None, None, None
    return len(fits) == 4, fits[-3:-1], fits[-1], fits[0]


def _each(
    items: list[Item], found: dict[Path, list[Any]], hint: str, text: Text, wanted: Any = None
) -> Any:
    """Return what all files have in common, frames of clips among them."""
    return _common(
        [(p, v) for i in items for p, v in zip(i.frames, found[i.path], strict=True)],
        hint,
        text,
        wanted,
    )


def _same(
    items: list[Item], found: dict[Path, Any], hint: str, text: Text, wanted: Any = None
) -> Any:
    return _common([(item.path, found[item.path]) for item in items], hint, text, wanted)


def _common(found: list[tuple[Path, Any]], hint: str, text: Text, wanted: Any) -> Any:
    """Return the one value. Raises DataError at the files that are unlike most of them or, where
    some are as in other data, unlike those."""
    counts = Counter(value for _, value in found)
    usual = wanted if wanted in counts else counts.most_common(1)[0][0]
    others = [(path, value) for path, value in found if value != usual]
    if others:
        like = f"expected {text(usual)} like {counts[usual]} of {len(found)} files"
        problems = ((path, f"{text(value)}, {like}") for path, value in others)
        raise DataError(first_of(in_file(path, message, hint) for path, message in problems))
    return usual
