"""What words become by a mapping's value maps and by lists of choices."""

import re
from collections import Counter
from typing import TYPE_CHECKING

from casefhir.sources.tables.elements import Cell
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.telling import MappedWords, Read, Telling, UnmappedWords, marked

if TYPE_CHECKING:
    from casefhir.sources.tables.scope import Scope

_MEMO = 1 << 13
_LONGEST = 1 << 10
"""Characters of the words that are remembered with what they became; longer ones are looked up each time."""


def chosen(scope: "Scope", read: Read, cell: Cell, name: str) -> Read:
    """The label that stands beside the words in a list of choices."""
    choices = scope.words(cell.choices, name)
    rule, column = scope.rule, scope.column_of(cell)
    absent = scope.of.reading.absent
    memo: dict[str, dict[str, str]] = {}
    of_column = cell.const is not None  # a code out of a column's name

    def found(row: Row, telling: Telling) -> str | None:
        words = read(row, telling)
        told = choices(row, telling) if choices and words is not None else None
        if words is None or told is None:
            return words
        labels = memo.get(told)
        if labels is None:
            labels = memo[told] = choice_labels(told)
        if not labels:  # a formula, a query, the ends of a slider
            return words
        label = labels.get(words) or (by_column(labels).get(words) if of_column else None)
        if label is None and words in absent:
            return words
        if label is None:
            telling.unmapped[rule, column, words] += 1
            return marked(UnmappedWords, words, words)
        return marked(MappedWords, label, label)

    return found


def choice_labels(told: str) -> dict[str, str]:
    """Code -> label of a list of choices (`1, Mild | 2, Severe`); empty for a formula, a query, a slider's ends."""
    parts = [part.partition(",") for part in told.split("|")]
    return {code.strip(): label.strip() for code, _, label in parts if label.strip() and not {*code} & {*"()[]"}}


def by_column(labels: dict[str, str]) -> dict[str, str]:
    """The labels by their codes as REDCap writes them in names of columns; those that are alike there are left out."""
    count = Counter(column_code(code) for code in labels)
    return {column_code(code): label for code, label in labels.items() if count[column_code(code)] == 1}


def column_code(code: str) -> str:
    """A code as REDCap writes it in the name of a checkbox's column: -99 is _99, OTH is oth."""
    return re.sub(r"[^a-z0-9_]", "_", code.lower())


def mapped(scope: "Scope", read: Read, cell: Cell) -> Read:
    """What the words become by the value map of `cell`."""
    try:
        table = scope.frame.csv_map(cell.map) if isinstance(cell.map, str) else (cell.map or {})
    except Refused as refused:
        scope.problem(refused.reason)
        return read
    rule, column, hit = scope.rule, scope.column_of(cell), scope.frame.maps_hit
    folded = {words.strip().casefold(): becomes for words, becomes in table.items()}
    memo: dict[str, MappedWords | None] = {}

    def mapped(row: Row, telling: Telling) -> str | None:
        words = read(row, telling)
        if words is None:
            return None
        if words not in memo:
            if len(memo) >= _MEMO or len(words) > _LONGEST:
                memo.clear()
            becomes = table.get(words, folded.get(words.casefold()))
            if becomes is None:
                memo[words] = marked(UnmappedWords, words, words)
            else:
                hit.add((rule, words))
                memo[words] = marked(MappedWords, becomes, words) if becomes else None
        found = memo[words]
        if type(found) is UnmappedWords:
            telling.unmapped[rule, column, words] += 1
        return found

    return mapped
