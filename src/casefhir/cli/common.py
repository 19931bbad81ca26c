"""What the commands share: exit codes, errors as sentences, JSON for machines."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click as plain_click
import rich_click as click

from casefhir.errors import CasefhirError

if TYPE_CHECKING:
    from rich.console import Console

Item = TypeVar("Item")
DONE, FINDINGS, USAGE, PARTIAL, NETWORK, OURS = range(6)
INTERRUPTED = 130
VERBOSE = "casefhir.verbose"


def talk(text: str) -> None:
    """A line for the person, on stderr: stdout is for data."""
    click.echo(text, err=True)


def emit(value: Any) -> None:
    """A JSON object for a machine, on stdout, one line."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def shown(text: str) -> str:
    """`text` for a terminal or pipe: what cannot be printed (escape sequences, half characters) as its escape."""
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode() for each in text
    )


def progress(items: Sequence[Item], what: str) -> Iterable[Item]:
    """`items`, with a bar on stderr while they are worked on, if that is a terminal."""
    if not sys.stderr.isatty():
        return items
    from rich.progress import track

    return track(items, what, console=console(stderr=True), transient=True)


def console(*, stderr: bool = False) -> "Console":
    """A rich console that is as wide as its terminal, or 100 columns; a reader who stops reading is no error."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    return Quiet(stderr=stderr, width=None if stream.isatty() else 100)


class Commands(click.RichGroup):
    """A group whose errors are sentences and whose exit codes are the documented ones."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; an error of ours becomes its sentence, a defect of ours is told as such."""
        try:
            return super().invoke(ctx)
        except CasefhirError as error:
            talk(f"Error: {error}")
            ctx.exit(error.exit_code)
        except (plain_click.exceptions.Exit, plain_click.ClickException, SystemExit):
            raise
        except (KeyboardInterrupt, plain_click.Abort):
            talk("Interrupted.")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: that is no error
            ctx.exit(DONE)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            talk(f"Error: {where}{error.strerror or error}. Name a file or folder that can be read and written.")
            ctx.exit(USAGE)
        except Exception as error:
            if ctx.meta.get(VERBOSE):
                raise
            what = f"{type(error).__name__}: {error}"
            talk(f"Error: casefhir failed on {what}. This is a defect of ours; -v shows where.")
            ctx.exit(OURS)


def verbosity() -> click.Option:
    """The option `-v`, of the group and of every command."""

    def remember(ctx: plain_click.Context, _: plain_click.Parameter, value: int) -> None:
        ctx.meta[VERBOSE] = ctx.meta.get(VERBOSE, 0) + value

    text = "Say more; with a defect of ours, where it happened."
    return click.Option(["-v", "--verbose"], count=True, expose_value=False, callback=remember, help=text)
