"""Keys of facts from the words of key columns: readable where they can be, and never the same for other words."""

import hashlib
import hmac
import re
from collections.abc import Sequence

_PLAIN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_HASHED = re.compile(r".*-h[0-9a-f]{16}")
_OTHER = re.compile(r"[^a-z0-9]+")
_LONGEST = 64


def slug(words: str) -> str:
    """`words` with the letters that keys have; where that loses something, a hash of the whole follows.

    >>> slug("visit-3"), slug("A 1")
    ('visit-3', 'a-1-h5ac4cd5cd9e30d48')
    """
    if len(words) <= _LONGEST and _PLAIN.fullmatch(words) and not _HASHED.fullmatch(words):
        return words
    readable = _OTHER.sub("-", words.lower())[:_LONGEST].strip("-")
    return f"{readable or 'x'}-h{_digest(words)}"


def joined(words: Sequence[str]) -> str:
    """The slugs of several words, joined by points, which no slug has."""
    return ".".join([slug(each) for each in words])


def salted(words: str, salt: bytes) -> str:
    """A hash of `words` (hexadecimal, 24 digits) that only those who have the salt can look up."""
    return hmac.new(salt, words.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:24]


def of_cells(cells: Sequence[str | None]) -> str:
    """A key for a row that has no key columns: a hash of its cells."""
    told = "\x1f".join(["\x1e" if each is None else each for each in cells])
    return f"h{_digest(told)}"


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]
