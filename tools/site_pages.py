"""What the documentation says by looking: every command's help, every error with its exit code (a MkDocs hook)."""

import importlib
import pkgutil
import re
from typing import Any

import click

import casefhir
from casefhir.cli import main
from casefhir.errors import CasefhirError


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Puts the lists where a page asks for them."""
    if "<!-- commands -->" in markdown:
        markdown = markdown.replace("<!-- commands -->", commands())
    if "<!-- errors -->" in markdown:
        markdown = markdown.replace("<!-- errors -->", errors())
    return markdown


def commands() -> str:
    """A section a command: what it does, its options, an example, how it can end."""
    return "\n\n".join(_section(main.commands[name]) for name in main.commands)


def _section(command: click.Command) -> str:
    context = click.Context(command, info_name=f"casefhir {command.name}")
    paragraphs = [" ".join(each.split()) for each in re.split(r"\n\s*\n", (command.help or "").strip())]
    example = next((each for each in paragraphs if each.startswith("Example: ")), "")
    usage = " ".join((f"casefhir {command.name}", *command.collect_usage_pieces(context)))
    rows = ["| option | meaning |", "|---|---|"]
    for option in command.params:
        if isinstance(option, click.Option):
            names = ", ".join(f"`{each}`" for each in (*option.opts, *option.secondary_opts))
            rows.append(f"| {names} | {_cell(option, context)} |")
    said = [_escaped(each) for each in paragraphs if each != example]
    parts = [f"## {command.name}", f"    {usage}", *said, "\n".join(rows)]
    if example:
        parts.append(f"Example:\n\n    {example.removeprefix('Example: ')}")
    return "\n\n".join([*parts, _escaped(command.epilog or "")])


def _cell(option: click.Option, context: click.Context) -> str:
    kind = option.type
    text = _escaped(option.help or "")
    if isinstance(kind, click.Choice):
        text += " One of " + ", ".join(f"`{each}`" for each in kind.choices) + "."
    default = option.get_default(context)
    if option.show_default and default is not None and not option.is_flag:
        text += f" Without it: `{default}`."
    return text + (" Required." if option.required else "")


def _escaped(text: str) -> str:
    return re.sub(r"([*_|<\[\]`])", r"\\\1", text)


def errors() -> str:
    """A row an error class: exit code and what it says of itself."""
    for module in pkgutil.walk_packages(casefhir.__path__, "casefhir."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    rows = ["| error | code | means |", "|---|---|---|"]
    for kind in sorted(_below(CasefhirError), key=lambda each: (each.__module__, each.__name__)):
        means = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
        rows.append(f"| `{kind.__name__}`<br>{kind.__module__} | {kind.exit_code} | {_escaped(means)} |")
    return "\n".join(rows)


def _below(kind: type[CasefhirError]) -> set[type[CasefhirError]]:
    found = set(kind.__subclasses__())
    return found.union(*(_below(each) for each in found))
