"""Rows of sums or means under a table, which are of no person."""

from functools import cache
from importlib import resources

from casefhir.sources import tables

_SIGNS = "Ø∅∑Σ"
_AROUND = " :.="


@cache
def _words() -> frozenset[str]:
    text = (resources.files(tables) / "data" / "totals.tsv").read_text(encoding="utf-8")
    return frozenset(text.split()[1:])


def is_total(key: str) -> bool:
    """Whether what stands in place of a person's key heads a row of sums or means."""
    bare = key.strip(_AROUND + _SIGNS)
    return bare.casefold() in _words() if bare else any(sign in key for sign in _SIGNS)
