"""The one base of every error casefhir raises on purpose: its message is the sentence a user reads."""

from typing import ClassVar


class CasefhirError(Exception):
    """Something a user can mend; `str(error)` says where, what, and how.

    `exit_code` is what the command line ends with: 2 for input that cannot be used, 3 for a part that was refused, 4
    for network and authorisation.
    """

    exit_code: ClassVar[int] = 2
