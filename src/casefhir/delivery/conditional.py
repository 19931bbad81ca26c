"""The strategy for servers that refuse client ids: create by fact, then put the server's ids into what remains.

A resource is known on the server by its fact tag (`_tag=https://w3id.org/casefhir/fact|<key>`), for AdverseEvent and
Provenance cannot be searched by identifier in R4. New ones are POSTed with `ifNoneExist`, so that another writer or
a lost answer cannot double them. Servers rewrite `urn:uuid` references of a transaction, but not inside extensions
of primitives (`_effectiveDateTime`): there the first pass names the fact (a logical reference), and a second one
writes the server's id.
"""

import copy
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from casefhir.delivery.cases import FACT_SYSTEM, Case, Entry, fact_of, local_name, tag
from casefhir.delivery.compare import differences
from casefhir.delivery.errors import DeliveryError, UnfitInput
from casefhir.delivery.plan import Held, Plan, Step, of_case, searchable, surplus, token
from casefhir.delivery.server import Answered, Capabilities, Server
from casefhir.delivery.shapes import Json, version_of

_SPACE = uuid.UUID("1a9fd7a5-6c0b-5d0e-9d5a-2f3a3c1d7b60")


class Doubled(DeliveryError):
    """The server holds one fact twice."""


@dataclass(slots=True)
class Conditional:
    """POST with `ifNoneExist` by fact tag; `_placed` remembers `Type/our-id` -> `Type/server-id`."""

    server: Server
    capabilities: Capabilities
    case: Case
    prune: bool
    _placed: dict[str, str] = field(default_factory=dict)
    _facts: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Which `Type/our-id` stands for which fact."""
        self._facts = {entry.name: entry.fact for entry in self.case.entries}

    async def plan(self) -> Plan:
        """Find every fact on the server, compare, and say what to create, what to change and what still waits."""
        current = await self._current()
        plan = Plan()
        for entry in self.case.entries:
            name = self._placed.get(entry.name)
            body, waits = self._body(entry)
            # a reference by fact is to be replaced once its target has an id
            plan.last = plan.last and not waits
            if name is None:
                plan.steps.append(self._post(entry, body))
                continue
            theirs = current[entry.name]
            found = differences({**body, "id": theirs["id"]}, theirs, base=self.server.base)
            version = version_of(theirs)
            if found:
                plan.steps.append(self._put(entry, body, name, version, found))
            else:
                plan.held.append(Held(entry, name, version))
        if self.prune:
            plan.steps += await surplus(self.server, self.capabilities, self.case, set(self._placed.values()))
        return plan

    def settle(self, plan: Plan, answers: list[Answered]) -> None:
        """Note the ids that the server gave; a resource that was there already (200 to a POST) is compared next."""
        for step, answer in zip(plan.steps, answers, strict=True):
            if step.entry is None or step.name is not None:
                continue
            parts = (answer.location or "").partition("/_history/")[0].rstrip("/").split("/")
            if len(parts) >= 2:
                self._placed[step.entry.name] = "/".join(parts[-2:])
            if answer.status != 201 or len(parts) < 2:
                plan.last = False

    def expected(self) -> list[tuple[Entry, str, Json]]:
        """Every resource with the server's ids in it."""
        found = []
        for entry in self.case.entries:
            name = self._placed[entry.name]
            body, _ = self._body(entry)
            found.append((entry, name, {**body, "id": name.partition("/")[2]}))
        return found

    async def _current(self) -> dict[str, Json]:
        """`Type/our-id` -> what the server holds; ids known from an answer are read, the others searched by tag."""
        found: dict[str, Json] = {}
        held = await self.server.read_many(sorted(self._placed.values()))
        for ours, name in list(self._placed.items()):
            resource = held[name]
            if resource is None:
                del self._placed[ours]
            else:
                found[ours] = resource
        missing = {entry.fact: entry for entry in self.case.entries if entry.name not in self._placed}
        if not missing:
            return found
        kinds = searchable({entry.type for entry in missing.values()}, self.capabilities)
        async for resource in of_case(self.server, kinds, self.case.key):
            entry = missing.get(tag(resource, FACT_SYSTEM))
            if entry is None or entry.type != resource["resourceType"]:
                continue
            name = f"{resource['resourceType']}/{resource['id']}"
            other = self._placed.get(entry.name)
            if other is not None and other != name:
                raise Doubled(
                    f"The server holds fact {entry.fact!r} twice ({other} and {name}), so it cannot be said which is "
                    "meant; remove one of them there."
                )
            self._placed[entry.name] = name
            found[entry.name] = resource
        return found

    def _body(self, entry: Entry) -> tuple[Json, bool]:
        """The resource as it can be sent now, and whether a reference in it still waits for its target's id."""
        facts = self._facts
        waits = False

        def walk(value: Any, in_primitive: bool) -> None:
            nonlocal waits
            if isinstance(value, list):
                for item in value:
                    walk(item, in_primitive)
            elif isinstance(value, dict):
                target = value.get("reference")
                if isinstance(target, str) and local_name(target) in facts:
                    waits = _point(value, local_name(target) or "", in_primitive) or waits
                for key, item in value.items():
                    walk(item, in_primitive or key.startswith("_"))

        def _point(holder: Json, target: str, in_primitive: bool) -> bool:
            if target in self._placed:
                holder["reference"] = self._placed[target]
            elif in_primitive:
                del holder["reference"]
                holder["type"] = target.partition("/")[0]
                holder["identifier"] = {"system": FACT_SYSTEM, "value": facts[target]}
                return True
            else:
                holder["reference"] = _urn(target)
            return False

        body = copy.deepcopy(entry.resource)
        del body["id"]
        walk(body, False)
        return body, waits

    def _post(self, entry: Entry, body: Json) -> Step:
        query = f"_tag={quote(token(FACT_SYSTEM, entry.fact or ''), safe='')}"
        request = {"method": "POST", "url": entry.type, "ifNoneExist": query}
        return Step("created", {"fullUrl": _urn(entry.name), "resource": body, "request": request}, entry, None)

    def _put(self, entry: Entry, body: Json, name: str, version: str | None, found: Any) -> Step:
        request = {"method": "PUT", "url": name}
        if version and self.capabilities.versioned(entry.type):
            request["ifMatch"] = f'W/"{version}"'
        resource = {**body, "id": name.partition("/")[2]}
        full = {"fullUrl": f"{self.server.base}/{name}", "resource": resource, "request": request}
        return Step("updated", full, entry, name, found)


def check_facts(case: Case) -> None:
    """Raises `UnfitInput` when an entry cannot be found again by its fact tag."""
    for entry in case.entries:
        if tag(entry.resource, FACT_SYSTEM) is None or fact_of(entry.resource) is None:
            raise UnfitInput(
                f"{case.origin}: case {case.key!r}, {entry.name} has no fact tag ({FACT_SYSTEM}); the strategy "
                "'conditional' finds resources by it. Add the tag, or use the strategy 'put'."
            )


def _urn(name: str) -> str:
    """A UUID of the entry for this transaction only."""
    return f"urn:uuid:{uuid.uuid5(_SPACE, name)}"
