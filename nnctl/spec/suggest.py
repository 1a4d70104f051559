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
    choices = set(choices)
    if not given:
        return None
    near = [rank(c) for c in choices if abs(len(c) - len(given)) <= _most_edits(given, c)]
    edits, _, _, choice = min(near, default=(99, True, 0, ""))
    if edits <= _most_edits(given, choice) and 2 * edits < len(choice):
        return choice
    return _short(given, choices)


def _most_edits(given: str, choice: str) -> int:
    return max(1, (max(len(given), len(choice)) + 1) // 3)


def _short(given: str, choices: Iterable[str]) -> str | None:
    """Return the one choice that ``given`` abbreviates (acc, lr) or contains (num_epochs)."""
    kin = [
        choice
        for choice in choices
        if (len(given) > 2 and choice.startswith(given))
        or (len(given) > 1 and given == "".join(part[:1] for part in choice.split("_")))
        or (len(choice) > 3 and choice in given)
    ]
    return kin[0] if len(kin) == 1 else None


def listed(words: Iterable[str], most: int = 40) -> str:
    """List names for a message in the order given, cut where there are very many."""
    words = list(words)
    more = f", ... ({len(words)} in all)" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def hint(
    word: str, choices: Iterable[str], noun: str = "choices", *, near: str | None = None
) -> str:
    """Say which choice was meant (``near``, else the nearest), and list them all."""
    choices = list(choices)
    near = near or nearest(word, choices)
    lines = [f'did you mean "{near}"?'] if near else []
    if choices:
        lines.append(f"{noun}: {listed(choices)}")
    return "\n".join(lines)
