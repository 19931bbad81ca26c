"""A cell read as words: without blanks around them, the first of several, a default."""

from collections.abc import Callable

from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.telling import Read, Telling, UnmappedWords


def column_read(place: int, blank: frozenset[str], column: str) -> Read:
    """A cell's words without blanks around them; None where they are as good as blank."""

    def read(row: Row, _: Telling) -> str | None:
        cell = row[place]
        if cell is None or cell in blank:
            return None
        text = cell.strip()
        if text is not cell and text in blank:
            return None
        if not text.isprintable():
            check_text(text, column)
        return text

    return read


def check_text(text: str, column: str) -> None:
    """Raises `Refused` for control characters, which FHIR's strings cannot hold."""
    for each in text:
        if (each < " " and each not in "\t\n\r") or "\x7f" <= each < "\xa0" or "\ud800" <= each <= "\udfff":
            raise Refused(f"the cell holds the control character U+{ord(each):04X}", "take it out", column)


def is_understood(words: str) -> bool:
    """Whether the maps and look-ups of a field knew its words, if it has any."""
    return type(words) is not UnmappedWords


def first_read(reads: list[Read], *, leads: Callable[[str], bool] = is_understood, joins: bool = False) -> Read:
    """The first of several that leads somewhere; where none does, the first that is not blank. `joins`: some read rows
    of other tables, which are traced only if it is their words that are taken.
    """
    if joins:
        return _first_of_joined(reads, leads)

    def first(row: Row, telling: Telling) -> str | None:
        lost: str | None = None
        for read in reads:
            words = read(row, telling)
            if words is not None:
                if leads(words):
                    return words
                lost = words if lost is None else lost
        return lost

    return first


def _first_of_joined(reads: list[Read], leads: Callable[[str], bool]) -> Read:
    def first(row: Row, telling: Telling) -> str | None:
        given = telling.given
        before = len(given)
        lost, lost_given = None, given[before:]
        for read in reads:
            words = read(row, telling)
            if words is not None and leads(words):
                return words
            if words is not None and lost is None:
                lost, lost_given = words, given[before:]
            del given[before:]
        given += lost_given
        return lost

    return first


def default_read(default: str, name: str) -> Read:
    """The default of the field `name`, whatever the row."""
    return or_default(lambda _row, _telling: None, default, name)


def or_default(read: Read, default: str, name: str) -> Read:
    """The words, or the default of the field `name` where they are blank; that it was used is told."""

    def words(row: Row, telling: Telling) -> str | None:
        found = read(row, telling)
        if found is None:
            telling.defaulted.append((name, default))
            return default
        return found

    return words
