"""A row to a problem."""

from collections.abc import Callable
from dataclasses import dataclass

from casefhir.record import Age, Between, Cells, Moment, On, Problem, Relative, Told, precedes
from casefhir.record.making import maker
from casefhir.sources.tables.facts.moments import moment, moment_or_age
from casefhir.sources.tables.facts.moved_words import as_moved
from casefhir.sources.tables.facts.naming import Name, naming, notes, phrases
from casefhir.sources.tables.links import Links
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.ruleset import ProblemRule
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import Telling

KINDS = frozenset({"condition"})
_make = maker(Problem)
_ABATED = ("inactive", "remission", "resolved")


def problems(scope: Scope, rule: ProblemRule, links: Links) -> Callable[[Row, Telling, str, Cells], Problem]:
    """Compiles `rule`. A problem with an abatement is resolved unless the row says inactive or remission; what a denied
    one tells of a course stands in its notes.
    """
    static = _static(scope, rule)
    onset, abatement = moment_or_age(scope, rule.onset, "onset"), moment_or_age(scope, rule.abatement, "abatement")
    asserted, visit = moment(scope, rule.asserted, "asserted"), links.visit(scope, rule.visit)
    remarks = notes(scope, rule.notes)
    causes, before = links.or_words(scope, rule.due_to, "due_to"), links.or_words(scope, rule.after, "after")
    evidence, related = links.many(scope, rule.evidence), links.many(scope, rule.related)
    column, capped = scope.column_of(rule.abatement), scope.frame.loaded.mapping.privacy.age_cap is not None

    def make(row: Row, telling: Telling, key: str, cells: Cells) -> Problem:
        same = static(row, telling)
        called, sure = same.name, same.certainty
        state, state_words = same.status
        grave, grave_words = same.severity
        begun = onset(row, telling, cells) if onset else None
        ended = abatement(row, telling, cells) if abatement else None
        if sure == "refuted":
            told = (("status", state_words), ("severity", grave_words), ("onset", begun), ("abatement", ended))
            telling.remarks += [
                said if isinstance(words, str) else as_moved(said, telling)
                for what, words in told
                if words is not None and (said := remark(what, words, capped=capped))
            ]
            state = grave = grave_words = begun = ended = None
        elif ended is not None:
            check_order(begun, ended, column)
            if state not in _ABATED:
                if state is not None:
                    telling.remarks.append(f"Said to be {state_words} beside its end.")
                state = "resolved"
        return _make(
            key,
            called.concept,
            cells,
            called.text,
            state,
            sure,
            grave,
            grave_words,
            begun,
            ended,
            asserted(row, telling, cells) if asserted else None,
            same.body_sites,
            causes(row, telling) if causes else (),
            before(row, telling) if before else (),
            related(row, telling) if related else (),
            evidence(row, telling) if evidence else (),
            remarks(row, telling),
            visit(row, telling) if visit else None,
            called.codes,
            same.category,
        )

    return make


@dataclass(frozen=True, slots=True)
class Static:
    """What rows with the same words say alike of their problems: all but times, notes and links."""

    name: Name
    status: tuple[str | None, str | None]
    certainty: str
    severity: tuple[str | None, str | None]
    category: str | None
    body_sites: tuple[Told | str, ...]


def _static(scope: Scope, rule: ProblemRule) -> Callable[[Row, Telling], Static]:
    with scope.part() as part:
        name = naming(part, rule.concept, rule.codes, rule.text, KINDS)
        status, certainty = (
            part.choice(rule.status, "status", "Status"),
            part.choice(rule.certainty, "certainty", "Certainty"),
        )
        severity, category = (
            part.choice(rule.severity, "severity"),
            part.choice(rule.category, "category-of-problem", "Category"),
        )
        sites = phrases(part, rule.body_sites, "body_sites")

    def tell(row: Row, telling: Telling) -> Static:
        return Static(
            name(row, telling),
            status(row, telling) if status else (None, None),
            _certainty(*certainty(row, telling)) if certainty else "confirmed",
            severity(row, telling) if severity else (None, None),
            category(row, telling)[0] if category else None,
            sites(row, telling) if sites else (),
        )

    return part.remembered(tell)


def _certainty(value: str | None, words: str | None) -> str:
    """What nobody doubts is confirmed; words that are not understood may doubt it, or deny it."""
    return value or ("unconfirmed" if words is not None else "confirmed")


def remark(what: str, told: Moment | Age | str, *, capped: bool) -> str | None:
    """Words for a note, or a time for which there is no other place; None for an age where they are `capped`."""
    if isinstance(told, Age) or (isinstance(told, Relative) and told.event == "birth"):
        return None if capped else f"{what}: {told.age if isinstance(told, Age) else told.words}"
    if isinstance(told, On):
        return f"{what}: {told.printed or told.date}"
    if isinstance(told, Between):
        return f"{what}: {told.start_printed or told.start or '…'} to {told.end_printed or told.end or '…'}"
    return f"{what}: {told if isinstance(told, str) else told.words or told.event}"


def check_order(start: Moment | Age | None, end: Moment | Age | None, column: str) -> None:
    """Raises `Refused` for an end that lies before its start."""
    if isinstance(start, On) and isinstance(end, On) and precedes(end.date, start.date):
        raise Refused(f"it ends ({end.date}) before it starts ({start.date})", "mend one of the two dates", column)
