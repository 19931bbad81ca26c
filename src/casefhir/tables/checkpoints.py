"""Where a run can be gone on from: now and then, beside the work, what is written is brought to the disk and told."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from casefhir.delivery.files import LostOutput, Place, State, sync, writing
from casefhir.errors import CasefhirError
from casefhir.tables.tally import Tally
from casefhir.whole_file import write_file

_EVERY = 5.0
"""Seconds from one checkpoint to the next."""
_PROGRESS = ".casefhir-progress.json"


class NothingToResume(CasefhirError):
    """There is no interrupted run to go on with, or it was one of something else."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a run got: pieces done, their sums, and where the output of each name ended."""

    pieces: int = 0
    tally: Tally = field(default_factory=Tally)
    files: dict[str, State] = field(default_factory=dict)


class Checkpoints:
    """Those of one run of `about` into `out`; a context, in which an error of the disk is raised as `NotWritten`."""

    def __init__(self, out: Path, about: Mapping[str, Any]) -> None:
        self._path = out / _PROGRESS
        self._about = _identity(about)
        self._unsynced: set[str] = set()
        self._thread = ThreadPoolExecutor(1)
        self._saving: Future[None] | None = None
        self._last = time.monotonic()

    def begin(self, reached: Reached) -> None:
        """Make it possible to go on, if only from here."""
        self._save(set(), self._told(reached))

    def reach(self, places: Mapping[str, Place], reached: Callable[[], Reached]) -> None:
        """One more piece is written, at these places; `reached` tells where that is."""
        self._unsynced.update(place.path for place in places.values())
        if self._saving is not None:
            if not self._saving.done():
                return
            self.end()
        if time.monotonic() - self._last >= _EVERY:
            self._saving = self._thread.submit(self._save, self._unsynced, self._told(reached()))
            self._unsynced = set()

    def end(self) -> None:
        """Let the checkpoint that is being made come to its end."""
        if self._saving is not None:
            self._saving.result()
            self._saving = None

    def forget(self) -> None:
        """The run has come to its end."""
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def _told(self, reached: Reached) -> bytes:
        files = {name: asdict(end) for name, end in sorted(reached.files.items())}
        told = {"about": self._about, "pieces": reached.pieces, "files": files, "tally": reached.tally.to_json()}
        return json.dumps(told).encode()

    def _save(self, paths: set[str], told: bytes) -> None:
        try:
            sync(sorted(paths))
            with writing():
                write_file(self._path, told)
        finally:
            self._last = time.monotonic()


def is_unfinished(out: Path) -> bool:
    """Whether a run into the folder was interrupted that can be gone on with."""
    return (out / _PROGRESS).is_file()


def interrupted(out: Path, about: Mapping[str, Any]) -> Reached:
    """Where the run of `about` that was interrupted in `out` can be gone on from.

    Raises `NothingToResume`, and `LostOutput` where it cannot be read.
    """
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
    files = {name: State(**end) for name, end in found["files"].items()}
    return Reached(found["pieces"], Tally.from_json(found["tally"]), files)


def _identity(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
