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


class WorkerDied(CasefhirError):
    """A worker process was ended from outside."""

    exit_code = 3


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
) -> Iterator[Result]:
    """`make(*arguments)` gives the function that turns a piece into its result; with `jobs` over 1 it is made in every
    worker process, so `make`, `arguments`, pieces and results have to be picklable.

    Raises `WorkerDied` when a worker is killed (by the system for want of memory, or by hand).
    """
    if jobs <= 1:
        work = make(*arguments)
        for piece in pieces:
            yield work(piece)
        return
    context = _context(make.__module__)
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(make, arguments)) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for piece in pieces:
                with put_off():
                    waiting.append(pool.submit(_do, piece))
                if len(waiting) >= jobs * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise WorkerDied(
                "A worker process was ended from outside, perhaps for want of memory. What was written until then is "
                "kept: go on with --resume, and fewer --jobs."
            ) from error
        finally:
            for each in waiting:
                each.cancel()
