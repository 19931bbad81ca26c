"""Work in several processes: results in the order of the work, a bounded number of pieces under way."""

import multiprocessing
import multiprocessing.context
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from casefhir.errors import CasefhirError
from casefhir.interruption import put_off

Piece = TypeVar("Piece")
Result = TypeVar("Result")
_AHEAD = 3
"""Pieces under way for each process."""
_QUEUED = 2
"""Pieces a process is given: one to do, one to go on with."""
_work: Any = None


def _begin(make: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    global _work
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _work = make(*arguments)


def _end_with_parent() -> None:
    """A worker whose parent was killed ends at once; it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(piece: Any) -> Any:
    return _work(piece)


def _settle(order: Any) -> None:
    _work.settle(order)


def _context(module: str) -> multiprocessing.context.BaseContext:
    """Workers that share one import of `module` where the system can fork, and nothing else of this process."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


def make_ready(make: Callable[..., object], *, jobs: int) -> None:
    """Let the import that workers share begin now, beside what this process has to do before it has work for them."""
    if jobs > 1 and _context(make.__module__).get_start_method() == "forkserver":
        multiprocessing.resource_tracker.ensure_running()  # where it starts, it lets signals through again
        with put_off():
            multiprocessing.forkserver.ensure_running()


def in_order(
    pieces: Iterable[Piece],
    make: Callable[..., Callable[[Piece], Result]],
    arguments: tuple[Any, ...],
    *,
    jobs: int,
    lost: CasefhirError,
    settle: Callable[[Piece, Result], Any] | None = None,
) -> Generator[tuple[Piece, Result], None, None]:
    """Each piece with what it becomes. `make(*arguments)` gives the function that turns it into that; with `jobs` over
    1 it is made in every worker process, so `make`, `arguments`, pieces and results have to be picklable.

    `settle` is asked, piece by piece in their order, what is to be done with a result; the process that has made it
    is told the answer, by the method `settle` of what `make` gave, and the piece is given out when that is done. So
    what is large stays where it was made. Raises `lost` when a worker is killed (by the system for want of memory, or
    by hand).
    """
    if jobs > 1:
        yield from _Workers(make, arguments, jobs, lost, settle).in_order(pieces)
        return
    work: Any = make(*arguments)
    for piece in pieces:
        result = work(piece)
        if settle:
            work.settle(settle(piece, result))
        yield piece, result


@dataclass(slots=True)
class _UnderWay(Generic[Piece, Result]):
    piece: Piece
    pool: ProcessPoolExecutor
    made: Future[Result]
    settled: Future[None] | None = None


class _Workers(Generic[Piece, Result]):
    """Pools of one process each, so that the process that has made something can be told what to do with it."""

    def __init__(
        self,
        make: Callable[..., object],
        arguments: tuple[Any, ...],
        jobs: int,
        lost: CasefhirError,
        settle: Callable[[Piece, Result], Any] | None,
    ) -> None:
        context = _context(make.__module__)
        self._pools = [ProcessPoolExecutor(1, context, _begin, (make, arguments)) for _ in range(jobs)]
        self._under_way: deque[_UnderWay[Piece, Result]] = deque()
        self._ended: SimpleQueue[object] = SimpleQueue()
        self._lost = lost
        self._settle = settle

    def in_order(self, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, Result]]:
        waiting = iter(pieces)
        try:
            while True:
                self._hand_out(waiting)
                self._settle_made()
                if not self._under_way:
                    return
                first = self._under_way[0]
                if not _done(first, settled=self._settle is not None):
                    self._ended.get()
                    continue
                self._under_way.popleft()
                result = first.made.result()
                if first.settled:
                    first.settled.result()
                yield first.piece, result
        except BrokenProcessPool as error:
            raise self._lost from error
        finally:
            for pool in self._pools:
                pool.shutdown(wait=False, cancel_futures=True)
            for pool in self._pools:
                pool.shutdown()

    def _hand_out(self, waiting: Iterator[Piece]) -> None:
        """Give every process something to do and to go on with, as long as not too much is under way."""
        while len(self._under_way) < len(self._pools) * _AHEAD:
            loads = dict.fromkeys(self._pools, 0)
            for each in self._under_way:
                loads[each.pool] += not each.made.done()
            pool = min(self._pools, key=loads.__getitem__)
            if loads[pool] >= _QUEUED:
                return
            for piece in waiting:
                self._under_way.append(_UnderWay(piece, pool, self._submit(pool, _do, piece)))
                break
            else:
                return

    def _settle_made(self) -> None:
        if self._settle is None:
            return
        for each in self._under_way:
            if not each.made.done() or each.made.exception():
                return
            if each.settled is None:
                each.settled = self._submit(each.pool, _settle, self._settle(each.piece, each.made.result()))

    def _submit(self, pool: ProcessPoolExecutor, do: Callable[[Any], Any], given: object) -> Future[Any]:
        with put_off():
            future = pool.submit(do, given)
        future.add_done_callback(self._ended.put)
        return future


def _done(each: _UnderWay[Any, Any], *, settled: bool) -> bool:
    if settled and each.made.done() and not each.made.exception():
        return each.settled is not None and each.settled.done()
    return each.made.done()
