"""Results: numbers with their units, converted where asked; titres, words; ranges of reference; flags."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from casefhir import terms
from casefhir.errors import CasefhirError
from casefhir.record import AbsentReason, Code, Quantity, Range, Words
from casefhir.record.facts import Interpretation
from casefhir.sources.tables.elements import Bounds, Convert
from casefhir.sources.tables.elements import Range as RangeField
from casefhir.sources.tables.facts.naming import coding
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.results import Result
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.ruleset import Printed
from casefhir.sources.tables.ruleset import Result as ResultRule
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import Telling

_MEMO = 1 << 16


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


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as printed, its UCUM code if it has one, and whether the printed words alone lead to the code."""

    printed: str
    ucum: str | None

    @property
    def code(self) -> str | None:
        """The code where a `Quantity` needs to be told."""
        return None if self.ucum == terms.ucum_of(self.printed) else self.ucum


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
            code = (self._own[printed] or None) if printed in self._own else terms.ucum_code(printed)
            found = self._memo[printed] = Unit(printed, code)
        return found

    def known(self, printed: str) -> bool:
        """Whether `printed` is a unit, even one without a code."""
        return printed in self._own or self.of(printed).ucum is not None


Read = Callable[[Row, Telling, str | None], Told]


def result(scope: Scope, rule: ResultRule, printed: Printed | None = None) -> Read:
    """The result of a row for a concept (a key of the catalogue, or None)."""
    reader, units, absent = scope.of.results, Units(scope.of.reading.units), scope.of.reading.absent
    value, unit = scope.words(rule.value, "value", absent=True), scope.words(rule.unit, "unit")
    kind, flag = scope.choice(rule.kind, "kind"), scope.choice(rule.flag, "flag")
    own = coding(scope, rule.value_codes) if rule.value_codes else None
    limits = bounds(scope, rule.range, "range")
    column, unit_column, name = scope.column_of(rule.value), scope.column_of(rule.unit), scope.rule
    convert = Convert(to=rule.convert) if isinstance(rule.convert, str) else rule.convert
    _check(scope, convert)
    before, before_unit = (
        (scope.words(printed.value, "printed"), scope.words(printed.unit, "printed unit")) if printed else (None, None)
    )
    memo: dict[tuple[object, ...], Told | Refused] = {}

    def read(row: Row, telling: Telling, concept: str | None) -> Told:
        words = value(row, telling) if value else None
        if words is None:
            return _NOTHING
        unit_words = unit(row, telling) if unit else None
        kind_words = (kind(row, telling)[0] or "auto") if kind else "auto"
        range_words = limits.words(row, telling) if limits else None
        flag_words = flag(row, telling) if flag else (None, None)
        codes = own(row, telling) if own else ()
        first = (before(row, telling), before_unit(row, telling) if before_unit else None) if before else None
        asked = (words, unit_words, kind_words, range_words, flag_words, codes, concept, first)
        told = memo.get(asked)
        if told is None:
            if len(memo) >= _MEMO:
                memo.clear()
            try:
                told = _told(words, unit_words, kind_words, range_words, flag_words, codes, concept, first)
            except Refused as refused:
                told = refused
            memo[asked] = told
        if isinstance(told, Refused):
            raise told
        if told.remark:
            telling.remarks.append(told.remark)
        if unit_words is not None and not units.known(unit_words):
            telling.unmapped[name, unit_column, str(unit_words)] += 1
        if limits and told.range is None and told.range_text:
            telling.unmapped[name, limits.column, told.range_text] += 1
        return told

    def _told(
        words: str,
        unit_words: str | None,
        kind_words: str,
        range_words: tuple[str | None, ...] | None,
        flag_words: tuple[str | None, str | None],
        codes: tuple[Code, ...],
        concept: str | None,
        first: tuple[str | None, str | None] | None,
    ) -> Told:
        reason = absent.get(words)
        if reason is not None:
            return Told(absent_code=reason)
        try:
            found = reader.read(str(words), "words" if codes else kind_words)
            if found.unit and not unit_words and not units.known(found.unit) and found.unit != "{titer}":
                if kind_words == "number":
                    raise Refused(f"{found.unit!r} in {words!r} is not a unit", "mend the cell, or add it to units")
                found = reader.read(str(words), "words")
            if found.unit and unit_words and found.unit != unit_words and found.unit != "{titer}":
                raise Refused(
                    f"the cell {words!r} has a unit of its own beside {unit_words!r}", "keep the one that is right"
                )
        except Refused as refused:
            raise Refused(refused.reason, refused.mend, refused.column or column) from None
        told_unit = units.of(found.unit or str(unit_words or ""))
        return _shaped(found, told_unit, range_words, flag_words, codes, concept, first)

    def _shaped(
        found: Result,
        told_unit: Unit,
        range_words: tuple[str | None, ...] | None,
        flag_words: tuple[str | None, str | None],
        codes: tuple[Code, ...],
        concept: str | None,
        first: tuple[str | None, str | None] | None,
    ) -> Told:
        normal, range_text = limits.read(range_words, told_unit, units) if limits and range_words else (None, None)
        meaning = flag_words[0] or (found.meaning if found.words is not None else None)
        flagged = {"interpretation": meaning, "interpretation_text": flag_words[1], "range_text": range_text}
        if found.words is not None:
            return Told(Words(found.words, codes), range=normal, **flagged)  # type: ignore[arg-type]
        if found.titre is not None:
            return Told(titre=found.titre, range=normal, **flagged)  # type: ignore[arg-type]
        _fits(told_unit, concept)
        change = _change(told_unit, concept)
        number = found.number
        assert number is not None
        shown: Quantity | Range = Quantity(number, told_unit.printed, found.comparator, told_unit.code)
        if found.high is not None:
            shown = Range(shown, Quantity(found.high, told_unit.printed, None, told_unit.code))  # type: ignore[arg-type]
        kept = _before(first) if first else None
        remark = None
        if change is not None:
            to, of = change
            if isinstance(shown, Range):
                low, high = (Quantity(of(each), to) for each in (number, found.high or number))
                remark = f"As printed: {shown}."
                shown = Range(low, high)
            else:
                kept = kept or shown
                shown = Quantity(of(number), to, found.comparator)
            normal = _changed(normal, told_unit, to, of)
            if convert and convert.factor:
                remark = f"Converted by the factor {convert.factor}: {convert.reason}."
        if isinstance(kept, Quantity) and kept == shown:
            kept = None
        return Told(shown, printed=kept, range=normal, remark=remark, **flagged)  # type: ignore[arg-type]

    def _before(first: tuple[str | None, str | None]) -> Quantity | None:
        if first[0] is None or first[0] in absent:
            return None
        found = reader.read(str(first[0]), "auto")
        if found.number is None or found.high is not None:
            return None
        given = units.of(found.unit or str(first[1] or ""))
        return Quantity(found.number, given.printed, found.comparator, given.code)

    def _fits(told_unit: Unit, concept: str | None) -> None:
        wanted = terms.concept(concept).unit if concept else ""
        if wanted and told_unit.ucum and not _commensurable(told_unit.ucum, wanted):
            raise Refused(
                f"the unit {told_unit.printed!r} does not fit {terms.concept(concept or '').name}, "
                f"which is measured in {wanted} or the like",
                "mend the unit or the concept",
                unit_column if unit else column,
            )

    def _change(told_unit: Unit, concept: str | None) -> tuple[str, Callable[[Decimal], Decimal]] | None:
        if convert is None:
            return None
        to = convert.to
        if to == "catalogue":
            to = terms.concept(concept).unit if concept else ""
            if not to:
                return None
        if told_unit.ucum is None:
            if not told_unit.printed and not convert.factor:
                raise Refused(
                    f"the value has no unit, so it cannot be converted to {to}", "fill in the unit", unit_column
                )
            if not convert.factor:
                raise Refused(
                    f"{told_unit.printed!r} is no unit that can be converted to {to}",
                    "mend the unit, or say its UCUM code in [reading.units]",
                    unit_column,
                )
        if told_unit.ucum == to:
            return None
        if convert.factor:
            factor = terms.Conversion(Decimal(convert.factor))
            return to, factor.of
        try:
            return to, terms.conversion(told_unit.ucum or "", to).of
        except CasefhirError as error:
            raise Refused(
                f"{told_unit.printed!r} cannot be converted to {to}: {error}",
                "mend the unit, convert to another one, or give the factor with its reason",
                unit_column if unit else column,
            ) from None

    return read


_NOTHING = Told()


def _commensurable(one: str, other: str) -> bool:
    try:
        return terms.commensurable(one, other)
    except CasefhirError:
        return False


def _check(scope: Scope, convert: Convert | None) -> None:
    if convert is None:
        return
    if (convert.factor is None) != (convert.reason is None):
        scope.problem("convert: a factor needs its reason, and a reason its factor")
    if convert.factor is not None and not convert.factor.replace(".", "", 1).isdigit():
        scope.problem(f"convert: {convert.factor!r} is not a factor")
    if convert.to != "catalogue":
        try:
            terms.dimension(convert.to)
        except CasefhirError as error:
            scope.problem(f"convert: {error}")


def _changed(normal: Range | None, of_unit: Unit, to: str, of: Callable[[Decimal], Decimal]) -> Range | None:
    """A range of reference in the value's new unit; one in another unit of its own stays."""
    if normal is None:
        return None
    bound = normal.low or normal.high
    if bound is None or (bound.unit and bound.unit != of_unit.printed):
        return normal
    low, high = (Quantity(of(each.value), to) if each else None for each in (normal.low, normal.high))
    return Range(low, high)


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
        if given is not unit and given.ucum and unit.ucum and not _commensurable(given.ucum, unit.ucum):
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
