"""Ctrl-C while worker processes are started: it is for the parent, and is never lost."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[None]:
    """An interruption in here comes when it is over; processes that start in here stay deaf to it.

    So the parent is told alone, and ends its workers without their complaints. Where a system has no signal masks
    (Windows), nothing is put off.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
