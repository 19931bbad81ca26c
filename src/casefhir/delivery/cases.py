"""Bundles as cases ready to send: keys checked, references between them written as `Type/id`."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from casefhir import exactjson
from casefhir.delivery.errors import UnfitInput
from casefhir.delivery.shapes import Json, obj, rows, word

CASE_SYSTEM = "https://w3id.org/casefhir/case"
FACT_SYSTEM = "https://w3id.org/casefhir/fact"
WRITTEN_BY_SYSTEM = "https://w3id.org/casefhir/CodeSystem/written-by"
TEST_SECURITY = ("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST")

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
_LOCAL = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9.\-]{1,64})")


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of a case; `fact` is its key in the record, `position` its place in the bundle from 0.

    `body` is the resource as JSON, written once: it is hashed and sent as it stands.
    """

    type: str
    id: str
    fact: str | None
    position: int
    resource: Json
    body: bytes

    @property
    def name(self) -> str:
        """`Type/id`, the relative reference to it."""
        return f"{self.type}/{self.id}"


@dataclass(frozen=True, slots=True)
class Case:
    """All resources of one case; `origin` says which file or line they came from.

    `digest` is the SHA-256 (hex) of the resources as they would be sent, in their order, `size` their bytes. `index`
    leads from resource id to {"fact", "mapping", "line"}, where it came with the case and not as a file beside it.
    """

    key: str
    origin: str
    entries: tuple[Entry, ...]
    digest: str
    size: int
    index: Mapping[str, Any] | None = None

    @property
    def is_test_data(self) -> bool:
        """Whether every resource carries the HTEST security label."""
        return all(TEST_SECURITY in codings(entry.resource, "security") for entry in self.entries)


@dataclass(frozen=True, slots=True)
class UnfitCase:
    """A case that was stopped before sending, with the reason; `key` is its origin when it has no key."""

    key: str
    origin: str
    error: UnfitInput


def codings(resource: Mapping[str, Any], field: str) -> set[tuple[str, str]]:
    """(system, code) of `meta.tag` or `meta.security`."""
    labels = rows(obj(resource.get("meta")).get(field))
    return {(word(row.get("system")) or "", word(row.get("code")) or "") for row in labels}


def tag(resource: Mapping[str, Any], system: str) -> str | None:
    """The code of the first tag of `system`, or None."""
    return min((code for found, code in codings(resource, "tag") if found == system), default=None)


def fact_of(resource: Mapping[str, Any]) -> str | None:
    """The fact's key: the tag of the fact system, else the identifier of that system, else None."""
    found = tag(resource, FACT_SYSTEM)
    if found is not None:
        return found
    identifiers = resource.get("identifier")
    for row in rows(identifiers if isinstance(identifiers, list) else [identifiers]):
        if row.get("system") == FACT_SYSTEM and isinstance(row.get("value"), str):
            return str(row["value"])
    return None


