"""The command line: one thin module per command, imported when that command is asked for."""

from collections import UserDict
from collections.abc import Iterator
from importlib import import_module

import click as plain_click
import rich_click as click

from casefhir.cli.common import Commands, verbosity
from casefhir.cli.manual import add_exits

_MODULES = {
    "convert": "convert",
    "validate": "validate",
    "explain": "explain",
    "show": "show",
    "list": "list_cases",
    "locate": "locate",
    "mapping": "mapping",
    "new": "new",
    "verify": "verify",
    "coverage": "coverage",
    "upload": "upload",
    "pull": "pull",
    "diff": "diff",
    "remove": "remove",
    "report": "report",
    "plot": "plot",
    "table": "table",
    "query": "query",
    "schema": "schema",
}
"""The module of each command; its function has the module's name."""


class _OnDemand(UserDict[str, plain_click.Command]):
    """The commands by name: to run one of them, the modules of the others need not be read."""

    def __missing__(self, name: str) -> plain_click.Command:
        module = _MODULES[name]
        command: plain_click.Command = getattr(import_module(f"casefhir.cli.{module}"), module)
        command.params.append(verbosity())
        add_exits(name, command)
        self.data[name] = command
        return command

    def __contains__(self, name: object) -> bool:
        return name in _MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="casefhir")
def main() -> None:
    """Published cases and registry tables as FHIR R4 that conforms and can be traced to its source.

    Start with: casefhir convert -o out

    Exit codes: 0 done, 1 findings, 2 usage, 3 partial, 4 network or authorisation, 5 a defect of ours, 130 interrupted.
    """


main.params.append(verbosity())
main.commands = _OnDemand()  # set here, for the group looks into every command that it is made with
