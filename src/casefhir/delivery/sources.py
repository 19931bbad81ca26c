"""Where cases come from: bundle files, folders, NDJSON of any size, or bundles in memory."""

import copy
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Protocol, cast, runtime_checkable

from casefhir import exactjson
from casefhir.delivery.cases import CASE_SYSTEM, Case, UnfitCase, build_case, cases_of_bundle, tag
from casefhir.delivery.errors import UnfitInput
from casefhir.delivery.shapes import Json


@runtime_checkable
class Converted(Protocol):
    """A bundle with its index (resource id to fact, mapping and line), such as `casefhir.convert` gives."""

    @property
    def bundle(self) -> Json:
        """The Bundle."""

    @property
    def index(self) -> Json:
        """What leads from a resource to its line."""


Source = str | Path | Json | IO[bytes] | Converted
LONGEST_LINE = 64 * 1024 * 1024


def read_cases(sources: Source | Iterable[Source]) -> Iterator[Case | UnfitCase]:
    """Every case of `sources`, one at a time; memory stays that of one case (and one line).

    A source is a bundle file (`.json`), an NDJSON file (`.ndjson`) or binary stream with a Bundle or a
    resource a line, a folder of such files (its `index/` is left out), a Bundle as a dict, or what `convert` gave.
    Raises `UnfitInput` for a path that does not exist; what is wrong with one case comes as `UnfitCase`.
    """
    for source in as_list(sources):
        if isinstance(source, dict):
            # a copy: the caller's references stay as they are
            yield from cases_of_bundle(copy.deepcopy(source), f"Bundle {source.get('id', '(no id)')}")
        elif isinstance(source, str | Path):
            yield from _of_path(Path(source))
        elif isinstance(source, Converted):
            for case in cases_of_bundle(copy.deepcopy(source.bundle), "what convert gave"):
                yield replace(case, index=source.index) if isinstance(case, Case) else case
        else:
            yield from _of_lines(source, getattr(source, "name", "stream"))


def as_list(sources: Source | Iterable[Source]) -> list[Source]:
    """One source or many, as a list."""
    if isinstance(sources, str | Path | dict | Converted):
        return [sources]
    if hasattr(sources, "readline"):
        return [cast(IO[bytes], sources)]
    return list(sources)


def _of_path(path: Path) -> Iterator[Case | UnfitCase]:
    if path.is_dir():
        files = sorted(file for end in ("*.json", "*.ndjson") for file in path.glob(end))
        if not files:
            raise UnfitInput(f"{path}: the folder holds no .json or .ndjson file.")
        for file in files:
            yield from _of_path(file)
    elif not path.is_file():
        raise UnfitInput(f"{path}: no such file or folder.")
    elif path.suffix == ".ndjson":
        with path.open("rb") as lines:
            yield from _of_lines(lines, str(path))
    else:
        yield from _of_json(path.read_bytes(), str(path))


def _of_json(data: bytes, origin: str) -> Iterator[Case | UnfitCase]:
    try:
        value = exactjson.read(data)
    except exactjson.UnreadableJson as error:
        yield UnfitCase(origin, origin, UnfitInput(f"{origin}: {error}"))
        return
    yield from cases_of_bundle(value, origin)


def _of_lines(lines: IO[bytes], origin: str) -> Iterator[Case | UnfitCase]:
    """Bundles at once; single resources wait in a file on disk until all lines of their case are in."""
    with tempfile.TemporaryDirectory(prefix="casefhir-") as folder:
        spool = sqlite3.connect(Path(folder) / "spool.sqlite", isolation_level=None)
        try:
            spool.executescript(
                "pragma journal_mode=off; pragma synchronous=off; pragma cache_size=-2000;"
                "create table line(number integer primary key, key text, body blob); begin"
            )
            yield from _spool(lines, origin, spool)
            spool.execute("create index by_key on line(key, number)")
            yield from _from_spool(spool, origin)
        finally:
            spool.close()


def _spool(lines: IO[bytes], origin: str, spool: sqlite3.Connection) -> Iterator[Case | UnfitCase]:
    number = 0
    while line := lines.readline(LONGEST_LINE + 1):
        number += 1
        where = f"{origin}:{number}"
        if len(line) > LONGEST_LINE:
            raise UnfitInput(f"{where}: the line is longer than {LONGEST_LINE // 2**20} MB; is this NDJSON?")
        if not line.strip():
            continue
        try:
            value: Any = exactjson.read(line)
        except exactjson.UnreadableJson as error:
            yield UnfitCase(where, where, UnfitInput(f"{where}: {error}"))
            continue
        if not isinstance(value, dict) or "resourceType" not in value:
            yield UnfitCase(where, where, UnfitInput(f"{where}: not a FHIR resource (no resourceType)."))
        elif value["resourceType"] == "Bundle":
            yield from cases_of_bundle(value, where)
        else:
            spool.execute("insert into line values(?, ?, ?)", (number, tag(value, CASE_SYSTEM) or "", line))


def _from_spool(spool: sqlite3.Connection, origin: str) -> Iterator[Case | UnfitCase]:
    keys = spool.execute("select key, min(number) as first from line group by key order by first")
    for key, first in keys:
        bodies = spool.execute("select body from line where key = ? order by number", (key,))
        yield build_case(key, [(exactjson.read(body), None) for (body,) in bodies], f"{origin}:{first}")
