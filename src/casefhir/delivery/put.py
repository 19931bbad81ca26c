"""The default strategy: our ids, one PUT per new or changed resource."""

from dataclasses import dataclass

import orjson

from casefhir.delivery.cases import Case, Entry
from casefhir.delivery.compare import differences
from casefhir.delivery.errors import ServerUnsuitable
from casefhir.delivery.plan import Held, Plan, Step, surplus
from casefhir.delivery.server import Answered, Capabilities, Server
from casefhir.delivery.shapes import Json, version_of


@dataclass(slots=True)
class Put:
    """PUT `Type/id` with client ids; the same upload from anywhere can only meet the same resources."""

    server: Server
    capabilities: Capabilities
    case: Case
    prune: bool
    anchored: bool | None = None

    async def plan(self) -> Plan:
        """Compare every entry with the server's; a case whose anchor is not there is new as a whole."""
        names = [entry.name for entry in self.case.entries]
        current = await self._current(names)
        plan = Plan()
        for entry in self.case.entries:
            theirs = current.get(entry.name)
            if theirs is None:
                plan.steps.append(self._put(entry, None))
                continue
            found = differences(entry.resource, theirs, base=self.server.base)
            if found:
                plan.steps.append(Step("updated", self._put(entry, theirs).request, entry, entry.name, found))
            else:
                plan.held.append(Held(entry, entry.name, version_of(theirs)))
        if self.prune:
            plan.steps += await surplus(self.server, self.capabilities, self.case, set(names))
        return plan

    def settle(self, plan: Plan, answers: list[Answered]) -> None:
        """Ids are ours: nothing to note."""

    def expected(self) -> list[tuple[Entry, str, Json]]:
        """What was sent is what must be there."""
        return [(entry, entry.name, entry.resource) for entry in self.case.entries]

    async def _current(self, names: list[str]) -> dict[str, Json | None]:
        """What the server holds of the case; of a new one nothing, and nothing more is read.

        Whether it is new may have been looked up already; that is believed once, not after a lost answer.
        """
        anchored, self.anchored = self.anchored, None
        if anchored is False:
            return {}
        if anchored is True:
            return await self.server.read_many(names)
        first = anchor(self.case).name
        current = await self.server.read_many([first])
        if current[first] is not None:
            current.update(await self.server.read_many([name for name in names if name != first]))
        return current

    def _put(self, entry: Entry, theirs: Json | None) -> Step:
        request = {"method": "PUT", "url": entry.name}
        version = version_of(theirs or {})
        if version and self.capabilities.versioned(entry.type):
            # what was compared must still be there: a change made meanwhile is read first, not overwritten
            request["ifMatch"] = f'W/"{version}"'
        # an absolute fullUrl, so that relative references inside the transaction resolve to this entry
        full = {
            "fullUrl": f"{self.server.base}/{entry.name}",
            "resource": orjson.Fragment(entry.body),
            "request": request,
        }
        return Step("updated" if theirs else "created", full, entry, entry.name)


def anchor(case: Case) -> Entry:
    """The Patient, which the other resources refer to; else the first entry."""
    return next((entry for entry in case.entries if entry.type == "Patient"), case.entries[0])


def check_client_ids(case: Case, capabilities: Capabilities) -> None:
    """Raises `ServerUnsuitable` when the server says that it does not take a type's ids from clients."""
    for entry in case.entries:
        if not capabilities.update_create(entry.type):
            raise ServerUnsuitable(
                f"{case.origin}: case {case.key!r} was not sent: the server takes no client ids for {entry.type} "
                "(updateCreate is false); use the strategy 'conditional'."
            )
