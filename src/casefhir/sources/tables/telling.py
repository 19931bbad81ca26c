"""What is known while the rows of one person are told as facts."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from casefhir.record import Cells
from casefhir.sources.tables.rows import Row

Place = tuple[str, int]
"""A row: its table and its number."""


class MappedWords(str):
    """Words that a value map gave for others; `raw` are the others, as in the cell."""

    raw: str


class UnmappedWords(MappedWords):
    """Words of a cell that the value map, look-up or list of choices does not have."""


def marked(kind: type[MappedWords], words: str, raw: str) -> MappedWords:
    """`words` that stand for the words `raw`."""
    found = kind(words)
    found.raw = raw
    return found


@dataclass(slots=True)
class Telling:
    """One person's rows (those that count) and what has been made of them so far."""

    rows: dict[str, list[tuple[int, Row]]]
    shift: int = 0
    """Days that all dates move by."""
    born: str | None = None
    """The date of birth as it stands in the table, where ages are capped."""
    counted: str | None = None
    """Likewise the date up to which the person's age is counted, where the mapping names one and it is filled in."""
    unmapped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    defaulted: list[tuple[str, str]] = field(default_factory=list)
    """Fields and values that the mapping gave by default to the fact in the making."""
    defaults: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Rule, field, value: how often the mapping gave it by default to a fact."""
    remarks: list[str] = field(default_factory=list)
    """Sentences for the notes of the fact in the making."""
    given: list[Cells] = field(default_factory=list)
    """Cells of other rows that gave words to the fact in the making."""
    touched: set[Place] = field(default_factory=set)
    indexes: dict[int, dict[tuple[str | None, ...], list[tuple[int, Row]]]] = field(default_factory=dict)
    supplements: dict[int, dict[str, dict[str, list[tuple[int, Row]]]]] = field(default_factory=dict)
    made: dict[str, dict[str, list[tuple[str, str]]]] = field(default_factory=dict)
    """Rule -> key's slug -> (entry, fact key)."""
    made_rows: dict[str, list[tuple[Row, str, str]]] = field(default_factory=dict)
    """Rule -> (row, entry, fact key), for the rules that other rules link to by columns."""
    withdrawn: list["Withdrawal"] = field(default_factory=list)
    starts: dict[str, str] = field(default_factory=dict)
    """Fact key -> the date at which a course began, where it has one."""
    ends: dict[str, str] = field(default_factory=dict)
    """Likewise of ends."""
    drugs: dict[str, tuple[str, Cells]] = field(default_factory=dict)
    """Fact key -> what the course's drug is called, and where."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What an adverse event led to for a course."""

    course: str
    event: str
    action: str
    words: str
    day: str | None
    cells: tuple[Cells, ...]
    """Where it is told."""


Read = Callable[[Row, Telling], str | None]
