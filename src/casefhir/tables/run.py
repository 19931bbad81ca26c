"""The run: read, group, convert in one or several processes, write; interrupted anywhere, it can be resumed."""

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from casefhir import exactjson
from casefhir.delivery.files import GrowingFiles, LostOutput
from casefhir.errors import CasefhirError
from casefhir.processes import in_order
from casefhir.sources.tables.check import SUGGESTED, near
from casefhir.sources.tables.files import Opened
from casefhir.sources.tables.grouping import grouping
from casefhir.sources.tables.inputs import address
from casefhir.sources.tables.load import LoadedMapping, load_mapping
from casefhir.sources.tables.opening import open_mapping
from casefhir.sources.tables.readers import fingerprint
from casefhir.sources.tables.readers.text import TextTable
from casefhir.tables.making import Made, Maker, Work
from casefhir.tables.options import Options
from casefhir.tables.rejects import Rejected, context_lines, reject_header, reject_lines, reject_name
from casefhir.tables.tally import Tally
from casefhir.whole_file import write_file

_CHECKPOINT = 20
"""Pieces between two checkpoints."""
MANIFEST = "manifest.json"
_PROGRESS = ".casefhir-progress.json"
_LOCK = ".casefhir-lock"


_DIED = (
    "A worker process was ended from outside, perhaps for want of memory. What was written until then is kept: go on "
    "with --resume, and fewer --jobs."
)


class WorkerDied(CasefhirError):
    """A worker process was ended from outside."""

    exit_code = 3


class InUse(CasefhirError):
    """Another run writes to the same folder."""


class NothingToResume(CasefhirError):
    """There is no interrupted run to go on with, or it was one of something else."""


def convert_tables(
    inputs: Sequence[str | Path],
    mapping: str | Path | LoadedMapping,
    out: Path,
    options: Options | None = None,
    *,
    jobs: int = 1,
    resume: bool = False,
    progress: Callable[[Tally, int | None], None] | None = None,
    note: Callable[[str], None] | None = None,
) -> Tally:
    """Convert the tables in `inputs` (files, folders, database URLs) by `mapping` into the folder `out`.

    The same input gives the same bytes whatever `jobs` is. `progress` is told the sums after every piece, and how many
    rows there are if that is known; `note` what was found out of the files. Raises `TableError`, `MappingError`,
    `Halted`, `InUse`, `NothingToResume`, `WorkerDied`; what a killed run had finished is kept for `resume`.
    """
    options = options or Options()
    loaded = chosen(mapping, options)
    opened = open_mapping(loaded, inputs, encoding=options.encoding, delimiter=options.delimiter)
    if note:
        for each in opened.notes:
            note(each)
    about = about_run(inputs, loaded, opened.files, options)
    out.mkdir(parents=True, exist_ok=True)
    with alone(out):
        begun = _read_progress(out, about) if resume else None
        tally = Tally.from_json(begun["tally"]) if begun else Tally()
        files = GrowingFiles(
            out,
            compression=options.compression,
            part_size=options.part_size,
            state=begun["files"] if begun else None,
        )
        done = begun["pieces"] if begun else 0
        with grouping(opened.keyed) as (grouped, pieces):
            make = partial(Maker, loaded, opened.files.sheets, opened.lookups, options)
            made_by = in_order(pieces[done:], Work, (make, grouped), jobs=jobs, lost=WorkerDied(_DIED))
            for place, (_, made) in enumerate(made_by, done + 1):
                tally.add(made.tally)
                _store(made, files, out, opened.files, loaded)
                if place % _CHECKPOINT == 0:
                    _write_progress(
                        out, {"about": about, "pieces": place, "files": files.checkpoint(), "tally": tally.to_json()}
                    )
                if progress:
                    progress(tally, opened.count)
        written = [str(path.relative_to(out)) for path in files.finish()]
        conclude(out, about, told(tally, loaded), written)
        (out / _PROGRESS).unlink(missing_ok=True)
    return tally


def chosen(mapping: str | Path | LoadedMapping, options: Options) -> LoadedMapping:
    """The mapping, with what the options overrule."""
    loaded = mapping if isinstance(mapping, LoadedMapping) else load_mapping(mapping)
    if options.test_data is None:
        return loaded
    return replace(loaded, mapping=loaded.mapping.model_copy(update={"test_data": options.test_data}))


