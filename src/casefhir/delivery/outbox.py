"""The outbox: what was planned, sent and confirmed, on disk, so that a killed upload can be taken up again.

SQLite in WAL mode: every change is a transaction that survives `kill -9`. It holds keys, hashes and receipts;
no resource bodies and no secrets.
"""

import json
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from casefhir.delivery.cases import Case
from casefhir.delivery.errors import DeliveryError, UnfitSettings
from casefhir.delivery.receipt import CaseReceipt

Mark = Literal["planned", "sent", "confirmed", "refused", "failed"]
_VERSION = 1
_SCHEMA = """
create table run(id integer primary key, server text not null, strategy text not null,
    sources text not null, started text not null, finished text);
create table delivery(server text not null, strategy text not null, case_key text not null, digest text
not null,
    mark text not null, run integer not null references run(id), origin text not null, marked text not null,
    receipt text, primary key(server, strategy, case_key)) without rowid;
create index delivery_by_run on delivery(run);
"""


class OutboxUnusable(DeliveryError):
    """The outbox cannot be written any more: what is not written down is not sent."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the outbox knows of a case on a server."""

    digest: str
    mark: Mark
    run: int
    origin: str


class Outbox:
    """One SQLite file, opened for one run; without a path a temporary one that goes away at the end."""

    def __init__(self, path: Path | None, server: str, strategy: str, sources: list[str]) -> None:
        """Opens (or makes) the file and starts a run. Raises `UnfitSettings` when it is not an outbox."""
        self._folder = None if path else tempfile.TemporaryDirectory(prefix="casefhir-")
        self._key = (server, strategy)
        file = path or Path(self._folder.name if self._folder else "") / "outbox.sqlite"
        self._file = file
        self._db = open_outbox(file)
        # a confirmed case that a power cut forgets is only compared with the server once more
        self._db.execute("pragma synchronous = normal")
        cursor = self._db.execute(
            "insert into run(server, strategy, sources, started) values(?, ?, ?, ?)",
            (server, strategy, json.dumps(sources), _now()),
        )
        self.run = int(cursor.lastrowid or 0)

    def __enter__(self) -> "Outbox":
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the file; a run that ends without an error is marked as finished."""
        if kind is None:
            self._db.execute("update run set finished = ? where id = ?", (_now(), self.run))
        self._db.close()
        if self._folder:
            self._folder.cleanup()

    def find(self, key: str) -> Row | None:
        """What is known of the case on this server, from any run."""
        found = self._run(
            "select digest, mark, run, origin from delivery where server = ? and strategy = ? and case_key = ?",
            (*self._key, key),
        ).fetchone()
        return Row(*found) if found else None

    def claim(self, key: str) -> None:
        """Note that this run has seen the case, and leave what is known of it as it is."""
        self._run(
            "update delivery set run = ? where server = ? and strategy = ? and case_key = ?",
            (self.run, *self._key, key),
        )

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is written inside is on disk together when the block ends: one commit for many cases."""
        self._run("begin immediate")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # SQLite itself rolls back when the disk is full
                self._run("rollback")
            raise
        self._run("commit")

    def mark(self, case: Case, mark: Mark, receipt: CaseReceipt | None = None) -> None:
        """Write down where the case stands; on disk when this returns."""
        self._run(
            "insert or replace into delivery values(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *self._key,
                case.key,
                case.digest,
                mark,
                self.run,
                case.origin,
                _now(),
                json.dumps(receipt.as_json()) if receipt else None,
            ),
        )

    def _run(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.Error as error:  # a full disk, a lock that is not given up
            raise OutboxUnusable(
                f"{self._file}: the outbox cannot be written ({error}); nothing more was sent. "
                "Make room, or give another file."
            ) from error


def open_outbox(file: Path) -> sqlite3.Connection:
    """The database of an outbox file, made when it is not there.

    Raises `UnfitSettings` for any other file.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(file, isolation_level=None, timeout=30)
    except (sqlite3.DatabaseError, OSError) as error:
        raise UnfitSettings(f"{file}: not usable as an outbox ({error}); give another file.") from error
    try:
        _check_version(db, file)  # before anything is changed: it may be somebody's database
        db.execute("pragma journal_mode = wal")
        db.execute("begin immediate")
        if _version(db) == 0:
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute(f"pragma user_version = {_VERSION}")
        db.execute("commit")
    except sqlite3.DatabaseError as error:
        db.close()
        raise UnfitSettings(f"{file}: not usable as an outbox ({error}); give another file.") from error
    except UnfitSettings:
        db.close()
        raise
    return db


def default_outbox(environ: Mapping[str, str]) -> Path:
    """Where the command line keeps its outbox: `$XDG_STATE_HOME/casefhir/outbox.sqlite`, else in `~/.local/state`."""
    state = environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "casefhir" / "outbox.sqlite"


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("pragma user_version").fetchone()[0])


def _check_version(db: sqlite3.Connection, file: Path) -> None:
    version = _version(db)
    fresh = version == 0 and db.execute("select 1 from sqlite_master").fetchone() is None
    if not fresh and version != _VERSION:
        raise UnfitSettings(f"{file}: an outbox of another version of casefhir, or another database; give a new file.")


def last_sources(file: Path, server: str | None = None) -> tuple[str, str, list[str]] | None:
    """(server, strategy, sources) of the latest run (of those to `server`), if something of it is left to do.

    That is what a resume goes on with: a run that was interrupted, or that got no clear answer on some case.
    """
    db = open_outbox(file)
    try:
        row = db.execute(
            "select server, strategy, sources, finished is null or exists(select 1 from delivery"
            " where delivery.run = run.id and mark not in ('confirmed', 'refused'))"
            " from run where server = coalesce(?, server) order by id desc limit 1",
            (server,),
        ).fetchone()
    finally:
        db.close()
    return (row[0], row[1], json.loads(row[2])) if row and row[3] else None


def receipts(file: Path) -> Iterator[dict[str, Any]]:
    """The latest receipt of every case in an outbox, one at a time, by case key."""
    db = open_outbox(file)
    try:
        for (text,) in db.execute("select receipt from delivery where receipt is not null order by case_key"):
            yield json.loads(text)
    finally:
        db.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
