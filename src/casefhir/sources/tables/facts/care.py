"""A row to a procedure, a report, a visit, an intolerance."""

from collections.abc import Callable

from casefhir.record import Cells, Intolerance, Procedure, Report, Visit
from casefhir.sources.tables.facts.moments import moment
from casefhir.sources.tables.facts.naming import coding, naming, notes, phrase, phrases
from casefhir.sources.tables.links import Links
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.ruleset import IntoleranceRule, ProcedureRule, ReportRule, VisitRule
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import Telling


def procedures(scope: Scope, rule: ProcedureRule, links: Links) -> Callable[[Row, Telling, str, Cells], Procedure]:
    """Compiles `rule`."""
    kinds = frozenset({"procedure", "imaging", "report"})
    name = naming(scope, rule.concept, rule.codes, rule.text, kinds)
    status, when = scope.choice(rule.status, "status-of-procedure", "Status"), moment(scope, rule.when, "when")
    why_not, outcome = phrase(scope, rule.why_not, "why_not"), phrase(scope, rule.outcome, "outcome")
    sites, reasons = phrases(scope, rule.body_sites, "body_sites"), phrases(scope, rule.reasons, "reasons")
    remarks, visit = notes(scope, rule.notes), links.visit(scope, rule.visit)
    reported = links.many(scope, rule.reports)

    def make(row: Row, telling: Telling, key: str, cells: Cells) -> Procedure:
        called = name(row, telling)
        state, words = status(row, telling) if status else (None, None)
        concept = called.concept if called.concept and _is_procedure(called.concept) else None
        return Procedure(
            key,
            concept,
            cells,
            text=called.text or (called.words if concept is None else None),
            status=state or ("unknown" if words else "completed"),  # type: ignore[arg-type]
            why_not=why_not(row, telling) if why_not else None,
            when=when(row, telling, cells) if when else None,
            body_sites=sites(row, telling) if sites else (),
            reasons=reasons(row, telling) if reasons else (),
            outcome=outcome(row, telling) if outcome else None,
            reports=reported(row, telling) if reported else (),
            notes=remarks(row, telling),
            visit=visit(row, telling) if visit else None,
            codes=called.codes,
        )

    return make


def _is_procedure(key: str) -> bool:
    from casefhir import terms

    return terms.concept(key).kind == "procedure"


def reports(scope: Scope, rule: ReportRule, links: Links) -> Callable[[Row, Telling, str, Cells], Report]:
    """Compiles `rule`."""
    name = naming(
        scope, rule.concept, rule.codes, rule.text, frozenset({"report", "imaging", "laboratory", "lung-function"})
    )
    kind, when = scope.plain(rule.kind, "kind"), moment(scope, rule.when, "when")
    results, conclusion = links.many(scope, rule.results), phrase(scope, rule.conclusion, "conclusion")
    remarks, visit = notes(scope, rule.notes), links.visit(scope, rule.visit)

    def make(row: Row, telling: Telling, key: str, cells: Cells) -> Report:
        called = name(row, telling)
        return Report(
            key,
            called.concept,
            cells,
            text=called.text,
            kind=kind(row, telling) if kind else None,
            when=when(row, telling, cells) if when else None,
            results=results(row, telling) if results else (),
            conclusion=conclusion(row, telling) if conclusion else None,
            notes=remarks(row, telling),
            visit=visit(row, telling) if visit else None,
            codes=called.codes,
        )

    return make


def visits(scope: Scope, rule: VisitRule, links: Links) -> Callable[[Row, Telling, str, Cells], Visit]:
    """Compiles `rule`."""
    del links
    when, setting = moment(scope, rule.when, "when"), scope.choice(rule.setting, "setting")
    text, own = scope.plain(rule.text, "text"), coding(scope, rule.codes)
    reasons, discharge = phrases(scope, rule.reasons, "reasons"), phrase(scope, rule.discharge, "discharge")
    remarks = notes(scope, rule.notes)

    def make(row: Row, telling: Telling, key: str, cells: Cells) -> Visit:
        kind, words = setting(row, telling) if setting else (None, None)
        name = text(row, telling) if text else None
        return Visit(
            key,
            cells,
            when=when(row, telling, cells) if when else None,
            setting=kind,  # type: ignore[arg-type]
            setting_text=words if words != name and (kind is None or (words and words.casefold() != kind)) else None,
            text=name,
            reasons=reasons(row, telling) if reasons else (),
            discharge=discharge(row, telling) if discharge else None,
            notes=remarks(row, telling),
            codes=own(row, telling),
        )

    return make


def intolerances(
    scope: Scope, rule: IntoleranceRule, links: Links
) -> Callable[[Row, Telling, str, Cells], Intolerance]:
    """Compiles `rule`."""
    name = naming(scope, rule.drug, rule.codes, rule.text, frozenset({"medication", "substance"}))
    kind = scope.choice(rule.kind, "intolerance", "Type")
    category = scope.choice(rule.category, "category-of-intolerance", "Category")
    status = scope.choice(rule.status, "status-of-intolerance", "Status")
    certainty = scope.choice(rule.certainty, "certainty-of-intolerance", "Certainty")
    onset, visit = moment(scope, rule.onset, "onset"), links.visit(scope, rule.visit)
    reactions, remarks = phrases(scope, rule.reactions, "reactions"), notes(scope, rule.notes)

    def make(row: Row, telling: Telling, key: str, cells: Cells) -> Intolerance:
        called = name(row, telling)
        return Intolerance(
            key,
            called.concept,
            cells,
            text=called.text,
            kind=(kind(row, telling)[0] if kind else None) or "intolerance",  # type: ignore[arg-type]
            certainty=(certainty(row, telling)[0] if certainty else None) or "unconfirmed",  # type: ignore[arg-type]
            reactions=reactions(row, telling) if reactions else (),
            notes=remarks(row, telling),
            codes=called.codes,
            status=(status(row, telling)[0] if status else None) or "active",  # type: ignore[arg-type]
            category=category(row, telling)[0] if category else None,  # type: ignore[arg-type]
            onset=onset(row, telling, cells) if onset else None,
            visit=visit(row, telling) if visit else None,
        )

    return make
