"""Known findings that are accepted, each with its reason: what they match no longer counts."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from casefhir.conformance.findings import Finding, Report
from casefhir.errors import CasefhirError


class UnreadableBaseline(CasefhirError):
    """A baseline file that cannot be read or says no reason."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding to accept: `rule`, and where given its `location` and the end of its `file`'s path."""

    rule: str
    reason: str
    location: str | None = None
    file: str | None = None

    def matches(self, finding: Finding) -> bool:
        """Is `finding` the one accepted."""
        return (
            finding.rule == self.rule
            and (self.location is None or finding.location == self.location)
            and (self.file is None or (finding.file or "").endswith(self.file))
        )


def read_baseline(path: Path) -> list[Accepted]:
    """The accepted findings in `path`: a JSON array of objects with rule, reason and, if wanted, location and file.

    Raises `UnreadableBaseline`.
    """
    try:
        entries = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UnreadableBaseline(f"{path}: not readable as JSON ({error}).") from error
    if not isinstance(entries, list):
        raise UnreadableBaseline(f"{path}: a baseline is a JSON array of objects with rule and reason.")
    found: list[Accepted] = []
    for number, each in enumerate(entries):
        if not isinstance(each, dict) or not each.get("rule") or not each.get("reason"):
            raise UnreadableBaseline(f"{path}: entry {number} needs a rule and a reason.")
        found.append(Accepted(each["rule"], each["reason"], each.get("location"), each.get("file")))
    return found


class Baseline:
    """Accepted findings at work."""

    def __init__(self, entries: Iterable[Accepted]) -> None:
        self.entries = tuple(entries)

    def __call__(self, finding: Finding) -> int | None:
        """The number of the entry that accepts `finding`, None when none does."""
        return next((number for number, each in enumerate(self.entries) if each.matches(finding)), None)

    def unused(self, report: Report) -> list[Accepted]:
        """The entries that accepted nothing in `report`: they can go."""
        return [each for number, each in enumerate(self.entries) if not report.accepted.get(number)]
