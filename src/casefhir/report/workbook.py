"""Tables as an Excel workbook: text is text, numbers show the digits they were written with."""

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from casefhir import exactjson
from casefhir.errors import CasefhirError
from casefhir.extras import needed
from casefhir.report.tables import Cell, Table

_EXACT_DIGITS = 15
_LONGEST_TEXT = 32_767
_MOST_ROWS = 1_048_576
_FIRST_DAY = date(1900, 3, 1)  # before it Excel's calendar has a day too many
_CREATED = datetime(2000, 1, 1)  # pinned, so that the same tables give the same bytes


class TooBigForExcel(CasefhirError):
    """A table that Excel cannot hold."""


def workbook_bytes(tables: list[Table]) -> bytes:
    """`tables` as `.xlsx`, a sheet each. Raises `TooBigForExcel`, `MissingExtra`.

    Numbers beyond Excel's 15 digits and dates before March 1900 are written as text, so that none is changed.
    """
    xlsxwriter = needed("xlsxwriter", "tables", "A workbook")
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": _CREATED})
    formats = _Formats(book)
    for table in tables:
        if len(table.rows) >= _MOST_ROWS:
            raise TooBigForExcel(
                f"Table {table.name} has {len(table.rows)} rows, more than a sheet holds; use --format csv or parquet."
            )
        sheet = book.add_worksheet(table.name[:31])
        sheet.freeze_panes(1, 0)
        for at, heading in enumerate(table.headings):
            sheet.write_string(0, at, heading.name, formats.heading)
        for line, row in enumerate(table.rows, 1):
            for at, cell in enumerate(row):
                _write(sheet, line, at, cell, formats, table)
        if table.rows:
            sheet.autofilter(0, 0, len(table.rows), len(table.headings) - 1)
    book.close()
    return stream.getvalue()


class _Formats:
    def __init__(self, book: Any) -> None:
        self.book = book
        self.heading = book.add_format({"bold": True})
        self.date = book.add_format({"num_format": "yyyy-mm-dd"})
        self.numbers: dict[int, Any] = {}

    def number(self, places: int) -> Any:
        """The format that shows `places` digits after the point."""
        if places not in self.numbers:
            self.numbers[places] = self.book.add_format({"num_format": "0." + "0" * places if places else "0"})
        return self.numbers[places]


def _write(sheet: Any, line: int, at: int, cell: Cell, formats: _Formats, table: Table) -> None:
    if cell is None:
        return
    if isinstance(cell, bool):
        sheet.write_boolean(line, at, cell)
    elif isinstance(cell, int | Decimal) and _fits(Decimal(cell)):
        sheet.write_number(line, at, float(cell), formats.number(-min(0, int(Decimal(cell).as_tuple().exponent))))
    elif isinstance(cell, date) and cell >= _FIRST_DAY:
        sheet.write_datetime(line, at, datetime(cell.year, cell.month, cell.day), formats.date)
    else:
        text = exactjson.write(cell).decode("utf-8") if isinstance(cell, list) else str(cell)
        if len(text) > _LONGEST_TEXT:
            raise TooBigForExcel(
                f"Table {table.name}, row {line}, column {table.headings[at].name}: {len(text)} "
                "characters are more than a cell holds; use --format csv or parquet."
            )
        sheet.write_string(line, at, text)


def _fits(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and len(number.as_tuple().digits) <= _EXACT_DIGITS and -30 < exponent < 15
