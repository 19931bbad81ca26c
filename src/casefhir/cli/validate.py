"""`casefhir validate`: does this JSON conform to FHIR R4?"""

from pathlib import Path

import rich_click as click

from casefhir.cli.common import DONE, FINDINGS, emit, talk


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--profiles",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Folder, file or package (.tgz) with StructureDefinitions; casefhir's own are always there.",
)
@click.option("--profile", help="Canonical URL of a profile that every resource has to meet.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="What ends with code 1.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding, and one that closes.")
def validate(
    paths: tuple[Path, ...], profiles: tuple[Path, ...], profile: str | None, fail_on: str, as_json: bool
) -> None:
    """Validate FHIR R4 JSON: resources, bundles, NDJSON, files or folders of them.

    Example: casefhir validate bundles --fail-on warning
    """
    from casefhir.conformance import validate as check
    from casefhir.published import folder

    totals = {"fatal": 0, "error": 0, "warning": 0, "information": 0}
    resources = 0
    layers: dict[str, str] = {}
    for path in paths:
        report = check(path, profiles=(folder("profiles"), *profiles), profile=profile)
        resources += report.resources
        layers |= report.layers
        for severity in totals:
            totals[severity] += report.counts.get(severity, 0)
        for each in report.findings:
            if as_json:
                emit(
                    {
                        "file": each.file, "severity": each.severity, "rule": each.rule, "location": each.location,
                        "pointer": each.pointer, "line": each.line, "message": each.message, "mend": each.mend,
                    }
                )  # fmt: skip
            else:
                place = f"{each.file or path}:{each.line}" if each.line else str(each.file or path)
                click.echo(f"{each.severity}: {place}: {each.location}: {each.message} [{each.rule}]")
                if each.mend:
                    click.echo(f"    to mend: {each.mend}")
    if as_json:
        emit({"resources": resources, "counts": totals, "layers": layers})
    else:
        said = ", ".join(f"{count} {name}" for name, count in totals.items() if count) or "no findings"
        talk(f"{resources} resources: {said}.")
        for name, state in layers.items():
            if state != "ran":
                talk(f"Layer {name}: {state}.")
    bad = totals["fatal"] + totals["error"] + (totals["warning"] if fail_on == "warning" else 0)
    raise SystemExit(FINDINGS if bad else DONE)
