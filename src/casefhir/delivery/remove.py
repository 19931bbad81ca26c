"""Take back what casefhir wrote, case by case, in an order in which nothing that stays is left pointing to it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from casefhir.delivery.cases import CASE_SYSTEM, tag
from casefhir.delivery.connect import connected
from casefhir.delivery.engine import check_server, settings_of, waited
from casefhir.delivery.errors import Transient
from casefhir.delivery.manners import mannered
from casefhir.delivery.outcome import worst_of
from casefhir.delivery.plan import WRITTEN_BY, searchable, token, written_types
from casefhir.delivery.server import Rejected, Server
from casefhir.delivery.settings import Settings
from casefhir.delivery.shapes import Json


@dataclass(slots=True)
class RemovalReceipt:
    """`removed` holds `Type/id` by case (of a dry run: what would be removed), `refused` the reason by case."""

    server: str
    dry_run: bool
    removed: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many resources were (or would be) removed."""
        return sum(len(names) for names in self.removed.values())

    @property
    def exit_code(self) -> int:
        """0, or 3 when the server refused to remove something."""
        return 3 if self.refused else 0


async def remove_async(
    source: str | Settings,
    *,
    case: str | None = None,
    on_progress: Callable[[str, int], None] | None = None,
    **changes: Any,
) -> RemovalReceipt:
    """Remove what carries casefhir's written-by tag: of one `case`, or of all. One transaction per case.

    `on_progress` is told each case and its number of resources. What others wrote is never touched, even with the
    same case tag. Raises as an upload does; a case that the server refuses to give up is in `refused`.
    """
    settings = mannered(settings_of(source, changes))
    receipt = RemovalReceipt(settings.base, settings.dry_run)
    async with connected(settings) as server:
        capabilities = await server.capabilities()
        check_server(server, capabilities)
        found: dict[str, list[str]] = {}
        query = [("_tag", WRITTEN_BY), *([("_tag", token(CASE_SYSTEM, case))] if case is not None else [])]
        for kind in searchable(written_types(), capabilities):
            async for resource in server.search(kind, [*query, ("_elements", "id,meta")]):
                found.setdefault(tag(resource, CASE_SYSTEM) or "", []).append(f"{kind}/{resource['id']}")
        for key, names in found.items():
            why = None if settings.dry_run else await _removed(server, names)
            if why is None:
                receipt.removed[key] = names
            else:
                receipt.refused[key] = why
            if on_progress:
                on_progress(key, len(names))
    return receipt


def remove(source: str | Settings, *, case: str | None = None, **changes: Any) -> RemovalReceipt:
    """`remove_async`, waited for."""
    return waited(remove_async(source, case=case, **changes))


async def _removed(server: Server, names: list[str]) -> str | None:
    """None when all are gone, else why the server kept them. Deleting twice is harmless: a lost answer is retried."""
    entries: list[Json] = [{"request": {"method": "DELETE", "url": name}} for name in names]
    tried = 0
    while True:
        try:
            await server.transaction(entries)
        except Transient as trouble:
            tried += 1
            await server.wire.wait(tried, trouble)
        except Rejected as error:
            return f"The server answered {error.status}: {worst_of(error.body)}"
        else:
            return None
