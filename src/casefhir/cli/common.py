"""What the commands share: exit codes, errors as sentences, JSON for machines."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click as plain_click
import rich_click as click

from casefhir.errors import CasefhirError

Item = TypeVar("Item")
DONE, FINDINGS, USAGE, PARTIAL, NETWORK, OURS = range(6)


def talk(text: str) -> None:
    """A line for the person, on stderr: stdout is for data."""
    click.echo(text, err=True)


def emit(value: Any) -> None:
    """A JSON object for a machine, on stdout, one line."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def progress(items: Sequence[Item], what: str) -> Iterable[Item]:
    """`items`, with a bar on stderr while they are worked on, if that is a terminal."""
    if not sys.stderr.isatty():
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, what, console=Console(stderr=True), transient=True)


def write_file(path: Path, data: bytes) -> None:
    """`data` in `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_bytes(data)
    scratch.replace(path)


class Commands(click.RichGroup):
    """A group whose errors are sentences and whose exit codes are the documented ones."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; an error of ours becomes its sentence, a defect of ours is told as such."""
        try:
            return super().invoke(ctx)
        except CasefhirError as error:
            talk(f"Error: {error}")
            ctx.exit(error.exit_code)
        except (plain_click.exceptions.Exit, plain_click.ClickException, plain_click.Abort, SystemExit):
            raise
        except BrokenPipeError:
            sys.stderr.close()
            ctx.exit(DONE)
        except Exception as error:
            if ctx.params.get("verbose"):
                raise
            talk(
                f"Error: casefhir failed on {type(error).__name__}: {error}. This is a defect of ours; -v shows where."
            )
            ctx.exit(OURS)
