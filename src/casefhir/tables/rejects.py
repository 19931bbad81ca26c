"""Rows that were rejected, as they stood, with the reason: to be mended and converted again alone.

`<table>.csv` has a table's rejected rows; `context/<table>.csv` the other rows of these persons, so that `casefhir
convert` of the folder makes each of them whole. Columns that start with casefhir_ are remarks; readers pass
over them.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from casefhir.sources.tables.mapping import Table
from casefhir.sources.tables.rows import Row, Sheet

FOLDER = "rejects"
_REMARKS = ("casefhir_file", "casefhir_row", "casefhir_column", "casefhir_rule", "casefhir_reason", "casefhir_rest")


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that could not be converted, and why: the rule that failed and the column it failed on, if one did."""

    table: str
    number: int
    cells: Row
    reason: str
    rule: str = ""
    column: str = ""


def reject_name(table: str, *, context: bool = False) -> str:
    """The output file of a table's rejected rows, or of the other rows of their persons."""
    return f"{FOLDER}/context/{table}.csv" if context else f"{FOLDER}/{table}.csv"


def reject_header(sheet: Sheet, spec: Table, *, context: bool = False) -> bytes:
    """The lines to the header and after it to the first row: where the mapping says that a table has its header, for it
    is read back by the same mapping.
    """
    above = (
        [(f"Rejected rows; the header stands in row {spec.header}, where the mapping says.",)] if spec.header else []
    )
    lines = [*above, *[()] * (spec.header or 1)][: (spec.header or 1) - 1]
    return _lines([*lines, (*sheet.columns, *(() if context else _REMARKS)), *[()] * spec.skip_after])


def reject_head(sheets: Mapping[str, Sheet], specs: Mapping[str, Table], name: str) -> bytes:
    """What the output file `name` begins with: `reject_header`, if it is one of rejects."""
    for table, sheet in sheets.items():
        for context in (False, True):
            if name == reject_name(table, context=context):
                return reject_header(sheet, specs[table], context=context)
    return b""


def reject_lines(sheet: Sheet, rejected: Iterable[Rejected]) -> bytes:
    """The rows with their remarks; cells beyond the columns, of ragged rows, as a JSON list at the end."""
    width = len(sheet.columns)
    rows: list[tuple[str, ...]] = []
    for each in rejected:
        file, row = sheet.place(each.number)
        cells = [cell or "" for cell in each.cells[:width]]
        cells += [""] * (width - len(cells))
        rest = json.dumps(each.cells[width:], ensure_ascii=False) if len(each.cells) > width else ""
        rows.append((*cells, file, str(row), each.column, each.rule, each.reason, rest))
    return _lines(rows)


def context_lines(rows: Iterable[Row]) -> bytes:
    """Rows as they stood."""
    return _lines(tuple(cell or "" for cell in row) for row in rows)


def _lines(rows: Iterable[tuple[str, ...]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerows(rows)
    return stream.getvalue().encode("utf-8", "surrogatepass")
