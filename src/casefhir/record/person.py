"""Whom a case is about."""

from dataclasses import dataclass
from typing import Literal

from casefhir.record.codes import AbsentReason, Identifier
from casefhir.record.moments import Moment
from casefhir.record.spans import Source, Text

Sex = Literal["female", "male", "other", "unknown"]
MaritalStatus = Literal[
    "married", "never married", "unmarried", "divorced", "legally separated", "widowed", "domestic partner",
    "annulled", "interlocutory", "polygamous",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """Where the person lives, as far as the source tells it."""

    lines: tuple[str, ...] = ()
    city: str | None = None
    district: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who: sex, and origin or ethnicity in the source's words. `key` names the patient resource.

    `birth_date` a year, month or day; `birth_date_absent` why there is none. `deceased` True or False only if told
    without a time. `language` a BCP 47 tag (`de-CH`).
    """

    sex: Sex
    source: Source
    origin: Text | None = None
    key: str = "subject"
    identifiers: tuple[Identifier, ...] = ()
    family: str | None = None
    given: tuple[str, ...] = ()
    birth_date: str | None = None
    birth_date_absent: AbsentReason = "unknown"
    deceased: Moment | bool | None = None
    address: Address | None = None
    marital_status: MaritalStatus | None = None
    marital_status_text: Text | None = None
    language: str | None = None
