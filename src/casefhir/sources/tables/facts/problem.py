"""A row to a problem."""

from collections.abc import Callable

from casefhir.record import Age, Cells, Moment, On, Problem, precedes
from casefhir.sources.tables.facts.moments import moment, moment_or_age
from casefhir.sources.tables.facts.naming import naming, notes, phrases
from casefhir.sources.tables.links import Links
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.ruleset import ProblemRule
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import Telling

KINDS = frozenset({"condition"})
_ABATED = ("inactive", "remission", "resolved")


def problems(scope: Scope, rule: ProblemRule, links: Links) -> Callable[[Row, Telling, str, Cells], Problem]:
    """Compiles `rule`. A problem with an abatement is resolved unless the row says inactive or remission; what a denied
    one tells of a course stands in its notes.
    """
    name = naming(scope, rule.concept, rule.codes, rule.text, KINDS)
    status, certainty = scope.choice(rule.status, "status"), scope.choice(rule.certainty, "certainty")
    severity, category = scope.choice(rule.severity, "severity"), scope.choice(rule.category, "category-of-problem")
    onset, abatement = moment_or_age(scope, rule.onset, "onset"), moment_or_age(scope, rule.abatement, "abatement")
    asserted, visit = moment(scope, rule.asserted, "asserted"), links.visit(scope, rule.visit)
    sites, remarks = phrases(scope, rule.body_sites, "body_sites"), notes(scope, rule.notes)
    column = scope.column_of(rule.abatement)

    def make(row: Row, telling: Telling, key: str, cells: Cells) -> Problem:
        called = name(row, telling)
        state, state_words = status(row, telling) if status else (None, None)
        sure = certainty(row, telling)[0] if certainty else None
        grave, grave_words = severity(row, telling) if severity else (None, None)
        begun = onset(row, telling, cells) if onset else None
        ended = abatement(row, telling, cells) if abatement else None
        if sure == "refuted":
            told = (("status", state_words), ("severity", grave_words), ("onset", begun), ("abatement", ended))
            telling.remarks += [f"{what}: {_said(said)}" for what, said in told if said is not None]
            state = grave = grave_words = begun = ended = None
        elif ended is not None:
            check_order(begun, ended, column)
            if state not in _ABATED:
                if state is not None:
                    telling.remarks.append(f"Said to be {state_words} beside its end.")
                state = "resolved"
        return Problem(
            key,
            called.concept,
            cells,
            text=called.text,
            status=state,  # type: ignore[arg-type]
            certainty=sure or "confirmed",  # type: ignore[arg-type]
            severity=grave,  # type: ignore[arg-type]
            severity_text=grave_words,
            onset=begun,
            abatement=ended,
            asserted=asserted(row, telling, cells) if asserted else None,
            body_sites=sites(row, telling) if sites else (),
            notes=remarks(row, telling),
            visit=visit(row, telling) if visit else None,
            codes=called.codes,
            category=category(row, telling)[0] if category else None,  # type: ignore[arg-type]
        )

    return make


def _said(told: object) -> str:
    if isinstance(told, On):
        return told.printed or told.date
    if isinstance(told, Age):
        return str(told.age)
    return str(getattr(told, "words", None) or told)


def check_order(start: Moment | Age | None, end: Moment | Age | None, column: str) -> None:
    """Raises `Refused` for an end that lies before its start."""
    if isinstance(start, On) and isinstance(end, On) and precedes(end.date, start.date):
        raise Refused(f"it ends ({end.date}) before it starts ({start.date})", "mend one of the two dates", column)
