"""The word lists of `data/words.json` as sets."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).with_name("data") / "words.json"


def _sets(found: Any) -> Any:
    if isinstance(found, str):
        return frozenset(found.split())
    return {key: _sets(value) for key, value in found.items()}


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """Each list by its name; every string of the file split into a set of its words."""
    found: dict[str, Any] = _sets(json.loads(_DATA.read_bytes()))
    return found
