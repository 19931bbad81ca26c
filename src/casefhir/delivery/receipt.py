"""What an upload did: counts, refusals and the server's ids, as plain data."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from casefhir.delivery.compare import Difference
from casefhir.delivery.outcome import Issue

Action = Literal["created", "updated", "unchanged", "deleted"]
State = Literal["done", "planned", "refused", "failed", "mismatch", "skipped"]
TROUBLED = ("refused", "failed", "mismatch")
KEPT = 200
KEPT_TROUBLED = 5000


@dataclass(frozen=True, slots=True)
class ResourceReceipt:
    """One resource: our `Type/id`, what happened, and the server's `Type/id` and version where told."""

    resource: str
    fact: str | None
    action: Action
    server: str
    version: str | None = None
    differences: tuple[Difference, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "resource": self.resource,
            "fact": self.fact,
            "action": self.action,
            "server": self.server,
            "version": self.version,
            "differences": [asdict(one) for one in self.differences],
        }


@dataclass(frozen=True, slots=True)
class CaseReceipt:
    """One case.

    `state`: done; planned (a dry run); refused (nothing of it is on the server because of this upload);
    failed (the
    server gave no clear answer: the outbox keeps it for a resume); mismatch (written, but read back
    differently);
    skipped (an earlier run of the outbox had confirmed the same content).
    """

    case: str
    origin: str
    state: State
    resources: tuple[ResourceReceipt, ...] = ()
    entries: int = 0
    problem: str | None = None
    issues: tuple[Issue, ...] = ()
    attempts: int = 0
    verified: bool | None = None
    mismatches: tuple[tuple[str, tuple[Difference, ...]], ...] = ()

    def count(self, action: Action) -> int:
        """How many resources of the case were `action`."""
        return sum(resource.action == action for resource in self.resources)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "case": self.case,
            "origin": self.origin,
            "state": self.state,
            "resources": [resource.as_json() for resource in self.resources],
            "entries": self.entries,
            "problem": self.problem,
            "issues": [asdict(issue) for issue in self.issues],
            "attempts": self.attempts,
            "verified": self.verified,
            "mismatches": [[name, [asdict(one) for one in found]] for name, found in self.mismatches],
        }


@dataclass(slots=True)
class UploadReceipt:
    """The whole upload. Resources are counted, cases too.

    `cases` keeps the first 200, and what went wrong with later ones up to 5000; the outbox keeps all.
    """

    server: str
    software: str
    fhir_version: str
    strategy: str
    dry_run: bool = False
    started: str = ""
    finished: str = ""
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    refused: int = 0
    by_state: dict[str, int] = field(default_factory=dict)
    cases: list[CaseReceipt] = field(default_factory=list)
    cases_left_out: int = 0

    def add(self, case: CaseReceipt) -> None:
        """Count one case in."""
        self.created += case.count("created")
        self.updated += case.count("updated")
        self.unchanged += case.count("unchanged")
        self.deleted += case.count("deleted")
        if case.state in ("refused", "failed"):
            self.refused += case.entries
        self.by_state[case.state] = self.by_state.get(case.state, 0) + 1
        if len(self.cases) < (KEPT_TROUBLED if case.state in TROUBLED else KEPT):
            self.cases.append(case)
        else:
            self.cases_left_out += 1

    @property
    def ok(self) -> bool:
        """Whether every case is on the server as meant."""
        return not any(self.by_state.get(state) for state in TROUBLED)

    @property
    def exit_code(self) -> int:
        """0, or 3 when anything was refused, failed or read back differently."""
        return 0 if self.ok else 3

    def troubled(self) -> Iterable[CaseReceipt]:
        """The cases that are not on the server as meant (of thousands the first; `by_state` counts all)."""
        return [case for case in self.cases if case.state in TROUBLED]

    def as_json(self) -> dict[str, Any]:
        """The receipt as plain JSON."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**plain, "cases": [case.as_json() for case in self.cases]}
