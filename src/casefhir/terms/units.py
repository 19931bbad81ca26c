"""The dimension of UCUM units, by a library that knows UCUM's grammar."""

import threading
from functools import cache

from lark.exceptions import LarkError
from pint.errors import PintError
from ucumvert import PintUcumRegistry

from casefhir.errors import CasefhirError

_ONE_AT_A_TIME = threading.Lock()  # the registry defines units while it is built and while it is asked


class UnknownUnit(CasefhirError):
    """A code that is not UCUM."""


@cache
def _registry() -> PintUcumRegistry:
    return PintUcumRegistry()


@cache
def dimension(code: str) -> str:
    """A canonical name of what the UCUM `code` measures, equal for commensurable units; safe in threads."""
    with _ONE_AT_A_TIME:
        try:
            unit = _registry().from_ucum(code)
        except (LarkError, PintError) as error:
            raise UnknownUnit(f"{code!r} is not a UCUM unit: {error}.") from error
        return str(getattr(unit, "dimensionality", "dimensionless"))
