"""Files that grow line by line (NDJSON by type, rejects), so that an interruption loses and doubles nothing.

Until `finish`, everything lies in scratch files whose names start with a point; a reader never sees half a file. A
`checkpoint` brings what was added so far to the disk and says where it ends; `resume` cuts off whatever came after it.
With the same additions and checkpoints the bytes are the same, also when a run was interrupted and resumed.
"""

import gzip
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypedDict

from casefhir.errors import CasefhirError
from casefhir.extras import needed
from casefhir.whole_file import SCRATCH

Compression = Literal["none", "gzip", "zstd"]
_ENDINGS: dict[Compression, str] = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_LINES = ".ndjson"
_HELD = 4 << 20  # bytes of a file that are held back; also what is packed together


class LostOutput(CasefhirError):
    """A run cannot be resumed: what it had written is not there as it was left."""


class State(TypedDict):
    """Where one name's output ended at a checkpoint: its part, the bytes in that part, before and after packing."""

    part: int
    size: int
    packed: int


@dataclass(slots=True)
class _Open:
    stream: BinaryIO
    part: int
    size: int
    packed: int
    waiting: list[bytes]
    held: int = 0


class GrowingFiles:
    """Files in `folder`, one a name (`Observation.ndjson`, `rejects/lb.csv`); NDJSON is packed where asked for, and
    comes in several parts of about `part_size` bytes (before packing) where that is given.
    """

    def __init__(
        self,
        folder: Path,
        *,
        compression: Compression = "none",
        part_size: int | None = None,
        state: Mapping[str, State] | None = None,
    ) -> None:
        self.folder = folder
        self.compression: Compression = compression
        self.part_size = part_size
        self._open: dict[str, _Open] = {}
        for stray in folder.rglob(f".*{SCRATCH}") if folder.is_dir() else ():
            if state is None:
                stray.unlink()  # of a run that was interrupted and is not resumed
        for name, each in (state or {}).items():
            self._reopen(name, each)
        if state is not None:
            self._drop_later_parts(state)

    def add(self, name: str, lines: bytes) -> None:
        """Whole lines for the file `name`."""
        found = self._open.get(name) or self._begin(name, 0)
        if self.part_size and name.endswith(_LINES) and found.size and found.size + len(lines) > self.part_size:
            self._flush(name, found)
            found.stream.close()
            found = self._begin(name, found.part + 1)
        found.waiting.append(lines)
        found.size += len(lines)
        found.held += len(lines)
        if found.held >= _HELD:
            self._write(name, found)

    def __contains__(self, name: str) -> bool:
        return name in self._open

    def checkpoint(self) -> dict[str, State]:
        """Everything added is on the disk now; what `resume` needs to go on from here."""
        for name, each in self._open.items():
            self._flush(name, each)
        return {
            name: State(part=each.part, size=each.size, packed=each.packed) for name, each in sorted(self._open.items())
        }

    def finish(self) -> list[Path]:
        """Give all files their names, and return them in order."""
        self.checkpoint()
        done: list[Path] = []
        for name, each in sorted(self._open.items()):
            each.stream.close()
            for part in range(each.part + 1):
                path = self._path(name, part, several=each.part > 0)
                os.replace(self._scratch(name, part), path)
                done.append(path)
        self._open.clear()
        return done

    def _begin(self, name: str, part: int) -> _Open:
        path = self._scratch(name, part)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open[name] = _Open(path.open("wb"), part, 0, 0, [])
        return self._open[name]

    def _flush(self, name: str, each: _Open) -> None:
        self._write(name, each)
        each.stream.flush()
        os.fsync(each.stream.fileno())

    def _write(self, name: str, each: _Open) -> None:
        if each.waiting:
            packed = self._packed(name, b"".join(each.waiting))
            each.stream.write(packed)
            each.packed += len(packed)
            each.waiting.clear()
            each.held = 0

    def _packed(self, name: str, data: bytes) -> bytes:
        if not name.endswith(_LINES):
            return data
        if self.compression == "gzip":
            return gzip.compress(data, 6, mtime=0)
        if self.compression == "zstd":
            packed: bytes = needed("zstandard", "tables", "Packing with zstd").compress(data)
            return packed
        return data

    def _scratch(self, name: str, part: int) -> Path:
        path = self._path(name, part, several=True)
        return path.with_name(f".{path.name}{SCRATCH}")

    def _path(self, name: str, part: int, *, several: bool) -> Path:
        stem, point, ending = name.rpartition(".")
        number = f".{part + 1:04d}" if several else ""
        packed = _ENDINGS[self.compression] if name.endswith(_LINES) else ""
        return self.folder / f"{stem}{number}{point}{ending}{packed}"

    def _reopen(self, name: str, state: State) -> None:
        path = self._scratch(name, state["part"])
        if not path.is_file() or path.stat().st_size < state["packed"]:
            raise LostOutput(
                f"{path}: This output of the interrupted run is gone or shorter; start again without --resume."
            )
        stream = path.open("r+b")
        stream.truncate(state["packed"])
        stream.seek(state["packed"])
        self._open[name] = _Open(stream, state["part"], state["size"], state["packed"], [])

    def _drop_later_parts(self, state: Mapping[str, State]) -> None:
        """Scratch files begun after the checkpoint."""
        kept = {self._scratch(name, part) for name, each in state.items() for part in range(each["part"] + 1)}
        for path in self.folder.rglob(f".*{SCRATCH}"):
            if path not in kept:
                path.unlink()
