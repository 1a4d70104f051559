"""Tell the shapes, classes and columns of data without loading them: serves ``nnctl check``.

Stdlib only, so that nothing slow is imported. It goes the same way as ``load`` up to the making of
arrays, so both report the same mistakes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.data import generated, kinds, records, series, text
from nnctl.data.opening import Opener
from nnctl.data.problems import Locate, by_path
from nnctl.spec.info import DataInfo

if TYPE_CHECKING:
    from nnctl.spec.data import DataSpec


def inspect(data: DataSpec, base_dir: Path, locate: Locate = by_path) -> DataInfo:
    """Return what the data of a spec are; relative paths start at ``base_dir``.

    ``locate`` turns a key of the spec into a problem with its line (``spec.problem``). Raises
    DataError with all that is found wrong in the spec's keys or in a file.
    """
    if not isinstance(data.source, str):
        return generated.describe(data, locate)
    opener = Opener(data, Path(base_dir), locate)
    kind = kinds.of(data)
    if kind == "series":
        return series.open_main(opener, keep=False).info()
    if kind == "text":
        return text.open_main(opener, keep=False).info()
    if kind == "records":
        opener = records.RecordOpener(data, Path(base_dir), locate)
    main = opener.main(keep=False)
    main.check()
    parts = {}
    for key in ("test", "validation"):
        other = opener.other(main, key, keep=False)
        if other is not None:
            other.check()
            parts[key] = other.content.samples
    return replace(main.info(), parts=parts)
