"""Words and columns as lines of a mapping show them."""

import json

from casefhir.sources.tables.profile import ColumnProfile

LONGEST_WORDS = 24


def described(profile: ColumnProfile) -> str:
    """What is in a column, with samples unless they may tell who a person is."""
    samples = "" if profile.masked else ", ".join(repr(each[:LONGEST_WORDS]) for each in profile.samples)
    return f"{profile.kind}, {profile.filled} filled" + (f", such as {samples}" if samples else "")


def text(words: str) -> str:
    """A TOML string."""
    return json.dumps(words, ensure_ascii=False)
