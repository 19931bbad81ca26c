"""A row to a measurement."""

from collections.abc import Callable
from dataclasses import replace

from casefhir.record import Cells, Component, Measurement, Quantity, Range
from casefhir.sources.tables.facts.moments import capped, moment
from casefhir.sources.tables.facts.naming import Name, naming, notes, phrase
from casefhir.sources.tables.facts.values import Told, Unit, Units, bounds, result
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
_NO_UNIT, _UNITS = Unit("", None), Units({})
Make = Callable[[Row, Telling, str, Cells], Measurement | None]


def measurements(scope: Scope, rule: MeasurementRule, links: Links) -> Make:
    """Compiles `rule`; a row whose value is blank makes nothing, unless the rule says otherwise."""
    name = naming(scope, rule.concept, rule.codes, rule.text, KINDS)
    told = result(scope, rule, rule.printed)
    when, visit = moment(scope, rule.when, "when"), links.visit(scope, rule.visit)
    category, absent = scope.choice(rule.category, "category"), scope.choice(rule.absent, "absent")
    method, body_site = phrase(scope, rule.method, "method"), phrase(scope, rule.body_site, "body_site")
    scale = bounds(scope, rule.scale, "scale")
    components = [_component(scope, each) for each in rule.components]
    members, origins = links.many(scope, rule.members), links.many(scope, rule.derived_from)
    remarks, blank, column = notes(scope, rule.notes), rule.blank, scope.column_of(rule.value)
    cap = scope.frame.loaded.mapping.privacy.age_cap

    def make(row: Row, telling: Telling, key: str, cells: Cells) -> Measurement | None:
        called = name(row, telling)
        found = told(row, telling, called.concept)
        reason, reason_words = absent(row, telling) if absent else (None, None)
        parts = tuple([part for part in [each(row, telling) for each in components] if part]) if components else ()
        belonging = members(row, telling) if members else ()
        if found.blank and not parts and not belonging:
            if reason_words is not None:
                found = replace(found, absent_code=reason)  # type: ignore[arg-type]
            elif blank == "skip":
                return None
            elif blank == "reject":
                raise Refused("the result is blank", 'fill it in, or say blank = "skip" in the mapping', column)
            else:
                found = replace(found, absent_code="unknown")
        elif reason_words is not None and (found.value is not None or found.titre is not None):
            telling.remarks.append(f"Said to be absent beside its value: {reason_words}.")
            reason_words = None
        value, range_, range_text = found.value, found.range, found.range_text
        if called.concept == "age" and isinstance(value, Quantity):
            value = capped(value, cap)
        held, scale_text = _scale(scale.words(row, telling), value) if scale else (None, None)
        return Measurement(
            key,
            called.concept,
            value,
            cells,
            text=called.text,
            when=when(row, telling, cells) if when else None,
            category=category(row, telling)[0] if category else None,  # type: ignore[arg-type]
            titre=found.titre,
            absent=reason_words,
            interpretation=found.interpretation,
            range=range_,
            range_text=range_text,
            scale=held,
            scale_text=scale_text,
            method=method(row, telling) if method else None,
            body_site=body_site(row, telling) if body_site else None,
            components=parts,
            members=belonging,
            derived_from=origins(row, telling) if origins else (),
            notes=remarks(row, telling),
            visit=visit(row, telling) if visit else None,
            codes=called.codes,
            printed=found.printed,
            absent_code=found.absent_code,
            interpretation_text=found.interpretation_text,
        )

    def _scale(words: tuple[str | None, ...], value: object) -> tuple[Range | None, str | None]:
        assert scale is not None
        held, text = scale.read(words, _NO_UNIT, _UNITS)
        if held and isinstance(value, Quantity):
            below = held.low is not None and value.value < held.low.value
            if below or (held.high is not None and value.value > held.high.value):
                raise Refused(f"the value {value} is not on its scale {held}", "mend the value or the scale", column)
        return held, text

    return make


def _component(scope: Scope, rule: ComponentRule) -> Callable[[Row, Telling], Component | None]:
    name = naming(scope, rule.concept, rule.codes, rule.text, KINDS)
    told = result(scope, rule)

    def made(row: Row, telling: Telling) -> Component | None:
        called: Name = name(row, telling)
        found: Told = told(row, telling, called.concept)
        if found.blank:
            return None
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
