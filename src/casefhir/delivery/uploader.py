"""One case onto a server: read, compare, send, settle; again while somebody was in the way."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from casefhir.delivery.cases import Case, Entry
from casefhir.delivery.compare import Difference, differences
from casefhir.delivery.errors import Transient, UnfitInput
from casefhir.delivery.outcome import NO_OUTCOME, Index, issues_of
from casefhir.delivery.plan import Plan, Step, Strategy
from casefhir.delivery.receipt import Action, CaseReceipt, ResourceReceipt, State
from casefhir.delivery.server import Answered, Rejected, Server
from casefhir.delivery.settings import Settings

RACES = frozenset({409, 412})
log = logging.getLogger("casefhir.delivery")


@dataclass(slots=True)
class Upload:
    """The delivery of one case; `on_send` is called just before each transaction, `on_taken` after the last."""

    case: Case
    server: Server
    strategy: Strategy
    settings: Settings
    on_send: Callable[[], None]
    on_taken: Callable[[], None]
    attempts: int = 0
    _done: dict[str, ResourceReceipt] = field(default_factory=dict)
    _unsettled: dict[str, Action] = field(default_factory=dict)
    _sending: list[Step] = field(default_factory=list)

    async def run(self) -> CaseReceipt:
        """The receipt of the case; refusals come as a receipt too.

        Raises `NetworkError` (`Transient`, `AuthError`, `UnsafeAnswer`) when no clear answer was to be had.
        """
        try:
            if self.settings.dry_run:
                return self._foreseen(await self.strategy.plan())
            await self._until_held()
            return await self._verified() if self.settings.verify else self._receipt("done")
        except Rejected as error:
            return self._refusal(error)

    async def _until_held(self) -> None:
        """Plan and send until the server holds the case.

        What a lost answer did is seen by planning (reading) again.
        """
        lost = races = 0
        plan: Plan | None = None
        rounds = 4 + 2 * self.settings.retry.attempts  # the policy ends it first, unless the server never holds it
        for _ in range(rounds):
            if plan is None:
                plan = await self.strategy.plan()
                self._note_held(plan)
            log.debug("%s: %d to send, %d held as meant", self.case.key, len(plan.steps), len(plan.held))
            if not plan.steps:
                return
            self.attempts += 1
            self._sending = plan.steps
            self.on_send()
            try:
                answers = await self.server.transaction([step.request for step in plan.steps])
            except Transient as trouble:
                lost += 1
                await self.server.wire.wait(lost, trouble)
                if trouble.status != 429:  # 429 was not processed, for sure; anything else is perhaps committed
                    for step in plan.steps:
                        self._unsettled.setdefault(_ours(step), step.action)
                    plan = None
                continue
            except Rejected as error:
                if error.status >= 500:  # perhaps a gateway's own answer, after the server had committed
                    plan = await self._moved_by(plan, error)
                    continue
                races += 1
                if error.status not in RACES or races >= self.settings.retry.attempts:
                    raise
                said = f"{self.server.base} answered {error.status}: another writer may be at the same case."
                await self.server.wire.wait(races, Transient(said))
                plan = None
                continue
            self.strategy.settle(plan, answers)
            self._note_sent(plan, answers)
            self._sending, lost = [], 0
            if plan.last:
                self.on_taken()
                return
            plan = None
        raise Transient(f"{self.case.key}: after {rounds} rounds the server still does not hold the case as sent.")

    async def _moved_by(self, sent: Plan, error: Rejected) -> Plan:
        """What is left to do after an error that need not be the server's own; raises it when nothing was done."""
        for step in sent.steps:
            self._unsettled.setdefault(_ours(step), step.action)
        found = await self.strategy.plan()
        if len(found.steps) >= len(sent.steps):
            raise error
        self._note_held(found)
        return found

    def _note_held(self, plan: Plan) -> None:
        for held in plan.held:
            name = held.entry.name
            action = self._unsettled.pop(name, "unchanged")
            if name not in self._done:
                self._done[name] = ResourceReceipt(name, held.entry.fact, action, held.name, held.version)
        removed = {name for name, action in self._unsettled.items() if action == "deleted"}
        for name in removed - {_ours(step) for step in plan.steps}:
            self._unsettled.pop(name)
            self._done[name] = ResourceReceipt(name, None, "deleted", name)

    def _note_sent(self, plan: Plan, answers: list[Answered]) -> None:
        for step, answer in zip(plan.steps, answers, strict=True):
            server, version = _placed(answer)
            action: Action = "created" if step.action != "deleted" and answer.status == 201 else step.action
            ours = _ours(step)
            earlier = self._done.get(ours)
            if self._unsettled.pop(ours, None) == "created" or (earlier and earlier.action == "created"):
                action = "created"  # the second pass of a conditional upload finishes what the first created
            fact = step.entry.fact if step.entry else None
            self._done[ours] = ResourceReceipt(
                ours, fact, action, server or step.name or ours, version, step.differences
            )

    async def _verified(self) -> CaseReceipt:
        """Read every resource back and compare it with what was sent."""
        expected = self.strategy.expected()
        held = await self.server.read_many([name for _, name, _ in expected])
        mismatches = []
        for entry, name, resource in expected:
            theirs = held[name]
            if theirs is None:
                found = differences(resource, {})
            else:
                found = differences(resource, theirs, base=self.server.base)
            if found:
                mismatches.append((entry.name, found))
        return self._receipt("mismatch" if mismatches else "done", verified=not mismatches, mismatches=mismatches)

    def _foreseen(self, plan: Plan) -> CaseReceipt:
        self._note_held(plan)
        for step in plan.steps:
            fact = step.entry.fact if step.entry else None
            self._done[_ours(step)] = ResourceReceipt(
                _ours(step), fact, step.action, step.name or "", None, step.differences
            )
        return self._receipt("planned")

    def _receipt(
        self,
        state: State,
        *,
        verified: bool | None = None,
        mismatches: Sequence[tuple[str, tuple[Difference, ...]]] = (),
    ) -> CaseReceipt:
        return CaseReceipt(
            self.case.key,
            self.case.origin,
            state,
            tuple(self._done.values()),
            len(self.case.entries),
            problem=_said_of(self.case.key, mismatches),
            attempts=self.attempts,
            verified=verified,
            mismatches=tuple(mismatches),
        )

    def _refusal(self, error: Rejected) -> CaseReceipt:
        sent: list[Entry | None] = [step.entry for step in self._sending]
        issues = issues_of(error.body, sent, Index(self.case))
        why = next((str(issue) for issue in issues if issue.severity in ("fatal", "error")), NO_OUTCOME)
        if error.status == 413:
            why += "; the transaction is too large for this server: tell its limit by max_bytes or max_entries"
        return CaseReceipt(
            self.case.key,
            self.case.origin,
            "refused",
            entries=len(self.case.entries),
            problem=f"The server refused case {self.case.key!r} ({error.status}): {why}",
            issues=issues,
            attempts=self.attempts,
        )


