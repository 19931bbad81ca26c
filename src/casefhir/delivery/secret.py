"""Secrets that do not show: not in a repr, a log, a traceback, a receipt or the outbox."""

import logging
import re
from dataclasses import dataclass, field

HIDDEN = "***"
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2}")
_known: set[str] = set()


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Secret:
    """A token, password or private key. `reveal()` is called only where it goes onto the wire."""

    _value: str = field(repr=False)

    def __post_init__(self) -> None:
        """From now on `redact` hides it."""
        if len(self._value) >= 4:
            _known.add(self._value)

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def __repr__(self) -> str:
        """Never the value."""
        return f"Secret({HIDDEN})"

    __str__ = __repr__


def redact(text: str) -> str:
    """`text` with every known secret in it hidden, and every JWT: a server may echo what it was sent, or a part."""
    for value in _known:
        text = text.replace(value, HIDDEN)
    return _JWT.sub(HIDDEN, text)


class _Redacting(logging.Filter):
    """Hides known secrets in a log record: at DEBUG, httpcore logs response headers, which may echo what was sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        return True


_FILTER = _Redacting()


def guard_logs() -> None:
    """From now on nothing that the HTTP library or delivery logs holds a known secret, whoever listens."""
    for name in ("httpx", "httpcore", "casefhir.delivery"):
        logging.getLogger(name).addFilter(_FILTER)
    for part in ("connection", "http11", "http2", "proxy", "socks"):
        logging.getLogger(f"httpcore.{part}").addFilter(_FILTER)
