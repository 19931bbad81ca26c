"""The definitions by canonical URL: R4's own from `data/r4.definitions`, one at a time, and those a caller loaded."""

import re
import zlib
from collections.abc import Iterable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson

CORE = "http://hl7.org/fhir/StructureDefinition/"
FHIR = "4.0.1"
SEARCH = "http://hl7.org/fhir/SearchParameter/"
_DATA = Path(__file__).with_name("data") / "r4.definitions"
Json = dict[str, Any]
KINDS = (
    "StructureDefinition",
    "ValueSet",
    "CodeSystem",
    "SearchParameter",
    "Questionnaire",
    "Measure",
    "ImplementationGuide",
)
"""The resource types that others are checked against."""


class Core:
    """R4's own definitions, each unpacked when asked for; `tools/make_definitions.py` says how they lie in the file."""

    def __init__(self, path: Path = _DATA) -> None:
        length, self._data = path.read_bytes().split(b"\n", 1)
        self._body = int(length)
        self.about: Json = orjson.loads(zlib.decompress(self._data[: self._body]))
        self.members: dict[str, str] = self.about["members"]

    def read(self, url: str) -> Json | None:
        """The definition of `url`, None where R4 has none."""
        name = self.members.get(url)
        found: Json | None = None if name is None else self._member(name)
        return found

    def _member(self, name: str) -> Any:
        start, length = self.about["places"][name]
        return orjson.loads(zlib.decompress(self._data[self._body + start : self._body + start + length]))

    @cached_property
    def search(self) -> dict[str, Json]:
        """R4's search parameters by canonical URL."""
        found: dict[str, Json] = self._member("search")
        return found

    @cached_property
    def later(self) -> frozenset[str]:
        """The URLs of extensions that HL7 defined after R4."""
        return frozenset(self._member("later"))


@lru_cache(maxsize=1)
def core() -> Core:
    """R4's own definitions, opened once."""
    return Core()


def unversioned(canonical: str) -> str:
    """`canonical` without `|version` and `#fragment`."""
    return canonical.partition("|")[0].partition("#")[0]


def _newness(definition: Json) -> list[tuple[int, str]]:
    """Sorts versions: numbers as numbers, 1.0.0-ballot before 1.0.0, what has none first."""
    parts = re.split(r"[.-]", str(definition.get("version", "")))
    return [*((int(each), "") if each.isdecimal() else (-1, each) for each in parts), (0, "")]


def _is_version(own: object, wanted: str) -> bool:
    return not wanted or own is None or own == wanted or str(own).startswith(f"{wanted}.")


class Definitions:
    """Looks definitions up: first the caller's (`own`), then R4's.

    `own`: resources of `KINDS` as dicts; others are ignored. `globals`: the profiles that a guide among them asks
    every resource of a type to follow, by type.
    """

    def __init__(self, own: Iterable[Json] = ()) -> None:
        self.own: dict[str, Json] = {}
        self._versions: dict[str, list[Json]] = {}
        for each in own:
            if each.get("resourceType") in KINDS and "url" in each:
                self._versions.setdefault(each["url"], []).append(each)
        for url, found in self._versions.items():
            self.own[url] = max(found, key=_newness)  # the first of several equals
        self.globals: dict[str, list[str]] = {}
        for guide in self.own.values():
            for each in guide.get("global", ()) if guide["resourceType"] == "ImplementationGuide" else ():
                self.globals.setdefault(str(each.get("type")), []).append(str(each.get("profile")))
        self._read: dict[str, Json | None] = {}

    def get(self, canonical: str) -> Json | None:
        """The definition of `canonical`, None where there is none.

        Of several versions the one that `|version` names (`1.2` is any 1.2.x), else the newest; a definition without a
        version of its own answers to all, R4's own to 4.0.1.
        """
        url, _, version = canonical.partition("#")[0].partition("|")
        if url in self.own:
            versions = self._versions[url] if version else [self.own[url]]
            return next((each for each in versions if _is_version(each.get("version"), version)), None)
        if url not in self._read:
            self._read[url] = core().search.get(url) if url.startswith(SEARCH) else core().read(url)
        found = self._read[url]
        return found if found is None or _is_version(found.get("version", FHIR), version) else None

    def versions(self, canonical: str) -> list[str]:
        """The versions at hand of the definition that `canonical` names, whichever it asks for."""
        return [str(each["version"]) for each in self._versions.get(unversioned(canonical), ()) if each.get("version")]

    def find(self, kind: str, canonical: str) -> Json | None:
        """The definition of `canonical` if it is a `kind` (a resource type)."""
        found = self.get(canonical)
        return found if found is not None and found["resourceType"] == kind else None

    def structure(self, canonical: str) -> Json | None:
        """The StructureDefinition of `canonical`."""
        return self.find("StructureDefinition", canonical)

    def value_set(self, canonical: str) -> Json | None:
        """The ValueSet of `canonical`."""
        return self.find("ValueSet", canonical)

    def code_system(self, url: str) -> Json | None:
        """The CodeSystem whose url is `url`."""
        return self.find("CodeSystem", url)
