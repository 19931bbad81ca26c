"""`casefhir validate`: does this JSON conform to FHIR R4?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from casefhir.cli.common import DONE, FINDINGS, NETWORK, VERBOSE, console, shown, talk

if TYPE_CHECKING:
    from casefhir.conformance import Report
    from casefhir.conformance.baseline import Baseline
    from casefhir.conformance.pieces import Piece

_FORMATS = ["text", "json", "operation-outcome", "sarif", "junit"]
_LAYERS = ["json", "structure", "invariants", "terminology", "references", "profiles", "meaning"]
_PATH = click.Path(exists=True, allow_dash=True, path_type=Path)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=_PATH)
@click.option("--only", multiple=True, type=click.Choice(_LAYERS), help="Run this layer only (may be repeated).")
@click.option("--skip", multiple=True, type=click.Choice(_LAYERS), help="Leave this layer out (may be repeated).")
@click.option(
    "--profiles",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Folder, file or package (.tgz) with StructureDefinitions; casefhir's own are always there.",
)
@click.option("--profile", help="Canonical URL of a profile that every resource has to meet.")
@click.option(
    "--tx",
    metavar="URL",
    help="Ask this terminology server for codes that are not known here; they are sent, and nothing else.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="text",
    show_default=True,
    help="How findings are written: for people, or for other tools.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json: one object a finding.")
@click.option(
    "--must-support", is_flag=True, help="List which mustSupport elements of the profiles that are followed are given."
)
@click.option("--redact", is_flag=True, help="Leave out the values that findings are about.")
@click.option(
    "--accept",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file of known findings with reasons, which do not count.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="What ends with exit code 1.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Of one rule in one file keep so many findings and count the others; 0 keeps all.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that validate.")
@click.pass_context
def validate(
    context: click.Context,
    paths: tuple[Path, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    profiles: tuple[Path, ...],
    profile: str | None,
    tx: str | None,
    form: str,
    as_json: bool,
    must_support: bool,
    redact: bool,
    accept: Path | None,
    fail_on: str,
    limit: int,
    jobs: int,
) -> None:
    """Validate FHIR R4 JSON: PATHS are resources, bundles, NDJSON or folders of them; - is stdin.

    A finding tells where (file, line, element), what, and how to mend it; in bundles of casefhir's also the fact and
    the line it comes from. casefhir explain RULE says more.

    Example: casefhir validate bundles --fail-on warning
    """
    from casefhir.cli.findings import show_must_support
    from casefhir.conformance.api import Checker
    from casefhir.conformance.jobs import checked
    from casefhir.published import folder

    if only and skip:
        raise click.UsageError("Give --only or --skip, not both.")
    form = "json" if as_json else form
    baseline = _baseline(accept)
    checker = Checker(
        profiles=(folder("profiles"), *profiles),
        profile=profile,
        layers=only or [each for each in _LAYERS if each not in skip],
        tx=tx,
        limit=limit or None,
        accepts=baseline,
    )
    whole = checker.report()
    with_bar = sys.stderr.isatty() and not (form == "json" and sys.stdout.isatty())
    for report in _shown_as_they_come(checked(checker, _pieces(paths), jobs), paths, with_bar=with_bar):
        whole.merge(report)
        if form == "json":
            _lines(whole, redact)
    _show(whole, form, redact, every=bool(context.meta.get(VERBOSE)))
    if must_support and form == "text":
        show_must_support(whole)
    for entry in baseline.unused(whole) if baseline else ():
        talk(f"{accept}: an accepted finding of rule {entry.rule} is found no more; remove it.")
    bad = whole.counts["fatal"] + whole.counts["error"] + (whole.counts["warning"] if fail_on == "warning" else 0)
    raise SystemExit(FINDINGS if bad else NETWORK if "terminology server" in whole.layers["terminology"] else DONE)


def _baseline(accept: Path | None) -> "Baseline | None":
    from casefhir.conformance.baseline import Baseline, read_baseline

    return Baseline(read_baseline(accept)) if accept else None


def _pieces(paths: tuple[Path, ...]) -> "Iterator[Piece]":
    from casefhir.conformance.pieces import from_stream, passed_over, pieces

    for path in paths:
        if str(path) == "-":
            yield from from_stream(sys.stdin.buffer, None)
            continue
        yield from pieces(path)
        others = passed_over(path)
        if others:
            told = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in sorted(others.items()))
            talk(shown(f"{path}: passed over what is not called .json, .ndjson or .jsonl: {told}."))


def _shown_as_they_come(
    found: "Iterator[tuple[Piece, Report]]", paths: tuple[Path, ...], *, with_bar: bool
) -> "Iterator[Report]":
    """The reports, with a bar on stderr that says how much of the bytes has been read."""
    if not with_bar:
        yield from (report for _, report in found)
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from casefhir.conformance.pieces import total_size

    known = all(str(each) != "-" for each in paths)
    columns = (TextColumn("Validating"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total_size(paths) if known else None)
        for piece, report in found:
            bar.advance(task, piece.size)
            yield report


def _lines(report: "Report", redact: bool) -> None:
    from casefhir.conformance.output import finding_lines

    for line in finding_lines(report, redact=redact):
        click.echo(shown(line))
    report.findings.clear()


def _show(report: "Report", form: str, redact: bool, *, every: bool) -> None:
    import json

    from casefhir.cli.findings import show
    from casefhir.conformance import output

    if form == "text":
        show(report, redact=redact, every=every)
    elif form == "json":
        click.echo(json.dumps(output.summary(report), ensure_ascii=False))
        return
    elif form == "junit":
        click.echo(shown(output.to_junit(report, redact=redact)))
    else:
        made = output.to_sarif if form == "sarif" else output.to_operation_outcome
        click.echo(shown(json.dumps(made(report, redact=redact), ensure_ascii=False, indent=2)))
    _tell(report)


def _tell(report: "Report") -> None:
    """What was and was not done, on stderr."""
    names = {"error": "errors", "warning": "warnings"}
    told = [
        f"{count} {names.get(name, name) if count > 1 else name}" for name, count in report.counts.items() if count
    ] or ["no findings"]
    accepted = sum(report.accepted.values())
    told += [f"{accepted} accepted"] if accepted else []
    talk(f"{report.resources} {'resource' if report.resources == 1 else 'resources'}: {', '.join(told)}.")
    for rule, count in sorted(report.left_out.items()):
        talk(f"{count} findings of {rule} were counted and not kept; --limit 0 keeps all.")
    for name, state in report.layers.items():
        if state != "ran":
            talk(f"Layer {name}: {state}.")
    if report.unchecked:
        codes = ", ".join(f"{system} ({count})" for system, count in sorted(report.unchecked.items()))
        talk(shown(f"Codes that could not be checked here: {codes}."))
