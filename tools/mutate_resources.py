"""Mutants of valid resources for the comparison with HL7's validator: one small fault each, from a seed.

    python tools/mutate_resources.py SEED COUNT OUT.ndjson SOURCE...

SOURCE: JSON files or folders. A mutant may still be valid; both validators have to say so.
"""

import copy
import json
import random
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from casefhir import exactjson

Place = tuple[Any, Any]  # the container and its key or index
LARGEST = 40_000
DEFINITIONS = {
    "StructureDefinition",
    "ValueSet",
    "CodeSystem",
    "ConceptMap",
    "ImplementationGuide",
    "SearchParameter",
    "OperationDefinition",
    "CapabilityStatement",
    "StructureMap",
    "CompartmentDefinition",
    "GraphDefinition",
    "TestScript",
    "TerminologyCapabilities",
    "Questionnaire",
    "QuestionnaireResponse",
    "Measure",
    "Library",
    "ExampleScenario",
    "NamingSystem",
    "MessageDefinition",
}


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


def pick(chance: random.Random, value: Any, test: Callable[[Any, Any], bool]) -> Place | None:
    found = [place for place in places(value) if test(place[0][place[1]], place[1])]
    return chance.choice(found) if found else None


def swap(chance: random.Random, value: Any, test: Callable[[Any, Any], bool], words: list[Any]) -> bool:
    place = pick(chance, value, test)
    if place is None:
        return False
    place[0][place[1]] = copy.deepcopy(chance.choice(words))
    return True


def is_text(value: Any, _key: Any) -> bool:
    return isinstance(value, str)


def drop(chance: random.Random, value: Any) -> bool:
    place = pick(chance, value, lambda _v, _k: True)
    if place is None:
        return False
    del place[0][place[1]]
    return True


def add(chance: random.Random, value: Any) -> bool:
    holders = [value, *(c[k] for c, k in places(value) if isinstance(c[k], dict))]
    holder = chance.choice(holders)
    key, found = chance.choice(
        [
            ("bananas", "x"),
            ("status", "final"),
            ("value", 1),
            ("code", {"text": "x"}),
            ("id", "a b"),
            ("extension", []),
            ("text", "x"),
            ("display", 3),
            ("_id", {}),
            ("valueString", "x"),
            ("active", True),
            ("note", [{"text": "x"}]),
            ("period", {}),
            ("identifier", [{"value": "x"}]),
            ("date", "2012"),
            ("contained", []),
        ]
    )
    if key in holder:
        return False
    holder[key] = found
    return True


def retype(chance: random.Random, value: Any) -> bool:
    return swap(chance, value, lambda _v, _k: True, ["text", 1, True, {"text": "x"}, ["x"], [], {}, Decimal("1.0"), ""])


def wrap(chance: random.Random, value: Any) -> bool:
    place = pick(chance, value, lambda _v, k: isinstance(k, str))
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


def code(chance: random.Random, value: Any) -> bool:
    keys = ("status", "code", "use", "gender", "intent", "system", "type", "mode", "kind", "language", "priority")
    return swap(
        chance,
        value,
        lambda v, k: isinstance(v, str) and k in keys,
        ["bananas", "active", "final", "unknown", " x", "male", "http://loinc.org", "x y", "x  y"],
    )


def date(chance: random.Random, value: Any) -> bool:
    return swap(
        chance,
        value,
        lambda v, _k: isinstance(v, str) and v[:4].isdigit() and v[4:5] in ("", "-"),
        [
            "2012",
            "2012-13",
            "2012-02-30",
            "2012-2-3",
            "12",
            "2012-01-01T10:00:00",
            "2012-01-01T10:00Z",
            "9999",
            "2012-01-01T10:00:00Z",
            "2012-01-01T25:00:00Z",
            "2012-01",
            "yesterday",
            "2012-02-29",
            "2013-02-29",
        ],
    )


def number(chance: random.Random, value: Any) -> bool:
    return swap(
        chance,
        value,
        lambda v, _k: isinstance(v, int | Decimal) and not isinstance(v, bool),
        [-1, 0, Decimal("1.5"), "1", 10**12, Decimal("1e3"), True],
    )


