"""`casefhir explain`: what a rule of validation wants."""

from pathlib import Path

import rich_click as click


@click.command()
@click.argument("rule")
@click.option(
    "--profiles",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Folder, file or package (.tgz) with profiles whose own rules are meant; casefhir's are always there.",
)
def explain(rule: str, profiles: tuple[Path, ...]) -> None:
    """Say what the RULE of a finding wants, and where it applies.

    RULE is the name after a finding's severity: an invariant of R4 (obs-6), a rule of ours
    (structure.unknown-element), or a constraint of a profile.

    Example: casefhir explain obs-6
    """
    from casefhir.cli.common import shown
    from casefhir.conformance.explain import explain as told
    from casefhir.conformance.packages import load
    from casefhir.published import folder

    click.echo(shown(told(rule, load((folder("profiles"), *profiles)))))
