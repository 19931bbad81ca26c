"""`casefhir diff`: what differs between two bundles, fact by fact."""

from dataclasses import asdict
from pathlib import Path

import rich_click as click

from casefhir.cli.common import DONE, FINDINGS, emit, talk

_BUNDLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("first", type=_BUNDLE)
@click.argument("second", type=_BUNDLE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a fact.")
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Compare two bundles of a case, FIRST and SECOND, by fact: ids and the bundle's form do not count.

    A fact is only in FIRST, only in SECOND, or differs: then every differing element is told with both values.

    Example: casefhir diff bundles/scig-antisynthetase-jo1.json out/scig-antisynthetase-jo1.json
    """
    from casefhir import delivery, exactjson

    found = delivery.diff(exactjson.read(first.read_bytes()), exactjson.read(second.read_bytes()))
    for each in found:
        if as_json:
            emit(asdict(each))
        else:
            click.echo("\n".join(each.lines()))
    talk(f"{len(found)} facts differ." if found else "No fact differs.")
    raise SystemExit(FINDINGS if found else DONE)
