"""`casefhir convert`: cases to FHIR."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import rich_click as click

from casefhir.cli.common import DONE, FINDINGS, PARTIAL, console, emit, progress, talk
from casefhir.cli.manual import cases
from casefhir.whole_file import write_file

if TYPE_CHECKING:
    from casefhir.conformance import Report
    from casefhir.delivery.files import Compression
    from casefhir.fhir import Conversion, Form, Terminology


@click.command()
@click.argument("mappings", nargs=-1, metavar="[SOURCE]...", shell_complete=cases)
@click.option(
    "--mapping",
    "table_mapping",
    metavar="NAME|FILE",
    help="Convert tables by this mapping: registry, sdtm, omop, synthea, redcap, phenopackets, or a file (.toml, "
    ".yaml).",
)
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
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Tables: processes that convert."
)
@click.option(
    "--on-error",
    type=click.Choice(["reject", "halt"]),
    default="reject",
    show_default=True,
    help="Tables: what happens to a row that cannot be converted: it goes to rejects/, or the run ends.",
)
@click.option(
    "--compress",
    type=click.Choice(["none", "gzip", "zstd"]),
    default="none",
    show_default=True,
    help="Tables: pack NDJSON (--as ndjson).",
)
@click.option(
    "--part-size",
    type=click.IntRange(1),
    metavar="MB",
    help="Tables: begin a new NDJSON file (--as ndjson) after so many MB.",
)
@click.option(
    "--rejects",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Tables: folder for rejected rows; else OUT/rejects, or OUT-rejects where the mapping has [privacy].",
)
@click.option("--resume", is_flag=True, help="Tables: go on with an interrupted run into the same folder.")
@click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Tables: spark converts on a Spark cluster (pip install 'casefhir[spark]').",
)
@click.option("--encoding", help="Tables: of text files, where it is found out wrongly.")
@click.option("--delimiter", help="Tables: of text files, where it is found out wrongly: a character, or tab.")
@click.option(
    "--test-data/--real-data",
    default=None,
    help="Tables: mark everything as test data, or not, whatever the mapping says.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a case (or for all tables) on stdout.")
def convert(
    mappings: tuple[str, ...],
    table_mapping: str | None,
    out: Path,
    form: str,
    terminology: str,
    subject: str | None,
    allow_errors: bool,
    jobs: int,
    on_error: str,
    compress: str,
    part_size: int | None,
    rejects: Path | None,
    resume: bool,
    engine: str,
    encoding: str | None,
    delimiter: str | None,
    test_data: bool | None,
    as_json: bool,
) -> None:
    """Convert cases, or tables by a mapping, to FHIR R4 and validate what is written.

    SOURCE is a case key, a mapping file (.py), a record (.yaml, .yml or .json, see casefhir schema record) or a folder
    of them; without any, the published cases are converted. Beside each bundle, index/CASE.json leads from its
    resources to the facts and lines they come from.

    With --mapping, sources are tables: files, folders or database URLs (CSV, XLSX, Parquet, JSON, SAS transport,
    DuckDB, SQL). Rows that cannot be converted go to rejects/ with the reason.

    Example: casefhir convert scig-antisynthetase-jo1 -o out --as document

    Example: casefhir convert examples/tables --mapping examples/tables/registry.toml -o out --as ndjson
    """
    if table_mapping is not None:
        from casefhir.cli.tables import convert_tables
        from casefhir.tables import Options

        if subject:
            raise click.UsageError("--subject goes with cases; persons of tables are told by their rows.")
        options = Options(
            form=cast("Form", form),
            terminology=cast("Terminology", terminology),
            test_data=test_data,
            on_error="halt" if on_error == "halt" else "reject",
            allow_errors=allow_errors,
            compression=cast("Compression", compress),
            part_size=part_size * 1_000_000 if part_size else None,
            encoding=encoding,
            delimiter=delimiter,
        )
        convert_tables(
            mappings,
            table_mapping,
            out,
            options,
            jobs=jobs,
            resume=resume,
            rejects=rejects,
            engine=engine,
            as_json=as_json,
        )
    if jobs > 1 or resume or rejects or engine != "local" or compress != "none" or part_size or encoding or delimiter:
        raise click.UsageError(
            "--jobs, --resume, --rejects, --engine and options of files go with tables: add --mapping."
        )
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
