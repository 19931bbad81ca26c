"""Help is a manual: every command says what it does, what each option means, an example, and how it can end."""

import re

import click
import pytest
from click.testing import CliRunner

from casefhir.cli import main
from casefhir.cli.manual import EXITS

COMMANDS = sorted(main.commands.items())
each_command = pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])


def shown(name: str) -> str:
    found = CliRunner().invoke(main, [name, "--help"], terminal_width=200)
    assert found.exit_code == 0
    return " ".join(found.stdout.split())


@each_command
def test_it_says_what_the_command_does_and_shows_an_example(name: str, command: click.Command) -> None:
    paragraphs = [each for each in re.split(r"\n\s*\n", (command.help or "").strip()) if each.strip()]
    assert len(paragraphs) >= 3, "a sentence, what is worth knowing, and an example"
    assert paragraphs[-1].strip().startswith(f"Example: casefhir {name}")
    assert paragraphs[0].rstrip().endswith(".")


@each_command
def test_every_option_and_argument_is_explained(name: str, command: click.Command) -> None:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts
        else:
            word = re.sub(r"[^A-Z_]", "", (parameter.metavar or parameter.name or "").upper()).rstrip("S")
            assert word in (command.help or "").upper(), parameter.name


@each_command
def test_it_says_how_it_can_end(name: str, command: click.Command) -> None:
    text = shown(name)
    assert "Exit codes: 0 " in text
    assert "130 interrupted" in text


def test_exit_codes_are_told_of_commands_that_are_there() -> None:
    assert set(EXITS) == set(main.commands)


@each_command
def test_the_example_is_one_the_command_takes(name: str, command: click.Command) -> None:
    """The example's words are parsed as the command line would; files it names need not be here."""
    example = (command.help or "").rpartition("Example: casefhir ")[2].partition(">")[0]
    words = [each.strip("'") for each in re.findall(r"'[^']*'|\S+", example)][1:]
    names = {each for parameter in command.params for each in parameter.opts}
    assert all(word in names for word in words if word.startswith("-"))
