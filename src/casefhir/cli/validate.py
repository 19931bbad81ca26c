"""`casefhir validate`: does this JSON conform to FHIR R4?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from casefhir.cli.common import DONE, FINDINGS, shown, talk

if TYPE_CHECKING:
    from casefhir.conformance import Report

_FORMATS = ["text", "json", "operation-outcome", "sarif", "junit"]
_PATH = click.Path(exists=True, allow_dash=True, path_type=Path)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=_PATH)
@click.option(
    "--profiles",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Folder, file or package (.tgz) with StructureDefinitions; casefhir's own are always there.",
)
@click.option("--profile", help="Canonical URL of a profile that every resource has to meet.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="text",
    show_default=True,
    help="How findings are written: for people, or for other tools.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json: one object a finding.")
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
def validate(
    paths: tuple[Path, ...],
    profiles: tuple[Path, ...],
    profile: str | None,
    form: str,
    as_json: bool,
    redact: bool,
    accept: Path | None,
    fail_on: str,
) -> None:
    """Validate FHIR R4 JSON: PATHS are resources, bundles, NDJSON or folders of them; - is one resource from stdin.

    A finding tells where (file, line, element), what, and how to mend it; in bundles of casefhir's also the fact and
    the line it comes from. casefhir explain RULE says more.

    Example: casefhir validate bundles --fail-on warning
    """
    from casefhir.conformance import Report
    from casefhir.conformance import validate as check
    from casefhir.conformance.baseline import accept as without
    from casefhir.conformance.baseline import read_baseline
    from casefhir.published import folder

    whole = Report()
    for path in paths:
        source = sys.stdin.buffer.read() if str(path) == "-" else path
        report = check(source, profiles=(folder("profiles"), *profiles), profile=profile)
        whole.resources += report.resources
        whole.layers |= report.layers
        for system, count in report.unchecked.items():
            whole.unchecked[system] = whole.unchecked.get(system, 0) + count
        for finding in report.findings:
            whole.add(finding)
    if accept:
        whole, unused = without(whole, read_baseline(accept))
        for entry in unused:
            talk(f"{accept}: an accepted finding of rule {entry.rule} is found no more; remove it.")
    _show(whole, "json" if as_json else form, redact)
    bad = whole.counts["fatal"] + whole.counts["error"] + (whole.counts["warning"] if fail_on == "warning" else 0)
    raise SystemExit(FINDINGS if bad else DONE)


def _show(report: "Report", form: str, redact: bool) -> None:
    import json

    from casefhir.conformance import output

    if form == "text":
        _text(report, redact)
    elif form == "json":
        for line in output.to_json_lines(report, redact=redact):
            click.echo(shown(line))
    elif form == "junit":
        click.echo(shown(output.to_junit(report, redact=redact)))
    else:
        made = output.to_sarif if form == "sarif" else output.to_operation_outcome
        click.echo(shown(json.dumps(made(report, redact=redact), ensure_ascii=False, indent=2)))


def _text(report: "Report", redact: bool) -> None:
    from casefhir.conformance.origins import origin_of
    from casefhir.conformance.output import said

    for each in report.findings:
        place = f"{each.file or 'stdin'}:{each.line}" if each.line else each.file or "stdin"
        click.echo(shown(f"{each.severity}: {place}: {each.location}: {said(each, redact=redact)} [{each.rule}]"))
        origin = origin_of(each)
        if origin:
            click.echo(shown(f"    comes from {origin}"))
        if each.mend:
            click.echo(shown(f"    to mend: {each.mend}"))
    told = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count) or "no findings"
    talk(f"{report.resources} resources: {told}.")
    for name, state in report.layers.items():
        if state != "ran":
            talk(f"Layer {name}: {state}.")
    if report.unchecked:
        talk(f"Codes of these systems were not checked: {', '.join(sorted(report.unchecked))}.")
