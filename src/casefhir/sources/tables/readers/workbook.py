"""XLSX and other workbooks, a table a sheet. Numbers come as the workbook stores them, percents and dates as it shows
them.
"""

import datetime as dt
import html
import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from casefhir.extras import needed
from casefhir.sources.tables.readers.base import (
    LONGEST_CELL,
    LOOKED_AT,
    PLAIN,
    Header,
    Layout,
    Number,
    OnFault,
    as_text,
    header,
)
from casefhir.sources.tables.rows import Row, TableError

LARGEST = 1 << 30
"""Bytes of a workbook's unpacked parts: more is refused before anything is unpacked."""
_RATIO = 500
MOST_CELLS = 1 << 25
"""Cells of the rectangle around all cells of a sheet, for all of them are kept in memory, blank ones too."""
_REACH = re.compile(rb"r=[\"']([A-Z]{0,3})([0-9]{1,7})[\"']")
_FAR = re.compile(rb"r=[\"'](?:([A-Z]{2,3})([0-9]{1,7})|[A-Z]?([0-9]{6,7}))[\"']")
"""Cells beyond `_NEAR_COLUMNS` and `_NEAR_ROWS`: few, and so found faster than all cells."""
_NEAR_ROWS, _NEAR_COLUMNS = 99_999, 26
_CODE = re.compile(rb"""formatCode=["']([^"'>]*)""")
_BUILT_IN = re.compile(rb"""numFmtId=["'](?:9|10|17)["']""")
"""The formats 0%, 0.00% and mmm-yy, which workbooks do not spell out."""
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")


class Workbook:
    """A workbook that is safe to open: what is in it is looked through once, whatever number of its sheets is read.
    Raises `TableError` for one that is not, or none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._calamine = needed("python_calamine", "tables", "A workbook")
        self.formulas = self.formats = False
        """Whether there is a formula in any sheet, or a style that shows percents, or dates without their day."""
        if path.suffix.lower() in (".xlsx", ".xlsm", ".xlsb", ".ods"):
            try:
                _check_size(path)
                self.formulas = _looked_through(path)
                self.formats = _has_formats(path)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
                raise TableError(f"{path.name}: This is no workbook that can be read ({error}).") from error
        try:
            self._book = self._calamine.CalamineWorkbook.from_path(str(path))
        except self._calamine.PasswordError as error:
            raise TableError(f"{path.name}: The workbook is locked by a password; save a copy without one.") from error
        except self._calamine.CalamineError as error:
            raise TableError(f"{path.name}: This is no workbook that can be read ({error}).") from error
        self.sheets: list[str] = list(self._book.sheet_names)
        shown = self._calamine.SheetVisibleEnum.Visible
        self.hidden = {each.name for each in self._book.sheets_metadata if each.visible != shown}
        """Sheets that a spreadsheet program does not show."""

    def load(self, sheet: str) -> Any:
        """A sheet's cells, as calamine holds them."""
        try:
            return self._book.get_sheet_by_name(sheet)
        except self._calamine.CalamineError as error:
            raise TableError(f"{self.path.name}#{sheet}: The sheet cannot be read ({error}).") from error


class WorkbookSheet:
    """One sheet of a workbook. The header of `layout` is a row of the sheet as the workbook numbers it."""

    def __init__(self, workbook: Workbook, sheet: str, layout: Layout = PLAIN) -> None:
        self.workbook = workbook
        self.path = workbook.path
        self.sheet = sheet
        self.layout = layout
        self.file = f"{self.path.name}#{sheet}"
        first = next((cells for number, cells in self._numbered() if number == self._top), [])
        self._header = header(self.file, first, layout, self.beginning)
        self.columns = self._header.columns
        self.detected = {"sheet": f"{sheet}, which is hidden" if sheet in workbook.hidden else sheet}
        self.detected |= self._header.notes

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (self.path, self.sheet, self.layout)  # what is loaded does not travel to another process

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """The rows below the header; numbers are the workbook's. Rows that are wholly empty are none."""
        head: Header = self._header
        unsolved = self._unsolved_formulas
        last = self._top + self.layout.skip_after
        for number, cells in self._numbered():
            if number <= last:
                continue
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

    def beginning(self) -> list[tuple[int, list[str]]]:
        """The first rows of the sheet as they are, whatever the header."""
        return list(islice(self._numbered(), LOOKED_AT))

    def _numbered(self) -> Iterator[tuple[int, list[str]]]:
        """All rows from the first that is not empty, with their numbers in the workbook."""
        start = self._loaded.start or (0, 0)
        for number, values in enumerate(self._loaded.iter_rows(), start[0] + 1):
            cells = [as_text(_cell(value)) or "" for value in values]
            for column, shows in self._shown.get(number, {}).items():
                place = column - start[1] - 1
                cells[place] = _as_shown(values[place], shows)
            yield number, cells

    @cached_property
    def _loaded(self) -> Any:
        return self.workbook.load(self.sheet)

    @property
    def _top(self) -> int:
        start = self._loaded.start
        return self.layout.header or (start[0] if start else 0) + 1

    @cached_property
    def _shown(self) -> dict[int, dict[int, str]]:
        """What is shown of cells by row and column, where it is other than what is stored: see `_shows`."""
        if not self.workbook.formats:
            return {}
        found: dict[int, dict[int, str]] = {}
        for cells in self._again(data_only=True).iter_rows():
            for cell in cells:
                if cell.value is not None and cell.data_type in "nd" and (shows := _shows(cell.number_format)):
                    found.setdefault(cell.row, {})[cell.column] = shows
        return found

    def _again(self, *, data_only: bool) -> Any:
        """The sheet by openpyxl, which tells of formulas and formats."""
        load_workbook = needed("openpyxl", "tables", "A workbook with formulas or percents").load_workbook
        try:
            return load_workbook(self.path, read_only=True, data_only=data_only)[self.sheet]
        except (OSError, KeyError, ValueError, SyntaxError, zipfile.BadZipFile) as error:
            raise TableError(
                f"{self.file}: It has formulas or percents, and what is stored for them cannot be seen ({error}). Save "
                f"it anew with a spreadsheet program, or as CSV."
            ) from error

    @cached_property
    def _unsolved_formulas(self) -> dict[int, str]:
        """Rows with a formula whose result is not stored: its cell would look blank."""
        if self.path.suffix.lower() not in (".xlsx", ".xlsm") or not self.workbook.formulas:
            return {}
        found: dict[int, str] = {}
        told, solved = self._again(data_only=False), self._again(data_only=True)
        for formulas, values in zip(told.iter_rows(), solved.iter_rows()):
            for cell, value in zip(formulas, values):
                if cell.data_type == "f" and value.value is None and cell.row:
                    found.setdefault(
                        cell.row,
                        f"Cell {cell.coordinate} holds a formula whose result is not stored; open the workbook in a "
                        f"spreadsheet program and save it, or write the value.",
                    )
        return found


