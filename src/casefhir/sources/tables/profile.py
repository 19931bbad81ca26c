"""What the cells of a column look like: how many are filled, what they read as, samples."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

_SAMPLES = 4
_DISTINCT = 200
_LONG = 5
_FEW = 5
"""From so many cells on, words of which none comes twice are not shown: they are rather names or free text."""
_NUMBER = re.compile(r"[<>≤≥]?\s*[-+−]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?\s?%?")
_DATE = re.compile(
    r"\d{4}-\d{2}(?:-\d{2})?(?:[T ]\d{2}:\d{2}.*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{8}"
    r"|\d{1,2}[- ]?[A-Za-z]{3}[- ]?\d{4}"
)
has_date = re.compile(r"\d{1,4}[-./ ]+(?:\d{1,2}|[^\W\d_]{3,9})[-./ ]+\d{1,4}|\b(?:1[89]|20)\d{6}\b").search
"""Whether words have a date in them."""


@dataclass(slots=True)
class ColumnProfile:
    """A column's cells, seen one after the other; `masked`: none of them is shown, nor kept from then on, for they tell
    who a person is.
    """

    masked: bool = False
    dates: bool = True
    """Whether cells that have a date in them are shown."""
    filled: int = 0
    blank: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)

    def see(self, cell: str | None) -> None:
        """One more cell."""
        text = (cell or "").strip()
        if not text:
            self.blank += 1
            return
        self.filled += 1
        self.kinds["date" if _DATE.fullmatch(text) else "number" if _NUMBER.fullmatch(text) else "words"] += 1
        if self.masked or (not self.dates and has_date(text)):
            return
        if text in self.values or len(self.values) < _DISTINCT:
            self.values[text] += 1

    @classmethod
    def of_all(cls, profiles: Sequence["ColumnProfile"]) -> "ColumnProfile":
        """Several columns as one."""
        found = cls(any(each.masked for each in profiles))
        for each in profiles:
            found.filled += each.filled
            found.blank += each.blank
            found.kinds.update(each.kinds)
            found.values.update(each.values)
        return found

    @property
    def kind(self) -> str:
        """number, date or words, whichever most cells read as; "blank" where there are none."""
        return self.kinds.most_common(1)[0][0] if self.kinds else "blank"

    @property
    def numbers_persons(self) -> bool:
        """Whether it rather holds numbers by which persons are known: long ones, of which none comes twice."""
        long = sum(len(value) >= _LONG and value.isdigit() for value in self.values)
        return self.filled >= _FEW and long == len(self.values) and max(self.values.values(), default=0) == 1

    @property
    def samples(self) -> list[str]:
        """A few of its values, the most frequent first; none where each cell has words of its own, as names have."""
        if self.filled >= _FEW and self.kind == "words" and max(self.values.values(), default=0) == 1:
            return []
        return [value for value, _ in self.values.most_common(_SAMPLES)]
