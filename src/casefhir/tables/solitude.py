"""One run at a time writes into a folder, and none while a process of another still may."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from casefhir.errors import CasefhirError

_LOCK = ".casefhir-lock"
_PATIENCE = 1.0  # seconds, with a run that goes on: it may be at its end
_PATIENCE_WITH_KILLED = 30.0  # with the processes of one that was killed: they end as soon as a busy machine lets them


class InUse(CasefhirError):
    """Another run writes to the same folder."""


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Nobody but this run and its own processes writes into `out` meanwhile; raises `InUse`."""
    begun = time.monotonic()
    while (stream := _taken(out / _LOCK)) is None:
        patience = _PATIENCE if _goes_on(out / _LOCK) else _PATIENCE_WITH_KILLED
        if time.monotonic() - begun > patience:
            raise InUse(f"{out}: Another run is writing here; wait for it or name another folder.")
        time.sleep(_PATIENCE / 20)
    with stream:
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        try:
            yield
        finally:
            (out / _LOCK).unlink(missing_ok=True)


def hold(out: Path) -> TextIO:
    """Keep other runs out of `out` as long as what this gives is open: for the processes of the run that is `alone`."""
    stream = (out / _LOCK).open("a")
    fcntl.flock(stream, fcntl.LOCK_SH)
    return stream


def _goes_on(path: Path) -> bool:
    """Whether the run that holds the lock is there still, and not its processes alone."""
    try:
        os.kill(int(path.read_text()), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError, OverflowError):
        return True  # somebody else's; or it has not said yet, or is gone
    return True


def _taken(path: Path) -> TextIO | None:
    """The lock, if nobody holds it: first for this process alone, then to be shared with its own."""
    stream = path.open("a")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if os.fstat(stream.fileno()).st_nlink:  # else it is that of a run that has just ended
            return stream
    except BlockingIOError:
        pass
    stream.close()
    return None
