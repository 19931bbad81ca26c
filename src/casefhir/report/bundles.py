"""R4 JSON and NDJSON, ours or anyone's, as resources that find each other."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefhir import exactjson
from casefhir.conformance.pieces import LINES, files
from casefhir.errors import CasefhirError

Json = dict[str, Any]
_ABSOLUTE = re.compile(r"https?://")
_LOOSE = ""
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class UnreadableBundle(CasefhirError):
    """A file that holds no FHIR resources."""


@dataclass(frozen=True, slots=True)
class Held:
    """One resource: its JSON (decimals as `Decimal`), the file, its JSON pointer there and the scope of its references.

    `id` is the resource's own, else the last part of its fullUrl, else empty; `line` is that of an NDJSON file.
    """

    value: Json
    file: str
    pointer: str
    scope: str
    url: str | None
    line: int | None

    @property
    def type(self) -> str:
        """The resource type."""
        return str(self.value["resourceType"])

    @property
    def id(self) -> str:
        """The resource's id, or what its fullUrl ends with."""
        return str(self.value.get("id") or (self.url or "").replace(":", "/").rpartition("/")[2])


class Resources:
    """The resources of some files in their order; `target` follows a reference from one to another.

    References are followed inside the bundle first; between files only where one resource alone answers to them.
    """

    def __init__(self, held: Iterable[Held]) -> None:
        self.held = tuple(held)
        self._near: dict[tuple[str, str], Held] = {}
        self._far: dict[str, list[Held]] = {}
        for each in self.held:
            names = {f"{each.type}/{each.id}"} | ({each.url} if each.url else set())
            for name in names:
                self._near.setdefault((each.scope, name), each)
                self._far.setdefault(name, []).append(each)

    def __iter__(self) -> Iterator[Held]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def target(self, reference: object, source: Held) -> Held | None:
        """The resource that `reference` ("Patient/1", "urn:uuid:…", a URL, "#contained") in `source` names, if here."""
        if not isinstance(reference, str) or not reference:
            return None
        if reference.startswith("#"):
            return _contained(reference[1:], source)
        plain = reference.partition("/_history/")[0]
        for name in _names(plain, source):
            near = self._near.get((source.scope, name))
            if near is not None and not _elsewhere(plain, near):
                return near
            far = [each for each in self._far.get(name, []) if not _elsewhere(plain, each)]
            if len(far) == 1:
                return far[0]
        return None

    @property
    def doubt(self) -> str:
        """A sentence where resources share type and id, and so may have been read twice; empty where none do."""
        counts = Counter(f"{each.type}/{each.id}" for each in self.held)
        twice = [name for name, count in counts.items() if count > 1]
        if not twice:
            return ""
        return (
            f"{len(twice)} resources were read more than once ({twice[0]}, say) and are counted each time. "
            "Give every case once."
        )

    def of_type(self, name: str) -> list[Held]:
        """The resources of type `name`."""
        return [each for each in self.held if each.type == name]


def _names(reference: str, source: Held) -> Iterator[str]:
    """What the resource that `reference` names may be called: on the server of `source` first, by type and id last."""
    if _ABSOLUTE.match(source.url or "") and not _ABSOLUTE.match(reference) and not reference.startswith("urn:"):
        yield "/".join([*(source.url or "").split("/")[:-2], reference])
    yield reference
    yield "/".join(reference.split("/")[-2:])


def _elsewhere(reference: str, found: Held) -> bool:
    """Whether `reference` is a URL and `found` stands at another one: Patient/1 of two servers are two persons."""
    return bool(_ABSOLUTE.match(reference) and _ABSOLUTE.match(found.url or "") and reference != found.url)


def _contained(name: str, source: Held) -> Held | None:
    listed = source.value.get("contained")
    for index, each in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(each, dict) and each.get("id") == name and isinstance(each.get("resourceType"), str):
            return Held(each, source.file, f"{source.pointer}/contained/{index}", source.scope, None, source.line)
    return None


def read(paths: Iterable[Path]) -> Resources:
    """The resources in `paths`: bundles or single resources as `.json`, `.ndjson`, or folders of these.

    Raises `UnreadableBundle` for what is no FHIR JSON.
    """
    return Resources(each for path in paths for file in files(path) for each in _file(file))


def _file(file: Path) -> Iterator[Held]:
    if file.suffix.lower() in LINES:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield from _unpacked(_value(line, f"{file}:{number}"), str(file), number)
    else:
        yield from _unpacked(_value(file.read_bytes(), str(file)), str(file), None)


def _value(data: bytes, place: str) -> Json:
    try:
        value = exactjson.read(data)
        if _SURROGATE.search(data):
            exactjson.write(value)  # refuses halves of characters, which no table and no page can hold
    except (exactjson.UnreadableJson, exactjson.UnwritableJson) as error:
        raise UnreadableBundle(f"{place}: {error}") from error
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise UnreadableBundle(f"{place}: this is no FHIR resource: it has no resourceType. Give R4 JSON or NDJSON.")
    return value


def _unpacked(value: Json, file: str, line: int | None, pointer: str = "") -> Iterator[Held]:
    """The resources of `value`; a bundle inside a bundle (a search's documents, say) is opened too."""
    if value["resourceType"] != "Bundle":
        yield Held(value, file, pointer, _LOOSE, None, line)
        return
    scope = f"{file}:{line or 0}{pointer}"
    entries = value.get("entry", [])
    if not isinstance(entries, list):
        raise UnreadableBundle(f"{file}: Bundle.entry is no list. Run casefhir validate on it.")
    for index, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if resource is None:
            continue
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise UnreadableBundle(f"{file}: entry {index} holds no resource with a resourceType.")
        place = f"{pointer}/entry/{index}/resource"
        if resource["resourceType"] == "Bundle":
            yield from _unpacked(resource, file, line, place)
            continue
        url = entry.get("fullUrl")
        yield Held(resource, file, place, scope, url if isinstance(url, str) else None, line)
