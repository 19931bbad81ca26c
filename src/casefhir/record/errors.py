"""What can be wrong in a record, as a mapping or a table states it."""

from casefhir.errors import CasefhirError


class RecordError(CasefhirError):
    """A fact that cannot be meant as it is written. `fact` is the key of the fact it is about, where known."""

    def __init__(self, message: str, fact: str | None = None) -> None:
        super().__init__(message)
        self.fact = fact
