"""The architecture page: its table of imports is the one that is enforced, its files exist."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_architecture import MAY

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "nnctl" / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_the_table_of_imports_is_the_enforced_one() -> None:
    table = PAGE.partition("| package | may import |\n|---|---|\n")[2].partition("\n\n")[0]
    rows = dict(line.strip("| ").split(" | ") for line in table.splitlines())
    told = {room: _rooms(text) - {room} for room, text in rows.items()}
    enforced = {room: set(rooms) for room, rooms in MAY.items() if room != "__main__"}
    assert told == enforced


def _rooms(text: str) -> set[str]:
    everything = set(MAY) - {"__main__", "cli"}
    if text == "nothing":
        return set()
    if text.startswith("everything"):
        return everything - set(text.removeprefix("everything but ").split(", "))
    return set(text.split(", "))


def test_rooms_and_files_that_are_named_exist() -> None:
    rooms = re.findall(r"^\| `(\w+)(?:/|\.py)` \|", PAGE, re.MULTILINE)
    there = {path.stem for path in (ROOT / "nnctl").iterdir() if not path.name.startswith("_")}
    assert set(rooms) == there - {"ARCHITECTURE", "py", "datasets"}
    # NAME, FAMILY and FORMAT stand for what is added
    files = [name for name in re.findall(r"`((?:\w+/)+\w+\.py)`", PAGE) if name == name.lower()]
    assert files
    for name in files:
        assert any((ROOT / base / name).exists() for base in ("", "nnctl")), name
