"""Dates among words, where no date is asked for: they move with the person's other dates."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from casefhir.record import Between, Cells, Code, Component, Fact, Measurement, On, Quantity, Range
from casefhir.sources.tables.dates import NO_DAY, DateReader, shifted
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.telling import Telling

_YEAR = r"(?:1[89]|20)\d{2}"
_DATE = re.compile(
    r"(?:\d{1,4}[-./ ]+(?:\d{1,2}|[^\W\d_]{3,9})\.?[-./, ]+\d{1,4}"  # 2020-03-04, 4.3.2020, 4 March 2020
    r"|[^\W\d_]{3,9}\.? \d{1,2},? \d{4}"  # March 4, 2020
    r"|\d{2}[A-Za-z]{3}\d{4}|--\d{2}(?:-\d{2})?"  # 04MAR2020, --03-04
    rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"  # 20200304
    rf"|{_YEAR}-(?:0[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])[./]{_YEAR})"  # 2020-03, 3/2020
    r"(?:[T: ]+\d{1,2}:\d{2}.*)?",
    re.S,
).fullmatch
_LEFT = (On, Between, Cells, Code, Quantity, Range)
"""Parts of facts whose dates were moved before, or that hold none."""
NOT_SHOWN = "(a date that is not shown)"
Part = TypeVar("Part")


def moved_words(words: str, dates: DateReader, shift: int) -> str | None:
    """For a person whose dates move by `shift` days: words as they are, but a date moved too; None if it cannot be."""
    first, slash, last = words.partition("/")
    if slash and _DATE(first) and _DATE(last):
        ends = [moved_words(each, dates, shift) for each in (first, last)]
        return None if None in ends else "/".join(each for each in ends if each)
    if not _DATE(words):
        return words
    try:
        return shifted(dates.read(words).iso, shift)
    except Refused:
        return None


class Moved(str):
    """A sentence in which dates have moved already."""

    __slots__ = ()


def as_moved(sentence: str, telling: Telling) -> str:
    """A sentence for a note, in which dates, if they move, have moved already."""
    return Moved(sentence) if telling.shift else sentence


def moved_facts(facts: tuple[Fact, ...], dates: Mapping[str, DateReader], telling: Telling) -> tuple[Fact, ...]:
    """Facts whose words, if they are dates, have moved; those that cannot be are left out of them and counted. `dates`
    are how each table writes them.
    """
    return tuple([_moved_fact(each, dates, telling) for each in facts])


def _moved_fact(fact: Fact, dates: Mapping[str, DateReader], telling: Telling) -> Fact:
    assert isinstance(fact.source, Cells)
    found, lost = _moved(fact, dates[fact.source.table], telling.shift)
    if lost:
        telling.unmapped[fact.key.partition(".")[0], "words", NO_DAY] += lost
    return found


def _moved_sentence(words: str, dates: DateReader, shift: int) -> tuple[str, int]:
    """Words moved, or what follows a label (`Status: 2020-03-04`), and whether a date was left out."""
    label, colon, rest = words.rpartition(": ")
    told = rest.removesuffix(".")
    moved = moved_words(told, dates, shift)
    if moved == told:
        return words, 0
    return f"{label}{colon}{NOT_SHOWN if moved is None else moved}{rest[len(told) :]}", int(moved is None)


def _moved(part: Part, dates: DateReader, shift: int) -> tuple[Part, int]:
    """A part of a fact moved, and how many dates in it were left out."""
    found: Any = part
    if isinstance(part, str):
        found, lost = (str(part), 0) if isinstance(part, Moved) else _moved_sentence(part, dates, shift)
        return found, lost
    if isinstance(part, tuple):
        told = [_moved(each, dates, shift) for each in part]
        lost = sum(each for _, each in told)
        changed = any(one is not other for (one, _), other in zip(told, part))
        found = tuple([each for each, _ in told]) if changed else part
        return found, lost
    if not is_dataclass(part) or isinstance(part, _LEFT):
        return part, 0
    changes, lost = {}, 0
    for each in fields(part):
        if each.name == "value" and isinstance(part, Measurement | Component):
            continue  # a result was moved before it was read
        value = getattr(part, each.name)
        if value is None or value == ():
            continue
        moved_value, gone = _moved(value, dates, shift)
        lost += gone
        if moved_value is not value:
            changes[each.name] = moved_value
    return (replace(found, **changes) if changes else found), lost
