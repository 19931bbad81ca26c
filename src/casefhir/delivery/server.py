"""A FHIR R4 server as delivery sees it: capability statement, transactions, reads and searches."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from casefhir import exactjson
from casefhir.delivery.errors import (
    AuthError,
    DeliveryError,
    ServerUnsuitable,
    Transient,
    UnsafeAnswer,
)
from casefhir.delivery.retry import RETRIED, retry_after_seconds
from casefhir.delivery.secret import redact
from casefhir.delivery.shapes import Json, obj, rows, word
from casefhir.delivery.wire import Reply, Wire

FRESH = {"Cache-Control": "no-cache"}
PAGE = 200
_LOOKED_AT = (
    "fhirVersion",
    "software",
    "rest.mode",
    "rest.interaction",
    "rest.resource.type",
    "rest.resource.updateCreate",
    "rest.resource.versioning",
)
MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the capability statement says, as far as delivery asks."""

    fhir_version: str
    software: str
    transaction: bool
    types: dict[str, Json]

    def update_create(self, kind: str) -> bool:
        """Whether a client may choose ids; only an explicit false counts as no."""
        return self.types.get(kind, {}).get("updateCreate") is not False

    def versioned(self, kind: str) -> bool:
        """Whether the server checks `If-Match` on this type."""
        return self.types.get(kind, {}).get("versioning") == "versioned-update"


@dataclass(frozen=True, slots=True)
class Answered:
    """One entry of a transaction or batch response."""

    status: int
    location: str | None
    etag: str | None
    resource: Json | None
    outcome: Any


class Rejected(DeliveryError):
    """The server said no to a whole request; `body` is its OperationOutcome if it sent one."""

    def __init__(self, status: int, body: Any) -> None:
        """`status` is the HTTP status."""
        super().__init__(f"The server answered {status}.")
        self.status = status
        self.body = body


