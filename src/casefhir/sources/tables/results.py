"""Numbers and results as laboratories write them. Nothing is guessed: what may be read in two ways is refused."""

import re
from dataclasses import dataclass
from decimal import Decimal

from casefhir.record.making import maker
from casefhir.sources.tables.mapping import Reading, ResultMeaning
from casefhir.sources.tables.refusal import Refused

_SIGN = {"−": "-", "–": "-"}
_COMPARATORS = {
    "<": "<", ">": ">", "<=": "<=", ">=": ">=", "≤": "<=", "≥": ">=", "=<": "<=", "=>": ">=", "&lt;": "<", "&gt;": ">",
    "=": None,
}  # fmt: skip
_COMPARATOR = re.compile(r"(&lt;|&gt;|<=|>=|=<|=>|[<>≤≥=])\s*")
_TITRE = re.compile(r"([<>≤≥]=?)?\s*1\s*:\s*([89]|[1-9]\d{1,5})")
"""From 1:8 on: 1:2 is rather a ratio, and 1/10 one of ten, unless titres are asked for."""
_TITRE_ASKED = re.compile(r"([<>≤≥]=?)?\s*1\s*[:/]\s*([1-9]\d{0,5})")
_FIGURE = r"[-−–+]?[\d.,'’\u00a0\u202f ]*\d(?:[eE][-+−]?\d{1,3})?"
_NUMBER = re.compile(rf"(?P<figure>{_FIGURE})(?P<rest>.*)")
_BETWEEN = re.compile(r"(?P<low>[^-–—]*\d)\s*(?:-|–|—|to|bis)\s*(?P<high>\d.*)")
_OTHER = re.compile(r"[<>≤≥=\s]*[-−–+]?0\d|\d+[eE]\d+$|\d+(?:[.,]\d+)?\s*[/:]\s*\d+(?:[.,]\d+)?$")
"""What begins like a number but is rather an identifier or a share (007, 1E10, 140/90): words, unless a number is
asked for."""
_LOOKS_LIKE_ONE = re.compile(r"[<>≤≥=]|&[lg]t;|[-−–+]?\s*[.,]?\d")
_SMALLEST, _LARGEST = Decimal("1e-300"), Decimal("1e300")
"""Beyond these most readers of JSON take a number for nothing, or for infinity."""
_MEMO = 1 << 16
_LONGEST = 100
"""Characters of a figure; a longer cell is words."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a cell holds: a number (perhaps with comparator, upper end, unit in the cell), a titre, or words."""

    number: Decimal | None = None
    comparator: str | None = None
    high: Decimal | None = None
    unit: str = ""
    titre: str | None = None
    words: str | None = None
    meaning: ResultMeaning | None = None
    """What words say of the result (`neg`: negative)."""


_result = maker(Result)


