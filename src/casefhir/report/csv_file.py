"""Tables as CSV that no spreadsheet runs as formulas, and back."""

import csv
import io
import re
from datetime import date
from decimal import Decimal

from casefhir import exactjson
from casefhir.report.tables import Cell, Table

# The starts that make a spreadsheet calculate, also in their full-width forms and behind white or invisible space
# (https://owasp.org/www-community/attacks/CSV_Injection); quotes before one count, so that the guard can be undone.
_BEFORE = r"[\s\x00-\x20\u200b-\u200f\u2060\ufeff']*"
_RUN = re.compile(rf"{_BEFORE}[=+\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\Z", re.ASCII)


def guarded(text: str) -> str:
    """`text` with a quote before it where a spreadsheet would run it; numbers, negative ones too, stay as they are."""
    if _NUMBER.match(text):
        return text
    return "'" + text if _RUN.match(text) else text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if text.startswith("'") and guarded(text[1:]) == text else text


def spelled(cell: Cell) -> str:
    """`cell` as CSV text: decimals with their digits, dates as YYYY-MM-DD, lists as JSON, nothing for None."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, list):
        return guarded(exactjson.write(cell).decode("utf-8"))
    return str(cell) if isinstance(cell, int | Decimal) else guarded(cell)


def csv_bytes(table: Table) -> bytes:
    """`table` as CSV (RFC 4180, UTF-8, a heading line)."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(each.name for each in table.headings)
    writer.writerows([spelled(cell) for cell in row] for row in table.rows)
    return stream.getvalue().encode("utf-8")
