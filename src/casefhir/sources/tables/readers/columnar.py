"""Parquet files, and SAS transport files (XPT): typed columns, brought to text without rounding."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from casefhir.extras import needed
from casefhir.sources.tables.readers.base import OnFault, as_text, header
from casefhir.sources.tables.rows import Row, TableError

_ROWS = 10_000


class ParquetTable:
    """A Parquet file, read a batch at a time."""

    def __init__(self, path: Path) -> None:
        arrow, parquet = _arrow()
        self.path = path
        self.file = path.name
        try:
            schema = parquet.read_schema(path)
        except arrow.ArrowException as error:
            raise TableError(f"{path.name}: This is no Parquet file that can be read ({error}).") from error
        self._header = header(self.file, schema.names)
        self.columns = self._header.columns
        self.detected: dict[str, str] = {}

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """The records, counted from 1."""
        arrow, parquet = _arrow()
        number = 0
        try:
            with parquet.ParquetFile(self.path) as whole:
                for batch in whole.iter_batches(_ROWS, columns=list(self.columns)):
                    for values in zip(*(map(as_text, column.to_pylist()) for column in batch.columns)):
                        number += 1
                        yield from _checked(number, values, fault)
        except arrow.ArrowException as error:
            raise TableError(f"{self.file}, after record {number}: The file cannot be read on ({error}).") from error


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
        except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeError) as error:
            raise TableError(f"{self.file}: This is no SAS transport file that can be read ({error}).") from error
        return found, meta


def _arrow() -> tuple[Any, Any]:
    return needed("pyarrow", "tables", "A Parquet file"), needed("pyarrow.parquet", "tables", "A Parquet file")


def _sas(value: Any) -> str | None:
    if value is None or value != value:  # NaN is what SAS's missing numbers are read as
        return ""
    return as_text(value.item() if hasattr(value, "item") else value)


def _checked(number: int, values: Row, fault: OnFault) -> Iterator[tuple[int, Row]]:
    if any(value is not None and "\0" in value for value in values):
        fault(number, values, "A cell holds a NUL character; remove it.")
    else:
        yield number, values
