"""The dimension of UCUM units: common ones from a table, the rest by a library that knows UCUM's grammar."""

import csv
import threading
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from casefhir.errors import CasefhirError

if TYPE_CHECKING:
    from ucumvert import PintUcumRegistry

_ONE_AT_A_TIME = threading.Lock()  # the registry defines units while it is built and while it is asked


class UnknownUnit(CasefhirError):
    """A code that is not UCUM."""


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
