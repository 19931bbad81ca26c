"""Work in several processes: results in the order of the work, a bounded number of pieces under way."""

import multiprocessing
import multiprocessing.context
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from casefhir.errors import CasefhirError
from casefhir.interruption import put_off

Piece = TypeVar("Piece")
Result = TypeVar("Result")
_AHEAD = 3
_work: Callable[[Any], Any] | None = None


def _begin(make: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]) -> None:
    global _work
    _work = make(*arguments)


def _do(piece: Any) -> Any:
    if _work is None:
        raise RuntimeError("a worker was given work before it was set up")
    return _work(piece)


def _context(module: str) -> multiprocessing.context.BaseContext:
    """Workers that share one import of `module` where the system can fork, and nothing else of this process."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


def in_order(
    pieces: Iterable[Piece],
    make: Callable[..., Callable[[Piece], Result]],
    arguments: tuple[Any, ...],
    *,
    jobs: int,
    lost: CasefhirError,
) -> Iterator[tuple[Piece, Result]]:
    """Each piece with what it becomes. `make(*arguments)` gives the function that turns it into that; with `jobs` over
    1 it is made in every worker process, so `make`, `arguments`, pieces and results have to be picklable.

    Raises `lost` when a worker is killed (by the system for want of memory, or by hand).
    """
    if jobs <= 1:
        work = make(*arguments)
        for piece in pieces:
            yield piece, work(piece)
        return
    pool = ProcessPoolExecutor(jobs, _context(make.__module__), _begin, (make, arguments))
    waiting: deque[tuple[Piece, Future[Result]]] = deque()
    try:
        for piece in pieces:
            with put_off():
                waiting.append((piece, pool.submit(_do, piece)))
            if len(waiting) >= jobs * _AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    except BrokenProcessPool as error:
        raise lost from error
    finally:
        pool.shutdown(cancel_futures=True)
