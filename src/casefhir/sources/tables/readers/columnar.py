"""Parquet files, and SAS transport files (XPT): typed columns, brought to text without rounding."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from casefhir.extras import needed
from casefhir.sources.tables.readers.base import LONGEST_CELL, OnFault, as_text, header
from casefhir.sources.tables.rows import Row, TableError

_ROWS = 10_000
_BATCH = 256
"""Records of a Parquet file at a time: few, for each of their cells may have a million characters."""
_RATIO, _SMALL = 500, 1 << 26
"""A Parquet file that unpacks to more than so many times its size, and to more than so many bytes, is refused."""


class ParquetTable:
    """A Parquet file, read a batch at a time."""

    def __init__(self, path: Path) -> None:
        arrow, parquet = _arrow()
        self.path = path
        self.file = path.name
        try:
            about = parquet.read_metadata(path)
            schema = about.schema.to_arrow_schema()
        except (arrow.ArrowException, OSError) as error:
            raise TableError(f"{path.name}: This is no Parquet file that can be read ({error}).") from error
        whole = sum(about.row_group(each).total_byte_size for each in range(about.num_row_groups))
        if whole > _SMALL and whole > _RATIO * path.stat().st_size:
            raise TableError(
                f"{path.name}: Unpacked it would have {whole:,} bytes, more than {_RATIO} times its size; this is no "
                f"table. Write it anew, with less compression."
            )
        self._header = header(self.file, schema.names)
        self.columns = self._header.columns
        self.detected: dict[str, str] = {}

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """The records, counted from 1."""
        arrow, parquet = _arrow()
        number = 0
        try:
            with parquet.ParquetFile(self.path) as whole:
                for batch in whole.iter_batches(_BATCH, columns=list(self.columns)):
                    try:
                        columns = [[as_text(each) for each in column.to_pylist()] for column in batch.columns]
                    except (ValueError, OverflowError):  # one cell of them all
                        for place in range(batch.num_rows):
                            number += 1
                            yield from self._one(number, [column[place] for column in batch.columns], fault)
                        continue
                    for values in zip(*columns):
                        number += 1
                        yield from _checked(number, values, fault)
        except (arrow.ArrowException, OSError) as error:
            raise TableError(f"{self.file}, after record {number}: The file cannot be read on ({error}).") from error

    def _one(self, number: int, scalars: list[Any], fault: OnFault) -> Iterator[tuple[int, Row]]:
        """A record of a batch in which some cell is not what its column's type says."""
        values: list[str | None] = []
        wrong = ""
        for name, scalar in zip(self.columns, scalars):
            try:
                values.append(as_text(scalar.as_py()))
            except (ValueError, OverflowError) as error:
                values.append(_bare(scalar))
                wrong = wrong or f"The cell in {name!r} is no {scalar.type} ({error}); mend it."
        if wrong:
            fault(number, tuple(values), wrong)
        else:
            yield from _checked(number, tuple(values), fault)


class TransportTable:
    """A SAS transport file (XPT, version 5 or 8), read a chunk at a time."""

    def __init__(self, path: Path, *, encoding: str | None = None) -> None:
        self.path = path
        self.file = path.name
        self.encoding = encoding
        _, meta = self._read(metadataonly=True)
        self._header = header(self.file, meta.column_names)
        self.columns = self._header.columns
        self.detected = {"label": meta.file_label} if meta.file_label else {}
        if encoding:
            self.detected["encoding"] = encoding

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """The records, counted from 1; SAS's missing values are blank."""
        number = 0
        while True:
            found, _ = self._read(row_offset=number, row_limit=_ROWS)
            columns = [found[name] for name in self.columns]
            height = len(columns[0]) if columns else 0
            for values in zip(*columns):
                number += 1
                yield from _checked(number, tuple(_sas(value) for value in values), fault)
            if height < _ROWS:
                return

    def _read(self, **options: Any) -> tuple[Any, Any]:
        pyreadstat = needed("pyreadstat", "tables", "A SAS transport file")
        try:
            found, meta = pyreadstat.read_xport(str(self.path), output_format="dict", encoding=self.encoding, **options)
        except UnicodeError as error:
            raise TableError(
                f"{self.file}: The bytes are not {self.encoding or 'utf-8'} ({error}). Name the right encoding with "
                f"--encoding, if this is a SAS transport file at all."
            ) from error
        except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
            raise TableError(f"{self.file}: This is no SAS transport file that can be read ({error}).") from error
        return found, meta


def _arrow() -> tuple[Any, Any]:
    return needed("pyarrow", "tables", "A Parquet file"), needed("pyarrow.parquet", "tables", "A Parquet file")


def _sas(value: Any) -> str | None:
    if value is None or value != value:  # NaN is what SAS's missing numbers are read as
        return ""
    return as_text(value.item() if hasattr(value, "item") else value)


def _bare(scalar: Any) -> str:
    """A cell that is not what its type says, so that it can be seen in the rejects."""
    if hasattr(scalar, "as_buffer"):
        return bytes(scalar.as_buffer()).decode("utf-8", "backslashreplace")
    return str(getattr(scalar, "value", ""))


def _checked(number: int, values: Row, fault: OnFault) -> Iterator[tuple[int, Row]]:
    for value in values:
        if value is not None and ("\0" in value or len(value) > LONGEST_CELL):
            fault(number, values, "A cell holds a NUL character or is over a million characters long; mend it.")
            return
    yield number, values
