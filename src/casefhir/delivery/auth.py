"""Who we say we are: a bearer token, client credentials, or SMART Backend Services; the token kept and renewed."""

import asyncio
import ipaddress
import socket
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import jwt

from casefhir.delivery.errors import AuthError, Transient, UnfitSettings, UnsafeAnswer
from casefhir.delivery.secret import Secret, redact
from casefhir.delivery.wire import Reply, Wire, bounded_json

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EARLY = 30.0
LIFETIME = 240  # seconds; SMART Backend Services allows five minutes at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How to log in; give one of: `token`; `client_id` with `client_secret`; `client_id` with `private_key`.

    `private_key` is a PEM or a JWK (JSON). `token_url` is found by `.well-known/smart-configuration` when left out.
    """

    token: Secret | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    private_key: Secret | None = None
    key_id: str | None = None
    algorithm: Literal["RS384", "ES384"] = "RS384"
    token_url: str | None = None
    scope: str = "system/*.cruds"

    def __post_init__(self) -> None:
        """Raises `UnfitSettings` unless exactly one way to log in is given."""
        ways = [self.token is not None, self.client_secret is not None, self.private_key is not None]
        if sum(ways) != 1:
            raise UnfitSettings("Give one of token, client_secret and private_key to log in, not none or several.")
        if self.token and not (self.token.reveal().isascii() and self.token.reveal().isprintable()):
            raise UnfitSettings("The token holds a character that no header can carry; is it whole, on one line?")
        if self.token is None and not self.client_id:
            raise UnfitSettings("client_secret and private_key need a client_id.")
        if self.algorithm not in ("RS384", "ES384"):
            raise UnfitSettings(f"algorithm is {self.algorithm!r}; SMART Backend Services knows RS384 and ES384.")


class FixedToken:
    """A bearer token that was given to us; there is no other to be had after a 401."""

    def __init__(self, token: Secret) -> None:
        """`token` as the server expects it after `Bearer`."""
        self._token = token

    async def header(self) -> str:
        """`Bearer <token>`."""
        return f"Bearer {self._token.reveal()}"

    async def renew(self) -> bool:
        """False: it stays as it is."""
        return False


@dataclass(slots=True)
class TokenEndpoint:
    """Tokens from an OAuth 2.0 token endpoint, by client secret or signed assertion; renewed before they expire."""

    auth: Auth
    base: str
    wire: Wire
    _token: Secret | None = None
    _until: float = 0.0
    _url: str | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def header(self) -> str:
        """`Bearer <token>` with a token that is good for some time yet."""
        async with self._lock:
            if self._token is None or time.monotonic() > self._until:
                self._token = await self._fetched()
            return f"Bearer {self._token.reveal()}"

    async def renew(self) -> bool:
        """A new token after a 401; once for all requests that were refused with the same old one."""
        refused = self._token
        async with self._lock:
            if self._token is refused:
                self._token = await self._fetched()
        return True

    async def _fetched(self) -> Secret:
        if self._url is None:
            self._url = self.auth.token_url or await self._discovered()
            check_token_url(self._url, self.base)
        tried = 0
        while True:
            try:
                reply = await self.wire.form(self._url, *self._form(self._url))
                break
            except Transient as trouble:
                tried += 1
                await self.wire.wait(tried, trouble)
        return self._taken(reply)

    def _form(self, url: str) -> tuple[dict[str, str], tuple[str, str] | None]:
        """The form to post and the basic credentials beside it; a fresh assertion every time (its `jti` is used up)."""
        form = {"grant_type": "client_credentials", "scope": self.auth.scope}
        client = self.auth.client_id or ""
        if self.auth.client_secret:
            return form, (client, self.auth.client_secret.reveal())
        form["client_assertion_type"] = ASSERTION
        form["client_assertion"] = Secret(assertion(self.auth, url)).reveal()
        return form, None

    def _taken(self, reply: Reply) -> Secret:
        try:
            body: Any = bounded_json(reply.body)
        except UnsafeAnswer:
            body = None
        token = body.get("access_token") if isinstance(body, dict) else None
        if reply.status != 200 or not isinstance(token, str):
            told = body.get("error") if isinstance(body, dict) else None
            why = f": {redact(str(told))[:100]}" if told else ""
            raise AuthError(
                f"The token endpoint {self._url} gave no token ({reply.status}{why}); "
                "check the client_id, its key or secret, and the scope."
            )
        lifetime = body.get("expires_in")
        seconds = float(lifetime) if isinstance(lifetime, int | float | str) and str(lifetime).isdigit() else 300.0
        self._until = time.monotonic() + max(seconds - EARLY, seconds / 2)
        return Secret(token)

    async def _discovered(self) -> str:
        reply = await self.wire.patiently("GET", ".well-known/smart-configuration")
        body = reply.json() if reply.status == 200 else None
        url = body.get("token_endpoint") if isinstance(body, dict) else None
        if not isinstance(url, str):
            raise AuthError(
                f"{self.base}/.well-known/smart-configuration names no token_endpoint ({reply.status}); "
                "give the token_url."
            )
        return url


def assertion(auth: Auth, url: str) -> str:
    """The signed JWT of SMART Backend Services for the token endpoint `url`."""
    now = int(time.time())
    claims = {
        "iss": auth.client_id,
        "sub": auth.client_id,
        "aud": url,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": str(uuid.uuid4()),
    }
    headers = {"kid": auth.key_id} if auth.key_id else None
    text = auth.private_key.reveal() if auth.private_key else ""
    try:
        key: Any = jwt.PyJWK.from_json(text, auth.algorithm).key if text.lstrip().startswith("{") else text
        return jwt.encode(claims, key, algorithm=auth.algorithm, headers=headers)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        # the library's own message may quote the key
        raise UnfitSettings(f"private_key is no key for {auth.algorithm}; give a PEM or a JWK of that kind.") from None


def check_token_url(url: str, base: str) -> None:
    """Raises `UnsafeAnswer` for a token endpoint that credentials must not be sent to.

    It must be https, unless it is on the loopback as the FHIR server itself is; and a public server must not
    point us to an address inside the network (loopback, private, link-local).
    """
    found, server = httpx.URL(url), httpx.URL(base)
    inside = is_inside(found.host)
    if found.userinfo or found.scheme not in ("http", "https") or not found.host:
        raise UnsafeAnswer("The token endpoint is no https URL.")
    if found.scheme == "http" and not (is_loopback(found.host) and is_loopback(server.host)):
        raise UnsafeAnswer(f"The token endpoint {found.scheme}://{found.host} is not https; nothing was sent to it.")
    if inside and found.host != server.host and not is_inside(server.host):
        raise UnsafeAnswer(
            f"The server's token endpoint {found.host} is an address inside the network; nothing was sent to it."
        )


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_inside(host: str) -> bool:
    """Whether `host` is, or resolves to, an address that is not a public one."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        pass  # a name, not an address: resolved below
    try:
        found = {row[4][0] for row in socket.getaddrinfo(host, None)}
    except OSError:
        return False  # unknown here, perhaps known to the proxy; the connection will tell
    return any(not ipaddress.ip_address(str(address).partition("%")[0]).is_global for address in found)


def secret_file(path: Path) -> Secret:
    """The secret in a file, without the line end; raises `UnfitSettings` when it cannot be read."""
    try:
        return Secret(path.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError):
        raise UnfitSettings(f"{path}: the file with the secret cannot be read.") from None
