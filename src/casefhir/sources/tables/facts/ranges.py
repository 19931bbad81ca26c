"""Ranges of reference: in one column or two, in the value's unit or one of their own."""

from casefhir.record import Quantity, Range
from casefhir.sources.tables.elements import Bounds
from casefhir.sources.tables.elements import Range as RangeField
from casefhir.sources.tables.facts.units import Change, Unit, Units, commensurable
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import Telling


class Limits:
    """A range of reference in a row: its words, and what they say."""

    def __init__(self, scope: Scope, told: Bounds, name: str) -> None:
        self.reader = scope.of.results
        self.reads = [
            scope.words(each, f"{name} {part}")
            for part, each in (("low", told.low), ("high", told.high), ("text", told.text), ("unit", told.unit))
        ]
        self.column = scope.column_of(told.text or told.low or told.high)

    def words(self, row: Row, telling: Telling) -> tuple[str | None, ...]:
        """Low, high, text, unit."""
        return tuple([read(row, telling) if read else None for read in self.reads])

    def read(self, words: tuple[str | None, ...], unit: Unit, units: Units) -> tuple[Range | None, str | None]:
        """The range, and its words as printed; the range is None where the words are no figures."""
        low, high, text, own = words
        if low is None and high is None and text is None:
            return None, None
        given = units.of(str(own)) if own else unit
        printed = text and str(text)
        try:
            if low is None and high is None:
                return self._of_text(str(text), given, units), printed
            ends = [self.reader.number(str(each)) if each is not None else None for each in (low, high)]
        except Refused:
            return None, printed or " - ".join(each for each in (low, high) if each)
        if ends[0] is not None and ends[1] is not None and ends[1] < ends[0]:
            raise Refused(f"the range ends ({high}) below its start ({low})", "mend one of the two", self.column)
        if given is not unit and given.ucum and unit.ucum and not commensurable(given.ucum, unit.ucum):
            raise Refused(
                f"the range is in {given.printed} and the value in {unit.printed}: they cannot be compared",
                "mend the unit of one of the two",
                self.column,
            )
        found = [Quantity(each, given.printed, None, given.code) if each is not None else None for each in ends]
        return Range(found[0], found[1]), printed

    def _of_text(self, text: str, given: Unit, units: Units) -> Range | None:
        found = self.reader.read(text.strip("[]() "), "auto")
        if found.unit:
            if not units.known(found.unit):
                return None
            given = units.of(found.unit)
        if found.number is None:
            return None
        one = Quantity(found.number, given.printed, None, given.code)
        if found.high is not None:
            return Range(one, Quantity(found.high, given.printed, None, given.code))
        if found.comparator in ("<", "<="):
            return Range(None, one)
        return Range(one, None) if found.comparator else None


def bounds(scope: Scope, told: RangeField | None, name: str) -> Limits | None:
    """The range field of a rule."""
    if told is None:
        return None
    return Limits(scope, told if isinstance(told, Bounds) else Bounds(text=told), name)


def converted(normal: Range | None, of_unit: Unit, change: Change) -> Range | None:
    """A range of reference in the value's new unit; one in another unit of its own stays."""
    if normal is None:
        return None
    bound = normal.low or normal.high
    if bound is None or (bound.unit and bound.unit != of_unit.printed):
        return normal
    to = change.to
    low, high = (
        Quantity(change.of(each.value), to.printed, None, to.code) if each else None
        for each in (normal.low, normal.high)
    )
    return Range(low, high)
