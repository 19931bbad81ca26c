"""`casefhir schema`: the shape of the files that casefhir reads, as JSON Schema."""

import rich_click as click


@click.command()
@click.argument("what", type=click.Choice(["record", "mapping"]))
def schema(what: str) -> None:
    """Print the JSON Schema of a file that casefhir reads, for programs that write it and editors that complete it.

    WHAT is record: a case in YAML or JSON, which casefhir convert turns into a bundle; or mapping: a mapping file for
    tables.

    Example: casefhir schema record > record.schema.json
    """
    from casefhir import exactjson, library

    made = {"record": library.record_schema, "mapping": library.mapping_schema}[what]()
    click.echo(exactjson.write(made, indent=True).decode("utf-8"), nl=False)
