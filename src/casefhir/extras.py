"""Libraries that come with an extra: asked for when they are needed, told by name when they are missing."""

from importlib import import_module
from typing import Any, Literal

from casefhir.errors import CasefhirError


class MissingExtra(CasefhirError):
    """A library that is not installed."""


def needed(module: str, extra: Literal["phenopacket", "report", "spark", "tables"], purpose: str) -> Any:
    """The imported `module`; raises `MissingExtra` with the command that installs it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{purpose} needs {error.name}, which is not installed. Run: pip install 'casefhir[{extra}]'"
        ) from error