class Server:
    """Reads are patient (retried within the policy); a transaction is sent once and never blindly again."""

    def __init__(self, wire: Wire) -> None:
        """`wire` knows the base URL. `batches` is whether the server takes many reads at once, as far as is known."""
        self.wire = wire
        self.base = wire.base
        self.batches = True

    async def capabilities(self) -> Capabilities:
        """The capability statement; raises `ServerUnsuitable` when it is none or not of FHIR R4 (4.0.x).

        Only what is looked at is asked for: whole it can be megabytes, made anew for each who asks. A server that
        cannot give a part, or leaves out too much, is asked for all of it.
        """
        reply = await self.wire.patiently("GET", f"metadata?_elements={','.join(_LOOKED_AT)}")
        if reply.status != 403 and not _tells_enough(reply):
            reply = await self.wire.patiently("GET", "metadata")
        if reply.status == 403:
            raise AuthError(f"{self.base} does not allow these credentials to read its capability statement (403).")
        if reply.status != 200:
            raise ServerUnsuitable(
                f"{self.base}/metadata answered {reply.status}; is this the base address of a FHIR server?"
            )
        body = reply.json()
        if not isinstance(body, dict) or body.get("resourceType") != "CapabilityStatement":
            raise ServerUnsuitable(f"{self.base}/metadata is not a FHIR CapabilityStatement.")
        version = str(body.get("fhirVersion", "unknown"))
        if not version.startswith("4.0."):
            raise ServerUnsuitable(
                f"{self.base} speaks FHIR {redact(version)[:20]}; casefhir writes R4 (4.0.1). Give an R4 endpoint."
            )
        rest = _as_server(body)
        software = obj(body.get("software"))
        return Capabilities(
            version,
            redact(f"{software.get('name', 'unknown')} {software.get('version', '')}".strip())[:100],
            _transacts(rest),
            {row["type"]: row for row in rows(rest.get("resource")) if isinstance(row.get("type"), str)},
        )

    async def transaction(self, entries: Sequence[Json]) -> list[Answered]:
        """Send one transaction, once. Raises `Rejected` (rolled back), `Transient` (perhaps committed)."""
        body = exactjson.write({"resourceType": "Bundle", "type": "transaction", "entry": list(entries)})
        reply = await self.wire.once("POST", "", body=body, headers={"Prefer": "return=minimal"})
        if reply.status >= 300:
            raise Rejected(reply.status, body_of(reply))
        answers = self._answers(reply, "transaction-response", len(entries))
        for answer in answers:
            if answer.status in RETRIED:
                raise Transient(f"{self.base} answered {answer.status} for an entry of the transaction.")
            if not 200 <= answer.status < 300:
                raise Rejected(answer.status, answer.outcome)
        return answers

    async def read_many(self, names: Sequence[str]) -> dict[str, Json | None]:
        """The current resources of `Type/id` names, None where the server has none (404) or no more (410)."""
        found: dict[str, Json | None] = {}
        for start in range(0, len(names), PAGE):
            part = names[start : start + PAGE]
            found.update(await self._read_part(part))
        return found

    async def _read_part(self, names: Sequence[str]) -> dict[str, Json | None]:
        if not self.batches or len(names) == 1:
            return {name: await self.read(name) for name in names}
        waiting, found, tried = list(names), dict[str, Json | None](), 0
        while True:
            reads = [{"request": {"method": "GET", "url": name}} for name in waiting]
            body = exactjson.write({"resourceType": "Bundle", "type": "batch", "entry": reads})
            reply = await self.wire.patiently("POST", "?_summary=false", body=body, headers=FRESH)
            if reply.status in (400, 404, 405, 422, 501):
                self.batches = False  # a server without batch: one by one from now on
                return {**found, **{name: await self.read(name) for name in waiting}}
            if reply.status >= 300:
                raise Rejected(reply.status, body_of(reply))
            again: list[str] = []
            for name, answer in zip(waiting, self._answers(reply, "batch-response", len(waiting)), strict=True):
                if answer.status in RETRIED:
                    again.append(name)
                else:
                    found[name] = _present(name, answer.status, answer.resource, answer.outcome)
            if not again:
                return found
            tried += 1
            patience = retry_after_seconds(reply.headers.get("retry-after"), datetime.now(UTC))
            said = f"{self.base} asked for patience with {len(again)} of {len(waiting)} reads in one batch."
            await self.wire.wait(tried, Transient(said, patience))
            waiting = again

    async def read(self, name: str) -> Json | None:
        """One resource, or None for 404 and 410."""
        reply = await self.wire.patiently("GET", f"{name}?_summary=false", headers=FRESH)
        body = body_of(reply)
        return _present(name, reply.status, body if isinstance(body, dict) else None, body)

    async def search(self, kind: str, query: Iterable[tuple[str, str]]) -> AsyncIterator[Json]:
        """Every match of a search, page by page; `next` links are followed within the base only."""
        url = f"{kind}?{urlencode([*query, ('_count', str(PAGE))], quote_via=quote)}"
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            reply = await self.wire.patiently("GET", url, headers=FRESH)
            body = body_of(reply)
            if reply.status != 200:
                raise Rejected(reply.status, body)
            if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
                raise UnsafeAnswer(f"{self.base} answered the search for {kind} with something that is no Bundle.")
            for row in rows(body.get("entry")):
                if obj(row.get("search")).get("mode", "match") != "match":
                    continue
                resource = obj(row.get("resource"))
                if resource.get("resourceType") != kind or not word(resource.get("id")):
                    raise UnsafeAnswer(f"{self.base} answered the search for {kind} with something else.")
                yield resource
            links = [link for link in rows(body.get("link")) if link.get("relation") == "next"]
            following = word(links[0].get("url")) if links else None
            if not following:
                return
            if following in seen:
                raise UnsafeAnswer(f"{self.base} sends the same next page again and again; the search was stopped.")
            seen.add(following)
            url = following
        raise UnsafeAnswer(f"{self.base} sent more than {MOST_PAGES} pages for one search; it was stopped.")

    def _answers(self, reply: Reply, kind: str, expected: int) -> list[Answered]:
        body = reply.json()
        found = rows(body.get("entry")) if isinstance(body, dict) and body.get("type") == kind else []
        if len(found) != expected:
            # after a transaction: perhaps committed, so it counts as a lost answer and is read back
            raise Transient(f"{self.base} answered with something other than a {kind} of {expected} entries.")
        return [_answered(row) for row in found]


def body_of(reply: Reply) -> Any:
    """The JSON of a reply, or None when it is not JSON (an HTML error page)."""
    try:
        return reply.json()
    except UnsafeAnswer:
        if 200 <= reply.status < 300:
            raise
        return None


def _as_server(statement: Any) -> Json:
    """What a capability statement says of the server, not of a client."""
    return next((row for row in rows(obj(statement).get("rest")) if row.get("mode") == "server"), {})


def _transacts(rest: Json) -> bool:
    return any(row.get("code") == "transaction" for row in rows(rest.get("interaction")))


def _tells_enough(reply: Reply) -> bool:
    body = body_of(reply) if reply.status == 200 else None
    rest = _as_server(body)
    return "fhirVersion" in obj(body) and _transacts(rest) and "resource" in rest


def _answered(row: Any) -> Answered:
    response = row.get("response") if isinstance(row, dict) else None
    if not isinstance(response, dict):
        raise Transient("The server's answer lacks the response of an entry.")
    digits = str(response.get("status", ""))[:3]
    resource = row.get("resource")
    return Answered(
        int(digits) if digits.isdigit() else 0,
        word(response.get("location")),
        word(response.get("etag")),
        resource if isinstance(resource, dict) else None,
        response.get("outcome"),
    )


def _present(name: str, status: int, resource: Json | None, outcome: Any) -> Json | None:
    if status in (404, 410):
        return None
    if status != 200 or resource is None:
        raise Rejected(status, outcome)
    if f"{resource.get('resourceType')}/{resource.get('id')}" != name:
        raise UnsafeAnswer(f"The server was asked for {name} and sent another resource.")
    return resource
