"""What the commands that speak to a server share: its options, from flags, environment and file."""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from casefhir.cli.common import VERBOSE, shown

if TYPE_CHECKING:
    from casefhir.delivery import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

_OPTIONS = (
    click.option("--config", type=_FILE, help="TOML file with a table [server]; flags and CASEFHIR_* go before it."),
    click.option("--rate", type=float, help="Requests a second, at most."),
    click.option("--attempts", type=int, help="How often a request is tried when the server is busy or silent."),
    click.option("--timeout", type=float, help="Seconds to connect and for each read."),
    click.option("--public-test-server", is_flag=True, default=None, help="Yes, send test data to a public server."),
    click.option("--token-file", type=_FILE, help="File with a bearer token (or CASEFHIR_TOKEN)."),
    click.option("--client-id", help="Client of an OAuth token endpoint."),
    click.option("--client-secret-file", type=_FILE, help="Its secret (or CASEFHIR_CLIENT_SECRET)."),
    click.option("--private-key-file", type=_FILE, help="Its key, for SMART Backend Services: PEM or JWK."),
    click.option("--algorithm", type=click.Choice(["RS384", "ES384"]), help="What that key signs with (RS384)."),
    click.option("--key-id", help="Which of the client's keys that is."),
    click.option("--token-url", help="The token endpoint, where the server does not tell it."),
    click.option("--scope", help="What to ask the token endpoint for."),
    click.option("--ca", type=_FILE, help="Certificates to trust, beside the system's."),
    click.option("--client-certificate", type=_FILE, help="Our certificate, for mutual TLS."),
    click.option("--client-key", type=_FILE, help="Its key."),
    click.option("--proxy", help="Proxy to go through (with a password: CASEFHIR_PROXY)."),
)


def server_options(command: Command) -> Command:
    """Adds the options of a server to a command, which takes them as `**server`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings(url: str | None, flags: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> "Settings":
    """The settings for the server at `url`; a flag that is None was not given. From here on `-vv` is heard."""
    from casefhir.delivery import load_settings

    listen(verbose())
    given = dict(flags)
    config = given.pop("config", None)
    return load_settings({"url": url, **given}, os.environ, config, defaults)


def verbose() -> int:
    """How many `-v` were given."""
    context = click.get_current_context()
    return int(context.meta.get(VERBOSE, 0)) if context else 0


def beside(text: str) -> None:
    """A line for the person that goes above bars, if there are any: rich puts itself in the place of `sys.stderr`, and
    click's own echo writes past it.
    """
    print(shown(text), file=sys.stderr, flush=True)


class _Talk(logging.Handler):
    """A log record as a line on stderr, with every known secret hidden."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record."""
        from casefhir.delivery.secret import redact

        beside(redact(self.format(record)))


def listen(level: int) -> None:
    """`-vv`: each request with its status, sizes and time; `-vvv`: what the HTTP library does, too."""
    handler = _Talk()
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(name)s: %(message)s", "%H:%M:%S"))
    for name, least in (("casefhir.delivery", 2), ("httpx", 3), ("httpcore", 3)):
        if level >= least:
            log = logging.getLogger(name)
            log.setLevel(logging.DEBUG)
            log.handlers, log.propagate = [handler], False
