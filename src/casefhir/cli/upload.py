"""`casefhir upload`: bundles to a FHIR server."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from casefhir.cli.common import emit, talk

if TYPE_CHECKING:
    from casefhir.delivery import Progress, UploadReceipt
    from casefhir.delivery.sources import Source


@click.command()
@click.argument("url")
@click.argument("bundles", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--strategy", type=click.Choice(["put", "conditional"]), default="put", show_default=True,
              help="put keeps our ids; conditional is for servers that refuse them.")  # fmt: skip
@click.option("--jobs", type=int, default=4, show_default=True, help="Cases under way at once.")
@click.option("--rate", type=float, help="Requests a second, at most.")
@click.option("--verify", is_flag=True, help="Read every resource back and compare it with what was sent.")
@click.option("--prune", is_flag=True, help="Remove from the server what a case no longer has.")
@click.option("--dry-run", is_flag=True, help="Show what would change and send nothing.")
@click.option("--outbox", type=click.Path(dir_okay=False, path_type=Path), help="File that remembers what was sent.")
@click.option("--resume", is_flag=True, help="Go on after an interruption, by the outbox.")
@click.option("--json", "as_json", is_flag=True, help="The receipt as JSON on stdout.")
def upload(
    url: str,
    bundles: tuple[Path, ...],
    strategy: str,
    jobs: int,
    rate: float | None,
    verify: bool,
    prune: bool,
    dry_run: bool,
    outbox: Path | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Hand BUNDLES (files, folders, NDJSON; the published cases by default) to the FHIR R4 server at URL.

    Each case is one transaction; uploading again changes nothing.

    Example: casefhir upload http://localhost:8090/fhir out --verify
    """
    from casefhir import delivery, library

    published = [] if bundles else [library.convert(path).bundle for path in library.published_mappings()]
    sources: list[Source] = [*bundles, *published]
    receipt = delivery.upload(
        sources,
        url,
        on_progress=_progress,
        strategy=strategy,
        jobs=jobs,
        rate=rate,
        verify=verify,
        prune=prune,
        dry_run=dry_run,
        outbox=outbox,
        resume=resume,
    )
    if as_json:
        emit(receipt.as_json())
    else:
        _told(receipt)
    raise SystemExit(receipt.exit_code)


def _progress(progress: "Progress") -> None:
    if progress.kind == "wait":
        talk(f"{progress.case}: {progress.note}" if progress.case else progress.note)


def _told(receipt: "UploadReceipt") -> None:
    talk(f"{receipt.server} ({receipt.software}, FHIR {receipt.fhir_version})")
    for case in receipt.cases:
        counts = ", ".join(
            f"{case.count(action)} {action}"
            for action in ("created", "updated", "unchanged", "deleted")
            if case.count(action)
        )
        click.echo(f"{case.case}: {case.state}{f' ({counts})' if counts else ''}")
        if case.problem:
            talk(f"    {case.problem}")
        for issue in case.issues:
            talk(f"    {issue}")