def reference(chance: random.Random, value: Any) -> bool:
    return swap(
        chance,
        value,
        lambda v, k: isinstance(v, str) and k == "reference",
        [
            "Patient/1",
            "Medication/1",
            "#nowhere",
            "bananas",
            "Organization/x",
            "urn:uuid:x",
            "Observation/a_b",
            "http://example.org/fhir/Device/1",
            "urn:uuid:11111111-1111-1111-1111-111111111111",
            "Bananas/1",
        ],
    )


def unit(chance: random.Random, value: Any) -> bool:
    return swap(
        chance,
        value,
        lambda v, k: isinstance(v, str) and k in ("code", "unit", "system"),
        ["mg", "IU/L", "mmol/l", "http://unitsofmeasure.org", "foo", "10*9/L"],
    )


def rename(chance: random.Random, value: Any) -> bool:
    place = pick(chance, value, lambda _v, k: isinstance(k, str))
    if place is None:
        return False
    container, key = place
    found = container.pop(key)
    container[chance.choice([key + "s", key.upper(), "_" + key, key[:-1] or "x", key + "String", key + "x"])] = found
    return True


def narrative(chance: random.Random, value: Any) -> bool:
    holder = value.get("text")
    if not isinstance(holder, dict):
        return False
    holder["div"] = chance.choice(
        [
            '<div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div>',
            "<div>x</div>",
            "",
            "x",
            '<div xmlns="http://www.w3.org/1999/xhtml"></div>',
            '<div xmlns="http://www.w3.org/1999/xhtml"><p>x</div>',
            '<div xmlns="http://www.w3.org/1999/xhtml" onclick="x">x</div>',
            '<div xmlns="http://www.w3.org/1999/xhtml"><iframe>x</iframe></div>',
            '<div xmlns="http://www.w3.org/1999/xhtml"><b>fine</b><br/></div>',
        ]
    )
    return True


def extension(chance: random.Random, value: Any) -> bool:
    holders = [value, *(c[k] for c, k in places(value) if isinstance(c[k], dict) and not str(k).startswith("_"))]
    core = "http://hl7.org/fhir/StructureDefinition/"
    chance.choice(holders).setdefault("extension", []).append(
        chance.choice(
            [
                {"url": "http://unknown.test/x", "valueString": "x"},
                {"url": core + "originalText", "valueString": "x"},
                {"url": core + "originalText"},
                {"url": core + "originalText", "valueCode": "x"},
                {"url": core + "data-absent-reason", "valueCode": "unknown"},
                {"valueString": "x"},
                {"url": core + "data-absent-reason", "valueCode": "bananas"},
                {"url": "x", "valueString": "x"},
                {"url": core + "patient-birthTime", "valueDateTime": "2012-01-01T00:00:00Z"},
                {"url": core + "nosuch"},
            ]
        )
    )
    return True


def nothing(chance: random.Random, value: Any) -> bool:
    return swap(chance, value, lambda _v, k: isinstance(k, str), [None, [], {}, ""])


MUTATIONS = [
    drop,
    drop,
    drop,
    add,
    retype,
    wrap,
    repeat,
    code,
    code,
    date,
    date,
    number,
    reference,
    unit,
    rename,
    narrative,
    extension,
    nothing,
]


def sources(paths: list[Path]) -> list[Any]:
    found: list[Any] = []
    for path in paths:
        for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
            data = file.read_bytes()
            if len(data) <= LARGEST:
                one = exactjson.read(data)
                if isinstance(one, dict) and one.get("resourceType") not in DEFINITIONS and "resourceType" in one:
                    found.append(one)
    return found


def mutants(seed: int, count: int, valid: list[Any]) -> Iterator[tuple[str, Any]]:
    """`count` pairs of the mutation's name and the mutant."""
    chance = random.Random(seed)
    made = 0
    while made < count:
        one = copy.deepcopy(chance.choice(valid))
        mutate = chance.choice(MUTATIONS)
        if mutate(chance, one) and "resourceType" in one:
            made += 1
            yield mutate.__name__, one


def main(arguments: list[str]) -> None:
    seed, count, out = int(arguments[0]), int(arguments[1]), Path(arguments[2])
    valid = sources([Path(each) for each in arguments[3:]])
    names: list[str] = []
    with out.open("wb") as stream:
        for name, one in mutants(seed, count, valid):
            names.append(name)
            stream.write(exactjson.write(one) + b"\n")
    out.with_suffix(".names.json").write_text(json.dumps(names))


if __name__ == "__main__":
    main(sys.argv[1:])
