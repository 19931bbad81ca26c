"""`casefhir upload`: bundles to a FHIR server."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from casefhir.cli.common import console, emit, talk
from casefhir.cli.server import server_options, settings

if TYPE_CHECKING:
    from casefhir.delivery import Progress, UploadReceipt
    from casefhir.delivery.receipt import Action
    from casefhir.delivery.sources import Source


@click.command()
@click.argument("url")
@click.argument("bundles", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--strategy", type=click.Choice(["put", "conditional"]), help="conditional: servers that refuse our ids.")
@click.option("--jobs", type=int, help="Cases under way at once (4).")
@click.option("--verify", is_flag=True, default=None, help="Read all back and compare it with what was sent.")
@click.option("--prune", is_flag=True, default=None, help="Remove from the server what a case no longer has.")
@click.option("--dry-run", is_flag=True, default=None, help="Show what would change and send nothing.")
@click.option("--outbox", type=click.Path(dir_okay=False, path_type=Path), help="File that remembers what was sent.")
@click.option("--resume", is_flag=True, default=None, help="Go on after an interruption, by the outbox.")
@server_options
@click.option("--json", "as_json", is_flag=True, help="The receipt as JSON on stdout.")
def upload(url: str, bundles: tuple[Path, ...], as_json: bool, **server: Any) -> None:
    """Hand BUNDLES (files, folders, NDJSON; the published cases by default) to the FHIR R4 server at URL.

    Each case is one transaction; uploading again changes nothing. Secrets come from the environment or from files.

    Example: casefhir upload http://localhost:8090/fhir out --verify
    """
    from casefhir import delivery, library

    if server["resume"] and not server["outbox"]:
        server["outbox"] = delivery.default_outbox(os.environ)
    sources: list[Source] = [*bundles]
    if not sources and server["resume"]:
        unfinished = delivery.last_sources(server["outbox"])
        sources = [*unfinished[2]] if unfinished else []
    if not sources:
        sources = [library.convert(path).bundle for path in library.published_mappings()]
    receipt = delivery.upload(sources, settings(url, server), on_progress=_progress)
    if as_json:
        emit(receipt.as_json())
    else:
        _told(receipt)
    raise SystemExit(receipt.exit_code)


def _progress(progress: "Progress") -> None:
    if progress.kind == "wait":
        talk(f"{progress.case}: {progress.note}" if progress.case else progress.note)


def _told(receipt: "UploadReceipt") -> None:
    from rich.table import Table

    table = Table(title=f"{receipt.server} ({receipt.software}, FHIR {receipt.fhir_version})", box=None)
    table.add_column("case", no_wrap=True)
    table.add_column("state")
    actions: tuple[Action, ...] = ("created", "updated", "unchanged", "deleted")
    for action in actions:
        table.add_column(action, justify="right")
    for case in receipt.cases:
        table.add_row(case.case, case.state, *(str(case.count(action)) for action in actions))
    console().print(table)
    for case in receipt.troubled():
        talk(f"{case.case}: {case.problem or case.state}")
        for issue in case.issues:
            talk(f"    {issue}")
