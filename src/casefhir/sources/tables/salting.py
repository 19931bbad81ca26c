"""Ids and dates that only those can lead back who have the salt of `[privacy]`."""

import hashlib
import hmac
import os

from casefhir.sources.tables.load import LoadedMapping, MappingError
from casefhir.sources.tables.slugs import joined, salted

SALT = "CASEFHIR_SALT"
_SHORTEST_SALT = 16
_MEMO = 1 << 16
_LONGEST = 200


class Salting:
    """Keys of persons and rows as ids have them, and the days by which a person's dates move.

    The salt comes from CASEFHIR_SALT unless `given`; raises `MappingError` where `[privacy]` needs one and it is none.
    """

    def __init__(self, loaded: LoadedMapping, given: str | None = None) -> None:
        self._privacy = loaded.mapping.privacy
        self.salt: bytes | None = None
        self._slugs: dict[str | tuple[str, ...], str] = {}
        if self._privacy.salted:
            told = given if given is not None else os.environ.get(SALT, "")
            if len(told) < _SHORTEST_SALT:
                raise MappingError(
                    f"{loaded.path}: [privacy] needs a salt of {_SHORTEST_SALT} characters or more in the environment "
                    f"variable {SALT}; keep it secret, and the same for the same ids."
                )
            self.salt = told.encode()

    def whose(self, key: tuple[str, ...]) -> str:
        """The key of a person; hashed where `[privacy]` says so."""
        return self.slug(list(key)) if self._privacy.hash_keys else joined(key)

    def slug(self, words: list[str]) -> str:
        """The key of a row from its key words; hashed where there is a salt, also if only dates are moved, for key
        words may be dates.
        """
        asked = words[0] if len(words) == 1 else tuple(words)
        found = self._slugs.get(asked)
        if found is None:
            if len(self._slugs) >= _MEMO:
                self._slugs.clear()
            found = joined(words) if self.salt is None else salted("\x1f".join(words), self.salt)
            if len(words[0]) <= _LONGEST:
                self._slugs[asked] = found
        return found

    def shift(self, key: tuple[str, ...]) -> int:
        """The days by which all dates of a person move; 0 only where none are moved."""
        most = self._privacy.shift_dates
        if not most or self.salt is None:
            return 0
        digest = hmac.new(self.salt, b"shift\x1f" + "\x1f".join(key).encode(), hashlib.sha256).digest()
        moved = int.from_bytes(digest[:8], "big") % (2 * most)
        return moved - most if moved < most else moved - most + 1
