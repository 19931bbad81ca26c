"""From settings to a server that can be spoken to."""

import base64
import random
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.request import getproxies

import httpx

from casefhir.delivery.auth import FixedToken, TokenEndpoint, is_loopback
from casefhir.delivery.errors import UnfitSettings
from casefhir.delivery.secret import Secret, guard_logs
from casefhir.delivery.server import Server
from casefhir.delivery.settings import Settings
from casefhir.delivery.wire import Credentials, Pace, Wire


@asynccontextmanager
async def connected(settings: Settings, on_wait: Callable[[str, float], None] | None = None) -> AsyncIterator[Server]:
    """A `Server` over one pooled client.

    Closed at the end. Proxies from the settings, else the environment.
    """
    guard_logs()
    _hide_proxy_passwords(settings.proxy)
    client = httpx.AsyncClient(
        verify=tls(settings),
        follow_redirects=False,
        timeout=httpx.Timeout(settings.timeout),
        limits=httpx.Limits(max_connections=settings.jobs + 1, max_keepalive_connections=settings.jobs + 1),
        proxy=settings.proxy,
    )
    async with client:
        open_wire = Wire(
            base=settings.base,
            client=client,
            credentials=None,
            pace=Pace(settings.rate),
            retry=settings.retry,
            rng=random.Random(),
            limit=settings.answer_limit,
            deadline=settings.deadline,
            on_wait=on_wait,
        )
        yield Server(replace(open_wire, credentials=credentials(settings, open_wire)))


def credentials(settings: Settings, open_wire: Wire) -> Credentials | None:
    """What gives the `Authorization` header; a token endpoint is spoken to by `open_wire`, which has none."""
    auth = settings.auth
    if auth is None:
        return None
    if settings.base.startswith("http:") and not is_loopback(httpx.URL(settings.base).host):
        raise UnfitSettings(f"{settings.base} is not https; credentials are not sent to it in the open.")
    return FixedToken(auth.token) if auth.token else TokenEndpoint(auth, settings.base, open_wire)


def _hide_proxy_passwords(proxy: str | None) -> None:
    """The passwords of the proxy that is set and of those that the environment names, as such and as they are sent."""
    for url in (proxy, *getproxies().values()):
        try:
            found = httpx.URL(url or "")
        except httpx.InvalidURL:
            continue  # the client tells, if it is used
        if found.password:
            Secret(found.password)
            Secret(base64.b64encode(f"{found.username}:{found.password}".encode()).decode())


def tls(settings: Settings) -> ssl.SSLContext:
    """TLS with verification, always.

    With the given CA beside the system's, and a client certificate if given.
    """
    try:
        context = ssl.create_default_context()
        if settings.ca:
            context.load_verify_locations(settings.ca)
        if settings.client_certificate:
            # a key that needs a passphrase must fail, not ask on the terminal
            context.load_cert_chain(settings.client_certificate, settings.client_key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise UnfitSettings(f"The CA or client certificate cannot be used: {error}.") from None
    return context
