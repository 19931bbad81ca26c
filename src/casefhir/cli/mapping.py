"""`casefhir mapping`: look after the mapping files that tables are converted by."""

import dataclasses
from typing import TYPE_CHECKING, Any

import rich_click as click

from casefhir.cli.common import DONE, FINDINGS, console, emit, shown, talk

if TYPE_CHECKING:
    from collections.abc import Callable

    from casefhir.sources.tables.check import MappingCheck
    from casefhir.sources.tables.tracing import RowTrace

_MOST = 40


def _of_text_files(command: "Callable[..., Any]") -> "Callable[..., Any]":
    """The options that overrule what is found out of text files, as `casefhir convert` has them."""
    for name, what in (
        ("--delimiter", "Of text files, where it is found out wrongly: a character, or tab."),
        ("--encoding", "Of text files, where it is found out wrongly."),
    ):
        command = click.option(name, help=what)(command)
    return command


@click.group()
def mapping() -> None:
    """Look after the mapping files that tables are converted by.

    A mapping file says what the rows and columns of a registry's tables become. draft proposes one, check tries it,
    explain follows a single row. docs/mapping.md is its reference.

    Example: casefhir mapping check my-registry.toml tables
    """


@mapping.command()
@click.argument("file", metavar="FILE|NAME")
@click.argument("tables", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1), help="Try the first so many persons only.")
@_of_text_files
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@click.pass_context
def check(
    context: click.Context,
    file: str,
    tables: tuple[str, ...],
    limit: int | None,
    encoding: str | None,
    delimiter: str | None,
    as_json: bool,
) -> None:
    """Try a mapping on TABLES: what is unused, what matched nothing, what is refused, and why.

    For every table it adds up: rows read = converted + rejected + filtered. Words that lead to nothing are counted,
    with the nearest that would. FILE is a mapping file, or the name of a mapping that comes with casefhir. TABLES are
    files, folders or database URLs.

    Example: casefhir mapping check my-registry.toml tables
    """
    from casefhir.sources.tables.check import check_mapping
    from casefhir.sources.tables.load import load_mapping

    found = check_mapping(load_mapping(file), tables, limit=limit, encoding=encoding, delimiter=delimiter)
    if as_json:
        emit(_as_json(found))
    else:
        _show_check(found)
    context.exit(DONE if found.clean else FINDINGS)


@mapping.command()
@click.argument("tables", nargs=-1, required=True)
@_of_text_files
def draft(tables: tuple[str, ...], encoding: str | None, delimiter: str | None) -> None:
    """Propose a first mapping for TABLES (files, folders, database URLs), from headers, units and values.

    Read every line of it: a proposal is a guess, and says where it is unsure. Nothing of the tables is in it but
    headers and a few values in comments.

    Example: casefhir mapping draft tables > my-registry.toml
    """
    from casefhir.sources.tables.drafting.draft import draft_mapping

    click.echo(draft_mapping(tables, encoding=encoding, delimiter=delimiter), nl=False)


@mapping.command()
@click.argument("file", metavar="FILE|NAME")
@click.argument("tables", nargs=-1, required=True)
@click.option("--row", type=click.IntRange(1), required=True, help="The row, as an editor or spreadsheet numbers it.")
@click.option("--table", help="The mapping's name of the table, where it has several.")
@_of_text_files
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@click.pass_context
def explain(
    context: click.Context,
    file: str,
    tables: tuple[str, ...],
    row: int,
    table: str | None,
    encoding: str | None,
    delimiter: str | None,
    as_json: bool,
) -> None:
    """Follow one row of TABLES to its resources, or to the reason why it has none.

    It shows the row's cells, which rules read them, the facts they made and the FHIR resources of these.

    Example: casefhir mapping explain my-registry.toml tables --table visits --row 3
    """
    from casefhir.sources.tables.load import load_mapping
    from casefhir.sources.tables.tracing import trace

    found = trace(load_mapping(file), tables, table, row, encoding=encoding, delimiter=delimiter)
    resources = _resources(found)
    if as_json:
        told = {"table": found.table, "file": found.file, "row": found.row, "cells": found.cells}
        told |= {"person": list(found.person), "facts": found.facts}
        told["also"] = {key: [dataclasses.asdict(each) for each in rows] for key, rows in found.others.items()}
        told |= {"gave": found.gave, "repeats": found.repeats, "resources": resources}
        emit(told | {"rejects": [dataclasses.asdict(each) for each in found.rejects]})
    else:
        _show_trace(found, resources)
    context.exit(FINDINGS if found.rejects else DONE)


def _resources(found: "RowTrace") -> list[dict[str, Any]]:
    """The resources of the row's facts."""
    if found.case is None:
        return []
    from casefhir.library import convert

    conversion = convert(found.case, form="ndjson")
    wanted = {
        identity for identity, entry in conversion.index.items() if entry["fact"] in {**found.facts, **found.gave}
    }
    return [resource for resource in conversion.resources if resource["id"] in wanted]


