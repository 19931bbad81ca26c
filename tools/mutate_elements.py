"""Mutations of one element of a resource: each changes the value it is given, and says whether it could."""

import copy
import random
from typing import Any

from mutation_places import WORDS, holders, named, pick, swap, swapping, text

uri = swapping(WORDS["uris"], lambda v, k: isinstance(v, str) and (k in ("url", "source", "instantiates") or ":" in v))
identity = swapping(WORDS["ids"], lambda _v, k: k == "id")


def drop(chance: random.Random, value: Any) -> bool:
    place = pick(chance, value, lambda _v, _k: True)
    if place is None:
        return False
    del place[0][place[1]]
    return True


def add(chance: random.Random, value: Any) -> bool:
    holder = chance.choice(holders(value))
    key, found = chance.choice(WORDS["added"])
    if key in holder:
        return False
    holder[key] = copy.deepcopy(found)
    return True


def wrap(chance: random.Random, value: Any) -> bool:
    place = pick(chance, value, named)
    if place is None:
        return False
    container, key = place
    found = container[key]
    container[key] = found[0] if isinstance(found, list) and found else [found]
    return True


def repeat(chance: random.Random, value: Any) -> bool:
    place = pick(chance, value, lambda v, _k: isinstance(v, list) and bool(v))
    if place is None:
        return False
    found = place[0][place[1]]
    found.append(copy.deepcopy(chance.choice(found)))
    return True


def rename(chance: random.Random, value: Any) -> bool:
    place = pick(chance, value, named)
    if place is None:
        return False
    container, key = place
    found = container.pop(key)
    other = [
        key + "s",
        key.upper(),
        "_" + key,
        key[:-1] or "x",
        key + "String",
        key + "x",
        key.lower(),
        " " + key,
        key + "[x]",
    ]
    container[chance.choice(other)] = found
    return True


def choice(chance: random.Random, value: Any) -> bool:
    """The value of a choice under the key of another type, or beside it."""
    place = pick(chance, value, lambda _v, k: isinstance(k, str) and k.startswith(("value", "effective", "onset")))
    if place is None:
        return False
    container, key = place
    stem = next(each for each in ("value", "effective", "onset") if key.startswith(each))
    other = stem + chance.choice(["String", "Quantity", "DateTime", "Period", "Age", "Integer", "Bananas", ""])
    if other in container:
        return False
    container[other] = copy.deepcopy(container[key]) if chance.random() < 0.5 else container.pop(key)
    return True


def narrative(chance: random.Random, value: Any) -> bool:
    holder = value.get("text")
    if not isinstance(holder, dict):
        return False
    holder["div"] = chance.choice(WORDS["narratives"])
    return True


def extension(chance: random.Random, value: Any) -> bool:
    holder = chance.choice([each for each in holders(value) if "resourceType" not in each or each is value])
    found = holder.setdefault(chance.choice(["extension", "extension", "extension", "modifierExtension"]), [])
    if isinstance(found, list):
        found.append(copy.deepcopy(chance.choice(WORDS["extensions"])))
    return True


def part_of_extension(chance: random.Random, value: Any) -> bool:
    """Another url, or a url as a primitive that has more than its value."""
    place = pick(
        chance, value, lambda v, k: k in ("extension", "modifierExtension") and isinstance(v, list) and v != []
    )
    found = chance.choice(place[0][place[1]]) if place is not None else None
    if not isinstance(found, dict):
        return False
    other = chance.choice(WORDS["extensions"])
    found.update({key: copy.deepcopy(other[key]) for key in other if key.endswith("url")} or {"_url": {"id": "a"}})
    return True


def sibling(chance: random.Random, value: Any) -> bool:
    """`_key` beside a primitive or instead of it."""
    place = pick(chance, value, lambda v, k: isinstance(k, str) and not isinstance(v, dict | list) and k[:1] != "_")
    if place is None:
        return False
    container, key = place
    container["_" + key] = copy.deepcopy(chance.choice(WORDS["siblings"]))
    if chance.random() < 0.4:
        del container[key]
    return True


