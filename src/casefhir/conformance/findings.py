"""What a check found (`Finding`) and all of it together (`Report`)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

Key = TypeVar("Key")
MustSupport = dict[str, dict[str, tuple[int, int]]]
"""By profile and mustSupport element: in how many places it is given, of how many where it could be."""
Severity = Literal["fatal", "error", "warning", "information"]
SEVERITIES: tuple[Severity, ...] = ("fatal", "error", "warning", "information")
LAYERS = ("json", "structure", "invariants", "terminology", "references", "profiles", "meaning")
LIMIT = 1000
"""So many findings of one rule in one file are kept; those beyond are counted."""
TOTAL = 50_000
"""So many findings are kept in all."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The line of the input that a finding is about, cut to a readable length, and where in it the thing stands.

    `start` and `width` are in characters of `text`.
    """

    text: str
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, where it is, and what would mend it.

    `rule` is an invariant's key (`obs-6`) or `layer.name` (`structure.unknown-element`); `location` is a FHIRPath
    (`Observation.component[0].code`), `pointer` a JSON pointer into the resource (`/component/0/code`), `value` the
    offending JSON value, shortened. Where bytes were read, `line` and `column` (characters) count from 1, `offset`
    (bytes) from 0, all from the start of the file, and `excerpt` is what stands there.
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
    column: int | None = None
    offset: int | None = None
    excerpt: Excerpt | None = None


def _none_found() -> dict[str, int]:
    return dict.fromkeys(SEVERITIES, 0)


@dataclass(slots=True)
class Report:
    """The findings, how many of each severity, and which layers ran.

    `layers` maps a layer's name to "ran" or "skipped: why"; `unchecked` counts codes by system (or value set) whose
    contents are not known, so nobody takes silence for a yes. Of one rule in one file `limit` findings are kept (None:
    all); `counts` has them all, `left_out` by rule those that were counted and not kept. `accepts` gives the number of
    the baseline's entry that a finding matches: it does not count then, `accepted` counts it for that entry.
    `must_support` tells for the profiles that were followed which of their mustSupport elements are given.
    """

    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=_none_found)
    layers: dict[str, str] = field(default_factory=dict)
    resources: int = 0
    unchecked: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    limit: int | None = LIMIT
    accepts: Callable[[Finding], int | None] | None = None
    accepted: dict[int, int] = field(default_factory=dict)
    must_support: MustSupport = field(default_factory=dict)
    _file: str | None = None
    _kept: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True when nothing fatal and no error was found."""
        return not (self.counts["fatal"] or self.counts["error"])

    def add(self, finding: Finding) -> None:
        """Count `finding`, and keep it while there is room."""
        entry = self.accepts(finding) if self.accepts is not None else None
        if entry is not None:
            self.accepted[entry] = self.accepted.get(entry, 0) + 1
            return
        self.counts[finding.severity] += 1
        self._keep(finding)

    def leave_out(self, severity: Severity, rule: str, count: int) -> None:
        """Count `count` findings that nobody made."""
        self.counts[severity] += count
        self.left_out[rule] = self.left_out.get(rule, 0) + count

    def merge(self, other: "Report") -> None:
        """Add all that `other` has."""
        for finding in other.findings:
            self._keep(finding)
        for name, count in other.counts.items():
            self.counts[name] += count
        _sum(self.left_out, other.left_out)
        _sum(self.unchecked, other.unchecked)
        _sum(self.accepted, other.accepted)
        for profile, elements in other.must_support.items():
            mine = self.must_support.setdefault(profile, {})
            for path, (given, possible) in elements.items():
                before = mine.get(path, (0, 0))
                mine[path] = (before[0] + given, before[1] + possible)
        self.resources += other.resources
        for name, state in other.layers.items():
            if self.layers.get(name, "ran") == "ran":
                self.layers[name] = state

    def _keep(self, finding: Finding) -> None:
        if finding.file != self._file:
            self._file = finding.file
            self._kept.clear()
        kept = self._kept.get(finding.rule, 0)
        if self.limit is not None and (kept >= self.limit or len(self.findings) >= TOTAL):
            self.left_out[finding.rule] = self.left_out.get(finding.rule, 0) + 1
            return
        self._kept[finding.rule] = kept + 1
        self.findings.append(finding)


def _sum(into: dict[Key, int], more: dict[Key, int]) -> None:
    for name, count in more.items():
        into[name] = into.get(name, 0) + count