def references(value: Any) -> Iterator[Json]:
    """Every object inside `value` that has a string `reference`, at any depth."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            if isinstance(here.get("reference"), str):
                yield here
            waiting.extend(here.values())
        elif isinstance(here, list):
            waiting.extend(here)


def local_name(reference: str) -> str | None:
    """`Type/id` if `reference` is relative (a version is cut off), else None."""
    found = _LOCAL.fullmatch(reference.partition("/_history/")[0])
    return found.group(0) if found else None


def cases_of_bundle(bundle: Any, origin: str) -> Iterator[Case | UnfitCase]:
    """The cases that a Bundle (transaction or collection) holds, in the order of their first entries.

    A bundle of several cases is taken apart only when no reference crosses from one to another.
    The resources are changed in place: `urn:uuid` references become `Type/id`.
    """
    try:
        members = _members(bundle, origin)
    except UnfitInput as error:
        yield UnfitCase(origin, origin, error)
        return
    by_key: dict[str, list[tuple[Json, str | None]]] = {}
    for resource, full_url in members:
        by_key.setdefault(tag(resource, CASE_SYSTEM) or "", []).append((resource, full_url))
    if len(by_key) > 1:
        crossing = _crossing(by_key)
        if crossing:
            yield UnfitCase(origin, origin, UnfitInput(f"{origin}: {crossing}"))
            return
    for key, own in by_key.items():
        yield build_case(key, own, origin)


def build_case(key: str, members: list[tuple[Json, str | None]], origin: str) -> Case | UnfitCase:
    """The case of (resource, fullUrl) pairs that share `key`, or why it cannot be sent."""
    try:
        entries = _entries(key, members, origin)
        body = b"[" + b",".join(entry.body for entry in entries) + b"]"
        return Case(key, origin, entries, hashlib.sha256(body).hexdigest(), len(body))
    except UnfitInput as error:
        return UnfitCase(key or origin, origin, error)


def _members(bundle: Any, origin: str) -> list[tuple[Json, str | None]]:
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise UnfitInput(f"{origin}: not a FHIR Bundle; give the transaction or collection bundle of a case.")
    if bundle.get("type") not in ("transaction", "collection"):
        raise UnfitInput(
            f"{origin}: a Bundle of type {bundle.get('type')!r} is not uploaded; "
            "give the transaction or collection form of the case."
        )
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        raise UnfitInput(f"{origin}: the Bundle has no entries; there is nothing to send.")
    members = []
    for number, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            raise UnfitInput(f"{origin}: entry[{number}] has no resource; remove the entry or give it one.")
        full_url = entry.get("fullUrl")
        members.append((resource, full_url if isinstance(full_url, str) else None))
    return members


def _crossing(by_key: Mapping[str, list[tuple[Json, str | None]]]) -> str | None:
    owner = {
        name: key
        for key, members in by_key.items()
        for resource, full_url in members
        for name in (full_url, f"{resource.get('resourceType')}/{resource.get('id')}")
        if name
    }
    for key, members in by_key.items():
        for resource, _ in members:
            for holder in references(resource):
                other = owner.get(holder["reference"], key)
                if other != key:
                    return (
                        f"the bundle holds several cases and {key!r} refers to {holder['reference']} of "
                        f"{other!r}; put what belongs together under one case key."
                    )
    return None


def _entries(key: str, members: list[tuple[Json, str | None]], origin: str) -> tuple[Entry, ...]:
    if not key:
        raise UnfitInput(
            f"{origin}: a resource carries no case tag ({CASE_SYSTEM}); without it the case cannot be found again."
        )
    names: dict[str, str] = {}
    seen: dict[str, int] = {}
    for position, (resource, full_url) in enumerate(members):
        name, fact = _name(resource, position, key, origin), fact_of(resource)
        keys = [name]
        keys += [full_url] if full_url else []
        keys += [f"fact {fact}"] if fact else []
        for one in keys:
            if one in seen:
                raise UnfitInput(
                    f"{origin}: case {key!r} has two entries for {one} (number {seen[one]} and {position}); "
                    "servers silently keep one of them. Give each resource its own key."
                )
            seen[one] = position
        if full_url:
            names[full_url] = name
    return tuple(_entry(resource, position, names, key, origin) for position, (resource, _) in enumerate(members))


def _name(resource: Json, position: int, key: str, origin: str) -> str:
    kind, id_ = resource.get("resourceType"), resource.get("id")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise UnfitInput(f"{origin}: case {key!r}, entry {position}: resourceType {kind!r} is not a FHIR type.")
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise UnfitInput(
            f"{origin}: case {key!r}, entry {position} ({kind}): id {id_!r} is not a FHIR id "
            "(1 to 64 letters, digits, '-' and '.')."
        )
    return f"{kind}/{id_}"


def _entry(resource: Json, position: int, names: Mapping[str, str], key: str, origin: str) -> Entry:
    """The entry, its references resolved in place."""
    kind, id_ = resource["resourceType"], resource["id"]
    for holder in references(resource):
        target = holder["reference"]
        if target in names:
            holder["reference"] = names[target]
        elif target.startswith("urn:"):
            raise UnfitInput(
                f"{origin}: case {key!r}, {kind}/{id_} refers to {target}, which no entry of the case is; "
                "add the resource or remove the reference."
            )
    try:
        body = exactjson.write(resource)
    except exactjson.UnwritableJson as error:
        raise UnfitInput(f"{origin}: case {key!r}, {kind}/{id_}: {error}") from error
    return Entry(kind, id_, fact_of(resource), position, resource, body)
