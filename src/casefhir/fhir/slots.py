"""The slots of a template: bytes as they stand in the JSON of a resource (an id, a date, the words of that date in the
narrative, a number, a text), and the person whose facts are read for them.
"""

import re
from collections.abc import Callable
from html import escape
from typing import Any

import orjson

from casefhir.fhir.context import resource_type
from casefhir.fhir.wording import date_words
from casefhir.record import Case

PRIVATE = re.compile("[\ue000-\uf8ff]+(?:(?: |&|&amp;)[\ue000-\uf8ff]+)*")  # marks; also harmless in a source
_YEARS = ("1800", "2100")  # outside these the validator warns


class NoTemplate(Exception):
    """The fact is one of a kind; it goes the ordinary way."""


class Dangling(NoTemplate):
    """What the fact says or names does not fit the others, so that they have to be checked together."""


class Reading:
    """The facts of one person while they are read: who names whom, and the dates that have to fit together."""

    __slots__ = ("by_key", "case", "dated", "following", "id_of", "ids", "living", "numbers", "ordered", "start")

    def __init__(self, case: Case, id_of: Callable[[str, str], str]) -> None:
        self.case = case
        self.by_key = case.by_key
        self.id_of = id_of
        self.ids: dict[str, bytes] = {}
        self.start = [case.key.encode(), self.identity(case.person.key)]
        self.numbers: list[Any] = []  # of the fact being read
        self.dated: list[str] = []  # when things were, or began
        self.living: list[str] = []  # when things ended that only the living have
        self.ordered: list[tuple[str, str]] = []  # starts and their ends
        self.following: list[tuple[str, str]] = []  # dates of which the second may not lie before the first

    def identity(self, key: str) -> bytes:
        """The id of the resource that the fact `key` becomes."""
        found = self.ids.get(key)
        if found is None:
            kind = resource_type(self.by_key[key])
            found = self.ids[key] = self.id_of(kind, key).encode()
        return found


Key = list[Any]
Slots = list[bytes]


def own_slots(reading: Reading, kind: str, key: str) -> Slots:
    """The slots that every resource has: case, subject, fact, id."""
    return [*reading.start, key.encode(), reading.id_of(kind, key).encode()]


_DATES: dict[str, tuple[int, bytes, bytes]] = {}


def date_slots(date: str) -> tuple[int, bytes, bytes]:
    """Precision, JSON and narrative of a date; each new one is worked out once."""
    found = _DATES.get(date)
    if found is None:
        if date[0] < "\ue000" and not _YEARS[0] <= date[:4] <= _YEARS[1]:
            raise NoTemplate
        if len(_DATES) > 1 << 16:
            _DATES.clear()
        form = min(len(date), 11)
        found = _DATES[date] = (form, date.encode(), date_words(date).encode())
    return found


def text_slot(text: str) -> bytes:
    """A text as JSON has it between its quotes; raises `NoTemplate` for what a validator may object to."""
    if not (text and text.isprintable() and text == text.strip()) and not PRIVATE.fullmatch(text):
        raise NoTemplate
    return orjson.dumps(text)[1:-1]


def narrative_slot(text: str) -> bytes:
    """A text as the narrative has it."""
    return text_slot(escape(text, quote=False))
