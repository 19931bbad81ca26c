"""Results: numbers with their units, converted where asked; titres, words; ranges of reference; flags."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from casefhir.record import AbsentReason, Code, Quantity, Range, Words
from casefhir.record.facts import Interpretation
from casefhir.record.making import maker, unfrozen
from casefhir.sources.tables.elements import Convert
from casefhir.sources.tables.facts.naming import coding
from casefhir.sources.tables.facts.ranges import Limits, bounds, converted
from casefhir.sources.tables.facts.units import Change, Unit, Units, changing, check_convert, fits
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.results import Result, ResultReader
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.ruleset import Printed
from casefhir.sources.tables.ruleset import Result as ResultRule
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import Telling


@dataclass(frozen=True, slots=True)
class Told:
    """A result: all that a measurement or component takes of it."""

    value: Quantity | Range | Words | None = None
    titre: str | None = None
    printed: Quantity | None = None
    absent_code: AbsentReason | None = None
    interpretation: Interpretation | None = None
    interpretation_text: str | None = None
    range: Range | None = None
    range_text: str | None = None
    remark: str | None = None

    @property
    def blank(self) -> bool:
        """Whether there is no result, nor a reason why not."""
        return self.value is None and self.titre is None and self.absent_code is None


TITRE = "{titer}"
_PADDED = re.compile(r"[-−–+]?0\d+(?:[.,]\d+)?")
NOTHING = Told()
quantity, tell = maker(Quantity), maker(Told)
_unfrozen_quantity = unfrozen(Quantity)
_COMPARATORS = ("<", "<=", ">=", ">")
Setting = Callable[[Row, Telling, str | None], "Reading"]
"""What stands around a value in its row (unit, range, flag), for a concept; with it values are read."""


def value_words(scope: Scope, rule: ResultRule) -> Callable[[Row, Telling], str | None] | None:
    """The words of a value, its comparator before it where that has a column of its own."""
    value, comparator = scope.words(rule.value, "value", absent=True), scope.words(rule.comparator, "comparator")
    if value is None or comparator is None:
        return value
    column = scope.column_of(rule.comparator)

    def told(row: Row, telling: Telling) -> str | None:
        words, sign = value(row, telling), comparator(row, telling)
        if not words or not sign or sign == "=" or not (words[0].isdigit() or words[0] in "-−.,"):
            return words
        if sign not in _COMPARATORS:
            raise Refused(f"{sign!r} is no comparator", "write <, <=, >= or >, or map it to one", column)
        return f"{sign}{words}"

    return told


def setting(scope: Scope, rule: ResultRule) -> Setting:
    """Compiles all of a result but its value."""
    reader, units, absent = scope.of.results, Units(scope.of.reading.units), scope.of.reading.absent
    unit, kind, flag = scope.words(rule.unit, "unit"), scope.choice(rule.kind, "kind"), scope.choice(rule.flag, "flag")
    own = coding(scope, rule.value_codes) if rule.value_codes else None
    limits = bounds(scope, rule.range, "range")
    column, unit_column, name = scope.column_of(rule.value), scope.column_of(rule.unit or rule.value), scope.rule
    convert = Convert(to=rule.convert) if isinstance(rule.convert, str) else rule.convert
    check_convert(scope, convert)

    def told(row: Row, telling: Telling, concept: str | None) -> "Reading":
        printed = unit(row, telling) if unit else None
        if printed is not None and not units.known(printed):
            telling.unmapped[name, unit_column, str(printed)] += 1
        words = limits.words(row, telling) if limits else None
        around = Around(
            unit=units.of(str(printed or "")),
            kind=(kind(row, telling)[0] or "auto") if kind else "auto",
            flag=flag(row, telling) if flag else (None, None),
            codes=own(row, telling) if own else (),
            limits=limits,
            range_words=words,
            concept=concept,
        )
        if limits and words and words[2] and limits.read(words, around.unit, units)[0] is None:
            telling.unmapped[name, limits.column, str(words[2])] += 1
        return Reading(around, reader, units, absent, convert, (column, unit_column))

    return told


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a value."""

    unit: Unit
    kind: str
    flag: tuple[str | None, str | None]
    codes: tuple[Code, ...]
    limits: Limits | None
    range_words: tuple[str | None, ...] | None
    concept: str | None


