"""Mutants of valid resources for the comparison with HL7's validator: one small fault each, from a seed.

    python tools/mutate_resources.py SEED COUNT OUT.ndjson SOURCE...

SOURCE: JSON files or folders. A mutant may still be valid; both validators have to say so. What is put in the place of
what is found stands in `mutation_words.json`. Beside OUT stands OUT.names.json, the mutation of each line.
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

sys.path.insert(0, str(Path(__file__).parent))

from grow_resources import Grower, grow, types

Place = tuple[Any, Any]  # the container and its key or index
WORDS: dict[str, Any] = json.loads(Path(__file__).with_name("mutation_words.json").read_bytes(), parse_float=Decimal)
NUMBERS = [json.loads(each, parse_float=Decimal) for each in WORDS["numbers"]]
LARGEST = 40_000
# HL7's engine reads these by rules of their content, or needs what it cannot fetch, before it looks at the fault.
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


def contain(chance: random.Random, value: Any) -> bool:
    value["contained"] = copy.deepcopy(chance.choice(WORDS["contained"]))
    if chance.random() < 0.6:
        swap(chance, value, text("reference"), ["#c1"])
    return True


def refer(chance: random.Random, value: Any) -> bool:
    return swap(chance, value, lambda v, _k: isinstance(v, dict) and "reference" in v, WORDS["reference_parts"])


def entry(chance: random.Random, value: Any) -> bool:
    """Bundles: addresses, types, what stands beside a resource, order."""
    entries = value.get("entry")
    if value.get("resourceType") != "Bundle" or not isinstance(entries, list) or not entries:
        return False
    one = chance.choice(entries)
    kind = chance.randrange(7)
    if kind == 0:
        one["fullUrl"] = chance.choice([*WORDS["full_urls"], *(each.get("fullUrl", "x") for each in entries)])
    elif kind == 1:
        value["type"] = chance.choice(WORDS["bundle_types"])
    elif kind == 2:
        key, found = copy.deepcopy(chance.choice(WORDS["entry_parts"]))
        one[key] = found
    elif kind == 3:
        one.pop(chance.choice(["fullUrl", "resource", "request", "search"]), None)
    elif kind == 4:
        chance.shuffle(entries)
    elif kind == 5:
        value[chance.choice(["total", "timestamp", "link"])] = chance.choice(
            [1, 0, -1, "2012", "2012-01-01T10:00:00Z", [{"relation": "self", "url": "x"}]]
        )
    else:
        entries.append(copy.deepcopy(chance.choice(entries)))
    return True


def retag(chance: random.Random, value: Any) -> bool:
    """Another resourceType, or one where none belongs."""
    found = chance.choice(holders(value))
    found["resourceType"] = chance.choice(
        ["Patient", "Observation", "observation", "Bananas", "Resource", "Basic", 1, None, "", "Quantity"]
    )
    return True


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


def bundled(chance: random.Random, value: Any) -> bool:
    """The resource in a Bundle of any type, with what such a Bundle has, or almost."""
    if value.get("resourceType") == "Bundle":
        return False
    one = copy.deepcopy(value)
    kind = chance.choice(WORDS["bundle_types"])
    name, own = one.get("resourceType"), one.get("id", "1")
    entry: dict[str, Any] = {
        "fullUrl": chance.choice([f"http://x.test/fhir/{name}/{own}", "urn:uuid:11111111-1111-4111-8111-111111111111"]),
        "resource": one,
    }
    parts = {
        "searchset": {"search": {"mode": chance.choice(["match", "include", "outcome"])}},
        "history": {
            "request": {"method": "PUT", "url": f"{name}/{own}"},
            "response": {"status": "200", "lastModified": "2012-05-01T10:00:00Z"},
        },
        "batch": {"request": {"method": chance.choice(["POST", "PUT", "DELETE"]), "url": f"{name}/{own}"}},
        "transaction": {"request": {"method": "POST", "url": f"{name}"}},
        "batch-response": {"response": {"status": "200"}},
        "transaction-response": {"response": {"status": "201", "location": f"{name}/{own}/_history/1"}},
    }
    entry |= parts.get(kind, {})
    value.clear()
    value |= {"resourceType": "Bundle", "type": kind, "entry": [entry]}
    if kind in ("document", "message") or chance.random() < 0.2:
        value |= {"identifier": {"system": "http://x.test/ids", "value": "1"}, "timestamp": "2012-05-01T10:00:00Z"}
    if kind == "document":
        subject = {"reference": entry["fullUrl"]} if name == "Patient" else {"display": "x"}
        composition = {
            "resourceType": "Composition",
            "id": "c",
            "status": "final",
            "type": {"text": "x"},
            "subject": subject,
            "date": "2012",
            "author": [{"display": "x"}],
            "title": "x",
            "section": [{"title": "x", "entry": [{"reference": entry["fullUrl"]}]}],
        }
        value["entry"].insert(0, {"fullUrl": "http://x.test/fhir/Composition/c", "resource": composition})
    if kind == "message":
        header = {
            "resourceType": "MessageHeader",
            "id": "h",
            "eventUri": "http://x.test/e",
            "source": {"endpoint": "http://x.test/s"},
            "focus": [{"reference": entry["fullUrl"]}],
        }
        value["entry"].insert(0, {"fullUrl": "http://x.test/fhir/MessageHeader/h", "resource": header})
    if chance.random() < 0.5:
        MUTATIONS[chance.choice(["entry", "drop", "uri", "id", "refer", "grow"])](chance, value)
    return True


def in_parameters(chance: random.Random, value: Any) -> bool:
    """The resource as a parameter, beside others."""
    one = copy.deepcopy(value)
    value.clear()
    value |= {"resourceType": "Parameters", "parameter": [{"name": "a", "resource": one}]}
    if chance.random() < 0.7:
        value["parameter"].append(copy.deepcopy(chance.choice(WORDS["parameters"])))
    return True


def contained(chance: random.Random, value: Any) -> bool:
    """Contains something, names it by one of its references, and is broken then."""
    place = pick(chance, value, lambda v, _k: isinstance(v, dict) and isinstance(v.get("reference"), str))
    if place is None or value.get("resourceType") in ("Bundle", "Parameters", "Binary") or "contained" in value:
        return False
    name = place[0][place[1]]["reference"].split("/")[0]
    place[0][place[1]]["reference"] = "#c1"
    inner = Grower(chance).resource(name) if name in types() else {"resourceType": "Patient", "active": True}
    value["contained"] = [inner | {"id": chance.choice(["c1", "c1", "c1", "c1", "c2"])}]
    if chance.random() < 0.3:
        inner_holder = value["contained"][0]
        key, found = chance.choice(WORDS["added"])
        inner_holder.setdefault(key, copy.deepcopy(found))
    return True


MUTATIONS: dict[str, Callable[[random.Random, Any], bool]] = {
    "drop": drop,
    "drop again": drop,
    "add": add,
    "retype": swapping(WORDS["any"], lambda _v, _k: True),
    "wrap": wrap,
    "repeat": repeat,
    "code": swapping(
        WORDS["codes"],
        text("status", "code", "use", "gender", "intent", "type", "mode", "kind", "language", "priority"),
    ),
    "date": swapping(WORDS["dates"], dated),
    "number": swapping(NUMBERS, numeric),
    "reference": swapping(WORDS["references"], text("reference")),
    "refer": refer,
    "unit": swapping(WORDS["units"], text("code", "unit")),
    "system": swapping(WORDS["systems"], text("system")),
    "text": swapping(WORDS["texts"], text()),
    "uri": swapping(
        WORDS["uris"], lambda v, k: isinstance(v, str) and (k in ("url", "source", "instantiates") or ":" in v)
    ),
    "id": swapping(WORDS["ids"], lambda _v, k: k == "id"),
    "base64": swapping(WORDS["base64"], text("data", "hash", "content")),
    "rename": rename,
    "choice": choice,
    "narrative": narrative,
    "extension": extension,
    "part of extension": part_of_extension,
    "sibling": sibling,
    "aligned": aligned,
    "contain": contain,
    "entry": entry,
    "retag": retag,
    "nest": nest,
    "move": move,
    "case": case,
    "blank": blank,
    "backwards": backwards,
    "nothing": swapping([None, [], {}, ""], named),
    "grow": grow,
    "grow more": grow,
    "exchange": exchange,
    "narrative part": narrative_part,
    "language": language,
    "deep extension": deep_extension,
    "bundled": bundled,
    "in parameters": in_parameters,
    "contained": contained,
}


def scrambled(chance: random.Random, data: bytes) -> bytes:
    """JSON that is broken as text: repeated keys, stray signs, half characters, numbers that JSON has not."""
    marks = [index for index in range(1, len(data)) if data[index : index + 1] in (b",", b":", b"}", b"]", b'"')]
    at = chance.choice(marks)
    kind = chance.randrange(8)
    if kind == 0:
        return data[:at] + chance.choice([b",", b":", b"}", b"]", b'"', b"//x", b"/*x*/", b"\x00", b"'"]) + data[at:]
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data[:-1] + b',"resourceType":"Patient"}'
    if kind == 3:
        return (
            b"{"
            + chance.choice([b'"language":"en","language":"de",', b'"id":"a","id":"a",', b'"x":NaN,', b'"x":01,'])
            + data[1:]
        )
    if kind == 4:
        return b"\xef\xbb\xbf" + data
    if kind == 5:
        return data.replace(b'"', b'"\\ud800', 2) if chance.random() < 0.5 else data.replace(b'"', b'"\xff', 1)
    if kind == 6:
        return chance.choice([b"[", b" ", b"", b"null", b'"']) + data + chance.choice([b"]", b" ", b"x", b"{}", b","])
    return data.replace(b'":', b'" :\t') if chance.random() < 0.5 else data.replace(b'"', b"'", 2)


def sources(paths: list[Path]) -> list[Any]:
    """The resources of `paths` that are not too large and not definitions."""
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
    names = list(MUTATIONS)
    made = 0
    while made < count:
        one = copy.deepcopy(chance.choice(valid))
        name = chance.choice(names)
        if MUTATIONS[name](chance, one) and "resourceType" in one:
            made += 1
            yield name, one


def lines(seed: int, count: int, valid: list[Any]) -> Iterator[tuple[str, bytes]]:
    """`count` pairs of the mutation's name and the mutant as JSON; one in forty broken as text."""
    chance = random.Random(-seed - 1)
    for name, one in mutants(seed, count, valid):
        data = exactjson.write(one)
        if chance.random() < 0.025:
            yield "scrambled", scrambled(chance, exactjson.write(chance.choice(valid)))
        else:
            yield name, data


def main(arguments: list[str]) -> None:
    seed, count, out = int(arguments[0]), int(arguments[1]), Path(arguments[2])
    valid = sources([Path(each) for each in arguments[3:]])
    names: list[str] = []
    with out.open("wb") as stream:
        for name, data in lines(seed, count, valid):
            names.append(name)
            stream.write(data + b"\n")
    out.with_suffix(".names.json").write_text(json.dumps(names))


if __name__ == "__main__":
    main(sys.argv[1:])
