"""What a check found (`Finding`) and all of it together (`Report`)."""

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["fatal", "error", "warning", "information"]
SEVERITIES: tuple[Severity, ...] = ("fatal", "error", "warning", "information")
LAYERS = ("json", "structure", "invariants", "terminology", "references", "profiles", "meaning")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, where it is, and what would mend it.

    `rule` is an invariant's key (`obs-6`) or `layer.name` (`structure.unknown-element`); `location` is a FHIRPath
    (`Observation.component[0].code`), `pointer` a JSON pointer into the file (`/component/0/code`), `line` the
    1-based line of the input where bytes were read, `value` the offending JSON value, shortened.
    """

    severity: Severity
    rule: str
    location: str
    pointer: str
    message: str
    mend: str = ""
    line: int | None = None
    value: str | None = None
    file: str | None = None


def _none_found() -> dict[str, int]:
    return dict.fromkeys(SEVERITIES, 0)


@dataclass(slots=True)
class Report:
    """All findings, how many of each severity, and which layers ran.

    `layers` maps a layer's name to "ran" or "skipped: why"; `unchecked` counts codes by system whose contents
    are not shipped, so nobody takes silence for a yes.
    """

    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=_none_found)
    layers: dict[str, str] = field(default_factory=dict)
    resources: int = 0
    unchecked: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True when nothing fatal and no error was found."""
        return not (self.counts["fatal"] or self.counts["error"])

    def add(self, finding: Finding) -> None:
        """Keep `finding` and count it."""
        self.findings.append(finding)
        self.counts[finding.severity] += 1