def _as_json(found: "MappingCheck") -> dict[str, Any]:
    tables = {
        name: {
            "file": table.file, "read": table.read, "converted": table.converted, "rejected": table.rejected,
            "filtered": table.filtered, "unused": [*table.unused],
            "columns": {
                column: {
                    "kind": one.kind, "filled": one.filled, "blank": one.blank, "samples": one.samples,
                    "masked": one.masked,
                }
                for column, one in table.columns.items()
            },
        }
        for name, table in found.tables.items()
    }  # fmt: skip
    return {
        "mapping": found.mapping,
        "persons": found.persons,
        "converted_persons": found.converted_persons,
        "facts": dict(found.facts),
        "tables": tables,
        "rules": [dataclasses.asdict(each) for each in found.rules],
        "unmapped": [dataclasses.asdict(each) for each in found.unmapped],
        "defaults": [dataclasses.asdict(each) for each in found.defaults],
        "refusals": [dataclasses.asdict(each) for each in found.refusals],
        "notes": found.notes,
    }


def _show_check(found: "MappingCheck") -> None:
    from rich.table import Table

    for note in found.notes:
        talk(note)
    out = console()
    made = ", ".join(f"{count} {name}" for name, count in sorted(found.facts.items())) or "no facts"
    out.print(f"{found.converted_persons} of {found.persons} persons convert: {made}.\n", highlight=False)
    table = Table("table", "file", box=None, header_style="bold", pad_edge=False)
    for name in ("read", "converted", "rejected", "filtered"):
        table.add_column(name, justify="right")
    for name, one in found.tables.items():
        counts = (one.read, one.converted, one.rejected, one.filtered)
        table.add_row(shown(name), shown(one.file), *(str(each) for each in counts))
    out.print(table)
    for title, rows in _sections(found):
        if rows:
            out.print(f"\n[bold]{title}[/bold]", highlight=False)
            for row in rows[:_MOST]:
                out.print("  " + shown(row), markup=False, highlight=False, soft_wrap=True)
            if len(rows) > _MOST:
                out.print(f"  and {len(rows) - _MOST} more; --json has them all", highlight=False)


def _sections(found: "MappingCheck") -> list[tuple[str, list[str]]]:
    from casefhir.sources.tables.privacy import MASK

    refused = [
        f"{one.count} × {one.table}{'.' + one.column if one.column else ''} ({one.rule}): {one.reason}. "
        f"To mend: {one.mend}. First in {one.file}, row {one.row}."
        for one in found.refusals
    ]
    unmapped = [
        f"{one.count} × {one.rule}, {one.column}: {one.words!r}"
        + (f" (near: {', '.join(one.near)})" if one.near else "")
        for one in found.unmapped
    ]
    defaults = [f"{one.count} × {one.rule}, {one.field}: {one.value!r}" for one in found.defaults]
    silent = [
        f"{one.rule}{' / ' + one.entry if one.entry else ''} on {one.table}"
        + (f" (line {one.line})" if one.line else "")
        + (f": blank in all its {one.blank} rows" if one.blank else ": no row is for it")
        for one in found.silent
    ]
    unused = [
        f"{name}.{column}: {profile.kind}, {profile.filled} filled"
        + (f", such as {', '.join(repr(each) for each in profile.samples)}" if profile.samples else "")
        + (f" {MASK}" if profile.masked else "")
        for name, table in found.tables.items()
        for column, profile in ((each, table.unread(each)) for each in table.unused)
    ]
    return [
        ("Rows that are refused", refused),
        ("Words that lead to nothing, kept as text", unmapped),
        ("Defaults of the mapping, for blank cells", defaults),
        ("Rules that matched nothing", silent),
        ("Columns that no rule reads", unused),
    ]


def _show_trace(found: "RowTrace", resources: list[dict[str, Any]]) -> None:
    import json

    out = console()
    out.print(f"{found.file}, row {found.row} (table {found.table}), person {', '.join(found.person)}", highlight=False)
    for column, cell in found.cells.items():
        read_by = [rule for rule, columns in found.reads.items() if column in columns]
        text = "null" if cell is None else repr(cell)
        out.print(shown(f"  {column} = {text}" + (f"   read by {', '.join(read_by)}" if read_by else "")), markup=False)
    for each in found.rejects:
        where = f"{each.column}: " if each.column else ""
        out.print(shown(f"\nRefused by {each.rule}: {where}{each.reason}. To mend: {each.mend}."), markup=False)
    if found.case is None and not found.rejects:
        out.print("\nNothing of this person can be converted; see casefhir mapping check.")
    for key, rule in found.facts.items():
        out.print(shown(f"\nRule {rule} made the fact {key}"), markup=False)
        for origin in found.others.get(key, ()):
            out.print(shown(f"  also from {origin.file}, row {origin.row}: {', '.join(origin.columns)}"), markup=False)
    for key, rule in found.gave.items():
        out.print(shown(f"\nIt gave words to the fact {key} of the rule {rule}, made of another row"), markup=False)
    for key, rule in found.repeats.items():
        out.print(shown(f"\nIt tells the fact {key} of the rule {rule} again"), markup=False)
    if found.passed_over and not found.rejects:
        out.print(f"\nMade nothing of it: {', '.join(found.passed_over)}", highlight=False)
    for resource in resources:
        told = {name: value for name, value in resource.items() if name not in ("text", "meta", "language")}
        out.print(f"\n{resource['resourceType']}/{resource['id']}", highlight=False)
        out.print(shown(json.dumps(told, indent=2, ensure_ascii=False, default=str)), markup=False, highlight=False)
