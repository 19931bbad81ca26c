"""UCUM: is a code a unit, by ucumvert's grammar; how common units convert, and what a printed unit says.

The library is loaded at the first unit that is not a common one.
"""

import json
import re
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from casefhir.conformance.words import words
from casefhir.terms.units import UnknownUnit, dimension

_DATA = Path(__file__).with_name("data") / "plain_units.json"
COMMON = words()["units"]
LONGEST = 256  # the parser's time grows with the length; UCUM's longest examples have about fifty characters
_DEEPEST = 20
_POWER_OF_NUMBER = re.compile(r"(?:\A|[./(])\d+[+-]\d+(?![\d{\[a-zA-Z])", re.ASCII)
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_ARBITRARY = ("[IU]", "[iU]", "[arb'U]")


@lru_cache(maxsize=4096)
def unit_fault(code: str) -> str | None:
    """What is wrong with `code` as UCUM; None when it is a unit."""
    if code in COMMON:
        return None
    if any(not "!" <= character <= "~" for character in code):
        return "has a blank or a character outside ASCII"
    if len(code) > LONGEST or code.count("(") > _DEEPEST:
        return f"is longer than {LONGEST} characters or nested deeper than {_DEEPEST} brackets, which no unit is"
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


class Plain(NamedTuple):
    """A unit of common parts: what is above and below its strokes, and the factor of the whole."""

    above: tuple[str, ...]
    below: tuple[str, ...]
    factor: Decimal


@lru_cache(maxsize=1)
def _parts() -> dict[str, tuple[str, Decimal, bool]]:
    """Code or printed form to what it measures, its factor, and whether it is UCUM."""
    found: dict[str, tuple[str, Decimal, bool]] = {}
    for quantity, units in json.loads(_DATA.read_bytes()).items():
        if quantity == "about":
            continue
        for code, said in units.items():
            factor, _, printed = said.partition(":")
            found[code] = (quantity, Decimal(factor), True)
            for each in printed.split("|") if printed else ():
                found.setdefault(each, (quantity, Decimal(factor), False))
    return found


@lru_cache(maxsize=4096)
def plain(unit: str, *, printed: bool = False) -> Plain | None:
    """`unit` in common parts, None for any other; `printed`: as people write it ("mcg/day"), not UCUM alone."""
    text = " ".join(unit.replace(" per ", "/").split()) if printed else unit
    above: list[str] = []
    below: list[str] = []
    factor = Decimal(1)
    for number, each in enumerate(text.split("/")):
        name = each.strip() if printed else each
        if not name and number == 0 and "/" in text:
            continue
        part = _parts().get(name)
        if part is None or not (part[2] or printed):
            return None
        quantity, size, _ = part
        if quantity != "number":
            (below if number else above).append(quantity)
        factor = factor / size if number else factor * size
    for quantity in [*above]:
        if quantity in below:
            above.remove(quantity)
            below.remove(quantity)
    return Plain(tuple(above), tuple(sorted(below)), factor)


def in_unit(value: Decimal, code: str, wanted: str) -> Decimal | None:
    """`value` of unit `code` in unit `wanted`; None for units that are not a plain factor apart here."""
    if code == wanted:
        return value
    one, other = plain(code), plain(wanted)
    if one is None or other is None or one[:2] != other[:2] or _arbitrary(code) != _arbitrary(wanted):
        return None
    return value * one.factor / other.factor


def _arbitrary(code: str) -> bool:
    """Is `code` in units that no factor leads to U, though people take them for the same."""
    return any(each in code for each in _ARBITRARY)


@lru_cache(maxsize=4096)
def contradicts(text: str, code: str) -> bool:
    """Does the printed unit `text` surely name another unit than UCUM's `code` ("mg" beside "g")."""
    if text == code:
        return False
    said, coded = plain(text, printed=True), plain(code)
    return said is not None and coded is not None and said != coded


_KINDS = {"fahrenheit": "temperature", "calendar": "time"}
"""Quantities that no plain factor leads to, though they measure the same kind of thing."""


def _kinds(quantities: tuple[str, ...]) -> list[str]:
    return sorted(_KINDS.get(each, each) for each in quantities)


@lru_cache(maxsize=4096)
def incommensurable(unit: str, wanted: str, *, printed: bool = False) -> bool:
    """Does `unit` (UCUM, or as printed) surely measure something else than UCUM's `wanted`.

    Enzyme, international and arbitrary units count as the same; what cannot be read says nothing. A printed unit may
    leave out what is below the stroke ("U" for U/mL).
    """
    if unit == wanted:
        return False
    one, other = plain(unit, printed=printed), plain(_ANNOTATION.sub("", wanted) or "1")
    if one is not None and other is not None:
        above, below = _kinds(one.above) == _kinds(other.above), _kinds(one.below) == _kinds(other.below)
        return not above or not (below or (printed and not one.below))
    if printed or unit_fault(unit) is not None:
        return False
    try:
        return dimension(unit) != dimension(wanted)
    except UnknownUnit:
        return False
