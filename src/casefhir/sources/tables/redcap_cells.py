"""REDCap's other ways to write rows and cells, read by the data dictionary as the flat export of raw values is.

Exports of one value a row (EAV: record, field_name, value), decimal commas of fields that are validated as such, codes
for missing data. Which codes a project has for these no dictionary tells, but the columns that an export has for them
beside each checkbox's choices (`skin____99`); a code of REDCap's own proposal is one too in a field whose choices or
validation do not allow it as a value.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from casefhir.sources.tables.readers import OnFault, Table
from casefhir.sources.tables.readers.base import Around
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.value_maps import column_code

PROPOSED = frozenset({"NI", "INV", "UNK", "NASK", "ASKU", "NAV", "MSK", "NA", "NAVU", "NP", "PINF", "NINF"})
"""Codes for missing data that REDCap proposes, less those that tell something of the value (trace, sufficient, …)."""
_EAV = ("record", "field_name", "value")
_PLACES = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
_COMMA = re.compile(r"([-+]?\d*),(\d+)")
_TICKED = {"0", "1", ""}


class Field(Protocol):
    """What is to be known of a field of the dictionary."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def choices(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def validation(self) -> str: ...  # noqa: D102


def is_eav(columns: Sequence[str]) -> bool:
    """Whether a file has one value a row."""
    return {*_EAV} <= {*columns} <= {*_EAV, *_PLACES}


def missing(code: str = "") -> str:
    """How a code for missing data is handed on: REDCap's own by name, for what others mean is not told."""
    return f"(missing: {code})" if code in PROPOSED else "(missing)"


@dataclass(frozen=True, slots=True)
class FlatTable:
    """An export of one value a row as one of a row for each record, event and instance; rows have the number of their
    first value. `fields`: name -> field of the dictionary; `columns` has all of them, and what else there is in the
    file.
    """

    part: Table
    fields: Mapping[str, Field]
    columns: tuple[str, ...]

    @classmethod
    def of(cls, part: Table, fields: Mapping[str, Field], names: Sequence[str]) -> "FlatTable":
        """`names` are the columns of a flat export, the record's id first."""
        places = tuple(name for name in _PLACES if name in part.columns)
        found = cls(part, fields, (names[0], *places, *names[1:]))
        more: dict[str, None] = {}
        for _, row in part.rows(lambda *_: None):
            _, name, value = found._told(row)
            if name and value:
                more[found._column(name, value)[0]] = None
        return cls(part, fields, tuple(dict.fromkeys([*found.columns, *more])))

    @property
    def file(self) -> str:
        """As in `Table`."""
        return self.part.file

    @property
    def detected(self) -> dict[str, str]:
        """As in `Table`."""
        return {**self.part.detected, "values": "one a row, put together by record, event and instance"}

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """As in `Table`; a value that stands beside another of the same field is told to `fault`."""
        place = {name: number for number, name in enumerate(self.columns)}
        record: str | None = None
        held: dict[tuple[str, ...], tuple[int, list[str | None]]] = {}
        for number, row in self.part.rows(lambda line, cells, reason: fault(line, self._faulty(cells), reason)):
            key, name, value = self._told(row)
            if key[0] != record:
                yield from self._finished(held)
                held, record = {}, key[0]
            if not name or not value:
                continue
            if key not in held:
                cells: list[str | None] = [None] * len(self.columns)
                cells[: len(key)] = [each or None for each in key]
                held[key] = (number, cells)
            column, cell = self._column(name, value)
            cells, at = held[key][1], place[column]
            if cells[at] is None or (at == 0 and cells[0] == cell):
                cells[at] = cell
            elif cells[at] != cell:
                alone: list[str | None] = [None] * len(self.columns)
                alone[: len(key)], alone[at] = [each or None for each in key], cell
                fault(number, tuple(alone), f"{column} is told twice, as {cells[at]!r} too; keep the right one.")
        yield from self._finished(held)

    @staticmethod
    def _finished(held: Mapping[tuple[str, ...], tuple[int, list[str | None]]]) -> Iterator[tuple[int, Row]]:
        for number, cells in held.values():
            yield number, tuple(cells)

    def _told(self, row: Row) -> tuple[tuple[str, ...], str, str]:
        """Whose value it is and where (record, event, instrument, instance); its field; it."""
        cells = dict(zip(self.part.columns, row))
        places = tuple((cells.get(name) or "").strip() for name in _PLACES if name in cells)
        record, name, value = ((cells.get(each) or "").strip() for each in _EAV)
        return (record, *places), name, value

    def _column(self, name: str, value: str) -> tuple[str, str]:
        """The column of a flat export that a value stands in, and what stands there."""
        of = self.fields.get(name)
        if of is None or of.type != "checkbox":
            return name, value
        code = value
        if value not in of.choices:
            code = next((code for code, label in of.choices.items() if label == value), value)
        return f"{name}___{column_code(code)}", "1"

    def _faulty(self, row: Row) -> Row:
        key = self._told(row)[0]
        return (*[each or None for each in key], *[None] * (len(self.columns) - len(key)))


