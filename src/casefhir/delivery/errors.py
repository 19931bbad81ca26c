"""What can go wrong between a bundle and a server; every message is the sentence a user reads."""

from typing import TYPE_CHECKING, ClassVar

from casefhir.errors import CasefhirError

if TYPE_CHECKING:
    from casefhir.delivery.receipt import UploadReceipt


class DeliveryError(CasefhirError):
    """Anything that stops a delivery or one case of it."""


class UnfitInput(DeliveryError):
    """A bundle or NDJSON line that must not be sent as it stands; nothing of its case was sent."""


class UnfitSettings(DeliveryError):
    """A setting that is missing, contradictory or unsafe."""


class ServerUnsuitable(DeliveryError):
    """The server says in its capability statement that it cannot do what the upload needs."""


class NetworkError(DeliveryError):
    """No usable answer from the server; `receipt` tells what was done until then (exit code 4)."""

    exit_code: ClassVar[int] = 4
    receipt: "UploadReceipt | None" = None


class Transient(NetworkError):
    """An answer that asks for patience (429, 503 ...) or none at all; `retry_after` in seconds if told."""

    def __init__(self, message: str, retry_after: float | None = None, status: int | None = None) -> None:
        """`retry_after` is what the server asked for, in seconds; `status` its answer, None if there was none."""
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status


class UnsafeAnswer(NetworkError):
    """A redirect, a foreign link, or an answer too long, too deep or too slow.

    It was not followed or read on.
    """


class AuthError(NetworkError):
    """The server or its token endpoint did not accept who we say we are."""
