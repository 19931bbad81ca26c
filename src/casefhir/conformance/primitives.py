"""The R4 primitive types: which JSON type each has, which strings are its values."""

import re
from calendar import monthrange
from collections.abc import Callable
from decimal import Decimal
from typing import Any

_YEAR = r"([1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])"
_DATE = re.compile(_YEAR + r"(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?\Z", re.ASCII)
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_DATE_TIME = re.compile(
    _YEAR + r"(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01])(?:T" + _CLOCK + _ZONE + r")?)?)?\Z", re.ASCII
)
_INSTANT = re.compile(_YEAR + r"-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T" + _CLOCK + _ZONE + r"\Z", re.ASCII)
_TIME = re.compile(_CLOCK + r"\Z", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z", re.ASCII)
_CODE = re.compile(r"[^\s]+( [^\s]+)*\Z")
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9]\d*))+\Z", re.ASCII)
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z", re.ASCII)
_BASE64_CHARACTERS = re.compile(r"[A-Za-z0-9+/=\s]*\Z", re.ASCII)
_BASE64 = re.compile(r"(?:\s*[A-Za-z0-9+/]{4})*\s*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\s*\Z", re.ASCII)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.ASCII)  # small letters: FHIR compares URLs letter by letter
_UNSPOKEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
INTEGER_LIMIT = 2**31
STRING_LIMIT = 1024 * 1024


def _real(year: str, month: str | None, day: str | None) -> bool:
    return day is None or month is None or int(day) <= monthrange(int(year), int(month))[1]


def _calendar(pattern: re.Pattern[str], name: str, shape: str) -> Callable[[str], str | None]:
    def check(text: str) -> str | None:
        match = pattern.match(text)
        if match is None:
            return f"is not a FHIR {name} ({shape})"
        if not _real(match[1], match[2], match[3]):
            return f"names a day that no calendar has, so it is not a FHIR {name}"
        return None

    return check


def _shaped(pattern: re.Pattern[str], name: str, shape: str) -> Callable[[str], str | None]:
    def check(text: str) -> str | None:
        return None if pattern.match(text) else f"is not a FHIR {name} ({shape})"

    return check


def _base64(text: str) -> str | None:
    if not _BASE64_CHARACTERS.match(text):
        return "has characters that base64 does not"
    packed = "".join(text.split())
    body = packed.rstrip("=")
    if len(packed) % 4 or len(packed) - len(body) > 2:
        return "is not base64: its length is not a multiple of four with padding"
    return None if _BASE64.match(text) else "is not base64: white space or padding parts a group of four characters"


def _uri(text: str) -> str | None:
    if any(character.isspace() for character in text):
        return "has white space, which a URI has not"
    if text.startswith("urn:oid:"):
        return None if _OID.match(text) else "is not an OID URI (urn:oid:1.2.3)"
    if text.startswith("urn:uuid:") and not _UUID.match(text):
        return "is not a UUID URI (urn:uuid:, then 8-4-4-4-12 lower-case hexadecimal digits)"
    return None


def _canonical(text: str) -> str | None:
    if not SCHEME.match(text) and not text.startswith("#"):
        return "is not an absolute URL, as a canonical must be"
    return _uri(text)


def _string(text: str) -> str | None:
    if len(text) > STRING_LIMIT:
        return "is longer than 1 MB, the most a FHIR string may be"
    return None


TEXTS: dict[str, Callable[[str], str | None]] = {
    "date": _calendar(_DATE, "date", "YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": _calendar(_DATE_TIME, "dateTime", "YYYY, YYYY-MM, YYYY-MM-DD or with time, seconds and zone"),
    "instant": _calendar(_INSTANT, "instant", "YYYY-MM-DDThh:mm:ss with zone"),
    "time": _shaped(_TIME, "time", "hh:mm:ss"),
    "id": _shaped(_ID, "id", "1 to 64 letters, digits, '-' and '.'"),
    "code": _shaped(_CODE, "code", "no white space at the ends, single blanks inside"),
    "oid": _shaped(_OID, "oid", "urn:oid:1.2.3"),
    "uuid": _shaped(_UUID, "uuid", "urn:uuid: and lower-case hexadecimal digits"),
    "base64Binary": _base64,
    "uri": _uri,
    "url": _uri,
    "canonical": _canonical,
    "string": _string,
    "markdown": _string,
    "xhtml": lambda _text: None,  # the narrative rules read it
}
LEAST = {"integer": -INTEGER_LIMIT, "unsignedInt": 0, "positiveInt": 1}
PRIMITIVES = frozenset(TEXTS) | frozenset(LEAST) | {"boolean", "decimal"}


def wrong_type(kind: str, value: Any) -> str | None:
    """The JSON type that primitive `kind` wants, when `value` has another; None when it fits."""
    if kind == "boolean":
        return None if value is True or value is False else "true or false, without quotes"
    if kind == "decimal":
        fits = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        return None if fits else "a number, without quotes"
    if kind in LEAST:
        fits = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return None if fits else "a whole number, without quotes"
    return None if isinstance(value, str) else "a string, in quotes"


def fault(kind: str, value: Any) -> str | None:
    """What is wrong with `value`, which has the right JSON type, as primitive `kind`; None when nothing is."""
    if isinstance(value, str):
        if not value:
            return "is empty; FHIR has no empty strings"
        return TEXTS[kind](value)
    if kind in LEAST:
        if value != int(value) or isinstance(value, Decimal):
            return f"is not a whole number, as {kind} wants"
        if not LEAST[kind] <= value < INTEGER_LIMIT:
            return f"is outside {kind}'s range ({LEAST[kind]} to {INTEGER_LIMIT - 1})"
    if kind == "decimal" and isinstance(value, Decimal) and len(value.as_tuple().digits) > 18 + 1000:
        return "has more digits than anybody can read"
    return None


def doubt(text: str) -> str | None:
    """What a string or markdown should not be, by R4's text, though it may."""
    if _UNSPOKEN.search(text):
        return "has control characters, which no FHIR string should have and XML cannot"
    return None if text.strip() else "holds nothing but white space"
