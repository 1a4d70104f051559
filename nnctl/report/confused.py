"""What an evaluation says was confused with what, output by output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NUMBERED = 30  # classes up to which all counts are written


def outputs(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return ``per_class`` and ``confusion`` by output; the only one is called ""."""
    several = document.get("outputs")
    if several:
        return {name: found for name, found in several.items() if found.get("confusion")}
    return {"": document} if document.get("confusion") or document.get("per_class") else {}


def wrong(found: Mapping[str, Any]) -> int:
    """Return how many samples a confusion has beside its diagonal."""
    counts = (found.get("confusion") or {}).get("counts") or []
    return sum(sum(row) - row[i] for i, row in enumerate(counts))


def confused(confusion: Mapping[str, Any], most: int = 5) -> list[dict[str, Any]]:
    """Return the most frequent confusions of one class with another, the first in a tie first."""
    names = confusion["classes"]
    found = [
        {"true": names[i], "predicted": names[j], "count": count}
        for i, row in enumerate(confusion["counts"])
        for j, count in enumerate(row)
        if i != j and count
    ]
    return sorted(found, key=lambda row: -row["count"])[:most]
