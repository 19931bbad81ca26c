"""Findings of validation, each beside the fact it is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from casefhir.conformance import Finding, validate
from casefhir.published import folder
from casefhir.report.bundles import Held, Resources
from casefhir.report.facts import Case, Fact


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with its name on the page and the fact it is about (None where it is about none)."""

    key: str
    severity: str
    rule: str
    location: str
    message: str
    mend: str
    file: str
    fact: Fact | None


def findings(paths: Iterable[Path]) -> list[Finding]:
    """What validation says about the JSON and NDJSON in `paths`, with casefhir's own profiles."""
    return [each for path in paths for each in validate(path, profiles=(folder("profiles"),)).findings]


def placed(given: Sequence[Finding], resources: Resources, cases: list[Case]) -> list[Found]:
    """`given`, each with its fact; the facts get theirs too."""
    facts = {id(fact.held.value): fact for case in cases for fact in case.facts}
    by_file: dict[str, list[Held]] = {}
    for each in resources:
        by_file.setdefault(each.file, []).append(each)
    found = []
    for number, finding in enumerate(given):
        held = next((each for each in by_file.get(finding.file or "", ()) if _is_about(finding, each)), None)
        fact = facts.get(id(held.value)) if held is not None else None
        one = Found(
            f"finding{number}",
            finding.severity,
            finding.rule,
            finding.location,
            finding.message,
            finding.mend,
            finding.file or "",
            fact,
        )
        found.append(one)
        if fact is not None:
            fact.findings.append(one)
    return found


def _is_about(finding: Finding, held: Held) -> bool:
    if held.line is not None and finding.line != held.line:
        return False
    return finding.pointer == held.pointer or finding.pointer.startswith(held.pointer + "/")
