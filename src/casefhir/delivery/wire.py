"""HTTP to one origin: bounded, no redirects, patient, and with the token kept where it belongs."""

import asyncio
import base64
import logging
import random
import ssl
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import quote_plus, urlencode

import httpx

from casefhir import exactjson
from casefhir.delivery.errors import AuthError, NetworkError, Transient, UnfitSettings, UnsafeAnswer
from casefhir.delivery.retry import RETRIED, RetryPolicy, retry_after_seconds
from casefhir.delivery.secret import Secret, redact

FHIR_JSON = "application/fhir+json"
DEEPEST = 64
log = logging.getLogger("casefhir.delivery")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: status, lower-cased header names, body (at most the limit)."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON with exact decimals.

        Raises `UnsafeAnswer` when it is not JSON or nested too deep.
        """
        return bounded_json(self.body)


class Credentials(Protocol):
    """Something that gives the `Authorization` header."""

    async def header(self) -> str:
        """The value of the header for the next request."""

    async def renew(self) -> bool:
        """After a 401: get a new token; False when there is no other to be had."""


def bounded_json(body: bytes) -> Any:
    """`body` as JSON with exact decimals; raises `UnsafeAnswer` when unreadable or deeper than `DEEPEST`."""
    try:
        value = exactjson.read(body)
    except (exactjson.UnreadableJson, ValueError, RecursionError) as error:
        raise UnsafeAnswer(f"The server's answer is not readable JSON ({type(error).__name__}).") from None
    level, depth = [value] if isinstance(value, dict | list) else [], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise UnsafeAnswer(f"The server's answer is nested more than {DEEPEST} levels deep; it was dropped.")
        level = [
            part
            for here in level
            for part in (here.values() if isinstance(here, dict) else here)
            if isinstance(part, dict | list)
        ]
    return value


class Pace:
    """At most `per_second` requests a second, evenly; None for no limit."""

    def __init__(self, per_second: float | None) -> None:
        """Raises `UnfitSettings` for a rate that is not above zero."""
        if per_second is not None and per_second <= 0:
            raise UnfitSettings("The rate limit must be above 0 requests a second.")
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Wait until the next request may start."""
        now = time.monotonic()
        start = max(now, self._next)
        self._next = start + self._gap
        if start > now:
            await asyncio.sleep(start - now)