def _said_of(key: str, mismatches: Sequence[tuple[str, tuple[Difference, ...]]]) -> str | None:
    if not mismatches:
        return None
    name, found = mismatches[0]
    return (
        f"Case {key!r} reads back differently in {len(mismatches)} of its resources; first {name}, {found[0]} "
        "(sent -> held)."
    )


def check_size(case: Case, settings: Settings) -> None:
    """Raises `UnfitInput` for a case that one transaction of the server cannot take."""
    if len(case.entries) > settings.max_entries:
        raise UnfitInput(
            f"{case.origin}: case {case.key!r} has {len(case.entries)} resources, over the limit of "
            f"{settings.max_entries} for one transaction; it cannot be split, for its parts refer "
            "to each other."
        )
    if case.size > settings.max_bytes:
        raise UnfitInput(
            f"{case.origin}: case {case.key!r} has {case.size} bytes, over the limit of "
            f"{settings.max_bytes} for one "
            "transaction; it cannot be split, for its parts refer to each other."
        )


def unfit_receipt(key: str, origin: str, error: UnfitInput, entries: int = 0) -> CaseReceipt:
    """The receipt of a case that was stopped before anything was sent."""
    return CaseReceipt(key, origin, "refused", entries=entries, problem=str(error))


def _ours(step: Step) -> str:
    return step.entry.name if step.entry else (step.name or "")


def _placed(answer: Answered) -> tuple[str | None, str | None]:
    """(`Type/id`, version) that the answer names; the location may be absolute, relative or absent."""
    version = (answer.etag or "").removeprefix("W/").strip('"') or None
    if not answer.location:
        return None, version
    path, _, told = answer.location.partition("/_history/")
    parts = path.rstrip("/").split("/")
    return ("/".join(parts[-2:]) if len(parts) >= 2 else None), told or version
