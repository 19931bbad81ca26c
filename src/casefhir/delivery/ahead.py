"""A few cases ahead of the workers: written down as planned in one commit, looked up on the server in one request.

What is looked up is only whether a case's anchor (its Patient) is there at all. A case without is new and sent at
once, as a whole; any other is read and compared just before it is sent, whatever was seen here.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from casefhir.delivery.cases import Case, UnfitCase
from casefhir.delivery.errors import NetworkError, UnfitInput
from casefhir.delivery.manners import check_test_data
from casefhir.delivery.outbox import Outbox, Row
from casefhir.delivery.put import anchor
from casefhir.delivery.receipt import CaseReceipt
from casefhir.delivery.server import Rejected, Server
from casefhir.delivery.settings import Settings
from casefhir.delivery.uploader import check_size, unfit_receipt

CASES = 24  # at most, and fewer when they are large: what is ahead is all that an upload holds in memory
BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class Ready:
    """A case to deliver; or, with a `receipt`, one that is settled without the server.

    `anchored` says whether the server had its anchor a moment ago, None when that was not looked up.
    """

    case: Case | UnfitCase
    receipt: CaseReceipt | None = None
    anchored: bool | None = None


class Ahead:
    """The cases of one run, in order, each handed out once to whichever worker asks."""

    def __init__(self, cases: Iterator[Case | UnfitCase], settings: Settings, server: Server, outbox: Outbox) -> None:
        """`cases` is read as far as the workers need."""
        self._cases = cases
        self._settings = settings
        self._server = server
        self._outbox = outbox
        self._ready: deque[Ready] = deque()
        self._filling = asyncio.Lock()
        self._ended = False
        self.unreadable: UnfitInput | None = None

    async def next(self) -> Ready | None:
        """The next case, or None when there are no more: at the end, or where a source was `unreadable`."""
        low = len(self._ready) < self._settings.jobs
        # the worker that takes one of the last looks ahead, while the others still have something to do
        if not self._ended and (not self._ready or (low and not self._filling.locked())):
            await self._fill()
        while not self._ready and not self._ended:
            await self._fill()
        return self._ready.popleft() if self._ready else None

    async def _fill(self) -> None:
        async with self._filling:
            if self._ended or len(self._ready) >= self._settings.jobs:
                return  # another worker has been here
            window, more = self._taken()
            await self._look_up([each for each in window if each.receipt is None])
            self._ready.extend(window)
            self._ended = not more  # not before the last ones are there for all workers

    def _taken(self) -> tuple[list[Ready], bool]:
        """The next few cases, and whether there may be more."""
        cases: list[Case | UnfitCase] = []
        size = 0
        while len(cases) < CASES and size < BYTES:
            try:
                case = next(self._cases, None)
            except UnfitInput as error:  # what was read before it is delivered all the same
                self.unreadable, case = error, None
            if case is None:
                break
            cases.append(case)
            size += case.size if isinstance(case, Case) else 0
        with self._outbox.at_once():
            window = [Ready(case, self._settled(case)) for case in cases]
        return window, case is not None

    def _settled(self, case: Case | UnfitCase) -> CaseReceipt | None:
        """The receipt of a case that is not to be sent; any other is written down as planned."""
        if isinstance(case, UnfitCase):
            return unfit_receipt(case.key, case.origin, case.error)
        known = self._outbox.find(case.key)
        if known is not None and known.run == self._outbox.run:
            return _given_twice(case, known)
        if self._settings.resume and known is not None and (known.digest, known.mark) == (case.digest, "confirmed"):
            self._outbox.claim(case.key)
            return CaseReceipt(case.key, case.origin, "skipped", entries=len(case.entries))
        receipt = None
        try:
            check_test_data(case, self._settings)
            check_size(case, self._settings)
        except UnfitInput as error:
            receipt = unfit_receipt(case.key, case.origin, error, len(case.entries))
        self._outbox.mark(case, "refused" if receipt else "planned", receipt)
        return receipt

    async def _look_up(self, window: list[Ready]) -> None:
        if self._settings.strategy != "put" or len(window) < 2 or not self._server.batches:
            return  # nothing to be gained: the case looks for itself
        names = {each.case.key: anchor(each.case).name for each in window if isinstance(each.case, Case)}
        try:
            held = await self._server.read_many([*names.values()])
        except (Rejected, NetworkError):
            return  # each case looks for itself, and what is wrong is told there
        for each in window:
            each.anchored = held[names[each.case.key]] is not None


def _given_twice(case: Case, earlier: Row) -> CaseReceipt:
    if case.digest == earlier.digest:
        return CaseReceipt(case.key, case.origin, "skipped", entries=len(case.entries))
    error = UnfitInput(
        f"{case.origin}: case {case.key!r} was already given by {earlier.origin} with other content; "
        "this one was not sent. Give each case once."
    )
    return unfit_receipt(case.key, case.origin, error, len(case.entries))