@dataclass(frozen=True, slots=True)
class CleanTable(Around):
    """A table whose decimal commas are points where the dictionary says that they are commas, and whose codes for
    missing data are `missing`. By place: `commas`; `codes`, code -> what it becomes; `ticks`, the columns of checkboxes
    that stand for such a code.
    """

    commas: tuple[int, ...]
    codes: tuple[tuple[int, Mapping[str, str]], ...]
    ticks: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, part: Table, fields: Mapping[str, Field]) -> Table:
        """`part` itself where there is nothing of the kind."""
        commas: list[int] = []
        ticks: list[tuple[int, str]] = []
        own: set[str] = set()
        for place, column in enumerate(part.columns):
            stem, boxed, code = column.partition("___")
            of = fields.get(stem)
            if boxed and of and of.type == "checkbox" and code not in {column_code(each) for each in of.choices}:
                written = _written(code)
                own |= written
                ticks.append((place, missing(next(iter(written & PROPOSED), ""))))
        codes: list[tuple[int, Mapping[str, str]]] = []
        for place, column in enumerate(part.columns):
            of = fields.get(column)
            if of is None:
                continue
            if of.validation.endswith("_comma_decimal"):
                commas.append(place)
            bound = bool(of.validation or of.choices) or of.type in ("calc", "slider")
            here = {code: missing(code) for code in (own | PROPOSED if bound else own) - {*of.choices}}
            if here:
                codes.append((place, here))
        return cls(part, tuple(commas), tuple(codes), tuple(ticks)) if commas or codes or ticks else part

    @property
    def detected(self) -> dict[str, str]:
        """As in `Table`."""
        commas = {"decimal commas": "where the data dictionary says so"} if self.commas else {}
        return {**self.part.detected, **commas}

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """As in `Table`."""
        for number, row in self.part.rows(fault):
            cells: list[str | None] | None = None
            for place, codes in self.codes:
                cell = row[place]
                if cell and cell in codes:
                    cells = cells or [*row]
                    cells[place] = codes[cell]
            for place in self.commas:
                cell = row[place]
                if cell and (found := _COMMA.fullmatch(cell.strip())):
                    cells = cells or [*row]
                    cells[place] = f"{found[1] or '0'}.{found[2]}"
            for place, becomes in self.ticks:
                if (row[place] or "").strip() not in _TICKED or (row[place] or "").strip() == "1":
                    cells = cells or [*row]
                    cells[place] = becomes
            yield number, row if cells is None else tuple(cells)


def _written(code: str) -> frozenset[str]:
    """The codes that are `code` in the name of a column: _99 is -99, ni is NI."""
    return frozenset({code, code.upper(), *([f"-{code[1:]}"] if code.startswith("_") else [])})
