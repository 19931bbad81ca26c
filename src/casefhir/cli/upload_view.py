"""What a person sees of an upload: bars while it runs (plain lines where there is no terminal), then the receipt."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from casefhir.cli.common import console, shown, talk
from casefhir.cli.server import beside

if TYPE_CHECKING:
    from rich import progress as rich_progress

    from casefhir.delivery import CaseReceipt, Progress, UploadReceipt
    from casefhir.delivery.receipt import Action
    from casefhir.delivery.sources import Source

MOST_LINKS = 20
Listener = Callable[["Progress"], None]
_ACTIONS: tuple["Action", ...] = ("created", "updated", "unchanged", "deleted")


@contextmanager
def watching(sources: Sequence["Source"]) -> Iterator[Listener]:
    """What to tell an upload's progress to: bars on a terminal, else a line a case."""
    if not sys.stderr.isatty():
        yield _line
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as display:
        yield _Bars(display, _number_of(sources)).tell


class _Bars:
    """A bar of all cases, and below it one of each case under way, over its resources."""

    def __init__(self, display: "rich_progress.Progress", cases: int | None) -> None:
        self._display = display
        self._all = display.add_task("all cases", total=cases, unit="cases")
        self._under_way: dict[str, rich_progress.TaskID] = {}

    def tell(self, progress: "Progress") -> None:
        """Moves the bars; what has to be read stays above them."""
        if progress.kind == "wait":
            beside(progress.note)
        elif progress.kind == "begin":
            said = shown(progress.case)[:40]
            self._under_way[progress.case] = self._display.add_task(said, total=progress.entries, unit="resources")
        elif progress.kind == "sent" and progress.case in self._under_way:
            self._display.update(self._under_way[progress.case], completed=progress.entries)
        elif progress.kind == "done":
            if progress.case in self._under_way:
                self._display.remove_task(self._under_way.pop(progress.case))
            self._display.update(self._all, completed=progress.cases, unit=f"cases, {progress.resources} resources")
            if progress.note:
                _line(progress)


def _line(progress: "Progress") -> None:
    """One line for a case that is done, or a wait."""
    if progress.kind == "wait":
        beside(progress.note)
    elif progress.kind == "done" and progress.receipt:
        beside(f"{progress.cases}: {progress.case}: {progress.receipt.state}{_counted(progress.receipt)}")


def _counted(receipt: "CaseReceipt") -> str:
    counts = [f"{receipt.count(action)} {action}" for action in _ACTIONS if receipt.count(action)]
    return f" ({', '.join(counts)})" if counts else ""


def _number_of(sources: Sequence["Source"]) -> int | None:
    """How many cases there will be, if that can be said without reading them."""
    from casefhir.delivery.sources import Converted

    number = 0
    for source in sources:
        if isinstance(source, str | Path) and Path(source).is_dir():
            if any(Path(source).glob("*.ndjson")):
                return None
            number += len(list(Path(source).glob("*.json")))
        elif isinstance(source, dict | Converted) or (
            isinstance(source, str | Path) and Path(source).suffix != ".ndjson"
        ):
            number += 1
        else:
            return None
    return number


def print_receipt(receipt: "UploadReceipt", *, whole: bool) -> None:
    """The receipt as a table on stdout; `whole` with every resource that was (or would be) touched and its changes."""
    from rich.table import Table

    title = f"{receipt.server} ({receipt.software}, FHIR {receipt.fhir_version}), strategy {receipt.strategy}"
    table = Table(title=shown(title + (", dry run" if receipt.dry_run else "")), box=None)
    table.add_column("case", no_wrap=True)
    table.add_column("state")
    for action in (*_ACTIONS, "refused"):
        table.add_column(action, justify="right")
    for case in receipt.cases:
        refused = case.entries if case.state in ("refused", "failed") else 0
        counts = [str(case.count(action)) for action in _ACTIONS]
        table.add_row(shown(case.case), case.state, *counts, str(refused))
    if receipt.cases_left_out:
        table.add_row(f"({receipt.cases_left_out} more cases)")
    table.add_section()
    sums = (receipt.created, receipt.updated, receipt.unchanged, receipt.deleted, receipt.refused)
    table.add_row("all", "", *map(str, sums))
    out = console()
    out.print(table, highlight=False, markup=False)
    for case in receipt.cases[:MOST_LINKS]:
        patient = next((each.server for each in case.resources if each.resource.startswith("Patient/")), "")
        if patient and not receipt.dry_run:
            click.echo(shown(f"{case.case}: {receipt.server}/{patient}"))
    if whole:
        _print_resources(receipt)
    for case in receipt.troubled():
        talk(shown(f"{case.case}: {case.problem or case.state}"))
        for issue in case.issues:
            talk(shown(f"    {issue}"))
        for name, found in case.mismatches:
            for one in found:
                talk(shown(f"    {name}, {one}"))


def _print_resources(receipt: "UploadReceipt") -> None:
    for case in receipt.cases:
        for each in case.resources:
            if each.action == "unchanged":
                continue
            version = f" version {each.version}" if each.version else ""
            click.echo(
                shown(f"{case.case}: {each.action} {each.server or each.resource}{version} ({each.fact or 'no fact'})")
            )
            for one in each.differences:
                click.echo(shown(f"    {one.path}: {one.theirs or '(nothing)'} -> {one.ours or '(nothing)'}"))
