"""A terminology server, asked for what is not known here: `$validate-code`, remembered, bounded, and never guessed.

A server that says no may only say that it does not know the code system. What it says is believed when it tells the
two apart; else the code stays unchecked. Sent are code, system, value set and, where the server's display differs,
the display; nothing else of the resource.
"""

import json
import re
import time
from dataclasses import dataclass
from typing import Any

from casefhir.errors import CasefhirError

_KEPT = 50_000
_LONGEST = 1_000
_MOST_BYTES = 1 << 20
_ATTEMPTS = 2
_FAILURES = 3
_WAIT = 5.0
_NOT_KNOWN = re.compile(
    r"(?:code ?system|value ?set).{0,400}(?:unknown|not (?:be )?(?:found|known|available))"
    r"|unknown (?:code ?system|or unusable)|unable to (?:provide )?(?:validat|find|resolve|expand)",
    re.IGNORECASE,
)


class NoTerminologyServer(CasefhirError):
    """A URL that is no FHIR server's."""


class _Failed(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says of a code: is it right, its own words, and what it calls the code."""

    right: bool
    message: str = ""
    display: str | None = None


class TerminologyServer:
    """Asks the server at `base` (`https://host/fhir`); `timeout` is seconds for one question, all told.

    `trouble` says why a question had no answer; after three such questions in a row no more are asked (`given_up`).
    Raises `NoTerminologyServer` for a URL that is none.
    """

    def __init__(self, base: str, *, timeout: float = 10.0) -> None:
        import httpx

        try:
            url = httpx.URL(base.rstrip("/"))
        except (httpx.InvalidURL, ValueError) as error:
            raise NoTerminologyServer(f"{base!r} is not a URL ({error}); give https://host/fhir.") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise NoTerminologyServer(f"{base!r} is not a server's URL; give https://host/fhir.")
        self.name = str(url.copy_with(userinfo=b""))
        self.trouble: str | None = None
        self.given_up = False
        self._base = str(url)
        self._timeout = timeout
        headers = {"Accept": "application/fhir+json", "User-Agent": "casefhir"}
        self._client = httpx.Client(headers=headers, timeout=timeout)
        self._known: dict[tuple[str, ...], Answer | None] = {}
        self._unanswered = 0

    def code(self, system: str, code: str, display: str | None = None) -> Answer | None:
        """What the server says of `code` in `system`; None where it does not know. `display` is compared too: an
        answer with a `message` that is right all the same is about the display.
        """
        answer = self._ask("CodeSystem", {"url": system, "code": code})
        if answer is None or not answer.right or display is None or _plain(display) == _plain(answer.display or ""):
            return answer and Answer(answer.right, "" if answer.right else answer.message, answer.display)
        named = self._ask("CodeSystem", {"url": system, "code": code, "display": display})
        if named is None or (named.right and "display" not in named.message.lower()):
            return Answer(True, "", answer.display)
        return Answer(True, named.message or "The display is not one of the code's.", answer.display)

    def member(self, value_set: str, system: str, code: str) -> bool | None:
        """Is `code` of `system` in `value_set`; None where the server does not know."""
        answer = self._ask("ValueSet", {"url": value_set, "system": system, "code": code})
        return None if answer is None else answer.right

    def _ask(self, kind: str, asked: dict[str, str]) -> Answer | None:
        key = (kind, *asked.values())
        if key in self._known:
            return self._known[key]
        if self.given_up or any(len(each) > _LONGEST for each in asked.values()):
            return None
        try:
            answer = self._fetch(f"{self._base}/{kind}/$validate-code", asked)
        except _Failed as error:
            self.trouble = str(error)
            self._unanswered += 1
            self.given_up = self._unanswered >= _FAILURES
            return None
        self._unanswered = 0
        if len(self._known) >= _KEPT:
            del self._known[next(iter(self._known))]
        self._known[key] = answer
        return answer

    def _fetch(self, url: str, asked: dict[str, str]) -> Answer | None:
        import httpx

        for attempt in range(_ATTEMPTS):
            last = attempt == _ATTEMPTS - 1
            try:
                status, data, wait = self._get(url, asked)
            except httpx.TimeoutException as error:
                raise _Failed(f"no answer within {self._timeout:g} s") from error
            except httpx.HTTPError as error:
                if last:
                    raise _Failed(str(error) or type(error).__name__) from error
                continue
            if status in (401, 403):
                self._unanswered = _FAILURES  # it will not let us in the next time either
                raise _Failed(f"it answers {status}: access is refused")
            if status < 300:
                return _read(data)
            if status < 400:
                raise _Failed(f"it answers {status}, a redirect; give the URL it leads to")
            if status < 500 and status != 429:
                return None  # a system, value set or operation that it does not have
            if last:
                raise _Failed(f"it answers {status}")
            time.sleep(min(wait, _WAIT))
        raise AssertionError("unreachable")

    def _get(self, url: str, asked: dict[str, str]) -> tuple[int, bytes, float]:
        import httpx

        until = time.monotonic() + self._timeout
        with self._client.stream("GET", url, params=asked) as response:
            found = bytearray()
            for part in response.iter_bytes():
                found += part
                if len(found) > _MOST_BYTES:
                    raise httpx.DecodingError(f"it answers with more than {_MOST_BYTES} bytes")
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("slow")
            after = response.headers.get("Retry-After", "")
            return response.status_code, bytes(found), float(after) if after.isdecimal() else 0.5


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _read(data: bytes) -> Answer | None:
    """The answer in a Parameters resource; None when it says that the server does not know."""
    try:
        parameters = json.loads(data)["parameter"]
        found: dict[str, Any] = {
            each["name"]: value for each in parameters for key, value in each.items() if key != "name"
        }
        right = found["result"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _Failed("its answer is no Parameters resource with a result") from error
    message = found.get("message")
    told = message if isinstance(message, str) else ""
    display = found.get("display")
    if right is True:
        return Answer(True, told[:_LONGEST], display if isinstance(display, str) else None)
    if right is not False or _unknown(found, told):
        return None
    return Answer(False, told[:_LONGEST])


def _unknown(found: dict[str, Any], message: str) -> bool:
    if "x-caused-by-unknown-system" in found or "x-unknown-system" in found:
        return True
    issues = found.get("issues")
    listed = issues.get("issue", ()) if isinstance(issues, dict) else ()
    if isinstance(listed, list) and any(isinstance(each, dict) and each.get("code") == "not-found" for each in listed):
        return True
    return not message or _NOT_KNOWN.search(message[:_LONGEST]) is not None