def _opened(path: Path, sheet: str, layout: Layout) -> WorkbookSheet:
    return WorkbookSheet(Workbook(path), sheet, layout)


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


def _looked_through(path: Path) -> bool:
    """Whether the workbook has formulas. Refuses a sheet with a stray cell so far away that the cells between would
    fill the memory.
    """
    formulas = False
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            if not part.filename.startswith("xl/worksheets/"):
                continue
            rows, columns = _NEAR_ROWS, _NEAR_COLUMNS
            for block in _blocks(archive, part):
                formulas = formulas or b"<f>" in block or b"<f " in block
                for letters, number, of_near in set(_FAR.findall(block)):
                    rows, columns = max(rows, int(number or of_near)), max(columns, _number(letters))
            if rows * columns <= MOST_CELLS:
                continue  # even if the farthest row and column were those of one cell
            row, column = 1, b""
            for block in _blocks(archive, part):
                for letters, number in set(_REACH.findall(block)):
                    row, column = max(row, int(number)), max(column, letters, key=_number)
            if (cells := row * _number(column)) > MOST_CELLS:
                raise TableError(
                    f"{path.name}: A sheet ({part.filename}) reaches to cell {column.decode()}{row}, which is "
                    f"{cells:,} cells; at most {MOST_CELLS:,} are read. Delete the stray cells outside the table, or "
                    f"save it as CSV or Parquet."
                )
    return formulas


def _has_formats(path: Path) -> bool:
    """Whether an XLSX workbook has a style by which other things are shown than stored."""
    with zipfile.ZipFile(path) as archive:
        part = next((each for each in archive.infolist() if each.filename == "xl/styles.xml"), None)
        for block in _blocks(archive, part) if part else ():
            codes = (html.unescape(code.decode("utf-8", "replace")) for code in _CODE.findall(block))
            if _BUILT_IN.search(block) or any(map(_shows, codes)):
                return True
    return False


@cache
def _shows(code: str) -> str:
    """What a number format shows: `%` of a number; `month` or `year` of a date, which is stored with a day that nobody
    told (a typed `03/2015` is stored as the first of March); "" for all of it.
    """
    bare = _LITERAL.sub("", code).partition(";")[0].lower()
    if "%" in bare:
        return "%"
    if "y" not in bare or set("dhs") & set(bare):
        return ""
    return "month" if "m" in bare else "year"


def _blocks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """An unpacked part in pieces, each with the end of the one before."""
    rest = b""
    with archive.open(part) as stream:
        while block := stream.read(1 << 20):
            yield rest + block
            rest = block[-32:]


def _number(letters: bytes) -> int:
    """The number of a column: A is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _cell(value: Any) -> Any:
    """A timestamp at midnight in a workbook is a date: workbooks know no other. Numbers have the fifteen digits that
    spreadsheets count with and show: what a formula adds beyond (24.200000000000003) nobody measured.
    """
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date()
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.15g}")
    return value


def _as_shown(value: Any, shows: str) -> str:
    """A cell as a person sees it, with all its digits."""
    if shows == "%" and isinstance(value, int | float) and not isinstance(value, bool):
        return Number(f"{(Decimal(f'{value:.15g}') * 100).normalize():f}%")
    if shows != "%" and isinstance(value, dt.date):
        return value.isoformat()[: 7 if shows == "month" else 4]
    return as_text(_cell(value)) or ""


def _wrong(cells: list[str], width: int) -> str | None:
    if len(cells) > width:
        return f"The row has {len(cells)} cells, more than the {width} columns; give each column a name."
    for cell in cells:
        if cell in _ERRORS:
            return f"A cell holds the spreadsheet error {cell}; write its value."
        if "\0" in cell or len(cell) > LONGEST_CELL:
            return "A cell holds a NUL character or is over a million characters long."
    return None
