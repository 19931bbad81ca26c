"""FHIR XML to JSON, with the R4 shapes saying what repeats and what is a number: for test data that is XML only."""

import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import Any

from casefhir.conformance.shapes import Element, Shape, TypeRef, shape

NS = "{http://hl7.org/fhir}"
XHTML = "{http://www.w3.org/1999/xhtml}div"
NUMBERS = {"integer": int, "positiveInt": int, "unsignedInt": int, "decimal": Decimal}


def resource(data: bytes) -> dict[str, Any]:
    """The resource that the XML document `data` holds, as JSON (decimals as Decimal)."""
    return _resource(ET.fromstring(data))


def _resource(element: ET.Element) -> dict[str, Any]:
    name = element.tag.removeprefix(NS)
    found = shape(name)
    if found is None:
        raise LookupError(f"{name} is no R4 resource")
    return {"resourceType": name, **_complex(element, found)}


def _complex(element: ET.Element, here: Shape) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for attribute in ("id", "url"):
        if attribute in element.attrib:
            found[attribute] = element.attrib[attribute]
    for child in element:
        name = child.tag.removeprefix(NS)
        if child.tag == XHTML:
            ET.register_namespace("", "http://www.w3.org/1999/xhtml")
            found["div"] = ET.tostring(child, encoding="unicode").strip()
            continue
        if name not in here.properties:
            raise LookupError(f"{here.name} has no {name}")
        place, ref = here.properties[name]
        _put(found, name, place, ref, child)
    return found


def _put(into: dict[str, Any], name: str, place: Element, ref: TypeRef, child: ET.Element) -> None:
    target = shape(ref.code)
    assert target is not None, ref.code
    beside: dict[str, Any] | None = None
    if target.kind == "resource":
        value: Any = _resource(child[0])
    elif target.kind == "primitive-type":
        raw = child.get("value")
        value = None if raw is None else _primitive(raw, ref.code)
        beside = _complex(child, target) or None
    else:
        value = _complex(child, target)
    if not place.many:
        if value is not None:
            into[name] = value
        if beside is not None:
            into["_" + name] = beside
        return
    values, siblings = into.setdefault(name, []), into.get("_" + name, [])
    siblings += [None] * (len(values) - len(siblings))
    values.append(value)
    if beside is not None:
        into["_" + name] = [*siblings, beside]
    elif "_" + name in into:
        into["_" + name] = [*siblings, None]


def _primitive(raw: str, kind: str) -> Any:
    if kind == "boolean":
        return raw == "true"
    return NUMBERS[kind](raw) if kind in NUMBERS else raw
