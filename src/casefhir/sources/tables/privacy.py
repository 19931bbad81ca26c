"""Which columns tell who a person is: their cells are not shown by those that tell of a mapping."""

import re
from collections import Counter
from collections.abc import Iterator

from casefhir.sources.tables.counts import Kind
from casefhir.sources.tables.elements import Cell, Words
from casefhir.sources.tables.expansion import left_out
from casefhir.sources.tables.frame import Frame
from casefhir.sources.tables.mapping import TableMapping
from casefhir.sources.tables.rows import find_column

_DATED = re.compile(r"\d{1,4}[-./ ]+(?:\d{1,2}|[^\W\d_]{3,9})[-./ ]+\d{1,4}|\b(?:1[89]|20)\d{6}\b").search
MASK = "(not shown: it tells who a person is)"


def identifying(frame: Frame) -> set[tuple[str, str]]:
    """Table and column of the persons' keys, names, identifiers and addresses, of what `[privacy]` drops, and of all
    other keys where it hashes them; and of what a data dictionary leaves out, identifiers mostly.
    """
    mapping, found = frame.loaded.mapping, set[tuple[str, str]]()
    for name, spec in mapping.tables.items():
        columns = frame.tables[name].columns if name in frame.tables else []
        for column in (*spec.key, *spec.via.values()):
            place = find_column(columns, column)  # a key may be told by its number (#1)
            found.add((name, column if place is None else columns[place]))
        if spec.through:
            found |= {(spec.through, column) for column in spec.via}
    found |= {(mapping.person.table, column) for column in _of_person(mapping)}
    if mapping.privacy.hash_keys:
        found |= {(rule.table, column) for rule in mapping.rules for words in rule.key for column in _columns(words)}
    for rule in mapping.rules:
        if rule.table in frame.tables:
            columns = frame.tables[rule.table].columns
            found |= {(rule.table, column) for column in left_out(rule, columns, frame.lookups)}
    folded = {(table, column.lower()) for table, column in found}
    return {
        (name, column)
        for name, table in frame.tables.items()
        for place, column in enumerate(table.columns)
        if place in table.dropped or (name, column.lower()) in folded
    }


def masked(mapping: TableMapping, unmapped: Counter[Kind], hidden: set[tuple[str, str]]) -> Counter[Kind]:
    """The counts without words of columns (those `hidden`, in whatever table) that tell who a person is, and, where
    dates are moved, without words that are dates.
    """
    columns = {column.lower() for _, column in hidden}
    found: Counter[Kind] = Counter()
    for (rule, column, words), count in unmapped.items():
        tells = any(each.lower() in columns for each in re.split(", | -> ", column))
        dated = mapping.privacy.shift_dates and _DATED(words)
        found[rule, column, MASK if tells or dated else words] += count
    return found


def _of_person(mapping: TableMapping) -> Iterator[str]:
    rule = mapping.person
    told: list[Words | None] = [rule.family, *rule.given, *(each.value for each in rule.identifiers)]
    if rule.address is not None:
        address = rule.address
        told += [*address.lines, address.city, address.district, address.postal_code]
    for words in told:
        yield from _columns(words)


def _columns(words: Words | None) -> Iterator[str]:
    if isinstance(words, tuple):
        for each in words:
            yield from _columns(each)
    elif isinstance(words, Cell):
        if words.column is not None and words.table is None:
            yield words.column
    elif words is not None:
        yield words.removesuffix("?")
