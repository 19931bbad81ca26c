"""Pieces of work spread over processes."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from casefhir.conformance.api import Checker
from casefhir.conformance.findings import Report
from casefhir.conformance.pieces import Piece
from casefhir.errors import CasefhirError
from casefhir.interruption import put_off

_AHEAD = 3
_mine: list[Checker] = []
"""A worker's own checker."""


class WorkerLost(CasefhirError):
    """A process that checked resources ended without an answer."""


def spread(options: dict[str, Any], work: Iterable[Piece], jobs: int) -> Iterator[tuple[Piece, Report]]:
    """Each piece of `work` with its report, in order; `jobs` processes check, each with a `Checker` of `options`.

    Raises `WorkerLost`.
    """
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _start, (options,))
    waiting: deque[tuple[Piece, Future[Report]]] = deque()
    try:
        for piece in work:
            with put_off():
                waiting.append((piece, pool.submit(_check, piece)))
            if len(waiting) >= jobs * _AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    except BrokenProcessPool as error:
        raise WorkerLost(
            "A process that validates was ended from outside, perhaps for want of memory; try fewer --jobs."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start(options: dict[str, Any]) -> None:
    _mine.append(Checker(**options))


def _check(piece: Piece) -> Report:
    report = _mine[0].report()
    _mine[0].check_piece(piece, report)
    report.accepts = None  # the parent has it
    return report
