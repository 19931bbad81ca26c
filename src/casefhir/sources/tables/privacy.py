"""What tells who a person is, and is not shown by those that tell of a mapping or of its files."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from casefhir.sources.tables.counts import Kind
from casefhir.sources.tables.expansion import left_out
from casefhir.sources.tables.frame import Frame
from casefhir.sources.tables.hiding import of_mapping
from casefhir.sources.tables.mapping import TableMapping
from casefhir.sources.tables.profile import has_date
from casefhir.sources.tables.reads import of_rule

_CELL = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_OF_ONE_ROW = re.compile(rf"{_CELL}|[0-9]+(?:[.,:-][0-9]+)*", re.S)
_QUOTED = re.compile(_CELL, re.S)
_OF_PERSON = ("family", "given", "identifiers", "address", "birth_date")
_DOCUMENTS = (".json", ".yaml", ".yml")
_SHORT = 4
MASK = "(not shown: it tells who a person is)"


def identifying(frame: Frame) -> set[tuple[str, str]]:
    """Table and column of the persons' keys, names, identifiers, addresses, dates of birth, and of all that `[privacy]`
    hides; and of what a data dictionary leaves out, identifiers mostly.
    """
    mapping, found = frame.loaded.mapping, set[tuple[str, str]]()
    for name, spec in mapping.tables.items():
        found |= {(name, column) for column in spec.persons}
        if spec.through:
            found |= {(spec.through, column) for column in spec.via}
    found |= {
        (read.table, read.column.removesuffix("?")) for read in of_rule(mapping.person) if read.path[0] in _OF_PERSON
    }
    for rule in mapping.rules:
        if rule.table in frame.tables:
            columns = frame.tables[rule.table].columns
            found |= {(rule.table, column) for column in left_out(rule, columns, frame.lookups)}
    folded = {(table, frame.resolve(table, column).casefold()) for table, column in found}
    hidden = of_mapping(mapping, frame.loaded.folder, frame.resolve) if mapping.privacy.hides else None
    return {
        (name, column)
        for name, table in frame.tables.items()
        for column in table.columns
        if (name, column.casefold()) in folded or (hidden and hidden.kinds(name, column))
    }


def masked(mapping: TableMapping, unmapped: Counter[Kind], hidden: set[tuple[str, str]]) -> Counter[Kind]:
    """The counts without words of columns (those `hidden`, in whatever table) that tell who a person is, and, where
    dates are moved, without words that are dates.
    """
    if not unmapped:
        return unmapped
    names = "|".join(re.escape(column) for _, column in sorted(hidden)) or "(?!)"
    tells = re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.I).search
    found: Counter[Kind] = Counter()
    for (rule, column, words), count in unmapped.items():
        dated = mapping.privacy.shift_dates and has_date(words)
        found[rule, column, MASK if tells(column) or dated else words] += count
    return found


def plain(sentence: str) -> str:
    """A sentence to count by, or to tell where cells are hidden: figures and quoted words, which differ from row to
    row, as …
    """
    return _OF_ONE_ROW.sub("…", sentence)


def without_cells(sentence: str) -> str:
    """A sentence with … for all quoted words, which may be cells."""
    return _QUOTED.sub("…", sentence)


class CalledAfter:
    """Finds files (or sheets, `FILE#SHEET`) that are called after a person, as `K-17.json` is."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files = list(dict.fromkeys(files))
        self._all = "\n".join(self._files).casefold()

    def find(self, key: Sequence[str]) -> str | None:
        """The file whose name has all of a person's key. Numbers of a few digits, which may be anything, count only
        where a document is called so.
        """
        parts = [part.casefold() for part in key]
        if not all(part in self._all for part in parts):
            return None
        words = [re.compile(rf"(?<![^\W_]){re.escape(part)}(?![^\W_])").search for part in parts]
        short = all(part.isdecimal() and len(part) <= _SHORT for part in parts)
        for file in self._files:
            name = PurePath(file.casefold())
            if short and not (name.suffix in _DOCUMENTS and [name.stem] == parts):
                continue
            if all(word(name.name) for word in words):
                return file
        return None
