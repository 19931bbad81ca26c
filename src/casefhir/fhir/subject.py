"""Whom facts are attached to, when the patient exists already."""

import re
from typing import Literal

from casefhir.errors import CasefhirError

Form = Literal["transaction", "collection", "document", "ndjson"]

_ID = r"[A-Za-z0-9\-.]{1,64}"
_LITERAL = re.compile(rf"(?:https?://[^\s?#|\"'<>]+/)?Patient/{_ID}(?:/_history/{_ID})?")
_CONDITIONAL = re.compile(r"Patient\?identifier=[^\s&|\"'<>]+\|[^\s&|\"'<>]+")


class UnfitSubject(CasefhirError):
    """A subject that facts cannot be attached to."""


def checked_subject(subject: str, form: Form) -> str:
    """`subject` as it goes into references.

    `Patient/<id>`, its absolute URL, or, for a server to look up within a transaction,
    `Patient?identifier=<system>|<value>`. Raises `UnfitSubject` for anything else, and for documents, which carry
    their patient.
    """
    if form == "document":
        raise UnfitSubject("A document carries its patient: --subject goes with the other forms.")
    if _LITERAL.fullmatch(subject):
        return subject
    if _CONDITIONAL.fullmatch(subject):
        if form == "transaction":
            return subject
        raise UnfitSubject(
            f"{subject!r} is looked up by a server, which it does in a transaction only; name Patient/<id>."
        )
    raise UnfitSubject(
        f"{subject!r} is no patient to attach facts to: write Patient/<id>, its full URL, or "
        f"Patient?identifier=<system>|<value>."
    )
