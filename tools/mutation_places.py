"""Where a mutation may change a resource, and what it puts there (`mutation_words.json`)."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

Place = tuple[Any, Any]  # the container and its key or index
WORDS: dict[str, Any] = json.loads(Path(__file__).with_name("mutation_words.json").read_bytes(), parse_float=Decimal)
NUMBERS = [json.loads(each, parse_float=Decimal) for each in WORDS["numbers"]]


def places(value: Any) -> Iterator[Place]:
    """Every member of every object and array, resourceType and narratives left out."""
    if isinstance(value, dict):
        for key in value:
            if key not in ("resourceType", "div"):
                yield value, key
                yield from places(value[key])
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value, index
            yield from places(value[index])


def holders(value: Any) -> list[dict[str, Any]]:
    """Every object, the resource first."""
    return [value, *(c[k] for c, k in places(value) if isinstance(c[k], dict))]


def pick(chance: random.Random, value: Any, test: Callable[[Any, Any], bool]) -> Place | None:
    """A member for which `test` (of value and key) holds."""
    found = [place for place in places(value) if test(place[0][place[1]], place[1])]
    return chance.choice(found) if found else None


def swap(chance: random.Random, value: Any, test: Callable[[Any, Any], bool], words: list[Any]) -> bool:
    """Put one of `words` where `test` holds."""
    place = pick(chance, value, test)
    if place is None:
        return False
    place[0][place[1]] = copy.deepcopy(chance.choice(words))
    return True


def swapping(words: list[Any], test: Callable[[Any, Any], bool]) -> Callable[[random.Random, Any], bool]:
    """The mutation that puts one of `words` where `test` holds."""
    return lambda chance, value: swap(chance, value, test, words)


def text(*keys: str) -> Callable[[Any, Any], bool]:
    """The test for a string, under one of `keys` where some are given."""
    return lambda value, key: isinstance(value, str) and (not keys or key in keys)


def dated(value: Any, _key: Any) -> bool:
    return isinstance(value, str) and value[:4].isdigit() and value[4:5] in ("", "-")


def numeric(value: Any, _key: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def named(_value: Any, key: Any) -> bool:
    return isinstance(key, str)