@dataclass(slots=True)
class Wire:
    """One server's origin.

    `timeout` bounds each read and write, `deadline` a whole request, `limit` bytes of an answer.
    """

    base: str
    client: httpx.AsyncClient
    credentials: Credentials | None
    pace: Pace
    retry: RetryPolicy
    rng: random.Random
    limit: int
    deadline: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    on_wait: Callable[[str, float], None] | None = None

    async def once(
        self, method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request (two after a 401, with a renewed token). `url` is relative to the base, or
        absolute within it.

        Raises `Transient` when no answer came or it asks for patience, `AuthError` for a 401 that stays,
        `UnsafeAnswer` for a redirect, a foreign URL or an answer beyond the limits.
        """
        target = self.within_base(url)
        reply = await self._exchange(method, target, body, headers)
        if reply.status == 401 and self.credentials is not None and await self.credentials.renew():
            reply = await self._exchange(method, target, body, headers)
        if reply.status == 401:
            raise AuthError(
                f"{self.base} did not accept the credentials (401); check the token or the client's registration."
                if self.credentials
                else f"{self.base} asks for credentials (401); give a token or a client registration."
            )
        return self._not_busy(reply)

    async def patiently(
        self, method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """`once`, again and again while it is `Transient`, within the policy.

        Only for requests that change nothing.
        """
        tried = 0
        while True:
            try:
                return await self.once(method, url, body=body, headers=headers)
            except Transient as trouble:
                tried += 1
                await self.wait(tried, trouble)

    async def wait(self, tried: int, trouble: Transient) -> None:
        """Sleep as the policy says after the `tried`-th failure.

        Raises `trouble` when patience is at its end.
        """
        seconds = self.retry.wait(tried, trouble.retry_after, self.rng)
        if seconds is None:
            raise trouble
        log.info("%s Waiting %.1f s (attempt %d of %d).", trouble, seconds, tried, self.retry.attempts)
        if self.on_wait:
            self.on_wait(str(trouble), seconds)
        await self.sleep(seconds)

    def within_base(self, url: str) -> httpx.URL:
        """`url` as an absolute URL under the base; raises `UnsafeAnswer` for any other origin or path."""
        if url == "" or url.startswith("?"):
            return _parsed(self.base + url)
        base = _parsed(self.base)
        whole = "://" in url or url.startswith("/")
        try:
            target = base.join(url if whole else f"{self.base}/{url}")
        except httpx.InvalidURL:
            raise UnsafeAnswer(f"{self.base} sent a link that is no URL; it was not followed.") from None
        same = (target.scheme, target.host, target.port) == (base.scheme, base.host, base.port)
        under = target.path == base.path or target.path.startswith(base.path.rstrip("/") + "/")
        if not same or not under or target.userinfo or "/../" in target.path + "/":
            raise UnsafeAnswer(
                f"{self.base} points to {target.scheme}://{target.host}{target.path}, outside of itself; "
                "that was not followed. If the server is behind a proxy, give the address it calls itself."
            )
        return target

    async def form(self, url: str, fields: Mapping[str, str], basic: tuple[str, str] | None) -> Reply:
        """POST a form to a token endpoint, which may be another origin than the base; no bearer token goes there.

        Raises like `once`; a 401 is the caller's to explain.
        """
        headers = httpx.Headers({"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"})
        if basic is not None:
            pair = ":".join(quote_plus(part) for part in basic)
            packed = Secret(base64.b64encode(pair.encode()).decode())
            headers["Authorization"] = f"Basic {packed.reveal()}"
        reply = await self._transfer("POST", httpx.URL(url), urlencode(fields).encode(), headers)
        return self._not_busy(reply)

    def _not_busy(self, reply: Reply) -> Reply:
        if reply.status not in RETRIED:
            return reply
        seconds = retry_after_seconds(reply.headers.get("retry-after"), datetime.now(UTC))
        raise Transient(f"{self.base} answered {reply.status}.", seconds, reply.status)

    async def _exchange(
        self, method: str, target: httpx.URL, body: bytes | None, headers: Mapping[str, str] | None
    ) -> Reply:
        # httpx.Headers hide the authorization in their repr: a traceback with local variables does not tell it
        sent = httpx.Headers({"Accept": FHIR_JSON, **(headers or {})})
        if body is not None:
            sent["Content-Type"] = f"{FHIR_JSON}; charset=utf-8"
        if self.credentials is not None:
            sent["Authorization"] = await self.credentials.header()
        return await self._transfer(method, target, body, sent)

    async def _transfer(self, method: str, target: httpx.URL, body: bytes | None, headers: httpx.Headers) -> Reply:
        await self.pace.turn()
        headers["Accept-Encoding"] = "gzip"
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self.deadline):
                reply = await self._bounded(method, target, body, headers)
        except TimeoutError:
            log.debug("%s %s: no whole answer after %.0f ms", method, target, _since(began))
            raise Transient(f"{target.host} did not answer within {self.deadline:g} s.") from None
        except (httpx.TransportError, ssl.SSLError) as error:
            # with TLS 1.3 a missing client certificate is told at the first read, where httpx lets it through as it is
            if (
                isinstance(error, ssl.SSLError)
                or isinstance(error.__cause__, ssl.SSLError)
                or "CERTIFICATE" in str(error)
            ):
                raise NetworkError(
                    f"{target.host}: TLS failed ({redact(str(error))}); give the server's CA with the ca setting."
                ) from None
            log.debug("%s %s: %s after %.0f ms", method, target, _why(error), _since(began))
            raise Transient(f"{target.host}: {_why(error)}.") from None
        log.debug(
            "%s %s (%d bytes): %d, %d bytes, %.0f ms",
            method,
            target,
            len(body or b""),
            reply.status,
            len(reply.body),
            _since(began),
        )
        return reply

    async def _bounded(self, method: str, target: httpx.URL, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        async with self.client.stream(method, target, content=body, headers=headers) as response:
            if response.is_redirect or 300 <= response.status_code < 400:
                where = redact(response.headers.get("location", "nowhere").partition("?")[0])[:200]
                raise UnsafeAnswer(
                    f"{self.base} redirects to {where}; redirects are not followed. "
                    "Give the final address as the server's URL if you trust it."
                )
            pieces, size = [], 0
            unpack = self._unpacker(response.headers.get("content-encoding", "identity"))
            async for packed in response.aiter_raw():
                piece = unpack(packed, self.limit + 1 - size)
                size += len(piece)
                if size > self.limit:
                    raise UnsafeAnswer(
                        f"{self.base} sent more than {self.limit / 2**20:g} MB in one answer; the rest was not read."
                    )
                pieces.append(piece)
            lower = {name.lower(): text for name, text in response.headers.items()}
            return Reply(response.status_code, lower, b"".join(pieces))

    def _unpacker(self, encoding: str) -> Callable[[bytes, int], bytes]:
        """Unpacks at most so many bytes of a piece: a few packed bytes must not become a few gigabytes."""
        if encoding == "identity":
            return lambda packed, _: packed
        if encoding != "gzip":
            raise UnsafeAnswer(f"{self.base} sent an answer packed in a way that was not asked for.")
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)

        def unpack(packed: bytes, most: int) -> bytes:
            try:
                return stream.decompress(packed, most)
            except zlib.error:
                raise UnsafeAnswer(f"{self.base} sent an answer that cannot be unpacked.") from None

        return unpack


@lru_cache(maxsize=16)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


def _since(began: float) -> float:
    """Milliseconds since `began`."""
    return (time.perf_counter() - began) * 1000


def _why(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ProxyError):
        return "the proxy refused"
    return f"the connection broke ({type(error).__name__})"
