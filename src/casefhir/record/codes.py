"""Codes and identifiers that a source itself gives, each with the system it belongs to; R4's codes of absence."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

AbsentReason = Literal[
    "unknown", "asked-unknown", "temp-unknown", "not-asked", "asked-declined", "masked", "not-applicable",
    "unsupported", "as-text", "error", "not-a-number", "negative-infinity", "positive-infinity", "not-performed",
    "not-permitted",
]  # fmt: skip
_SYSTEM = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_CODE = re.compile(r"[^\s]+(\s[^\s]+)*")


@dataclass(frozen=True, slots=True)
class Code:
    """A code as the source gives it, in the code system of that URI (`http://loinc.org`); `display` its own name for
    it. Codes of the catalogue are not repeated here: a fact's `concept` brings them.
    """

    system: str
    code: str
    display: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Identifier:
    """A number or name that some system knows the person by."""

    system: str
    value: str


def code_mistakes(code: Code | Identifier) -> Iterator[str]:
    """What keeps `code` from being written: a system that is no URI, blanks, nothing at all."""
    value = code.code if isinstance(code, Code) else code.value
    if not _SYSTEM.fullmatch(code.system):
        yield f"{code.system!r} is not the URI of a system, such as http://loinc.org or urn:oid:2.16.840.1.113883.6.96."
    if not _CODE.fullmatch(value) if isinstance(code, Code) else not value.strip():
        yield f"{value!r} is not a code: it is empty, or has blanks at its ends or several in a row."
    if isinstance(code, Code) and code.display is not None and not code.display.strip():
        yield f"The display of {value!r} is empty; leave it out."
