"""What a conversion of tables is asked for."""

from dataclasses import dataclass
from typing import Literal

from casefhir.delivery.files import Compression
from casefhir.errors import CasefhirError
from casefhir.fhir import Form, Terminology


@dataclass(frozen=True, slots=True)
class Options:
    """Raises `WrongOptions` for those that do not go together.

    `form`: NDJSON by type, or one bundle a person; `test_data` overrules the mapping; `on_error`: rows that cannot
    be converted go to `rejects/`, or end the run; `allow_errors` writes what does not conform; `compression` and
    `part_size` (bytes) are NDJSON's; `encoding` and `delimiter` hold for text files that do not say.
    """

    form: Form = "ndjson"
    terminology: Terminology = "free"
    test_data: bool | None = None
    on_error: Literal["reject", "halt"] = "reject"
    allow_errors: bool = False
    compression: Compression = "none"
    part_size: int | None = None
    encoding: str | None = None
    delimiter: str | None = None

    def __post_init__(self) -> None:
        if self.form != "ndjson" and (self.compression != "none" or self.part_size):
            raise WrongOptions("Bundles are neither packed nor divided: ask for NDJSON too (--as ndjson).")


class WrongOptions(CasefhirError):
    """Options that do not go together."""


class Halted(CasefhirError):
    """A row could not be converted, and the run was asked to end there."""

    exit_code = 3
