"""Where the files that come with casefhir lie: in an installed package, or in the checkout it is run from."""

from importlib import resources
from pathlib import Path
from typing import Literal

from casefhir.errors import CasefhirError


class NotShipped(CasefhirError):
    """Files that belong to casefhir are missing from this installation."""


def folder(name: Literal["mappings", "profiles", "examples", "views"]) -> Path:
    """The folder of published mappings, of profiles, of the views behind the tables, or of the invented example."""
    installed = Path(str(resources.files("casefhir"))) / "_published" / name
    checkout = Path(__file__).resolve().parents[2] / name
    for each in (installed, checkout):
        if each.is_dir():
            return each
    raise NotShipped(f"This installation of casefhir lacks its {name}; install it again.")
