"""Files that grow line by line (NDJSON by type, rejects), so that an interruption loses and doubles nothing.

One process allots every block of lines its place, in order; whoever has made the block writes it there. Until
`finish`, everything lies in scratch files whose names start with a point; a reader never sees half a file. What a
`State` tells can be gone on from once all blocks before it are written and the files are synced: whatever came after is
cut off. With the same blocks the bytes are the same, also when a run was interrupted and resumed.
"""

import gzip
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from casefhir.errors import CasefhirError
from casefhir.extras import needed
from casefhir.whole_file import SCRATCH

Compression = Literal["none", "gzip", "zstd"]
_ENDINGS: dict[Compression, str] = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_LINES = ".ndjson"


class LostOutput(CasefhirError):
    """A run cannot be resumed: what it had written is not there as it was left."""


class NotWritten(CasefhirError):
    """The output cannot be written: the disk is full, or fails."""

    exit_code = 3


@contextmanager
def writing() -> Iterator[None]:
    """An error of the disk in here is raised as `NotWritten`."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise NotWritten(
            f"{where}The output cannot be written ({error.strerror or error}). What was written until the last "
            f"checkpoint is kept: make room, and go on with --resume."
        ) from error


class Size(NamedTuple):
    """Bytes of a block, before and after packing."""

    whole: int
    packed: int


class Place(NamedTuple):
    """Where a block belongs: its file, and the offset in it."""

    path: str
    at: int


@dataclass(frozen=True, slots=True)
class State:
    """Where one name's output ends: its part, the bytes in that part, before and after packing."""

    part: int
    size: int
    packed: int


class GrowingFiles:
    """Files in `folder`, one a name (`Observation.ndjson`, `rejects/lb.csv`), which begin with what `head` gives for
    the name; NDJSON is packed where asked for, and comes in several parts of about `part_size` bytes (before packing)
    where that is given. `apart` leads from the first part of names (`rejects`) to another folder for what is called so.
    """

    def __init__(
        self,
        folder: Path,
        *,
        compression: Compression = "none",
        part_size: int | None = None,
        state: Mapping[str, State] | None = None,
        head: Callable[[str], bytes] = lambda _: b"",
        apart: Mapping[str, Path] = MappingProxyType({}),
    ) -> None:
        self.folder = folder
        self.apart = apart
        self.compression: Compression = compression
        self.part_size = part_size
        self._head = head
        self._ends: dict[str, State] = dict(state or {})
        for name, each in self._ends.items():
            self._cut_off(name, each)
        kept = {self._scratch(name, part) for name, each in self._ends.items() for part in range(each.part + 1)}
        for path in [path for each in dict.fromkeys((folder, *apart.values())) for path in each.rglob(f".*{SCRATCH}")]:
            # of a run that was interrupted and is not resumed, or begun after its last checkpoint
            if path not in kept:
                path.unlink(missing_ok=True)

    @property
    def state(self) -> dict[str, State]:
        """Where all names' output ends, by what was allotted until now."""
        return dict(self._ends)

    def allot(self, sizes: Mapping[str, Size]) -> dict[str, Place]:
        """The places of the next blocks of whole lines, by name."""
        return {name: self._allot(name, size) for name, size in sizes.items()}

    def _allot(self, name: str, size: Size) -> Place:
        end = self._ends.get(name) or self._begin(name, 0)
        if self.part_size and name.endswith(_LINES) and end.size and end.size + size.whole > self.part_size:
            end = self._begin(name, end.part + 1)
        self._ends[name] = replace(end, size=end.size + size.whole, packed=end.packed + size.packed)
        return Place(str(self._scratch(name, end.part)), end.packed)

    def finish(self) -> list[Path]:
        """Give all files, which are written now, their names, and return them in order."""
        done: list[Path] = []
        for name, end in sorted(self._ends.items()):
            for part in range(end.part + 1):
                scratch, path = self._scratch(name, part), self._path(name, part, several=end.part > 0)
                sync([str(scratch)])
                with writing():
                    os.replace(scratch, path)
                done.append(path)
        self._ends.clear()
        return done

    def _begin(self, name: str, part: int) -> State:
        path, head = self._scratch(name, part), self._head(name)
        with writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(head)
        return State(part, len(head), len(head))

    def _scratch(self, name: str, part: int) -> Path:
        path = self._path(name, part, several=True)
        return path.with_name(f".{path.name}{SCRATCH}")

    def _path(self, name: str, part: int, *, several: bool) -> Path:
        stem, point, ending = name.rpartition(".")
        number = f".{part + 1:04d}" if several else ""
        packed = _ENDINGS[self.compression] if name.endswith(_LINES) else ""
        first, _, rest = stem.partition("/")
        folder, stem = (self.apart[first], rest) if rest and first in self.apart else (self.folder, stem)
        return folder / f"{stem}{number}{point}{ending}{packed}"

    def _cut_off(self, name: str, end: State) -> None:
        path = self._scratch(name, end.part)
        if not path.is_file() or path.stat().st_size < end.packed:
            raise LostOutput(
                f"{path}: This output of the interrupted run is gone or shorter; start again without --resume."
            )
        os.truncate(path, end.packed)


def packed(name: str, lines: bytes, compression: Compression) -> bytes:
    """A block of whole lines as the file `name` holds it; blocks after one another are read as one file."""
    if not name.endswith(_LINES) or compression == "none":
        return lines
    if compression == "gzip":
        return gzip.compress(lines, 6, mtime=0)
    found: bytes = needed("zstandard", "tables", "Packing with zstd").compress(lines)
    return found


def write_at(place: Place, block: bytes) -> None:
    """Write a block, which is as long as was told, at the place that it was allotted; raises `NotWritten`."""
    with _opened(place.path) as file:
        left, at = memoryview(block), place.at
        while left:
            count = os.pwrite(file, left, at)
            left, at = left[count:], at + count


def sync(paths: Iterable[str]) -> None:
    """Bring to the disk what any process has written into these files; raises `NotWritten`."""
    for path in paths:
        with _opened(path) as file:
            os.fsync(file)


@contextmanager
def _opened(path: str) -> Iterator[int]:
    with writing():
        file = os.open(path, os.O_WRONLY)
        try:
            yield file
        except OSError as error:
            error.filename = path
            raise
        finally:
            os.close(file)