class ResultReader:
    """Reads cells as `[reading]` says they are written."""

    def __init__(self, reading: Reading) -> None:
        self.decimal = reading.decimal
        self.thousands = reading.thousands
        if self.decimal == self.thousands:
            raise Refused("the decimal mark and the mark between thousands are the same", "change one of the two")
        self.meanings = {words.casefold(): meaning for words, meaning in reading.results.items()}
        mark = re.escape(self.decimal)
        between = "[ \u00a0\u202f]" if self.thousands == " " else re.escape(self.thousands)
        grouped = rf"\d{{1,3}}(?:{between}\d{{3}})+|" if self.thousands else ""
        self._plain = re.compile(rf"[-+]?(?:{grouped}\d+)(?:{mark}\d+)?(?:[eE][-+]?\d{{1,3}})?|[-+]?{mark}\d+")
        self._between = re.compile(between) if self.thousands else None
        simple = rf"(?:0|[1-9][0-9]{{0,{2 if self.thousands else 17}}})(?:{mark}[0-9]{{1,18}})?"
        self.is_simple = re.compile(simple).fullmatch
        """Whether a cell is digits alone, perhaps with a decimal mark, that can be read in one way only."""
        self._memo: dict[tuple[str, str], Result | Refused] = {}

    def read(self, cell: str, kind: str = "auto") -> Result:
        """The result in `cell`: as a number, as words, as a titre, or (auto) as a number where it begins like one.
        Raises `Refused`.
        """
        if kind != "words" and self.is_simple(cell):
            return _result(self.simple(cell))
        asked = (cell, kind)
        found = self._memo.get(asked)
        if found is None:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            try:
                found = self._words(cell) if kind == "words" else self._read(cell, kind)
            except Refused as refused:
                found = refused
            if len(cell) <= _LONGEST:
                self._memo[asked] = found
        if isinstance(found, Refused):
            raise found
        return found

    def simple(self, cell: str) -> Decimal:
        """The number in a cell that `is_simple`."""
        return Decimal(cell if self.decimal == "." else cell.replace(self.decimal, "."))

    def number(self, cell: str) -> Decimal:
        """A plain number."""
        if len(cell) > _LONGEST:
            raise Refused(f"{cell!r} is not a number", "mend the cell")
        for printed, sign in _SIGN.items():
            cell = cell.replace(printed, sign)
        if not self._plain.fullmatch(cell):
            raise Refused(*self._why_not(cell))
        if self._between:
            cell = self._between.sub("", cell)
        if cell[0] == "+":
            cell = cell[1:]
        if self.decimal != ".":
            cell = cell.replace(self.decimal, ".")
        if cell.startswith((".", "-.")):
            cell = cell.replace(".", "0.")
        found = Decimal(cell)
        if found and not _SMALLEST <= found.copy_abs() <= _LARGEST:
            raise Refused(f"{cell!r} is further from 1 than a number can be told in JSON", "mend the cell")
        return found

    def _words(self, cell: str) -> Result:
        return Result(words=cell, meaning=self.meanings.get(cell.casefold()))

    def _read(self, cell: str, kind: str) -> Result:
        must = kind == "number"
        if len(cell) > _LONGEST:
            if must:
                raise Refused(f"{cell!r} is not a number", "mend the cell")
            return self._words(cell)  # nobody writes a figure so long
        if cell.casefold() in self.meanings or not _LOOKS_LIKE_ONE.match(cell):
            if must:
                raise Refused(f"{cell!r} is not a number", 'mend the cell, or say kind = "auto" where words may stand')
            return self._words(cell)
        titre = (_TITRE_ASKED if kind == "titre" else _TITRE).fullmatch(cell)
        if titre and titre[1]:  # below or above the titres tested: a titre has no comparator, its number has
            return Result(number=Decimal(titre[2]), comparator=_COMPARATORS[titre[1]], unit="{titer}")
        if titre:
            return Result(titre=cell)
        if not must and _OTHER.match(cell):
            return self._words(cell)
        begun = _COMPARATOR.match(cell)
        comparator = _COMPARATORS[begun[1]] if begun else None
        rest = cell[begun.end() :] if begun else cell
        if not begun:
            between = _BETWEEN.fullmatch(rest)
            if between:
                high = self._number_and_unit(between["high"])
                if high and self._plain.fullmatch(between["low"].strip()):
                    low = self.number(between["low"].strip())
                    if high[0] < low:
                        raise Refused(f"the range {cell!r} ends below its start", "mend the cell")
                    return Result(number=low, high=high[0], unit=high[1])
        found = self._number_and_unit(rest)
        if found is None:
            if not must and not begun and re.search(r"[^\W\d_]{2}", rest):
                return self._words(cell)  # "3 to 5 times a week"
            raise Refused(*self._why_not(cell))
        return Result(number=found[0], comparator=comparator, unit=found[1])

    def _number_and_unit(self, text: str) -> tuple[Decimal, str] | None:
        match = _NUMBER.fullmatch(text.strip())
        if not match:
            return None
        figure = match["figure"].strip()
        for printed, sign in _SIGN.items():
            figure = figure.replace(printed, sign)
        rest = match["rest"]
        if not self._plain.fullmatch(figure):
            return None
        unit = rest.strip()
        if unit and (len(unit) > 20 or not (rest[0].isspace() or unit[0] in "%°" or unit[0].isalpha())):
            return None
        return self.number(figure), unit

    def _why_not(self, cell: str) -> tuple[str, str]:
        if re.fullmatch(r"[<>=≤≥ ]*[-−]?\d{1,3}(?:,\d{3})+", cell) and self.decimal == "." and not self.thousands:
            return (
                f"{cell!r} can be read in two ways, as thousands or with a decimal comma",
                'say in [reading] which: thousands = "," or decimal = ","',
            )
        if "," in cell and self.decimal == ".":
            return f"{cell!r} is not a number with a decimal point", 'mend the cell, or say decimal = "," in [reading]'
        if "." in cell and self.decimal == "," and not self.thousands:
            return (
                f"{cell!r} is not a number with a decimal comma",
                'mend the cell, or say in [reading] what the point is: thousands = "." or decimal = "."',
            )
        return f"{cell!r} is not a number", 'mend the cell, or say kind = "words" where words with digits may stand'
