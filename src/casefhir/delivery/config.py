"""Settings from flags, `CASEFHIR_*` environment variables and a TOML file, in that order; secrets never from flags."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx

from casefhir.delivery.auth import Auth, secret_file
from casefhir.delivery.errors import UnfitSettings
from casefhir.delivery.retry import RetryPolicy
from casefhir.delivery.secret import Secret
from casefhir.delivery.settings import Settings

SECRETS = ("token", "client_secret")


def _yes(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    found = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(str(value).lower())
    if found is None:
        raise ValueError
    return found


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "url": str, "strategy": str, "jobs": int, "rate": float, "verify": _yes, "prune": _yes, "dry_run": _yes,
    "resume": _yes, "outbox": Path, "timeout": float, "deadline": float, "answer_limit": int, "max_entries": int,
    "max_bytes": int, "public_test_server": _yes, "ca": Path, "client_certificate": Path, "client_key": Path,
    "proxy": str,
}  # fmt: skip
_RETRY: dict[str, Callable[[Any], Any]] = {"attempts": int, "longest_wait": float}
_AUTH: dict[str, Callable[[Any], Any]] = {
    "token": Secret, "token_file": Path, "client_id": str, "client_secret": Secret, "client_secret_file": Path,
    "private_key_file": Path, "key_id": str, "algorithm": str, "token_url": str, "scope": str,
}  # fmt: skip
NAMES = (*_PLAIN, *_RETRY, *_AUTH)


def load_settings(
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    file: Path | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings of an upload; a flag that is None was not given. `file` has one table `[server]`.

    What stands nowhere is taken from `defaults`. Environment variables are named `CASEFHIR_` and the setting in
    capitals (`CASEFHIR_TOKEN`).
    Raises `UnfitSettings` for an unknown name, a value that cannot be read, or a secret among the flags.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    for name in given:
        if name in SECRETS:
            raise UnfitSettings(f"{name} is a secret; give it by CASEFHIR_{name.upper()} or a file, not by a flag.")
        if name not in NAMES:
            raise UnfitSettings(f"{name} is no setting of an upload.")
    if _password(given.get("proxy")):
        raise UnfitSettings("The proxy's URL holds a password; give it by CASEFHIR_PROXY or a file, not by a flag.")
    from_environ = {
        name: environ[f"CASEFHIR_{name.upper()}"] for name in NAMES if environ.get(f"CASEFHIR_{name.upper()}")
    }
    raw = {**(defaults or {}), **_from_file(file), **from_environ, **given}
    plain = {name: _read(name, read, raw[name]) for name, read in _PLAIN.items() if name in raw}
    if "url" not in plain:
        raise UnfitSettings("No server given; name its FHIR base URL.")
    retry = RetryPolicy(
        **{
            {"longest_wait": "longest"}.get(name, name): _read(name, read, raw[name])
            for name, read in _RETRY.items()
            if name in raw
        }
    )
    return Settings(**plain, retry=retry, auth=_auth(raw))


def _from_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UnfitSettings(f"{file}: cannot be read ({type(error).__name__}).") from None
    except tomllib.TOMLDecodeError:
        raise UnfitSettings(f"{file}: not readable as TOML.") from None  # its message could quote a secret
    table = found.get("server", {})
    unknown = [name for name in table if name not in NAMES] if isinstance(table, dict) else ["server"]
    if unknown:
        raise UnfitSettings(f"{file}: {unknown[0]!r} is no setting of an upload; see the documentation.")
    return dict(table)


def _read(name: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except (ValueError, TypeError):
        shown = "" if name in SECRETS else f" {str(value)[:40]!r}"
        raise UnfitSettings(f"{name}:{shown} cannot be used as its value.") from None


def _auth(raw: Mapping[str, Any]) -> Auth | None:
    given = {name: _read(name, read, raw[name]) for name, read in _AUTH.items() if name in raw}
    for name in ("token", "client_secret", "private_key"):
        path = given.pop(f"{name}_file", None)
        if path is not None and name not in given:
            given[name] = secret_file(path)
    if not given:
        return None
    known = {field.name for field in fields(Auth)}
    return Auth(**{name: value for name, value in given.items() if name in known})


def _password(proxy: str | None) -> str:
    try:
        return httpx.URL(proxy or "").password
    except httpx.InvalidURL:
        raise UnfitSettings("proxy cannot be read as a URL.") from None
