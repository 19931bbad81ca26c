"""A row to a measurement."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from casefhir.record import Cells, Component, Measurement, Quantity, Range, Text
from casefhir.record.making import maker
from casefhir.sources.tables.dates import NO_DAY
from casefhir.sources.tables.facts.moments import moment
from casefhir.sources.tables.facts.moved_words import moved_words
from casefhir.sources.tables.facts.naming import Name, naming, notes, phrase
from casefhir.sources.tables.facts.ranges import Limits, bounds
from casefhir.sources.tables.facts.units import Unit, Units
from casefhir.sources.tables.facts.values import NOTHING, Reading, Told, before, setting, value_words
from casefhir.sources.tables.links import Links
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.ruleset import ComponentRule, MeasurementRule
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import Telling

KINDS = frozenset(
    {
        "laboratory",
        "lung-function",
        "vital-signs",
        "score",
        "imaging",
        "report",
        "procedure",
        "condition",
        "demographic",
    }
)
_make = maker(Measurement)
_NO_UNIT, _UNITS = Unit("", None), Units({})
Make = Callable[[Row, Telling, str, Cells], Measurement | None]


@dataclass(frozen=True, slots=True)
class Static:
    """What rows with the same words say alike of their measurements: all but value, time, visit and links."""

    name: Name
    reading: Reading
    category: str | None
    method: Text | None
    body_site: Text | None
    scale: tuple[str | None, ...] | None


def measurements(scope: Scope, rule: MeasurementRule, links: Links) -> Make:
    """Compiles `rule`; a row whose value is blank makes nothing, unless the rule says otherwise."""
    static, scale = _static(scope, rule)
    value, printed = value_words(scope, rule), before(scope, rule.printed)
    when, visit = moment(scope, rule.when, "when"), links.visit(scope, rule.visit)
    absent = scope.choice(rule.absent, "absent")
    components = [_component(scope, each) for each in rule.components]
    members, origins = links.many(scope, rule.members), links.many(scope, rule.derived_from)
    remarks, blank, column = notes(scope, rule.notes), rule.blank, scope.column_of(rule.value)

    def make(row: Row, telling: Telling, key: str, cells: Cells) -> Measurement | None:
        words = value(row, telling) if value else None
        if words is not None and telling.shift:
            words = _moved(scope, words, telling)
        if words is None and blank == "skip" and not (absent or components or members):
            return None
        same = static(row, telling)
        result: Any = None
        quick = same.reading.plain(words) if words is not None else None
        if quick is not None:
            result, found = quick
        else:
            found = same.reading.read(words) if words is not None else NOTHING
            result = found.value
        if found.remark is not None:
            telling.remarks.append(found.remark)
        reason_words: str | None = None
        parts: tuple[Component, ...] = ()
        belonging = members(row, telling) if members else ()
        if absent or components or words is None:
            parts = tuple([part for part in [each(row, telling) for each in components] if part])
            there = result is not None or found.titre is not None
            told = _absent(row, telling, found, there, bool(parts or belonging))
            if told is None:
                return None
            found, reason_words = told
        held, scale_text = scaled(same.scale, result) if same.scale else (None, None)
        kept = found.printed
        if printed is not None and kept is None:
            kept = printed(row, telling)
            kept = None if kept == result or not isinstance(result, Quantity) else kept
        return _make(
            key,
            same.name.concept,
            result,
            cells,
            same.name.text,
            when(row, telling, cells) if when else None,
            same.category,
            found.titre,
            reason_words,
            found.interpretation,
            found.range,
            found.range_text,
            held,
            scale_text,
            same.method,
            same.body_site,
            parts,
            belonging,
            origins(row, telling) if origins else (),
            remarks(row, telling),
            (),
            visit(row, telling) if visit else None,
            same.name.codes,
            kept,
            found.absent_code,
            found.interpretation_text,
        )

    def _absent(row: Row, telling: Telling, found: Told, there: bool, more: bool) -> tuple[Told, str | None] | None:
        """The result with the reason why it is absent, and the words for it; None where the row makes nothing."""
        reason, words = absent(row, telling) if absent else (None, None)
        if there or more or found.absent_code is not None:
            if words is not None and there:
                telling.remarks.append(f"Said to be absent beside its value: {words}.")
                words = None
            return found, words
        if words is not None:
            return replace(found, absent_code=reason), words  # type: ignore[arg-type]
        if blank == "skip":
            return None
        if blank == "reject":
            raise Refused("the result is blank", 'fill it in, or say blank = "skip" in the mapping', column)
        return replace(found, absent_code="unknown"), None

    def scaled(words: tuple[str | None, ...], value: object) -> tuple[Range | None, str | None]:
        assert scale is not None
        held, text = scale.read(words, _NO_UNIT, _UNITS)
        if held and isinstance(value, Quantity):
            below = held.low is not None and value.value < held.low.value
            if below or (held.high is not None and value.value > held.high.value):
                raise Refused(f"the value {value} is not on its scale {held}", "mend the value or the scale", column)
        return held, text

    return make


def _static(scope: Scope, rule: MeasurementRule) -> tuple[Callable[[Row, Telling], Static], Limits | None]:
    with scope.part() as part:
        name = naming(part, rule.concept, rule.codes, rule.text, KINDS)
        around, category = setting(part, rule), part.choice(rule.category, "category", "Category")
        method, body_site = phrase(part, rule.method, "method"), phrase(part, rule.body_site, "body_site")
        scale = bounds(part, rule.scale, "scale")
    column = scope.column_of(rule.concept)

    def tell(row: Row, telling: Telling) -> Static:
        called = name(row, telling)
        reading = around(row, telling, called.concept)
        if called.by_name and not reading.fitting:  # a test of the same name that measures something else
            telling.unmapped[rule.name, column, f"{called.words} in {reading.around.unit.printed}"] += 1
            called = replace(called, concept=None, text=called.words)
            reading = around(row, telling, None)
        return Static(
            called,
            reading,
            category(row, telling)[0] if category else None,
            method(row, telling) if method else None,
            body_site(row, telling) if body_site else None,
            scale.words(row, telling) if scale else None,
        )

    return part.remembered(tell), scale


def _moved(scope: Scope, words: str, telling: Telling) -> str | None:
    """A result that is a date, moved with the person's others; None, and counted, if it cannot be."""
    found = moved_words(words, scope.of.dates, telling.shift)
    if found is None:
        telling.unmapped[scope.rule, "value", NO_DAY] += 1
    return found


def _component(scope: Scope, rule: ComponentRule) -> Callable[[Row, Telling], Component | None]:
    name = naming(scope, rule.concept, rule.codes, rule.text, KINDS)
    around, value = setting(scope, rule), value_words(scope, rule)

    def made(row: Row, telling: Telling) -> Component | None:
        words = value(row, telling) if value else None
        if words is not None and telling.shift:
            words = _moved(scope, words, telling)
        if words is None:
            return None
        called = name(row, telling)
        found = around(row, telling, called.concept).read(words)
        if found.remark is not None:
            telling.remarks.append(found.remark)
        return Component(
            called.concept,
            found.value,
            text=called.text,
            titre=found.titre,
            interpretation=found.interpretation,
            range=found.range,
            range_text=found.range_text,
            codes=called.codes,
            printed=found.printed,
            absent_code=found.absent_code,
            interpretation_text=found.interpretation_text,
        )

    return made
