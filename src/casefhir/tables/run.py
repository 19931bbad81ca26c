"""The run: read, group, convert in one or several processes, write; interrupted anywhere, it can be resumed."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from casefhir import exactjson
from casefhir.delivery.files import GrowingFiles, Place, State, writing
from casefhir.errors import CasefhirError
from casefhir.processes import in_order, make_ready
from casefhir.sources.tables.check import SUGGESTED, near
from casefhir.sources.tables.files import Opened
from casefhir.sources.tables.grouping import Piece, grouping
from casefhir.sources.tables.inputs import address
from casefhir.sources.tables.load import LoadedMapping, load_mapping
from casefhir.sources.tables.opening import Opening, open_mapping
from casefhir.sources.tables.plan import Plan
from casefhir.sources.tables.readers import fingerprint
from casefhir.sources.tables.readers.text import TextTable
from casefhir.sources.tables.unread import unread
from casefhir.tables.bundle_list import listed, take_out
from casefhir.tables.checkpoints import Checkpoints, Reached, interrupted
from casefhir.tables.kept import Kept
from casefhir.tables.making import Maker
from casefhir.tables.options import Options
from casefhir.tables.rejects import FOLDER, reject_head
from casefhir.tables.solitude import alone
from casefhir.tables.tally import Tally
from casefhir.tables.working import Told, Work
from casefhir.whole_file import write_file

MANIFEST = "manifest.json"
_DIED = (
    "A worker process was ended from outside, perhaps for want of memory. What was written until then is kept: go on "
    "with --resume, and fewer --jobs."
)


class WorkerDied(CasefhirError):
    """A worker process was ended from outside."""

    exit_code = 3


def convert_tables(
    inputs: Sequence[str | Path],
    mapping: str | Path | LoadedMapping,
    out: Path,
    options: Options | None = None,
    *,
    jobs: int = 1,
    resume: bool = False,
    rejects: Path | None = None,
    progress: Callable[[Tally, int | None], None] | None = None,
    note: Callable[[str], None] | None = None,
) -> Tally:
    """Convert the tables in `inputs` (files, folders, database URLs) by `mapping` into the folder `out`.

    The same input gives the same bytes whatever `jobs` is; a program that asks for several guards its start with
    `if __name__ == "__main__"`, as `multiprocessing` wants. Rejected rows go to the folder `rejects`; without it into
    the output, or beside it where the mapping hides something (see `Kept`). `progress` is told the sums after every
    piece, and how many rows there are if that is known; `note` what was found out of the files. Raises `TableError`,
    `MappingError`, `ClearRows`, `Halted`, `InUse`, `NothingToResume`, `NotWritten`, `WorkerDied`; what an interrupted
    run had finished is kept for `resume`.
    """
    options = options or Options()
    make_ready(Work, jobs=jobs)
    loaded = chosen(mapping, options)
    kept = Kept.of(out, loaded.mapping.privacy, rejects)
    opened = open_mapping(loaded, inputs, encoding=options.encoding, delimiter=options.delimiter, jobs=jobs)
    if note:
        for each in opened.notes:
            note(each)
    about = about_run(inputs, loaded, opened.files, options)
    out.mkdir(parents=True, exist_ok=True)
    with alone(out), kept, Checkpoints(out, about) as checkpoints:
        reached = interrupted(out, about) if resume else Reached()
        tally, sheets = reached.tally, opened.files.sheets
        for name in sheets:
            tally.of(name)  # a table without rows is told too
        files = GrowingFiles(
            out,
            compression=options.compression,
            part_size=options.part_size,
            state=reached.files,
            head=partial(reject_head, sheets, loaded.mapping.tables),
            apart={FOLDER: kept.folder},
        )
        checkpoints.begin(reached)
        allotted: deque[tuple[dict[str, Place], dict[str, State]]] = deque()

        def settle(_: Piece, told: Told) -> dict[str, Place]:
            places = files.allot(told.sizes)
            allotted.append((places, files.state))
            return places

        with grouping(opened.keyed) as (grouped, pieces):
            maker = partial(Maker, loaded, sheets, opened.lookups, options)
            work = (maker, grouped, out, jobs > 1)
            left = pieces[reached.pieces :]
            with closing(in_order(left, Work, work, jobs=jobs, lost=WorkerDied(_DIED), settle=settle)) as converted:
                for place, (_, told_of) in enumerate(converted, reached.pieces + 1):
                    tally.add(told_of.tally)
                    places, ends = allotted.popleft()
                    checkpoints.reach(places, partial(Reached, place, tally, ends))
                    if progress:
                        progress(tally, opened.count)
        checkpoints.end()
        earlier = listed(out)
        conclude(out, about, told(tally, loaded) | not_read(loaded, opened), files.finish(), kept, earlier)
        checkpoints.forget()
    return tally


def chosen(mapping: str | Path | LoadedMapping, options: Options) -> LoadedMapping:
    """The mapping, with what the options overrule."""
    loaded = mapping if isinstance(mapping, LoadedMapping) else load_mapping(mapping)
    if options.test_data is None:
        return loaded
    return replace(loaded, mapping=loaded.mapping.model_copy(update={"test_data": options.test_data}))


def told(tally: Tally, loaded: LoadedMapping) -> dict[str, Any]:
    """The sums as the manifest shows them: with what the commonest values without a code may have meant."""
    found = tally.to_json()
    for row in found["unmapped"][:SUGGESTED]:
        row["near"] = list(near(loaded, row["rule"], row["value"]))
    return found


def not_read(loaded: LoadedMapping, opening: Opening) -> dict[str, Any]:
    """The columns that no rule reads, as the manifest shows them. In documents names of columns may be words of
    persons, so they are not told where the mapping hides something.
    """
    if loaded.mapping.privacy.hides:
        return {}
    columns = unread(Plan(loaded, opening.files.sheets, opening.lookups))
    return {"unread": {table: [*names] for table, names in columns.items()}}


def conclude(
    out: Path,
    about: dict[str, Any],
    sums: dict[str, Any],
    files: Sequence[Path],
    kept: Kept,
    earlier: frozenset[str],
) -> None:
    """Take out what an earlier run left in the folders and this one did not write, `earlier` being the persons whose
    bundles it had `listed`; then write the manifest.
    """
    written = sorted(str(path.relative_to(out)) for path in files if path.is_relative_to(out))
    before = manifest(out)
    for name in set(before.get("files", [])) - set(written):
        (out / name).unlink(missing_ok=True)
    take_out(out, earlier - listed(out))
    apart = kept.conclude(before.get("rejects", {}), [path for path in files if not path.is_relative_to(out)])
    with writing():
        write_file(out / MANIFEST, exactjson.write({**about, **sums, "files": written, **apart}, indent=True))


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
