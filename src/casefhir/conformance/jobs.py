"""Pieces of work checked one after the other, or by several processes: the same reports in the same order."""

from collections.abc import Iterable, Iterator

from casefhir.conformance.api import Checker
from casefhir.conformance.findings import Report
from casefhir.conformance.pieces import Piece


def checked(checker: Checker, work: Iterable[Piece], jobs: int = 1) -> Iterator[tuple[Piece, Report]]:
    """Each piece of `work` with its report, in order.

    With several `jobs` so many processes check, each with a checker of its own; a few pieces are held ready for each,
    no more, so memory does not grow with the work. A program that asks for them guards its start with
    `if __name__ == "__main__"`, as `multiprocessing` wants. Raises `workers.WorkerLost`.
    """
    if jobs > 1:
        from casefhir.conformance.workers import spread  # what runs processes takes as long to load as the rest

        yield from spread(checker.options, work, jobs)
        return
    for piece in work:
        report = checker.report()
        checker.check_piece(piece, report)
        yield piece, report
