"""UCUM: is a code a unit, by ucumvert's grammar; the library is loaded at the first unit that is not a common one."""

import re
from decimal import Decimal
from functools import lru_cache

from casefhir.conformance.words import words

COMMON = words()["units"]


@lru_cache(maxsize=4096)
def unit_fault(code: str) -> str | None:
    """What is wrong with `code` as UCUM; None when it is a unit."""
    if code in COMMON:
        return None
    if any(not "!" <= character <= "~" for character in code):
        return "has a blank or a character outside ASCII"
    if _POWER_OF_NUMBER.search(code):
        return "raises a plain number to a power, which only 10* and 10^ may"
    from lark.exceptions import LarkError
    from ucumvert import get_ucum_parser

    try:
        get_ucum_parser().parse(code)
    except LarkError as error:
        where = getattr(error, "column", None)
        return "cannot be read" + (f" from character {where} on" if isinstance(where, int) and where > 0 else "")
    return None


_POWER_OF_NUMBER = re.compile(r"(?:\A|[./(])\d+[+-]\d+(?![\d{\[a-zA-Z])", re.ASCII)
_Family = dict[str, int | Decimal]
_MASS: _Family = {
    "kg": 1000,
    "g": 1,
    "mg": Decimal("1e-3"),
    "ug": Decimal("1e-6"),
    "ng": Decimal("1e-9"),
    "pg": Decimal("1e-12"),
}
_TIME: _Family = {"wk": 604800, "d": 86400, "h": 3600, "min": 60, "s": 1, "ms": Decimal("1e-3")}
_LENGTH: _Family = {
    "km": 1000,
    "m": 1,
    "dm": Decimal("0.1"),
    "cm": Decimal("0.01"),
    "mm": Decimal("1e-3"),
    "um": Decimal("1e-6"),
}
_VOLUME: _Family = {"L": 1, "dL": Decimal("0.1"), "cL": Decimal("0.01"), "mL": Decimal("1e-3"), "uL": Decimal("1e-6")}
_MONTHS: _Family = {"a": 12, "mo": 1}
_FAMILIES: tuple[_Family, ...] = (_MASS, _TIME, _LENGTH, _VOLUME, _MONTHS)


def in_unit(value: Decimal, code: str, wanted: str) -> Decimal | None:
    """`value` of unit `code` in unit `wanted`; None for units that are not a plain factor apart here."""
    if code == wanted:
        return value
    for family in _FAMILIES:
        if code in family and wanted in family:
            return value * family[code] / family[wanted]
    return None
