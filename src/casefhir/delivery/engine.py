"""Many cases at once: bounded concurrency, the outbox, and a receipt of it all."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from casefhir.delivery.ahead import Ahead, Ready
from casefhir.delivery.cases import Case, UnfitCase
from casefhir.delivery.conditional import Conditional, Doubled, check_facts
from casefhir.delivery.connect import connected
from casefhir.delivery.errors import NetworkError, ServerUnsuitable, Transient, UnfitInput, UnsafeAnswer
from casefhir.delivery.manners import mannered
from casefhir.delivery.outbox import Mark, Outbox
from casefhir.delivery.plan import Strategy
from casefhir.delivery.put import Put, check_client_ids
from casefhir.delivery.receipt import CaseReceipt, UploadReceipt
from casefhir.delivery.server import Capabilities, Server
from casefhir.delivery.settings import Settings
from casefhir.delivery.sources import Source, as_list, read_cases
from casefhir.delivery.uploader import Upload, unfit_receipt

T = TypeVar("T")
_MARKS: dict[str, Mark] = {
    "done": "confirmed",
    "mismatch": "failed",
    "refused": "refused",
    "failed": "failed",
    "planned": "planned",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """Told while an upload runs.

    A case `begin`s, is `sent` when the server has taken its transaction, and is `done` (perhaps without having been
    sent); or the server asks to `wait` (`note` says why). `cases` and `resources` are done so far, `entries` is the
    number of the case's resources.
    """

    kind: Literal["begin", "sent", "done", "wait"]
    case: str
    cases: int
    resources: int
    note: str = ""
    entries: int = 0
    receipt: CaseReceipt | None = None


async def upload_async(
    sources: Source | Iterable[Source],
    to: str | Settings,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    **changes: Any,
) -> UploadReceipt:
    """Bring every case of `sources` to the FHIR R4 server `to` (its base URL, or `Settings`), each once
    and whole.

    `changes` are fields of `Settings`. What is wrong with one case is in the receipt and does not stop
    the others.
    Raises `ServerUnsuitable` or `UnfitSettings` before anything is sent; `NetworkError` or `AuthError`
    when the
    server is not to be reached any more, with what was done until then in its `receipt`; `UnfitInput`
    for a source
    that cannot be read.
    """
    settings = mannered(settings_of(to, changes))
    many = as_list(sources)
    named = [str(Path(source).resolve()) for source in many if isinstance(source, str | Path)]
    run = _Run(settings, on_progress)
    async with connected(settings, run.waits) as server:
        capabilities = await server.capabilities()
        check_server(server, capabilities)
        # a dry run keeps its books in a file that goes away: there is nothing of it to be resumed
        kept = None if settings.dry_run else settings.outbox
        with Outbox(kept, settings.base, settings.strategy, named) as outbox:
            return await run.all(read_cases(many), server, capabilities, outbox)


def upload(
    sources: Source | Iterable[Source],
    to: str | Settings,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    **changes: Any,
) -> UploadReceipt:
    """`upload_async`, waited for; works inside a notebook's running event loop too."""
    return waited(upload_async(sources, to, on_progress=on_progress, **changes))


def settings_of(to: str | Settings, changes: dict[str, Any]) -> Settings:
    """`to` as settings with `changes` on top."""
    return replace(to, **changes) if isinstance(to, Settings) else Settings(url=to, **changes)


def check_server(server: Server, capabilities: Capabilities) -> None:
    """Raises `ServerUnsuitable` when the server offers no transactions."""
    if not capabilities.transaction:
        raise ServerUnsuitable(
            f"{server.base} ({capabilities.software}) offers no transactions; a case could arrive in part. "
            "Give a server whose capability statement lists the interaction 'transaction'."
        )


