"""`casefhir remove`: take back from a server what casefhir wrote."""

from dataclasses import asdict
from typing import Any

import rich_click as click

from casefhir.cli.common import emit, shown, talk
from casefhir.cli.server import server_options, settings, verbose


@click.command()
@click.argument("url")
@click.option("--case", "--tag", help="Key of one case; without it, every case that casefhir wrote.")
@click.option("--dry-run", is_flag=True, default=None, help="Show what would be removed and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before every case is removed.")
@server_options
@click.option("--json", "as_json", is_flag=True, help="The receipt as JSON on stdout.")
def remove(url: str, case: str | None, dry_run: bool | None, yes: bool, as_json: bool, **server: Any) -> None:
    """Remove from the FHIR R4 server at URL what carries casefhir's tag, and nothing that others wrote.

    Each case goes in one transaction, what refers before what is referred to. Look first with --dry-run.

    Example: casefhir remove http://localhost:8090/fhir --tag scig-antisynthetase-jo1 --dry-run
    """
    from casefhir import delivery

    if case is None and not dry_run and not yes:
        click.confirm(f"Remove every case that casefhir wrote at {url}?", abort=True, err=True)
    receipt = delivery.remove(settings(url, {"dry_run": dry_run, **server}), case=case)
    if as_json:
        emit(asdict(receipt))
    else:
        for key, names in receipt.removed.items():
            click.echo(shown(f"{key}: {len(names)} resources {'would be ' if receipt.dry_run else ''}removed"))
            for name in names if receipt.dry_run or verbose() else ():
                click.echo(f"    {name}")
        for key, why in receipt.refused.items():
            talk(shown(f"{key}: {why}"))
    raise SystemExit(receipt.exit_code)
