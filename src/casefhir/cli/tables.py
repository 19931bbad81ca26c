"""`casefhir convert TABLES --mapping …`: tables of a registry or an export to FHIR."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from casefhir.cli.common import DONE, PARTIAL, console, emit, shown, talk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casefhir.tables import Kept, Options, Tally

_SHOWN = 8
_UNREAD = 12


def convert_tables(
    inputs: tuple[str, ...],
    mapping: str,
    out: Path,
    options: "Options",
    *,
    jobs: int,
    resume: bool,
    rejects: Path | None,
    engine: str,
    as_json: bool,
) -> None:
    """Convert `inputs` and tell the sums; exits with 3 when a row was rejected."""
    if not inputs:
        raise click.UsageError("Name the tables to convert: files, folders or database URLs.")
    from casefhir import tables

    loaded = tables.chosen(mapping, options)
    kept = tables.Kept.of(out, loaded.mapping.privacy, rejects)
    if engine == "spark":
        from casefhir import spark

        if jobs > 1 or resume:
            raise click.UsageError("--jobs and --resume are the local engine's; Spark's settings say how it works.")
        tally = spark.convert_files(list(inputs), loaded, out, options, rejects=rejects, note=talk)
    else:
        try:
            with _Bar() as bar:
                tally = tables.convert_tables(
                    list(inputs),
                    loaded,
                    out,
                    options,
                    jobs=jobs,
                    resume=resume,
                    rejects=rejects,
                    progress=bar.show,
                    note=bar.note,
                )
        except KeyboardInterrupt:
            if tables.is_unfinished(out):
                talk("What was finished is kept: the same command with --resume goes on from there.")
            raise
    written = tables.manifest(out)
    sums = {name: written[name] for name in (*tally.to_json(), "unread") if name in written}
    if as_json:
        emit({"out": str(out), **sums})
    _tell(tally, sums, out, kept)
    raise SystemExit(PARTIAL if tally.total_rejected or tally.errors else DONE)


class _Bar:
    """A bar on stderr with rate and time left, if that is a terminal."""

    def __init__(self) -> None:
        self._progress: Any = None
        self._task: Any = None
        self._before: int | None = None  # the resources of an earlier run that this one goes on with

    def __enter__(self) -> "_Bar":
        if sys.stderr.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._progress = Progress(
                TextColumn("Converting"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("rows, {task.fields[rate]} resources/s"),
                TimeRemainingColumn(),
                console=console(stderr=True),
                transient=True,
            )
            self._task = self._progress.add_task("rows", total=None, rate="…")
            self._progress.start()
        return self

    def note(self, text: str) -> None:
        """A line for the person, above the bar."""
        if self._progress is None:
            talk(text)
        else:
            self._progress.console.print(shown(text), markup=False, highlight=False, soft_wrap=True)

    def show(self, tally: "Tally", rows: int | None) -> None:
        """The sums so far, and how many rows there are in all if that is known."""
        if self._progress is None:
            return
        read = sum(counts["read"] for counts in tally.rows.values())
        made = sum(tally.resources.values())
        if self._before is None:  # rate and time left are this run's: they begin with its first piece
            self._before = made
            self._progress.reset(self._task, total=rows, completed=read, rate="…")
            return
        seconds = self._progress.tasks[0].elapsed or 0
        rate = f"{(made - self._before) / seconds:,.0f}" if seconds > 1 else "…"
        self._progress.update(self._task, completed=read, total=rows, rate=rate)

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()


def _tell(tally: "Tally", sums: dict[str, Any], out: Path, kept: "Kept") -> None:
    from rich.table import Table

    table = Table(title="Rows", title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("table", no_wrap=True)
    for name in ("read", "converted", "rejected", "filtered"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, counts in sorted(tally.rows.items()):
        table.add_row(shown(name), *(f"{counts[each]:,}" for each in ("read", "converted", "rejected", "filtered")))
    screen = console(stderr=True)
    screen.print(table)
    made = ", ".join(f"{count:,} {kind}" for kind, count in sorted(tally.resources.items(), key=lambda each: -each[1]))
    talk(f"{_counted(tally.persons, 'person')}: {made or 'nothing'}.")
    _listed("Rejected", ((f"{table}: {reason}", n) for (table, _, reason), n in tally.rejected.most_common()))
    _listed(
        "Kept as text, for no code is known",
        (
            (
                f"{row['rule']}: {row['column']} = {row['value']}"
                + (f" (near: {', '.join(row['near'])})" if row.get("near") else ""),
                row["count"],
            )
            for row in sums["unmapped"]
        ),
    )
    _unread(sums.get("unread", {}))
    _listed(
        "Defaults of the mapping, for blank cells",
        ((f"{rule}: {name} = {value}", n) for (rule, name, value), n in tally.defaults.most_common()),
    )
    _listed(
        "Findings of validation",
        (
            (f"{severity}: {message} [{rule}]", n)
            for (severity, rule, message), n in tally.findings.most_common()
            if severity != "information"
        ),
    )
    if any(severity != "information" for severity, _, _ in tally.findings):
        talk(f"  findings.ndjson in {out / 'index'} leads to the rows behind each.")
    if tally.unchecked:
        talk(f"Codes of these systems were not checked: {', '.join(sorted(tally.unchecked))}.")
    if tally.total_rejected:
        they, these = ("It is", "it") if tally.total_rejected == 1 else ("They are", "them")
        talk(
            f"{_counted(tally.total_rejected, 'row')} rejected. {they} in {kept.folder} with the reason; mend {these} "
            f"and convert that folder."
        )
        if kept.apart:
            talk(kept.note)
    for name, difference in tally.unaccounted().items():
        talk(f"The sums of table {name} do not add up by {difference}: this is a defect of ours.")


def _unread(tables: dict[str, list[str]]) -> None:
    """One line for each table, for such columns may be many; `mapping check` shows what is in them."""
    for table, columns in tables.items():
        names = columns
        if len(columns) > _UNREAD:  # of documents, the parts in which they are
            parts = Counter(column.partition(".")[0] for column in columns)
            names = [part if count == 1 else f"{part} ({count} columns)" for part, count in parts.items()]
        more = f" and {len(names) - _UNREAD} more" if len(names) > _UNREAD else ""
        listed = "; manifest.json lists them" if names is not columns else ""
        talk(shown(f"No rule reads, in {table}: {', '.join(names[:_UNREAD])}{more}{listed}."))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _listed(title: str, rows: "Iterable[tuple[str, int]]") -> None:
    found = list(rows)
    if not found:
        return
    talk(f"{title}:")
    for text, count in found[:_SHOWN]:
        talk(shown(f"  {count:>7,} × {text}"))
    if len(found) > _SHOWN:
        talk(f"  and {len(found) - _SHOWN} more kinds; manifest.json lists them.")
