"""The dimension of UCUM units, by a library that knows UCUM's grammar."""

from functools import cache

from ucumvert import PintUcumRegistry

from casefhir.errors import CasefhirError


class UnknownUnit(CasefhirError):
    """A code that is not UCUM."""


@cache
def _registry() -> PintUcumRegistry:
    return PintUcumRegistry()


@cache
def dimension(code: str) -> str:
    """A canonical name of what the UCUM `code` measures, equal for commensurable units."""
    try:
        unit = _registry().from_ucum(code)
    except Exception as error:
        raise UnknownUnit(f"{code!r} is not a UCUM unit: {error}.") from error
    return str(getattr(unit, "dimensionality", "dimensionless"))
