"""A row to an adverse event, with the condition that it became and what it led to for the suspect courses."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from casefhir.record import AdverseEvent, Cells, Course, Fact, On, Problem, Suspect, precedes
from casefhir.sources.tables.facts.moments import moment
from casefhir.sources.tables.facts.moved_words import as_moved
from casefhir.sources.tables.facts.naming import naming, notes
from casefhir.sources.tables.facts.problem import KINDS, check_order, remark
from casefhir.sources.tables.links import Links
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.ruleset import AdverseEventRule, SuspectRule
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import Telling, Withdrawal

REASON = "adverse event"
_UNRELATED = "unrelated"
_SEVERITY = "severity-of-event"
_SERIOUS = {
    "death": "results in death", "life-threatening": "is life-threatening", "hospitalization": "hospitalization",
    "disability": "disability", "birth-defect": "congenital anomaly", "intervention-needed": "needs intervention",
}  # fmt: skip
Suspects = Callable[[Row, Telling, str | None], tuple[list[str], tuple[Suspect, ...]]]
"""The courses that a row is about, and those of them that it blames."""


def adverse_events(
    scope: Scope, rule: AdverseEventRule, links: Links
) -> Callable[[Row, Telling, str, Cells], tuple[Fact, ...]]:
    """Compiles `rule`: the event first, then the condition that it became."""
    name = naming(scope, rule.concept, rule.codes, rule.text, KINDS)
    when, end = moment(scope, rule.when, "when"), moment(scope, rule.end, "end")
    severity, outcome = (
        scope.choice(rule.severity, _SEVERITY, "Severity"),
        scope.choice(rule.outcome, "outcome", "Outcome"),
    )
    serious = [each for each in (scope.choice(one, "seriousness") for one in rule.seriousness) if each]
    suspects = [_suspects(scope, each, links) for each in rule.suspects]
    action, visit = scope.choice(rule.action, "action"), links.visit(scope, rule.visit)
    remarks, column = notes(scope, rule.notes), scope.column_of(rule.end)
    capped = scope.frame.loaded.mapping.privacy.age_cap is not None

    def make(row: Row, telling: Telling, key: str, cells: Cells) -> tuple[Fact, ...]:
        called = name(row, telling)
        begun = when(row, telling, cells) if when else None
        ended = end(row, telling, cells) if end else None
        check_order(begun, ended, column)
        day = begun.date if isinstance(begun, On) else None
        found = [of(row, telling, day) for of in suspects]
        blamed = tuple({each.course: each for _, blames in found for each in blames}.values())
        keys = list(dict.fromkeys(key for about, _ in found for key in about))
        before = len(telling.given)
        done, done_words = action(row, telling) if action else (None, None)
        told_in = (cells, *telling.given[before:])
        if done_words is not None:
            if keys and done not in ("unchanged", "not applicable", "unknown"):
                live = [key for key in keys if not _ended(telling.ends.get(key), day)] or keys
                telling.withdrawn += [
                    Withdrawal(key, called.words, done or "", done_words, day, told_in) for key in live
                ]
            else:
                telling.remarks.append(f"Action taken: {done_words}")
        grave, grave_words = severity(row, telling) if severity else (None, None)
        weight, weight_words = _seriousness(row, telling)
        result, result_words = outcome(row, telling) if outcome else (None, None)
        if not rule.condition and ended is not None:
            said = remark("Ended", ended, capped=capped)
            telling.remarks += [as_moved(said, telling)] if said else []
        told, encounter = remarks(row, telling), visit(row, telling) if visit else None
        event = AdverseEvent(
            key,
            called.concept,
            cells,
            blamed,
            text=called.text,
            when=begun,
            severity=grave,  # type: ignore[arg-type]
            severity_text=grave_words,
            seriousness=weight,  # type: ignore[arg-type]
            seriousness_text=weight_words,
            outcome=result,  # type: ignore[arg-type]
            outcome_text=result_words,
            resulting=(f"{key}.condition",) if rule.condition else (),
            notes=told,
            visit=encounter,
            codes=called.codes,
        )
        if not rule.condition:
            return (event,)
        # death resolves nothing
        over: Literal["inactive", "resolved"] = "inactive" if result == "fatal" else "resolved"
        return event, Problem(
            f"{key}.condition",
            called.concept,
            cells,
            text=called.text,
            status=over if ended else None,
            severity=grave,  # type: ignore[arg-type]
            severity_text=grave_words,
            onset=begun,
            abatement=ended,
            notes=told,  # R4's AdverseEvent has no place for them but its narrative
            visit=encounter,
            codes=called.codes,
        )

    def _seriousness(row: Row, telling: Telling) -> tuple[str | None, str | None]:
        """The first that is told, which is the gravest; the words of all."""
        told = [each for each in [read(row, telling) for read in serious] if each[1] is not None]
        values = list(dict.fromkeys(value for value, _ in told if value))
        if len(values) > 1 and "non-serious" in values:
            values.remove("non-serious")
            telling.remarks.append("Told as non-serious beside that.")
        unread = [words for value, words in told if value is None and words]
        if not values:
            telling.remarks += [f"Seriousness: {words}" for words in unread]
            return None, None
        criteria = [_SERIOUS[each] for each in values if each in _SERIOUS]
        first = next((each for each in values if each not in ("serious", "non-serious")), values[0])
        return first, "; ".join(dict.fromkeys(criteria + unread)) or None

    return make


def _suspects(scope: Scope, rule: SuspectRule, links: Links) -> Suspects:
    keys = links.keys(scope, rule)
    words, causality = scope.plain(rule.words, "words"), scope.choice(rule.causality, "causality")
    unkeyed = rule.key is None

    def found(row: Row, telling: Telling, day: str | None) -> tuple[list[str], tuple[Suspect, ...]]:
        likely, likely_words = causality(row, telling) if causality else (None, None)
        said = (words(row, telling) if words else None) or likely_words
        courses = keys(row, telling) if keys else []
        if unkeyed:
            courses = [key for key in courses if _begun(telling.starts.get(key), day)]
        if likely == _UNRELATED:
            drugs = telling.drugs
            told = ", ".join(dict.fromkeys(drugs[key][0] if key in drugs else key for key in courses))
            telling.given += [drugs[key][1] for key in courses if key in drugs]
            telling.remarks.append(f"Relationship to {told}: {said}" if told else f"Causality: {said}")
            return courses, ()
        if said is not None and not courses:
            telling.remarks.append(f"Causality: {said}")  # of a drug that had not begun by then, or is not told
        if unkeyed and said is None and (words or causality):
            return courses, ()  # nobody suspects every drug because nothing is said of the cause
        return courses, tuple([Suspect(key, said, likely) for key in courses])  # type: ignore[arg-type]

    return found


def _begun(start: str | None, day: str | None) -> bool:
    """Whether a course may have begun by then: one that began later is no suspect."""
    return start is None or day is None or not precedes(day, start)


def _ended(end: str | None, day: str | None) -> bool:
    return end is not None and day is not None and precedes(end, day)


def act(course: Course, led: list[Withdrawal]) -> Course:
    """`course` after what adverse events led to: stopped with its reason where it was withdrawn, otherwise a note."""
    for each in sorted(led, key=lambda one: (one.day or "", one.event, one.words)):
        note = f"Action taken for {each.event}: {each.words}"
        ended_before = isinstance(course.end, On) and _ended(course.end.date, each.day)
        if each.action == "withdrawn" and not ended_before and course.status in ("unknown", "active", "stopped"):
            reasons = course.reasons if REASON in course.reasons else (*course.reasons, REASON)
            if course.status == "active":  # the row's own word, which the status can no longer tell
                course = replace(course, notes=(*course.notes, "Told as active."))
            course = replace(course, status="stopped", reasons=reasons)
        course = replace(course, notes=(*course.notes, note))
    return course
