"""How long to wait before asking a server again."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRIED = frozenset({408, 425, 429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter, bounded; times in seconds.

    `attempts` counts the first try; `longest` is the longest `Retry-After` that is waited for.
    """

    attempts: int = 6
    base: float = 0.5
    cap: float = 30.0
    longest: float = 300.0

    def wait(self, tried: int, retry_after: float | None, rng: random.Random) -> float | None:
        """Seconds to wait after `tried` failures, or None to give up."""
        if tried >= self.attempts:
            return None
        if retry_after is not None:
            if retry_after > self.longest:
                return None
            # a little more than asked, so that many clients do not come back in the same instant; and more from
            # time to time, for "0" from a server that goes on refusing is not to be taken at its word
            return retry_after + rng.uniform(0, min(self.cap, self.base * 2.0 ** (tried - 1)))
        return rng.uniform(0, min(self.cap, self.base * 2.0**tried))


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """The `Retry-After` header (seconds or HTTP date, RFC 9110 10.2.3) as seconds from `now`, at least 0.

    None when there is no header or it is neither.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(0.0, (then - now).total_seconds())