def _store(made: Made, files: GrowingFiles, out: Path, opened: Opened, loaded: LoadedMapping) -> None:
    for name, lines in sorted(made.lines.items()):
        files.add(name, lines)
    for key, (bundle, index) in made.bundles.items():
        write_file(out / f"{key}.json", bundle)
        write_file(out / "index" / f"{key}.json", index)
    by_table: dict[str, list[Rejected]] = {}
    for each in made.rejects:
        by_table.setdefault(each.table, []).append(each)
    for table, rejected in sorted(by_table.items()):
        _add_rows(files, opened, loaded, table, reject_lines(opened.sheets[table], rejected), context=False)
    for table, rows in sorted(made.context.items()):
        _add_rows(files, opened, loaded, table, context_lines(rows), context=True)


def _add_rows(
    files: GrowingFiles, opened: Opened, loaded: LoadedMapping, table: str, lines: bytes, *, context: bool
) -> None:
    name = reject_name(table, context=context)
    if name not in files:
        lines = reject_header(opened.sheets[table], loaded.mapping.tables[table], context=context) + lines
    files.add(name, lines)


def told(tally: Tally, loaded: LoadedMapping) -> dict[str, Any]:
    """The sums as the manifest shows them: with what the commonest values without a code may have meant."""
    found = tally.to_json()
    for row in found["unmapped"][:SUGGESTED]:
        row["near"] = list(near(loaded, row["rule"], row["value"]))
    return found


def conclude(out: Path, about: dict[str, Any], sums: dict[str, Any], written: Sequence[str]) -> None:
    """Take out what an earlier run left in the folder and this one did not write; then write the manifest."""
    for name in set(manifest(out).get("files", [])) - set(written):
        (out / name).unlink(missing_ok=True)
    write_file(out / MANIFEST, exactjson.write({**about, **sums, "files": sorted(written)}, indent=True))


def manifest(out: Path) -> dict[str, Any]:
    """What the run into the folder said of itself at its end; empty where none has ended."""
    try:
        found: dict[str, Any] = exactjson.read((out / MANIFEST).read_bytes())
    except FileNotFoundError:
        return {}
    return found


def about_run(inputs: Sequence[str | Path], loaded: LoadedMapping, opened: Opened, options: Options) -> dict[str, Any]:
    """What was converted, by what: a run is resumed only if all of it is the same."""
    sources = []
    known = {
        part.path: part.print for each in opened.tables.values() for part in each.parts if isinstance(part, TextTable)
    }
    for path in opened.paths:
        found = known.get(path) or fingerprint(path)
        sources.append({"file": path.name, "size": found.size, "sha256": found.sha256})
    databases = [address(each) for each in inputs if isinstance(each, str) and "://" in each]
    mapping = loaded.mapping
    about = {
        "software": f"casefhir {version('casefhir')}",
        "mapping": {"name": mapping.name, "version": mapping.version, "sha256": loaded.sha256},
        "options": {name: value for name, value in asdict(options).items() if name not in ("encoding", "delimiter")},
        "sources": sources,
    }
    return about | ({"databases": databases} if databases else {})


def _identity(about: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def _read_progress(out: Path, about: dict[str, Any]) -> dict[str, Any]:
    path = out / _PROGRESS
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise NothingToResume(f"{out}: There is no interrupted run here; start without --resume.") from None
    except ValueError as error:
        raise LostOutput(f"{path}: The record of the interrupted run cannot be read ({error}); start anew.") from error
    if found["about"] != _identity(about):
        raise NothingToResume(
            f"{out}: The interrupted run was of other tables, another mapping or other options; start without --resume."
        )
    return found


def _write_progress(out: Path, found: dict[str, Any]) -> None:
    write_file(out / _PROGRESS, json.dumps(found | {"about": _identity(found["about"])}).encode())


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Nobody else writes into `out` meanwhile; raises `InUse`."""
    with (out / _LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(f"{out}: Another run is writing here; wait for it or name another folder.") from error
        yield
    (out / _LOCK).unlink(missing_ok=True)
