"""Amounts in another unit: by table for the common ones, by the UCUM library for the rest."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from casefhir.conformance.units import in_unit, unit_fault

# arbitrary units compare with nothing, and scales that are not a plain factor are left to who knows them
_NO_FACTOR = re.compile(r"U\]|_50\]|\[hp|\[pH\]|\[kn'|\[MPL|Cel|\[deg|\[p'diop|B\b|Np|\[m/s2")
_DIGITS = 12


class Incomparable(Exception):
    """Two units of different dimensions."""


@lru_cache(maxsize=1)
def _registry() -> Any:
    from ucumvert import PintUcumRegistry  # a second to build: only for units that the table does not know

    return PintUcumRegistry()


@lru_cache(maxsize=1024)
def _factor(code: str, wanted: str) -> Decimal | None:
    """How many `wanted` one `code` is, to 12 digits; None where the library cannot tell."""
    from lark.exceptions import LarkError
    from pint.errors import PintError

    try:
        one, other = _registry().from_ucum(code), _registry().from_ucum(wanted)
        if one.dimensionality != other.dimensionality:
            raise Incomparable(f"{code} and {wanted} measure different things")
        return Decimal(f"{float((one / other).to('dimensionless').magnitude):.{_DIGITS}g}")
    except (PintError, LarkError, ArithmeticError, AttributeError):
        return None


def converted(value: Decimal, code: str, wanted: str) -> Decimal | None:
    """`value` of UCUM unit `code` in UCUM unit `wanted`.

    None where it cannot be told (a code that is no UCUM, arbitrary units, scales with an offset); raises
    `Incomparable` for units of different dimensions.
    """
    found = in_unit(value, code, wanted)
    if found is not None:
        return found
    if any(_NO_FACTOR.search(each) or unit_fault(each) is not None for each in (code, wanted)):
        return None
    factor = _factor(code, wanted)
    return None if factor is None else value * factor
