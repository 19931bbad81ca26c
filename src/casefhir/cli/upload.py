"""`casefhir upload`: bundles to a FHIR server."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from casefhir.cli.common import emit, talk
from casefhir.cli.server import server_options, settings, verbose
from casefhir.cli.upload_view import print_receipt, watching

if TYPE_CHECKING:
    from casefhir.delivery import UploadReceipt
    from casefhir.delivery.sources import Source

_GO_ON = "What was done until then is in the outbox: casefhir upload --resume goes on."
_UNNAMED = "https://unnamed.invalid"  # no server is given: the outbox knows


@click.command()
@click.argument("url", required=False)
@click.argument("bundles", nargs=-1, type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option("--strategy", type=click.Choice(["put", "conditional"]), help="conditional: servers that refuse our ids.")
@click.option("--jobs", type=int, help="Cases under way at once (4).")
@click.option("--verify", is_flag=True, default=None, help="Read all back and compare it with what was sent.")
@click.option("--prune", is_flag=True, default=None, help="Remove from the server what a case no longer has.")
@click.option("--dry-run", is_flag=True, default=None, help="Show what would change and send nothing.")
@click.option("--outbox", type=click.Path(dir_okay=False, path_type=Path), help="File that remembers what was sent.")
@click.option("--resume", is_flag=True, default=None, help="Go on after an interruption, by the outbox.")
@server_options
@click.option("--json", "as_json", is_flag=True, help="The receipt as JSON on stdout.")
def upload(url: str | None, bundles: tuple[Path, ...], as_json: bool, **server: Any) -> None:
    """Hand BUNDLES to the FHIR R4 server at URL (or CASEFHIR_URL): files, folders, NDJSON, `-` for NDJSON on stdin.

    Without BUNDLES the published cases. Each case is one transaction; uploading again changes nothing. After an
    interruption `casefhir upload --resume` goes on. Secrets come from the environment or from files.

    Example: casefhir upload http://localhost:8090/fhir out --verify
    """
    from casefhir import delivery, library
    from casefhir.delivery.errors import NetworkError

    if url and (url == "-" or Path(url).exists()):  # the server is named elsewhere
        bundles = (Path(url), *bundles)
        url = None
    defaults: dict[str, Any] = {"outbox": delivery.default_outbox(os.environ)}
    earlier = _unfinished(url, server, defaults) if server["resume"] else None
    if earlier:
        defaults |= {"url": earlier[0], "strategy": earlier[1]}
        bundles = bundles or tuple(map(Path, earlier[2]))
    elif server["resume"] and not bundles:
        talk("Nothing to resume: the last upload was brought to its end.")
        return
    chosen = settings(url, server, defaults)
    sources: list[Source] = [sys.stdin.buffer if str(each) == "-" else each for each in bundles]
    if not sources:
        sources = [library.convert(path) for path in library.published_mappings()]  # with the index to their lines
    try:
        with watching(sources) as on_progress:
            receipt = delivery.upload(sources, chosen, on_progress=on_progress)
    except NetworkError as error:
        if error.receipt is not None and error.receipt.by_state:
            _tell(error.receipt, as_json)
            talk(_GO_ON)
        raise
    except KeyboardInterrupt:
        talk(_GO_ON)
        raise
    _tell(receipt, as_json)
    raise SystemExit(receipt.exit_code)


def _unfinished(url: str | None, server: dict[str, Any], defaults: dict[str, Any]) -> tuple[str, str, list[str]] | None:
    """(server, strategy, sources) of the upload that is to be resumed: the latest, to `url` if that is given."""
    from casefhir import delivery

    found = settings(url, server, {**defaults, "url": _UNNAMED})
    assert found.outbox is not None  # there is a default
    return delivery.last_sources(found.outbox, None if found.url == _UNNAMED else found.base)


def _tell(receipt: "UploadReceipt", as_json: bool) -> None:
    if as_json:
        emit(receipt.as_json())
    else:
        print_receipt(receipt, whole=verbose() > 0 or receipt.dry_run)
