"""`casefhir list`: the cases that come with casefhir."""

import rich_click as click

from casefhir.cli.common import emit


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a case.")
def list_cases(as_json: bool) -> None:
    """List the published cases: key, title, number of facts.

    A key is what convert, show, verify and coverage take for a case.

    Example: casefhir list --json
    """
    from casefhir import library

    for mapping in library.list_cases():
        case = mapping.case
        if as_json:
            emit(
                {
                    "case": case.key,
                    "title": case.title,
                    "facts": len(case.facts),
                    "mapping": mapping.name,
                    "sha256": case.document.sha256,
                }
            )
        else:
            click.echo(f"{case.key:34} {len(case.facts):4} facts  {case.title}")
