"""The definitions by canonical URL: R4's own from `data/r4.definitions`, one at a time, and those a caller loaded."""

import zlib
from collections.abc import Iterable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson

CORE = "http://hl7.org/fhir/StructureDefinition/"
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


class Definitions:
    """Looks definitions up: first the caller's (`own`), then R4's.

    `own`: resources of `KINDS` as dicts; others are ignored. `globals`: the profiles that a guide among them asks
    every resource of a type to follow, by type.
    """

    def __init__(self, own: Iterable[Json] = ()) -> None:
        self.own: dict[str, Json] = {}
        for each in own:
            if each.get("resourceType") in KINDS and "url" in each:
                self.own.setdefault(each["url"], each)
        self.globals: dict[str, list[str]] = {}
        for guide in self.own.values():
            for each in guide.get("global", ()) if guide["resourceType"] == "ImplementationGuide" else ():
                self.globals.setdefault(str(each.get("type")), []).append(str(each.get("profile")))
        self._read: dict[str, Json | None] = {}

    def get(self, canonical: str) -> Json | None:
        """The definition of `canonical` (a `|version` is not compared), None where there is none."""
        url = unversioned(canonical)
        if url in self.own:
            return self.own[url]
        if url not in self._read:
            self._read[url] = core().search.get(url) if url.startswith(SEARCH) else core().read(url)
        return self._read[url]

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
