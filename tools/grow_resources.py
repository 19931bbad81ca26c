"""Elements and resources made from R4's definitions: what the official examples never use is compared as well.

    python tools/grow_resources.py SEED COUNT OUT.ndjson [TYPE...]

Each line is a resource of a random type (or of TYPE) with what it must have and a few elements that it may have, three
levels deep at most; one value in thirty is odd. Beside OUT stands OUT.names.json, the type of each line.
"""

import copy
import json
import random
import sys
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from casefhir import exactjson
from casefhir.conformance.definitions import Definitions, core
from casefhir.conformance.shapes import Element, Shape, TypeRef, shape
from casefhir.conformance.vocabulary import Vocabulary

_FILE = Path(__file__).with_name("grown_words.json")
WORDS: dict[str, Any] = json.loads(_FILE.read_bytes(), parse_float=Decimal)
DEEPEST, MANY = 3, 3
ODD, RARE = 1 / 30, 1 / 12


@cache
def types() -> tuple[str, ...]:
    """Every resource type of R4 that has instances."""
    names = sorted(url.rpartition("/")[2] for url, member in core().members.items() if member.startswith("s"))
    found = {name: shape(name) for name in names}
    return tuple(name for name, each in found.items() if each and each.kind == "resource" and not each.abstract)


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary(Definitions())


@cache
def codes(value_set: str) -> tuple[tuple[str, str], ...]:
    """(system, code) of a value set that can be listed here, at most a thousand; empty for others."""
    found = _vocabulary().codes(value_set)
    listed = []
    for system, each in (found or {}).items():
        if isinstance(each, frozenset):
            listed += [(system, code) for code in sorted(each)[:1000]]
    return tuple(listed)


class Grower:
    """Makes values, with `chance` for dice."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def resource(self, name: str) -> dict[str, Any]:
        """A resource of type `name`."""
        where = shape(name)
        assert where is not None
        return {"resourceType": name, **self.members(where, DEEPEST)}

    def members(self, where: Shape, depth: int, also: int | None = None) -> dict[str, Any]:
        """What `where` must have and, while `depth` lasts, a few of what it may have."""
        made: dict[str, Any] = {}
        wanted = list(where.required)
        others = [each for each in where.elements.values() if each.least == 0 and self.usual(each)]
        extra = (self.chance.randrange(MANY + 1) if depth > 0 else 0) if also is None else also
        wanted += self.chance.sample(others, min(len(others), extra))
        for each in wanted:
            self.give(made, where, each, depth)
        if not made and others:
            self.give(made, where, self.chance.choice(others), depth)
        return made

    def usual(self, element: Element) -> bool:
        """Is `element` one to grow: extensions seldom, for most fit their place as badly as any."""
        if element.name in ("extension", "modifierExtension"):
            return self.chance.random() < RARE
        return element.name not in ("id", "contained")

    def give(self, made: dict[str, Any], where: Shape, element: Element, depth: int) -> None:
        """Put a value for `element` into `made`."""
        keys = [key for key, (one, _) in where.properties.items() if one is element]
        key = self.chance.choice(keys)
        ref = where.properties[key][1]
        if element.many:
            count = max(element.least, self.chance.choice([1, 1, 1, 2]))
            made[key] = [self.value(element, ref, depth - 1) for _ in range(count)]
        else:
            made[key] = self.value(element, ref, depth - 1)

    def value(self, element: Element, ref: TypeRef, depth: int) -> Any:
        """A value of type `ref` for `element`."""
        words = WORDS["primitives"].get(ref.code)
        listed = WORDS["bound"].get(element.binding.value_set) if element.binding is not None else None
        bound = codes(element.binding.value_set) if element.binding is not None else ()
        odd = self.chance.random() < ODD
        if ref.code == "code" and bound and not odd:
            return self.chance.choice(bound)[1]
        if ref.code == "code" and listed is not None and not odd:
            return self.chance.choice(listed)
        if words is not None:
            return self.chance.choice(words["odd" if odd else "usual"])
        if ref.code in ("Coding", "CodeableConcept") and bound and not odd:
            system, code = self.chance.choice(bound)
            coding = {"system": system, "code": code} if system else {"code": code}
            return coding if ref.code == "Coding" else {"coding": [coding]}
        if ref.code == "Reference":
            return self.reference(ref, odd)
        if ref.code == "Resource" or ref.code == "Extension" or depth < 0:
            return self.sample(ref.code)
        if ref.code in WORDS["complex"] and self.chance.random() < 0.5:
            return self.sample(ref.code)
        where = shape(ref.code)
        assert where is not None, ref.code
        return self.members(where, depth)

    def sample(self, name: str) -> Any:
        """One of the values listed for the type, or the least there can be."""
        listed = WORDS["complex"].get(name)
        if listed is not None:
            return copy.deepcopy(self.chance.choice(listed))
        where = shape(name)
        assert where is not None, name
        return self.members(where, 0)

    def reference(self, ref: TypeRef, odd: bool) -> dict[str, Any]:
        """A reference to one of the targets, by address, identifier or words."""
        names = [each.rpartition("/")[2] for each in ref.targets] or ["Patient"]
        name = self.chance.choice(list(types())) if odd else self.chance.choice(names)
        name = "Patient" if name == "Resource" else name
        kind = self.chance.randrange(6)
        if kind < 3:
            return {"reference": f"{name}/1"}
        if kind == 3:
            return {"identifier": {"system": "http://x.test/ids", "value": "1"}, "type": name}
        if kind == 4:
            return {"reference": f"https://x.test/fhir/{name}/1", "display": "x"}
        return {"display": "x"}


def grow(chance: random.Random, value: Any) -> bool:
    """Give an object of `value` one more element that its type may have."""
    found = [(value, shape(str(value.get("resourceType"))))]
    for holder, where in found:  # grows while it is walked
        if where is None:
            continue
        for key, child in holder.items():
            if key in where.properties:
                target = shape(where.properties[key][1].code)
                inner = child if isinstance(child, list) else [child]
                if target is not None and target.kind != "primitive-type":
                    found += [
                        (each, shape(each["resourceType"]) if isinstance(each.get("resourceType"), str) else target)
                        for each in inner
                        if isinstance(each, dict)
                    ]
    grower = Grower(chance)
    holder, where = chance.choice([pair for pair in found if pair[1] is not None] or [(None, None)])
    if holder is None or where is None:
        return False
    free = [
        each
        for each in where.elements.values()
        if grower.usual(each) and not any(key in holder for key, (one, _) in where.properties.items() if one is each)
    ]
    if not free:
        return False
    grower.give(holder, where, chance.choice(free), 2)
    return True


def main(arguments: list[str]) -> None:
    seed, count, out = int(arguments[0]), int(arguments[1]), Path(arguments[2])
    chance = random.Random(seed)
    names = []
    with out.open("wb") as stream:
        for _ in range(count):
            names.append(chance.choice(arguments[3:] or types()))
            stream.write(exactjson.write(Grower(chance).resource(names[-1])) + b"\n")
    out.with_suffix(".names.json").write_text(json.dumps(names))


if __name__ == "__main__":
    main(sys.argv[1:])
