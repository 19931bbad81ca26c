"""Units as tables print them: their UCUM codes, whether they fit a concept, conversion to another unit."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from casefhir import terms
from casefhir.errors import CasefhirError
from casefhir.sources.tables.elements import Convert
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.scope import Scope

_MEMO = 1 << 16
DECLARED = "UCUM:"
"""Before a unit that its source says to be UCUM, of which any that is valid is a code, common or not."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as printed, its UCUM code if it has one, and whether the printed words alone lead to the code."""

    printed: str
    ucum: str | None

    @property
    def code(self) -> str | None:
        """The code where a `Quantity` needs to be told."""
        return None if self.ucum == terms.ucum_of(self.printed) else self.ucum


@dataclass(frozen=True, slots=True)
class Change:
    """To which unit numbers are converted, and how; `by_factor` where it is the mapping's factor that does it."""

    to: Unit
    of: Callable[[Decimal], Decimal]
    by_factor: bool = False


class Units:
    """Units as a mapping's tables print them."""

    def __init__(self, own: dict[str, str]) -> None:
        self._own = own
        self._memo: dict[str, Unit] = {}

    def of(self, printed: str) -> Unit:
        """The unit; `ucum` is None where it is not known."""
        found = self._memo.get(printed)
        if found is None:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            bare = printed.removeprefix(DECLARED)
            if bare in self._own:
                found = Unit(bare, self._own[bare] or None)
            elif bare != printed:
                found = _declared(bare)
            else:
                found = Unit(printed, terms.ucum_code(printed))
            self._memo[printed] = found
        return found

    def known(self, printed: str) -> bool:
        """Whether `printed` is a unit, even one without a code."""
        return printed in self._own or self.of(printed).ucum is not None


def _declared(code: str) -> Unit:
    try:
        terms.dimension(code)
    except CasefhirError:
        return Unit(code, terms.ucum_code(code))
    return Unit(code, code)


def commensurable(one: str, other: str) -> bool:
    """Whether two UCUM codes measure the same kind of thing; False for what is no code."""
    try:
        return terms.commensurable(one, other)
    except CasefhirError:
        return False


def fits(unit: Unit, concept: str | None, column: str) -> None:
    """Raises `Refused` for a unit that does not measure what the concept does."""
    wanted = terms.concept(concept).unit if concept else ""
    if wanted and unit.ucum and not commensurable(unit.ucum, wanted):
        raise Refused(
            f"the unit {unit.printed!r} does not fit {terms.concept(concept or '').name}, "
            f"which is measured in {wanted} or the like",
            "mend the unit or the concept",
            column,
        )


def changing(convert: Convert | None, unit: Unit, concept: str | None, column: str) -> Change | None:
    """To which unit numbers are converted, and how; None where they are not. Raises `Refused` where they cannot be: a
    factor is for the unit that the mapping names, and for no other that is not commensurable with it.
    """
    if convert is None:
        return None
    to = convert.to
    if to == "catalogue":
        to = terms.concept(concept).unit if concept else ""
    if not to or unit.ucum == to:
        return None
    if unit.ucum is None:
        if not unit.printed:
            raise Refused(f"the value has no unit, so it cannot be converted to {to}", "fill in the unit", column)
        raise Refused(
            f"{unit.printed!r} is no unit that can be converted to {to}",
            "mend the unit, or say its UCUM code in [reading.units]",
            column,
        )
    by_factor = convert.factor is not None and not commensurable(unit.ucum, to)
    try:
        change = terms.conversion(unit.ucum, (convert.of or "") if by_factor else to)
    except CasefhirError as error:
        mend = (
            f"mend the unit; the mapping's factor is for {convert.of}"
            if by_factor
            else "mend the unit, convert to another one, or give the factor with its reason"
        )
        why = str(error).rstrip(".")
        raise Refused(f"{unit.printed!r} cannot be converted to {to}: {why}", mend, column) from None
    if by_factor:
        factor = Decimal(convert.factor or 1)
        change = terms.Conversion(change.factor * factor, change.offset * factor)
    return Change(Unit(to, to), change.of, by_factor)


def check_convert(scope: Scope, convert: Convert | None) -> None:
    """Names as problems what cannot be meant by `convert`."""
    if convert is None:
        return
    if len({convert.factor is None, convert.of is None, convert.reason is None}) > 1:
        scope.problem(
            "convert: a factor goes with the unit it is for and its reason: "
            'convert = { of = "mg/dL", to = "mmol/L", factor = "0.0555", reason = "glucose, 180.2 g/mol" }'
        )
    if convert.factor is not None and not convert.factor.replace(".", "", 1).isdigit():
        scope.problem(f"convert: {convert.factor!r} is not a factor")
    for code in (convert.to, convert.of):
        if code is not None and code != "catalogue":
            try:
                terms.dimension(code)
            except CasefhirError as error:
                scope.problem(f"convert: {error}")
