"""The fast path: yes, or no answer. A yes means that the slow path would find nothing in any layer but that the
resources named in it have no narrative (dom-6).
"""

import re
from typing import Any

import orjson

from casefhir.conformance.definitions import Definitions, core
from casefhir.conformance.fastcode import Maker, Trip
from casefhir.conformance.references import REST, type_named
from casefhir.conformance.vocabulary import Vocabulary

Json = dict[str, Any]
_AGE = "30525-0"
_WHEN = {
    "Observation": ("effectiveDateTime", "effectivePeriod", "effectiveInstant"),
    "Condition": ("onsetDateTime", "onsetPeriod"),
    "Procedure": ("performedDateTime", "performedPeriod"),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod"),
    "Encounter": ("period",),
    "AdverseEvent": ("date",),
    "AllergyIntolerance": ("onsetDateTime", "onsetPeriod"),
}
_ENTRY = {"fullUrl", "resource"}
_STRANGE = (RecursionError, TypeError, AttributeError, KeyError)
MARK, ESCAPED, BACKSLASH, SPACE = b'":', b'\\":', b"\\", b" \t\r\n"
# binary fractions take numbers with such an exponent for 0; the end tells them from UUIDs
_TINY = {mark: re.compile(re.escape(mark) + rb"\d{3,}+[ \t\r\n]*+[,\]}]") for mark in (b"e-", b"E-")}


def loads(data: bytes) -> tuple[Any, int] | None:
    """The value of `data` and how many keys it wrote; None for what the slow reader should read.

    A key is the only string that a colon follows, once escaped quotes are ruled out and white space is left out.
    The parser drops repeated keys, so a run that meets fewer keys than were written leaves the resource to the
    slow reader, which says which one is repeated.
    """
    escapes = BACKSLASH in data
    if (
        data.startswith(b"\xef")
        or (escapes and b"\\u0022" in data)
        or any(mark in data and tiny.search(data) for mark, tiny in _TINY.items())
    ):
        return None
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    bare = data.translate(None, SPACE)  # white space may stand between a key and its colon
    return value, bare.count(MARK) - (bare.count(ESCAPED) if escapes else 0)


class Fast:
    """Answers for resources of any type; keeps the functions it has made."""

    def __init__(self, definitions: Definitions, vocabulary: Vocabulary) -> None:
        self.maker = Maker(definitions, vocabulary)
        own = definitions.own
        self.usable = not (
            definitions.globals
            or any(url in core().members for url in own)
            or any("supplements" in each for each in own.values())
        )

    def accepts(self, resource: Any, keys: int | None = None) -> Trip | None:
        """The run's notes when `resource` surely has no findings but those in `Trip.bare`, else None; `keys`: how many
        its bytes have.
        """
        if not self.usable or resource.__class__ is not dict:
            return None
        kind = self.maker.resource(resource.get("resourceType"))
        if kind is None:
            return None
        trip = Trip()
        try:
            if not (kind.functions.get(tuple(resource)) or kind.make(resource))(resource, trip):
                return None
        except _STRANGE:  # JSON of a shape that no function expects is for the slow path to explain
            return None
        if (keys is not None and trip.keys != keys) or len(set(trip.ids)) != len(trip.ids):
            return None
        if resource["resourceType"] == "Bundle":
            return trip if self._bundle(resource, trip) else None
        return trip if all(_alone(text, targets) for text, targets in trip.references) else None

    def _bundle(self, bundle: Json, trip: Trip) -> bool:
        kind, entries = bundle.get("type"), bundle.get("entry", ())
        if kind not in ("collection", "transaction") or not bundle.keys() <= _BUNDLE or not entries:
            return False
        wanted = _ENTRY if kind == "collection" else _ENTRY | {"request"}
        urls: dict[str, str] = {}
        ids: dict[str, str] = {}
        for entry in entries:
            if entry.keys() != wanted:
                return False
            url, resource = entry["fullUrl"], entry["resource"]
            name = resource["resourceType"]
            own = f"{name}/{resource.get('id')}"
            if url in urls or own in ids or "/_history/" in url:
                return False
            served = "id" in resource and url.startswith(("http://", "https://")) and url.endswith("/" + own)
            if not served and not url.startswith("urn:uuid:"):
                return False
            urls[url] = name
            if "id" in resource:
                ids[own] = name
        return self._resolved(trip, urls, ids, kind) and _together([entry["resource"] for entry in entries])

    def _resolved(self, trip: Trip, urls: dict[str, str], ids: dict[str, str], kind: str) -> bool:
        for text, targets in trip.references:
            name = urls.get(text)
            if name is None:
                match = REST.match(text)
                if match is None or match["base"] or match["version"] or "#" in text:
                    return False
                name = ids.get(text) or (type_named(text) if kind == "transaction" else None)
            if name is None or (targets is not None and name not in targets):
                return False
        return True


_BUNDLE = {"resourceType", "id", "meta", "language", "type", "timestamp", "identifier", "entry"}


def _alone(text: str, targets: frozenset[str] | None) -> bool:
    if text.startswith("urn:uuid:"):
        return True
    name = type_named(text)
    return REST.match(text) is not None and name is not None and (targets is None or name in targets)


def _together(resources: list[Json]) -> bool:
    """Does layer meaning surely say nothing of what the entries say together."""
    units: dict[tuple[Any, Any], Any] = {}
    patients = [each for each in resources if each["resourceType"] == "Patient"]
    births = [each["birthDate"] for each in patients if "birthDate" in each]
    if any(key.startswith("deceasedD") for each in patients for key in each) or len(births) > 1:
        return False
    for each in resources:
        if each["resourceType"] == "Observation" and "valueQuantity" in each:
            for coding in each["code"].get("coding", ()):
                if coding.get("code") == _AGE and births:
                    return False
                key = (coding.get("system"), coding.get("code"))
                value = each["valueQuantity"]
                unit = (value.get("code"), value.get("unit"))
                if units.setdefault(key, unit) != unit:
                    return False
        if births and not _after(each, births[0]):
            return False
    return True


def _after(resource: Json, birth: str) -> bool:
    for key in _WHEN.get(resource["resourceType"], ()):
        found = resource.get(key)
        start = found.get("start") if isinstance(found, dict) else found
        if isinstance(start, str) and start[:4] <= birth[:4]:
            return False
    return True
