"""Bring a case back from a server, as a bundle."""

from collections.abc import AsyncIterator
from typing import Any

from casefhir.delivery.connect import connected
from casefhir.delivery.engine import settings_of, waited
from casefhir.delivery.errors import UnfitInput
from casefhir.delivery.manners import mannered
from casefhir.delivery.plan import of_case, searchable, written_types
from casefhir.delivery.server import Capabilities, Server
from casefhir.delivery.settings import Settings
from casefhir.delivery.shapes import Json, obj


async def pull_async(case: str, source: str | Settings, **changes: Any) -> Json:
    """The case with this key as a `collection` Bundle: all that casefhir wrote of it, found by tag, page by page.

    Resources come by type and id, without the server's own `meta` (version, time, source); `fullUrl` is the server's
    address of each. Raises `UnfitInput` when the server holds nothing of the case, `NetworkError` as an upload does.
    """
    settings = mannered(settings_of(source, changes))
    async with connected(settings) as server:
        capabilities = await server.capabilities()
        found = [resource async for resource in everything_of(server, capabilities, case)]
    if not found:
        raise UnfitInput(f"{settings.base} holds nothing that casefhir wrote of case {case!r}.")
    found.sort(key=lambda resource: (resource["resourceType"], resource["id"]))
    entries = [
        {
            "fullUrl": f"{settings.base}/{resource['resourceType']}/{resource['id']}",
            "resource": without_server_meta(resource),
        }
        for resource in found
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def pull(case: str, source: str | Settings, **changes: Any) -> Json:
    """`pull_async`, waited for."""
    return waited(pull_async(case, source, **changes))


async def everything_of(server: Server, capabilities: Capabilities, case: str) -> AsyncIterator[Json]:
    """Every resource of the case that casefhir wrote, of any type that it writes and the server knows."""
    async for resource in of_case(server, searchable(written_types(), capabilities), case):
        yield resource


def without_server_meta(resource: Json) -> Json:
    """The resource without `meta.versionId`, `lastUpdated` and `source`."""
    meta = {
        key: value
        for key, value in obj(resource.get("meta")).items()
        if key not in ("versionId", "lastUpdated", "source")
    }
    return {key: (meta if key == "meta" else value) for key, value in resource.items()}