def strategy_for(
    settings: Settings, server: Server, capabilities: Capabilities, case: Case, anchored: bool | None = None
) -> Strategy:
    """The strategy of the settings for one case; raises when the server or the case does not allow it.

    `anchored` says whether the server had the case's anchor a moment ago, if that is known.
    """
    if settings.strategy == "conditional":
        check_facts(case)
        return Conditional(server, capabilities, case, settings.prune)
    check_client_ids(case, capabilities)
    return Put(server, capabilities, case, settings.prune, anchored)


def waited(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; in a thread of its own when this thread already runs an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001  handed to the caller's thread below
            failed.append(error)

    thread = threading.Thread(target=run, name="casefhir-upload")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]


class _Run:
    """One upload of many cases."""

    def __init__(self, settings: Settings, on_progress: Callable[[Progress], None] | None) -> None:
        self.settings = settings
        self._tell = on_progress
        self._receipt = UploadReceipt(settings.base, "", "", settings.strategy, settings.dry_run, _now())
        self._resources = 0

    async def all(
        self, cases: Iterator[Case | UnfitCase], server: Server, capabilities: Capabilities, outbox: Outbox
    ) -> UploadReceipt:
        self._receipt.software = capabilities.software
        self._receipt.fhir_version = capabilities.fhir_version

        ahead = Ahead(cases, self.settings, server, outbox)

        async def worker() -> None:
            while (ready := await ahead.next()) is not None:
                await self._one(ready, server, capabilities, outbox)

        workers = [asyncio.create_task(worker()) for _ in range(self.settings.jobs)]
        try:
            await asyncio.gather(*workers)
            if ahead.unreadable:
                raise ahead.unreadable
        except NetworkError as error:
            error.receipt = self._receipt
            raise
        finally:
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            self._receipt.finished = _now()
        return self._receipt

    async def _one(self, ready: Ready, server: Server, capabilities: Capabilities, outbox: Outbox) -> None:
        case, receipt = ready.case, ready.receipt
        if receipt is None and isinstance(case, Case):
            self._told("begin", case.key, entries=len(case.entries))
            strategy = partial(strategy_for, self.settings, server, capabilities, case, ready.anchored)
            receipt = await self._deliver(case, server, strategy, outbox)
            outbox.mark(case, _MARKS[receipt.state], receipt)
        if receipt is not None:
            self._count(receipt)

    async def _deliver(
        self, case: Case, server: Server, strategy_of: Callable[[], Strategy], outbox: Outbox
    ) -> CaseReceipt:
        on_send = partial(outbox.mark, case, "sent")
        on_taken = partial(self._told, "sent", case.key, entries=len(case.entries))
        try:
            strategy = strategy_of()
            return await Upload(case, server, strategy, self.settings, on_send, on_taken).run()
        except UnfitInput as error:
            return unfit_receipt(case.key, case.origin, error, len(case.entries))
        except (Doubled, ServerUnsuitable) as error:
            return CaseReceipt(case.key, case.origin, "refused", entries=len(case.entries), problem=str(error))
        except (Transient, UnsafeAnswer) as error:
            await server.capabilities()  # is it only this case? A server that is gone stops the run here
            return CaseReceipt(
                case.key,
                case.origin,
                "failed",
                entries=len(case.entries),
                problem=f"Case {case.key!r}: {error}",
            )

    def waits(self, why: str, seconds: float) -> None:
        """Pass on that the server asked for patience."""
        self._told("wait", "", f"{why} Waiting {seconds:.1f} s.")

    def _count(self, receipt: CaseReceipt) -> None:
        self._receipt.add(receipt)
        self._resources += receipt.entries
        self._told("done", receipt.case, receipt.problem or "", receipt.entries, receipt)

    def _told(
        self,
        kind: Literal["begin", "sent", "done", "wait"],
        case: str,
        note: str = "",
        entries: int = 0,
        receipt: CaseReceipt | None = None,
    ) -> None:
        if self._tell:
            done = sum(self._receipt.by_state.values())
            self._tell(Progress(kind, case, done, self._resources, note, entries, receipt))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
