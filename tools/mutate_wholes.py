"""Mutations of a whole resource: what contains it, what it contains, and its text as JSON."""

import copy
import random
from typing import Any

from grow_resources import Grower, grow, types
from mutate_elements import drop, identity, refer, uri
from mutation_places import WORDS, holders, pick, swap, text


def contain(chance: random.Random, value: Any) -> bool:
    value["contained"] = copy.deepcopy(chance.choice(WORDS["contained"]))
    if chance.random() < 0.6:
        swap(chance, value, text("reference"), ["#c1"])
    return True


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


def bundled(chance: random.Random, value: Any) -> bool:
    """The resource in a Bundle of any type, with what such a Bundle has, or almost."""
    if value.get("resourceType") == "Bundle":
        return False
    one = copy.deepcopy(value)
    kind = chance.choice(WORDS["bundle_types"])
    name, own = one.get("resourceType"), one.get("id", "1")
    made: dict[str, Any] = {
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
    made |= parts.get(kind, {})
    value.clear()
    value |= {"resourceType": "Bundle", "type": kind, "entry": [made]}
    if kind in ("document", "message") or chance.random() < 0.2:
        value |= {"identifier": {"system": "http://x.test/ids", "value": "1"}, "timestamp": "2012-05-01T10:00:00Z"}
    if kind == "document":
        subject = {"reference": made["fullUrl"]} if name == "Patient" else {"display": "x"}
        composition = {
            "resourceType": "Composition",
            "id": "c",
            "status": "final",
            "type": {"text": "x"},
            "subject": subject,
            "date": "2012",
            "author": [{"display": "x"}],
            "title": "x",
            "section": [{"title": "x", "entry": [{"reference": made["fullUrl"]}]}],
        }
        value["entry"].insert(0, {"fullUrl": "http://x.test/fhir/Composition/c", "resource": composition})
    if kind == "message":
        header = {
            "resourceType": "MessageHeader",
            "id": "h",
            "eventUri": "http://x.test/e",
            "source": {"endpoint": "http://x.test/s"},
            "focus": [{"reference": made["fullUrl"]}],
        }
        value["entry"].insert(0, {"fullUrl": "http://x.test/fhir/MessageHeader/h", "resource": header})
    if chance.random() < 0.5:
        chance.choice([entry, drop, uri, identity, refer, grow])(chance, value)
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
