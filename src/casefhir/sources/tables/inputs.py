"""The files, folders and databases that tables are looked for in, and what the tables in them may be called."""

from collections.abc import Sequence
from pathlib import Path

from casefhir.sources.tables.readers.base import Fingerprint, Layout
from casefhir.sources.tables.readers.database import shown
from casefhir.sources.tables.readers.dataset_json import COMPRESSED
from casefhir.sources.tables.readers.documents import YAML
from casefhir.sources.tables.readers.packed import PACKED, TEXT, bare, kind
from casefhir.sources.tables.readers.text import TextTable
from casefhir.sources.tables.readers.workbook import Workbook
from casefhir.sources.tables.rows import TableError

JSON = (".json", ".ndjson", ".jsonl", COMPRESSED)
WORKBOOK = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
DATABASE = {".duckdb": "duckdb:///", ".sqlite": "sqlite:///", ".sqlite3": "sqlite:///", ".db": "sqlite:///"}
READABLE = (*TEXT, *JSON, *YAML, *WORKBOOK, ".parquet", ".xpt", *DATABASE)
_READ = f"{', '.join(READABLE)}, and text packed as {', '.join(PACKED)}"
_SKIPPED = {"index", "accepted"}
_PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz")
_FOREIGN = (".sas7bdat", ".sav", ".zsav", ".por", ".dta", ".rds", ".rdata", ".mdb", ".accdb", ".feather", ".arrow",
            ".orc", ".avro", ".xml")  # fmt: skip
"""Files that hold tables too, and are not read."""


class Inputs:
    """What was named as input: `files`, folders opened, in order of name; `urls` of databases; `passed_over`: what
    folders hold that might be tables and is not read, each with what would mend it. Workbooks and text tables are
    looked through once, however often they are asked for. Raises `TableError` for what is not there or cannot be a
    table.
    """

    def __init__(self, inputs: Sequence[str | Path]) -> None:
        self.files, self.urls, self.passed_over = _files(inputs)
        self._workbooks: dict[Path, Workbook] = {}
        self._texts: dict[tuple[Path, str | None, str | None, Layout], TextTable] = {}
        self._prints: dict[Path, Fingerprint] = {}

    @property
    def table_names(self) -> list[str]:
        """What the files and sheets are called that a mapping may be drafted for; YAML is rather a mapping itself."""
        tables = [path for path in self.files if path.suffix.lower() not in YAML]
        return [name for path in tables for name in (self.workbook(path).sheets if is_workbook(path) else [path.name])]

    def names(self, path: Path) -> dict[str, str | None]:
        """The names by which a mapping may ask for a file, each with the sheet that it means."""
        if not is_workbook(path):
            return {path.name: None, bare(path).name: None, bare(path).stem: None}
        found = self.workbook(path).sheets
        names: dict[str, str | None] = dict(zip(found, found))
        names |= {f"{path.name}#{sheet}": sheet for sheet in found}  # as messages call it
        if len(found) == 1:
            names |= {path.name: found[0], path.stem: found[0]}
        return names

    def workbook(self, path: Path) -> Workbook:
        """The workbook at `path`."""
        if path not in self._workbooks:
            self._workbooks[path] = Workbook(path)
        return self._workbooks[path]

    def text(self, path: Path, encoding: str | None, delimiter: str | None, layout: Layout) -> TextTable:
        """The text table at `path`, read so."""
        asked = (path, encoding, delimiter, layout)
        if asked not in self._texts:
            found = TextTable(path, encoding=encoding, delimiter=delimiter, layout=layout, found=self._prints.get(path))
            self._texts[asked], self._prints[path] = found, found.print
        return self._texts[asked]


def is_workbook(path: Path) -> bool:
    """Whether a file has sheets."""
    return path.suffix.lower() in WORKBOOK


def address(given: str | Path) -> str:
    """An input as people may read it: a path, or a URL without its password."""
    return shown(given) if isinstance(given, str) and "://" in given else str(given)


def _files(inputs: Sequence[str | Path]) -> tuple[list[Path], list[str], tuple[str, ...]]:
    """The readable files among `inputs`, folders opened, in order of name; the database URLs; what is passed over."""
    paths: dict[Path, None] = {}
    passed_over: list[str] = []
    urls: list[str] = []
    for each in inputs:
        if isinstance(each, str) and "://" in each:
            urls.append(each)
            continue
        path = Path(each)
        if path.is_dir():
            within = sorted(
                inner
                for inner in path.rglob("*")
                if inner.is_file()
                and not any(part.startswith((".", "~")) or part in _SKIPPED for part in inner.relative_to(path).parts)
            )
            inside = [each for each in within if kind(each) in READABLE]
            others = [f"{each.name} ({mend})" for each in within if (mend := _mend(each))]
            if not inside:
                there = f" Not read: {', '.join(others)}." if others else ""
                raise TableError(f"{path}: There is no table in this folder; tables are {_READ}.{there}")
            paths |= dict.fromkeys(inside)
            passed_over += others
        elif path.is_file():
            if kind(path) not in READABLE:
                mend = _mend(path)
                raise TableError(
                    f"{path}: This kind of file is not read as a table; {_READ} are."
                    + (f" Please {mend}." if mend else "")
                )
            paths[path] = None
        else:
            raise TableError(f"{path}: There is no such file or folder.")
    databases = [path for path in paths if path.suffix.lower() in DATABASE]
    urls += [f"{DATABASE[path.suffix.lower()]}{path}" for path in databases]
    return [path for path in paths if path not in databases], urls, tuple(passed_over)


def _mend(path: Path) -> str:
    """What makes a table of a file that might hold one and is not read; empty for other files."""
    ending = kind(path)
    return "unpack it" if ending in _PACKED else "save it as CSV or Parquet" if ending in _FOREIGN else ""
