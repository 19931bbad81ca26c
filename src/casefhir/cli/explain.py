"""`casefhir explain`: what a rule of validation wants."""

import rich_click as click


@click.command()
@click.argument("rule")
def explain(rule: str) -> None:
    """Say what the RULE of a finding wants, and where it applies.

    RULE is what stands in square brackets after a finding: an invariant of R4 (obs-6), or a rule of ours.

    Example: casefhir explain obs-6
    """
    from casefhir.conformance.explain import explain as told

    click.echo(told(rule))
