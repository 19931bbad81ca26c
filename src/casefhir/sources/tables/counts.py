"""Counts of as many kinds as fit in memory: what comes after them is counted together."""

from collections import Counter
from collections.abc import Mapping

MOST_KINDS = 10_000
"""Kinds of a count that are kept by name; what comes after them is counted under `OTHERS`."""
OTHERS = "(others)"
Kind = tuple[str, str, str]


def add_counts(mine: Counter[Kind], others: Mapping[Kind, int]) -> None:
    """Add `others` to `mine`, which stays bounded: the last part of new kinds becomes `OTHERS` when there are many."""
    for kind, count in others.items():
        if kind not in mine and len(mine) >= MOST_KINDS:
            kind = (kind[0], kind[1], OTHERS)
        mine[kind] += count
