"""`casefhir pull`: a case back from a server."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import rich_click as click

from casefhir.cli.common import talk
from casefhir.cli.server import server_options, settings
from casefhir.whole_file import write_file


@click.command()
@click.argument("url")
@click.option("--case", required=True, help="Key of the case.")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Folder that CASE.json is written into.",
)
@server_options
def pull(url: str, case: str, out: Path, **server: Any) -> None:
    """Bring a case back from the FHIR R4 server at URL, as a collection bundle.

    What carries the tag of the case is brought back, and nothing else; casefhir diff compares it with what was sent.

    Example: casefhir pull http://localhost:8090/fhir --case scig-antisynthetase-jo1 -o out
    """
    from casefhir import delivery, exactjson

    bundle = delivery.pull(case, settings(url, server))
    path = out / f"{quote(case, safe=' ')}.json"  # a key may hold any character, a slash too
    write_file(path, exactjson.write(bundle, indent=True))
    talk(f"{path}: {len(bundle['entry'])} resources.")
