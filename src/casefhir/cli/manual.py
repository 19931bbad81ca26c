"""What every command's help ends with, and what a shell offers when words of a command are completed."""

from pathlib import Path

import click as plain_click
from click.shell_completion import CompletionItem

# beside those every command shares: 2 usage, 5 a defect of ours, 130 interrupted
EXITS = {
    "convert": "0 all cases written, 1 none written, for none conforms, 2 usage or a mapping with mistakes, "
    "3 some cases written, or rows of tables rejected.",
    "validate": "0 nothing found that counts (--fail-on), 1 findings, 2 usage or nothing to validate.",
    "explain": "0 told, 2 there is no such rule.",
    "show": "0 shown, 2 usage or a case with mistakes.",
    "list": "0 listed.",
    "locate": "0 found, 1 the document does not read so, 2 usage.",
    "mapping": "0 done, 1 findings (check) or a row that is refused (explain), 2 usage or a mapping that cannot "
    "be used.",
    "new": "0 written, 2 usage, or the mapping is there already.",
    "verify": "0 all proven, 1 something is not, 2 usage.",
    "coverage": "0 all accounted for, 1 something is not, 2 usage.",
    "upload": "0 every case is on the server as meant, 2 usage or input that cannot be sent, 3 some case is not, "
    "4 network or authorisation.",
    "pull": "0 written, 2 usage or no such case, 4 network or authorisation.",
    "diff": "0 the same facts, 1 some differ, 2 usage.",
    "remove": "0 removed, 2 usage, 3 the server refused some case, 4 network or authorisation.",
    "report": "0 written, 2 usage or input that is not FHIR.",
    "plot": "0 written, 2 usage or nothing to plot.",
    "table": "0 written, 2 usage or input that is not FHIR.",
    "query": "0 answered, 2 usage or a query that cannot be run.",
    "schema": "0 printed, 2 usage.",
}


def add_exits(name: str, command: plain_click.Command) -> None:
    """End the help of a command with its exit codes."""
    if name in EXITS:  # a test asks that every command is
        command.epilog = f"Exit codes: {EXITS[name]} Any command: 5 a defect of ours, 130 interrupted."


def cases(_: plain_click.Context, __: plain_click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Keys of published cases; files where no key begins so (bash takes one or the other)."""
    from casefhir.published import folder

    stems = (path.stem for path in sorted(Path(folder("mappings")).glob("*.py")) if not path.stem.startswith("_"))
    keys = [stem.replace("_", "-") for stem in stems]
    found = [CompletionItem(key) for key in keys if key.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="file")]
