"""What has to be sent so that the server holds a case: the result of reading before writing."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Protocol

from casefhir.delivery.cases import CASE_SYSTEM, WRITTEN_BY_SYSTEM, Case, Entry
from casefhir.delivery.compare import Difference
from casefhir.delivery.receipt import Action
from casefhir.delivery.server import Answered, Capabilities, Server
from casefhir.delivery.shapes import Json

WRITTEN_BY = f"{WRITTEN_BY_SYSTEM}|casefhir"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the transaction to send.

    `entry` is None for a removal, `name` is `Type/id` on the server if known.
    """

    action: Action
    request: Json
    entry: Entry | None
    name: str | None
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """An entry that the server already holds as meant."""

    entry: Entry
    name: str
    version: str | None


@dataclass(slots=True)
class Plan:
    """`steps` to send in one transaction; `last` when nothing will be left to do after them."""

    steps: list[Step] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    last: bool = True


class Strategy(Protocol):
    """A way to bring a case onto a server; one object per case, so it may remember the server's ids."""

    async def plan(self) -> Plan:
        """Read the server and say what is to be sent."""

    def settle(self, plan: Plan, answers: list[Answered]) -> None:
        """Take note of what the server made of the plan; may clear `plan.last`."""

    def expected(self) -> list[tuple[Entry, str, Json]]:
        """(entry, `Type/id` on the server, the resource as the server must hold it), once all is sent."""


def token(system: str, code: str) -> str:
    """`system|code` for a search; what would be read as search syntax in the code is escaped (R4, 3.1.1.3)."""
    return f"{system}|" + "".join("\\" + char if char in "\\,|$" else char for char in code)


@cache
def written_types() -> tuple[str, ...]:
    """The types that casefhir writes, in the order in which they can be removed (referrers first)."""
    text = resources.files("casefhir.delivery").joinpath("written_types.txt").read_text("utf-8")
    return tuple(line for line in text.split() if line)


def searchable(kinds: Iterable[str], capabilities: Capabilities) -> list[str]:
    """`kinds`, in removal order, as far as the server knows them."""
    order = {kind: number for number, kind in enumerate(written_types())}
    known = [kind for kind in set(kinds) if not capabilities.types or kind in capabilities.types]
    return sorted(known, key=lambda kind: (order.get(kind, -1), kind))


async def of_case(server: Server, kinds: Iterable[str], key: str) -> AsyncIterator[Json]:
    """Everything of these types that casefhir wrote for the case `key`."""
    for kind in kinds:
        query = (("_tag", token(CASE_SYSTEM, key)), ("_tag", WRITTEN_BY))
        async for resource in server.search(kind, query):
            yield resource


async def surplus(server: Server, capabilities: Capabilities, case: Case, keep: set[str]) -> list[Step]:
    """Removals of what the server holds of the case beyond the `Type/id` names in `keep`."""
    kinds = searchable({*written_types(), *(entry.type for entry in case.entries)}, capabilities)
    steps = []
    async for resource in of_case(server, kinds, case.key):
        name = f"{resource['resourceType']}/{resource['id']}"
        if name not in keep:
            steps.append(Step("deleted", {"request": {"method": "DELETE", "url": name}}, None, name))
    return steps
