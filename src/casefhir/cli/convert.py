"""`casefhir convert`: cases to FHIR."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import rich_click as click

from casefhir.cli.common import DONE, FINDINGS, PARTIAL, console, emit, progress, talk, write_file
from casefhir.cli.manual import cases

if TYPE_CHECKING:
    from casefhir.conformance import Report
    from casefhir.fhir import Conversion, Form, Terminology


@click.command()
@click.argument("mappings", nargs=-1, metavar="[MAPPING]...", shell_complete=cases)
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Folder that bundles and index are written into.",
)
@click.option(
    "--as",
    "form",
    type=click.Choice(["transaction", "collection", "document", "ndjson"]),
    default="transaction",
    show_default=True,
    help="One bundle a case, or one NDJSON file a resource type.",
)
@click.option(
    "--terminology",
    type=click.Choice(["free", "snomed"]),
    default="free",
    show_default=True,
    help="snomed adds SNOMED CT codes outside its free sets (needs a licence).",
)
@click.option(
    "--subject", help="Attach the facts to a patient that exists: Patient/123, or Patient?identifier=SYSTEM|VALUE."
)
@click.option("--allow-errors", is_flag=True, help="Write even what does not conform.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a case on stdout.")
def convert(
    mappings: tuple[str, ...],
    out: Path,
    form: str,
    terminology: str,
    subject: str | None,
    allow_errors: bool,
    as_json: bool,
) -> None:
    """Convert cases to FHIR R4 and validate what is written.

    MAPPING is a case key, a mapping file (.py), a record (.yaml, .yml or .json, see casefhir schema record) or a folder
    of them; without any, the published cases are converted. Beside each bundle, index/CASE.json leads from its
    resources to the facts and lines they come from.

    Example: casefhir convert scig-antisynthetase-jo1 -o out --as document
    """
    from casefhir import library

    named = dict.fromkeys(each for name in mappings for each in library.mapping_files(name))
    names = [*named] if mappings else library.published_mappings()
    done: list[tuple[Conversion, Report]] = []
    for path in progress(names, "Converting"):
        conversion = library.convert(
            path, form=cast("Form", form), terminology=cast("Terminology", terminology), subject=subject
        )
        done.append((conversion, library.validate_conversion(conversion)))
    _write(out, form, [conversion for conversion, report in done if report.ok or allow_errors])
    rows = [_row(conversion, report, out, report.ok or allow_errors) for conversion, report in done]
    for conversion, report in done:
        _tell(conversion, report)
    if as_json:
        for row in rows:
            emit(row)
    else:
        _table(rows)
    refused = [row["case"] for row in rows if row["written"] is None]
    if refused:
        talk(
            f"Not written, because they do not conform: {', '.join(refused)} (--allow-errors writes them all the same)."
        )
    written = len(rows) - len(refused)
    raise SystemExit(DONE if not refused else PARTIAL if written else FINDINGS)


def _tell(conversion: "Conversion", report: "Report") -> None:
    for finding in report.findings:
        if finding.severity in ("fatal", "error", "warning"):
            place = f"{conversion.case.key}: {finding.location}"
            talk(f"{finding.severity}: {place}: {finding.message} [{finding.rule}]")
    for remark in conversion.remarks:
        talk(f"note: {conversion.case.key}: {remark}")


def _write(out: Path, form: str, conversions: "list[Conversion]") -> None:
    from casefhir import exactjson

    lines: dict[str, bytes] = {}
    for conversion in conversions:
        if form == "ndjson":
            for name, data in conversion.to_ndjson().items():
                lines[name] = lines.get(name, b"") + data
        else:
            write_file(out / f"{conversion.case.key}.json", conversion.to_json())
        write_file(out / "index" / f"{conversion.case.key}.json", exactjson.write(conversion.index, indent=True))
    for name, data in lines.items():
        write_file(out / name, data)


def _row(conversion: "Conversion", report: "Report", out: Path, written: bool) -> dict[str, Any]:
    return {
        "case": conversion.case.key,
        "form": conversion.form,
        "written": str(out) if written else None,
        "facts": len(conversion.case.facts),
        "resources": conversion.counts,
        "findings": dict(report.counts),
        "remarks": list(conversion.remarks),
    }


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(title="Converted cases", title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("case", no_wrap=True)
    for name in ("facts", "results", "courses", "events", "errors", "warnings"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        counts, findings = row["resources"], row["findings"]
        table.add_row(
            row["case"],
            *(
                str(each)
                for each in (
                    row["facts"],
                    counts.get("Observation", 0),
                    counts.get("MedicationStatement", 0),
                    counts.get("AdverseEvent", 0),
                    findings.get("error", 0) + findings.get("fatal", 0),
                    findings.get("warning", 0),
                )
            ),
        )
    console(stderr=True).print(table)
