"""The command line: one thin module per command."""

import rich_click as click

from casefhir.cli.common import Commands, verbosity
from casefhir.cli.convert import convert
from casefhir.cli.coverage import coverage
from casefhir.cli.diff import diff
from casefhir.cli.explain import explain
from casefhir.cli.list_cases import list_cases
from casefhir.cli.locate import locate
from casefhir.cli.manual import add_exits
from casefhir.cli.mapping import mapping
from casefhir.cli.new import new
from casefhir.cli.plot import plot
from casefhir.cli.pull import pull
from casefhir.cli.query import query
from casefhir.cli.remove import remove
from casefhir.cli.report import report
from casefhir.cli.schema import schema
from casefhir.cli.show import show
from casefhir.cli.table import table
from casefhir.cli.upload import upload
from casefhir.cli.validate import validate
from casefhir.cli.verify import verify


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="casefhir")
def main() -> None:
    """Published cases and registry tables as FHIR R4 that conforms and can be traced to its source.

    Start with: casefhir convert -o out

    Exit codes: 0 done, 1 findings, 2 usage, 3 partial, 4 network or authorisation, 5 a defect of ours, 130 interrupted.
    """


main.params.append(verbosity())
for command in (
    convert,
    validate,
    explain,
    show,
    list_cases,
    locate,
    mapping,
    new,
    verify,
    coverage,
    upload,
    pull,
    diff,
    remove,
    report,
    plot,
    table,
    query,
    schema,
):
    command.params.append(verbosity())
    main.add_command(command)
for name, each in main.commands.items():
    add_exits(name, each)