class Reading:
    """Reads values in one setting. What is wrong with the setting is told by the first number that is read in it."""

    def __init__(
        self,
        around: Around,
        reader: ResultReader,
        units: Units,
        absent: Mapping[str, AbsentReason],
        convert: Convert | None,
        columns: tuple[str, str],
    ) -> None:
        self.around = around
        self.reader = reader
        self.units = units
        self.absent = absent
        self.convert = convert
        self.column, self.unit_column = columns
        self._numbers: dict[str, Numbers] = {}
        self._simple = around.kind != "words" and not around.codes

    @property
    def fitting(self) -> bool:
        """Whether the unit measures what the concept does."""
        try:
            fits(self.around.unit, self.around.concept, self.unit_column)
        except Refused:
            return False
        return True

    def plain(self, words: str) -> tuple[Quantity, Told] | None:
        """A plain number that is not converted, with all else that is told with it; None for any other value."""
        if not self._simple or not self.reader.is_simple(words) or words in self.absent:
            return None
        numbers = self._numbers.get("")
        if numbers is None:
            numbers = self._numbers[""] = self._setting_of("")
        if numbers.change is not None or numbers.refused is not None:
            return None
        unit = numbers.unit
        value = _unfrozen_quantity(self.reader.simple(words), unit.printed, None, numbers.code)
        value.__class__ = Quantity
        return cast(Quantity, value), numbers.base

    def read(self, words: str) -> Told:
        """The result; raises `Refused`."""
        reason = self.absent.get(words)
        around = self.around
        if reason is not None:  # what stands beside it is told all the same
            beside = self._setting_of("")
            flag = around.flag
            return Told(None, None, None, reason, *flag, beside.range, beside.range_text)  # type: ignore[arg-type]
        kind = "words" if around.codes else around.kind
        if kind == "auto" and around.unit.ucum and _PADDED.fullmatch(words):
            kind = "number"  # what has a unit is no identifier
        try:
            found = self.reader.read(words if type(words) is str else str(words), kind)
            if found.unit and found.unit != TITRE:
                found = self._with_unit(found, words)
        except Refused as refused:
            raise Refused(refused.reason, refused.mend, refused.column or self.column) from None
        numbers = self._numbers.get(found.unit)
        if numbers is None:
            numbers = self._numbers[found.unit] = self._setting_of(found.unit)
        if found.words is not None:
            value = Words(found.words, around.codes)
            flag = (around.flag[0] or found.meaning, around.flag[1])
            beside_it = f"Unit beside it: {around.unit.printed}." if around.unit.printed else None
            return Told(value, None, None, None, *flag, numbers.range, numbers.range_text, beside_it)  # type: ignore[arg-type]
        if found.titre is not None:
            return Told(None, found.titre, None, None, *around.flag, numbers.range, numbers.range_text)  # type: ignore[arg-type]
        return numbers.told(found)

    def _with_unit(self, found: Result, words: str) -> Result:
        """A number with a unit in its own cell."""
        printed = self.around.unit.printed
        if printed and found.unit != printed:
            raise Refused(f"the cell {words!r} has a unit of its own beside {printed!r}", "keep the one that is right")
        if printed or self.units.known(found.unit):
            return found
        if self.around.kind == "number":
            raise Refused(f"{found.unit!r} in {words!r} is not a unit", "mend the cell, or add it to [reading.units]")
        return self.reader.read(str(words), "words")

    def _setting_of(self, printed: str) -> "Numbers":
        unit = self.units.of(printed) if printed else self.around.unit
        around = self.around
        normal, text = (None, None)
        if around.limits and around.range_words:
            normal, text = around.limits.read(around.range_words, unit, self.units)
        try:
            fits(unit, around.concept, self.unit_column)
            change = changing(self.convert, unit, around.concept, self.unit_column)
        except Refused as refused:
            return Numbers(unit, around.flag, normal, text, None, None, refused, None, NOTHING)
        remark = None
        if change is not None:
            in_other = converted(normal, unit, change)
            if in_other is not normal and normal is not None:  # its words are then all that shows the range as printed
                text = f"{text} {unit.printed}" if text and unit.printed not in text else text or str(normal)
            normal = in_other
            if self.convert and change.by_factor:
                remark = f"Converted by the factor {self.convert.factor}: {self.convert.reason}."
        base = Told(None, None, None, None, *around.flag, normal, text, remark)  # type: ignore[arg-type]
        return Numbers(unit, around.flag, normal, text, change, remark, None, unit.code, base)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What numbers in one unit become."""

    unit: Unit
    flag: tuple[str | None, str | None]
    range: Range | None
    range_text: str | None
    change: Change | None
    remark: str | None
    refused: Refused | None
    code: str | None
    base: Told
    """All that is told with a number but the number."""

    def told(self, found: Result) -> Told:
        """The value in its unit, converted where the mapping asks."""
        if self.refused is not None:
            raise self.refused
        unit, number = self.unit, found.number
        assert number is not None
        one = quantity(number, unit.printed, found.comparator, unit.code)
        value: Quantity | Range = one
        kept, remark = None, self.remark
        if found.high is not None:
            value = Range(one, Quantity(found.high, unit.printed, None, unit.code))
        if self.change is not None:
            to, code, of = self.change.to.printed, self.change.to.code, self.change.of
            if isinstance(value, Range):
                remark = f"As printed: {value}." + (f" {remark}" if remark else "")
                value = Range(Quantity(of(number), to, None, code), Quantity(of(found.high or number), to, None, code))
            else:
                kept, value = one, quantity(of(number), to, found.comparator, code)
        return tell(value, None, kept, None, *self.flag, self.range, self.range_text, remark)


def before(scope: Scope, printed: Printed | None) -> Callable[[Row, Telling], Quantity | None] | None:
    """The result before it was converted, where the table has both."""
    if printed is None:
        return None
    reader, units, absent = scope.of.results, Units(scope.of.reading.units), scope.of.reading.absent
    value, unit = scope.words(printed.value, "printed"), scope.words(printed.unit, "printed unit")
    if value is None:
        return None

    def told(row: Row, telling: Telling) -> Quantity | None:
        words, unit_words = value(row, telling), unit(row, telling) if unit else None
        if words is None or words in absent:
            return None
        try:
            found = reader.read(str(words))
        except Refused:
            telling.remarks.append(f"As printed: {words} {unit_words or ''}".strip() + ".")
            return None
        if found.number is None or found.high is not None:
            return None
        given = units.of(found.unit or str(unit_words or ""))
        return Quantity(found.number, given.printed, found.comparator, given.code)

    return told
