"""The rule of a mapping file that says who a person is."""

from typing import Literal

from casefhir.sources.tables.elements import Part, Phrase, Time, Words


class IdentifierRule(Part):
    """A number that some system knows the person by."""

    system: str
    value: Words


class AddressRule(Part):
    """Where the person lives."""

    lines: tuple[Words, ...] = ()
    city: Words | None = None
    district: Words | None = None
    state: Words | None = None
    postal_code: Words | None = None
    country: Words | None = None


class PersonRule(Part):
    """Who. Several rows may tell it (a long table): blank cells are passed over, cells that contradict are refused."""

    table: str
    where: str | None = None
    without_row: Literal["reject", "unknown"] = "reject"
    """What becomes of rows whose person has none in this table: they are rejected, or the person is of unknown sex."""
    sex: Words | None = None
    """female, male, other, unknown; F, M, U and their like are known."""
    birth_date: Time | None = None
    deceased: Words | None = None
    """yes or no."""
    deceased_date: Time | None = None
    identifiers: tuple[IdentifierRule, ...] = ()
    family: Words | None = None
    given: tuple[Words, ...] = ()
    origin: tuple[Phrase, ...] = ()
    """Origin or ethnicity in the source's words."""
    marital_status: Words | None = None
    language: Words | None = None
    address: AddressRule | None = None
