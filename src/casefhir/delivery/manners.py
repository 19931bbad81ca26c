"""How to behave on a public test server: only test data, said once, slowly."""

from dataclasses import replace
from functools import cache
from importlib import resources

import httpx

from casefhir.delivery.cases import Case
from casefhir.delivery.errors import UnfitInput, UnfitSettings
from casefhir.delivery.settings import Settings

FASTEST = 1.0  # requests a second at most


@cache
def public_hosts() -> frozenset[str]:
    """Host names of the public test servers that we know."""
    text = resources.files("casefhir.delivery").joinpath("public_servers.txt").read_text("utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def is_public(url: str) -> bool:
    """Whether the URL is of a known public test server."""
    return httpx.URL(url).host.lower().rstrip(".") in public_hosts()


def mannered(settings: Settings) -> Settings:
    """The settings, slowed down for a public test server; raises `UnfitSettings` when it was not agreed to."""
    if not is_public(settings.base):
        return settings
    if not settings.public_test_server:
        raise UnfitSettings(
            f"{settings.base} is a public test server: anybody can read, change and delete what is there. "
            "If that is meant, say so once with --public-test-server."
        )
    return replace(settings, jobs=1, rate=min(settings.rate or FASTEST, FASTEST))


def check_test_data(case: Case, settings: Settings) -> None:
    """Raises `UnfitInput` for a case without the test label on every resource, on a public test server."""
    if is_public(settings.base) and not case.is_test_data:
        raise UnfitInput(
            f"{case.origin}: case {case.key!r} is not labelled as test data (meta.security HTEST on every resource); "
            "it was not sent to a public test server."
        )
