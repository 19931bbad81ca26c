"""Writes `examples/registry.xlsx`, the filled template as a workbook, from the CSV files in `examples/registry`.

All cells are formatted as text, empty ones too, so that a spreadsheet keeps what is typed: `4.0` is not made `4`, and
`2010-08` no day.
"""

import csv
import datetime as dt
from pathlib import Path

from xlsxwriter import Workbook

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
ORDER = ("patients", "diagnoses", "visits", "results", "treatments", "adverse_events", "procedures")


def main() -> None:
    with Workbook(EXAMPLES / "registry.xlsx") as book:
        book.set_properties({"title": "casefhir registry template", "created": dt.datetime(2026, 1, 1)})
        text = book.add_format({"num_format": "@"})
        head = book.add_format({"num_format": "@", "bold": True, "bottom": 1})
        for name in ORDER:
            rows = [*csv.reader((EXAMPLES / "registry" / f"{name}.csv").open(encoding="utf-8", newline=""))]
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if cell:
                        sheet.write_string(number, column, cell, text if number else head)
            for column, cells in enumerate(zip(*rows)):
                sheet.set_column(column, column, max(9, *map(len, cells)) + 2, text)


if __name__ == "__main__":
    main()
