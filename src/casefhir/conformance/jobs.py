"""Pieces of work checked one after the other, or by several processes: the same reports in the same order."""

from collections.abc import Iterable, Iterator
from typing import Any

from casefhir.conformance.api import Checker
from casefhir.conformance.findings import Report
from casefhir.conformance.pieces import Piece
from casefhir.errors import CasefhirError


class WorkerLost(CasefhirError):
    """A process that checked resources ended without an answer."""


def checked(checker: Checker, work: Iterable[Piece], jobs: int = 1) -> Iterator[tuple[Piece, Report]]:
    """Each piece of `work` with its report, in order.

    With several `jobs` so many processes check, each with a checker of its own; a few pieces are held ready for each,
    no more, so memory does not grow with the work. A program that asks for them guards its start with
    `if __name__ == "__main__"`, as `multiprocessing` wants. Raises `WorkerLost`.
    """
    if jobs > 1:
        from casefhir.processes import in_order  # what runs processes takes as long to load as the rest

        lost = WorkerLost(
            "A process that validates was ended from outside, perhaps for want of memory; try fewer --jobs."
        )
        yield from in_order(work, _Worker, (checker.options,), jobs=jobs, lost=lost)
        return
    for piece in work:
        report = checker.report()
        checker.check_piece(piece, report)
        yield piece, report


class _Worker:
    """Checks pieces in a process of its own."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._checker = Checker(**options)

    def __call__(self, piece: Piece) -> Report:
        report = self._checker.report()
        self._checker.check_piece(piece, report)
        report.accepts = None  # the parent has it
        return report