def aligned(chance: random.Random, value: Any) -> bool:
    """Arrays of primitives with a `_key` of another length, with nulls, or nulls on both sides."""
    place = pick(
        chance, value, lambda v, k: isinstance(v, list) and isinstance(k, str) and any(isinstance(x, str) for x in v)
    )
    if place is None:
        return False
    container, key = place
    length = len(container[key])
    beside = [
        copy.deepcopy(chance.choice([None, *WORDS["siblings"]]))
        for _ in range(length + chance.choice([-1, 0, 0, 0, 1]))
    ]
    container["_" + key] = beside
    if chance.random() < 0.5:
        container[key][chance.randrange(length)] = None
    return True


def refer(chance: random.Random, value: Any) -> bool:
    return swap(chance, value, lambda v, _k: isinstance(v, dict) and "reference" in v, WORDS["reference_parts"])


def nest(chance: random.Random, value: Any) -> bool:
    """A member inside its own copy."""
    place = pick(chance, value, lambda v, k: isinstance(k, str) and isinstance(v, dict | list))
    if place is None:
        return False
    container, key = place
    found = container[key]
    inner = found[0] if isinstance(found, list) and found else found
    if not isinstance(inner, dict):
        return False
    inner[key] = copy.deepcopy(found)
    return True


def move(chance: random.Random, value: Any) -> bool:
    """A member in another object."""
    place = pick(chance, value, named)
    if place is None:
        return False
    found = place[0].pop(place[1])
    chance.choice(holders(value)).setdefault(place[1], found)
    return True


def case(chance: random.Random, value: Any) -> bool:
    place = pick(chance, value, text())
    if place is None:
        return False
    found = place[0][place[1]]
    place[0][place[1]] = chance.choice([found.upper(), found.lower(), found.capitalize(), found.swapcase()])
    return place[0][place[1]] != found


def blank(chance: random.Random, value: Any) -> bool:
    """White space and other unseen characters in a string."""
    place = pick(chance, value, text())
    if place is None:
        return False
    found = place[0][place[1]]
    sign = chance.choice([" ", "  ", "\t", "\n", "\u00a0", "\u200b", "\ufeff", "\x00", "\x1f", "\x7f", "\u2028"])
    at = chance.choice([0, len(found), len(found) // 2])
    place[0][place[1]] = found[:at] + sign + found[at:]
    return True


def backwards(chance: random.Random, value: Any) -> bool:
    """A Period's or Range's ends exchanged."""
    found = [each for each in holders(value) if {"start", "end"} <= each.keys() or {"low", "high"} <= each.keys()]
    if not found:
        return False
    one = chance.choice(found)
    first, last = ("start", "end") if "start" in one else ("low", "high")
    one[first], one[last] = one[last], one[first]
    return True


def exchange(chance: random.Random, value: Any) -> bool:
    """The values of two members of one object."""
    found = [each for each in holders(value) if len(each) > 1]
    if not found:
        return False
    one = chance.choice(found)
    first, second = (
        chance.sample([each for each in one if each != "resourceType"] or list(one), 2)
        if len(one) > 2
        else (None, None)
    )
    if first is None or second is None or "div" in (first, second):
        return False
    one[first], one[second] = one[second], one[first]
    return True


def narrative_part(chance: random.Random, value: Any) -> bool:
    """Something put before, in or behind a tag of the narrative."""
    holder = value.get("text")
    div = holder.get("div") if isinstance(holder, dict) else None
    if not isinstance(div, str) or "<" not in div:
        return False
    at = chance.choice([index for index, sign in enumerate(div) if sign in "<>"])
    holder["div"] = div[:at] + chance.choice(WORDS["markup"]) + div[at:]
    return True


def language(chance: random.Random, value: Any) -> bool:
    chance.choice([each for each in holders(value) if "resourceType" in each])["language"] = chance.choice(
        WORDS["languages"]
    )
    return True


def deep_extension(chance: random.Random, value: Any) -> bool:
    """Extensions in extensions, or on what holds no value of its own."""
    holder = chance.choice([each for each in holders(value) if "resourceType" not in each or each is value])
    inner = copy.deepcopy(chance.choice(WORDS["extensions"]))
    for _ in range(chance.choice([1, 2, 4])):
        inner = {"url": chance.choice(WORDS["extension_urls"]), "extension": [inner]}
    found = holder.setdefault("extension", [])
    if isinstance(found, list):
        found.append(inner)
    return True
