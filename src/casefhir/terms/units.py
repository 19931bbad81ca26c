"""The dimension of UCUM units: common ones from a table, the rest by a library that knows UCUM's grammar."""

import csv
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from casefhir.errors import CasefhirError

if TYPE_CHECKING:
    from ucumvert import PintUcumRegistry

_ONE_AT_A_TIME = threading.Lock()  # the registry defines units while it is built and while it is asked


class UnknownUnit(CasefhirError):
    """A code that is not UCUM."""


class NoConversion(CasefhirError):
    """Two units that do not measure the same kind of thing."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """From one UCUM unit to another: value × `factor` + `offset`. `exact` where the factor is a power of ten."""

    factor: Decimal
    offset: Decimal = Decimal(0)

    def of(self, value: Decimal) -> Decimal:
        """`value` converted: with its own digits where only the point moves, otherwise with one more significant digit
        than it has, and at least four.
        """
        if not self.offset and self.factor.normalize().as_tuple().digits == (1,):
            return _plain(value.scaleb(self.factor.normalize().as_tuple().exponent, _WIDE))  # type: ignore[arg-type]
        with localcontext() as context:
            context.prec = 40
            whole = value * self.factor + self.offset
        digits = max(len(value.as_tuple().digits) + 1, 4)
        with localcontext() as context:
            context.prec = digits
            return _plain(+whole)


_LONGEST = 60
_WIDE = Context(prec=60)


def _plain(value: Decimal) -> Decimal:
    """`value` without an exponent, as records print numbers."""
    return Decimal(f"{value:f}")


@cache
def _table(name: str, column: str) -> Mapping[str, str]:
    text = (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {row[column]: row["code" if "code" in row else "ucum"] for row in rows if row[column]}


@cache
def _names() -> Mapping[str, str]:
    """UCUM's names of units in small letters; none where two units share it."""
    found: dict[str, str] = {}
    text = (resources.files(__package__) / "data" / "ucum.tsv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        name = row["name"].lower()
        found[name] = "" if name in found else row["code"]
    return found


_POWER = re.compile(r"(?:[x×*]\s?)?10\s?(?:\^|\*\*|\*|E|e)\s?(\d{1,2})(?=/)")
_SMALL_LITRE = re.compile(r"/(m|d|u|c|)l(?![a-z])")


@lru_cache(maxsize=1 << 12)
def ucum_code(printed: str) -> str | None:
    """The UCUM code of a unit in a table's cell: as printed spellings and R4's list of common UCUM units have it, by
    code or by name (`gram per liter`); None for anything else. What only looks like UCUM (`MG/L`: megagauss) is not.
    """
    if len(printed) > _LONGEST:
        return None
    special = _table("units.tsv", "printed")
    if printed in special:
        return special[printed] or None
    codes = _table("ucum.tsv", "code")
    spellings = _table("printed_units.tsv", "printed")
    plain = printed.replace("µ", "u").replace("μ", "u")
    plain = _SMALL_LITRE.sub(r"/\1L", _POWER.sub(r"10*\1", plain))
    for each in (printed, plain, plain.replace(" ", "")):
        found = spellings.get(each) or codes.get(each)
        if found:
            return found
    return _names().get(printed.lower()) or special.get(plain) or None


@cache
def conversion(one: str, other: str) -> Conversion:
    """How values in UCUM unit `one` become values in `other`; raises `NoConversion`, `UnknownUnit`."""
    if dimension(one) != dimension(other):
        raise NoConversion(f"{one} and {other} do not measure the same kind of thing.")
    if one == other:
        return Conversion(Decimal(1))
    if {one, other} <= _TEMPERATURES.keys():
        (scale, zero), (scale_2, zero_2) = _TEMPERATURES[one], _TEMPERATURES[other]
        with localcontext() as context:
            context.prec = 40
            return Conversion(scale / scale_2, (zero - zero_2) / scale_2)
    with _ONE_AT_A_TIME:
        registry = _registry()
        source, target = registry.from_ucum(one), registry.from_ucum(other)
        factor = float((1 * source).to(1 * target.units if hasattr(target, "units") else target).magnitude)
        magnitude = float(getattr(target, "magnitude", 1))
    # UCUM's factors are finite decimals of few digits; a binary fraction shows them in its first fourteen
    return Conversion(Decimal(f"{factor / magnitude:.14g}"))


_TEMPERATURES = {
    "K": (Decimal(1), Decimal(0)),
    "Cel": (Decimal(1), Decimal("273.15")),
    "[degF]": (Decimal(5) / Decimal(9), Decimal("459.67") * 5 / 9),
}


@cache
def _common() -> Mapping[str, str]:
    text = (resources.files(__package__) / "data" / "dimensions.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {row["ucum"]: row["dimension"] for row in rows}


@cache
def _registry() -> "PintUcumRegistry":
    from ucumvert import PintUcumRegistry  # a second to build: not for the common units

    return PintUcumRegistry()


@cache
def dimension(code: str) -> str:
    """A canonical name of what the UCUM `code` measures, equal for commensurable units; safe in threads."""
    return _common().get(code) or parsed_dimension(code)


def parsed_dimension(code: str) -> str:
    """`dimension` by the library alone. Raises `UnknownUnit` for what is not UCUM."""
    from lark.exceptions import LarkError
    from pint.errors import PintError

    with _ONE_AT_A_TIME:
        try:
            unit = _registry().from_ucum(code)
        except (LarkError, PintError) as error:
            raise UnknownUnit(f"{code!r} is not a UCUM unit: {error}.") from error
        return str(getattr(unit, "dimensionality", "dimensionless"))
