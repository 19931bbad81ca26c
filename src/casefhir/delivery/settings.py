"""Everything an upload can be told, checked once."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx

from casefhir.delivery.auth import Auth
from casefhir.delivery.errors import UnfitSettings
from casefhir.delivery.retry import RetryPolicy

StrategyName = Literal["put", "conditional"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to reach a server and how to behave there. Times in seconds, sizes in bytes.

    `url` is the FHIR base. `rate` is requests a second at most. `timeout` bounds connecting and each read;
    `deadline` a whole request; `answer_limit` the size of one answer. `max_entries` and `max_bytes` are the
    largest transaction the server takes: a case over them is refused before sending.
    """

    url: str
    strategy: StrategyName = "put"
    jobs: int = 4
    rate: float | None = None
    verify: bool = False
    prune: bool = False
    dry_run: bool = False
    resume: bool = False
    outbox: Path | None = None
    timeout: float = 60.0
    deadline: float = 300.0
    answer_limit: int = 64 * 1024 * 1024
    max_entries: int = 5000
    max_bytes: int = 50 * 1024 * 1024
    public_test_server: bool = False
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    auth: Auth | None = None
    ca: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    proxy: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raises `UnfitSettings` for a URL or number that cannot work or is not safe."""
        base_url(self.url)
        if self.strategy not in ("put", "conditional"):
            raise UnfitSettings(f"strategy is {self.strategy!r}; it is 'put' or 'conditional'.")
        if self.jobs < 1:
            raise UnfitSettings(f"jobs is {self.jobs}; it must be at least 1.")
        for name in ("timeout", "deadline", "answer_limit", "max_entries", "max_bytes"):
            if getattr(self, name) <= 0:
                raise UnfitSettings(f"{name} must be above 0.")
        if self.resume and self.outbox is None:
            raise UnfitSettings("resume needs the outbox of the interrupted upload.")

    @property
    def base(self) -> str:
        """The URL without a trailing slash."""
        return base_url(self.url)


def base_url(url: str) -> str:
    """The FHIR base without a trailing slash; raises `UnfitSettings` unless it is plain http(s)://host/path."""
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL:
        raise UnfitSettings("The server's URL cannot be read; it looks like https://host/fhir.") from None
    if found.userinfo:
        raise UnfitSettings("The server's URL holds a user or password; give credentials by environment or file.")
    if found.scheme not in ("http", "https") or not found.host:
        raise UnfitSettings(f"{url!r} is not an http or https URL; it looks like https://host/fhir.")
    if found.query or found.fragment:
        raise UnfitSettings("The server's URL must have no '?' and no '#': it is the base address only.")
    return str(found).rstrip("/")
