"""XLSX and other workbooks, a table a sheet. Numbers come as the workbook stores them, dates as ISO 8601."""

import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from casefhir.extras import needed
from casefhir.sources.tables.readers.base import LONGEST_CELL, Header, OnFault, as_text, header
from casefhir.sources.tables.rows import Row, TableError

LARGEST = 1 << 30
"""Bytes of a workbook's unpacked parts: more is refused before anything is unpacked."""
_RATIO = 500
MOST_CELLS = 1 << 25
"""Cells of the rectangle around all cells of a sheet, for all of them are kept in memory, blank ones too."""
_REACH = re.compile(rb"\br=[\"']([A-Z]{0,3})([0-9]{1,7})[\"']")
_ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")


class WorkbookSheet:
    """One sheet of a workbook."""

    def __init__(self, path: Path, sheet: str) -> None:
        self.path = path
        self.sheet = sheet
        self.file = f"{path.name}#{sheet}"
        self._header = header(self.file, [as_text(_cell(value)) for value in self._first])
        self.columns = self._header.columns
        self.detected = {"sheet": sheet} | self._header.notes

    def __reduce__(self) -> tuple[Any, ...]:
        return WorkbookSheet, (self.path, self.sheet)  # what is loaded does not travel to another process

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """The rows below the header; numbers are the workbook's. Rows that are wholly empty are none."""
        head: Header = self._header
        unsolved = self._unsolved_formulas
        for number, values in enumerate(self._loaded.iter_rows(), self._top):
            if number == self._top:
                continue
            cells = [as_text(_cell(value)) or "" for value in values]
            while len(cells) > head.width and not cells[-1]:
                cells.pop()
            if not any(cells):
                continue
            cells += [""] * (head.width - len(cells))
            wrong = unsolved.get(number) or _wrong(cells, head.width)
            if wrong:
                fault(number, tuple(cells), wrong)
            else:
                yield number, tuple(cells[place] for place in head.kept)

    @cached_property
    def _loaded(self) -> Any:
        calamine = needed("python_calamine", "tables", "A workbook")
        try:
            with calamine.CalamineWorkbook.from_path(str(self.path)) as book:
                return book.get_sheet_by_name(self.sheet)
        except calamine.CalamineError as error:
            raise TableError(f"{self.file}: The sheet cannot be read ({error}).") from error

    @property
    def _top(self) -> int:
        start = self._loaded.start
        return (start[0] if start else 0) + 1

    @property
    def _first(self) -> list[Any]:
        return next(iter(self._loaded.iter_rows()), [])

    @cached_property
    def _unsolved_formulas(self) -> dict[int, str]:
        """Rows with a formula whose result is not stored: its cell would look blank."""
        if self.path.suffix.lower() not in (".xlsx", ".xlsm") or not _has_formulas(self.path):
            return {}
        load_workbook = needed("openpyxl", "tables", "A workbook with formulas").load_workbook
        found: dict[int, str] = {}
        try:
            told, solved = (
                load_workbook(self.path, read_only=True, data_only=each)[self.sheet] for each in (False, True)
            )
        except (OSError, KeyError, ValueError, SyntaxError, zipfile.BadZipFile) as error:
            raise TableError(
                f"{self.file}: It has formulas, and whether their results are stored cannot be seen ({error}). Save it "
                f"anew with a spreadsheet program, or as CSV."
            ) from error
        for formulas, values in zip(told.iter_rows(), solved.iter_rows()):
            for cell, value in zip(formulas, values):
                if cell.data_type == "f" and value.value is None and cell.row:
                    found.setdefault(
                        cell.row,
                        f"Cell {cell.coordinate} holds a formula whose result is not stored; open the workbook in a "
                        f"spreadsheet program and save it, or write the value.",
                    )
        return found


def sheets(path: Path) -> list[str]:
    """The names of the sheets of a workbook that is safe to open."""
    calamine = needed("python_calamine", "tables", "A workbook")
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xlsb", ".ods"):
        try:
            _check_size(path)
            _check_reach(path)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise TableError(f"{path.name}: This is no workbook that can be read ({error}).") from error
    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as book:
            return list(book.sheet_names)
    except calamine.PasswordError as error:
        raise TableError(f"{path.name}: The workbook is locked by a password; save a copy without one.") from error
    except calamine.CalamineError as error:
        raise TableError(f"{path.name}: This is no workbook that can be read ({error}).") from error


def _check_size(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    whole = sum(part.file_size for part in parts)
    packed = max(1, path.stat().st_size)
    if whole > LARGEST or (whole > LARGEST >> 4 and whole / packed > _RATIO):
        raise TableError(
            f"{path.name}: Unpacked it would have {whole:,} bytes, {whole // packed} times its size; at most "
            f"{LARGEST:,} bytes are read. Save the table as CSV or Parquet."
        )


def _check_reach(path: Path) -> None:
    """Refuse a sheet with a stray cell so far away that the cells between would fill the memory."""
    with zipfile.ZipFile(path) as archive:
        for part in _sheet_parts(archive):
            rows, columns, rest = 1, b"", b""
            with archive.open(part) as stream:
                while block := stream.read(1 << 20):
                    for column, row in set(_REACH.findall(rest + block)):
                        rows = max(rows, int(row))
                        columns = max(columns, column, key=lambda letters: (len(letters), letters))
                    rest = block[-32:]
            width = 0
            for letter in columns:
                width = width * 26 + letter - 64
            if rows * width > MOST_CELLS:
                raise TableError(
                    f"{path.name}: A sheet ({part.filename}) reaches to cell {columns.decode()}{rows}, which is "
                    f"{rows * width:,} cells; at most {MOST_CELLS:,} are read. Delete the stray cells outside the "
                    f"table, or save it as CSV or Parquet."
                )


def _sheet_parts(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [part for part in archive.infolist() if part.filename.startswith("xl/worksheets/")]


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        for part in _sheet_parts(archive):
            with archive.open(part) as stream:
                rest = b""
                while block := stream.read(1 << 20):
                    if b"<f>" in rest + block or b"<f " in rest + block:
                        return True
                    rest = block[-3:]
    return False


def _cell(value: Any) -> Any:
    """A timestamp at midnight in a workbook is a date: workbooks know no other."""
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date()
    return value


def _wrong(cells: list[str], width: int) -> str | None:
    if len(cells) > width:
        return f"The row has {len(cells)} cells, more than the {width} columns; give each column a name."
    for cell in cells:
        if cell in _ERRORS:
            return f"A cell holds the spreadsheet error {cell}; write its value."
        if "\0" in cell or len(cell) > LONGEST_CELL:
            return "A cell holds a NUL character or is over a million characters long."
    return None
