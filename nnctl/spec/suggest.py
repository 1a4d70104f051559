"""The nearest legal name to a misspelt one. Stdlib only."""

from __future__ import annotations

from collections.abc import Iterable


def distance(a: str, b: str) -> int:
    """Count the edits (insert, delete, substitute, swap of neighbors) that turn ``a`` into ``b``.

    The optimal string alignment distance (Damerau 1964): a swap counts as one edit.
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that ``word`` most likely stands for, or None when nothing is close.

    Ties go to the choice with the same letters, then the longest common start.
    """

    def rank(choice: str) -> tuple[int, bool, int, str]:
        low = choice.lower()
        common = next((i for i, (a, b) in enumerate(zip(low, given, strict=False)) if a != b), 99)
        return distance(given, low), sorted(low) != sorted(given), -common, choice

    given = word.lower().replace("-", "_")
    ranked = sorted(map(rank, set(choices)))
    if not ranked:
        return None
    edits, _, _, choice = ranked[0]
    limit = max(1, (max(len(given), len(choice)) + 1) // 3)
    return choice if edits <= limit and edits < len(choice) else None


def quoted(words: Iterable[str]) -> str:
    """List names for a message, in the order given."""
    return ", ".join(words)


def hint(word: str, choices: Iterable[str], noun: str = "choices") -> str:
    """Say which choice was meant, if one is near, and list them all."""
    choices = list(choices)
    near = nearest(word, choices)
    lines = [f'did you mean "{near}"?'] if near else []
    if choices:
        lines.append(f"{noun}: {quoted(choices)}")
    return "\n".join(lines)
