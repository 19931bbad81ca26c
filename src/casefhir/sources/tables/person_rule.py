"""The rule of a mapping file that says who a person is."""

from typing import Literal

from casefhir.sources.tables.elements import Part, Phrase, Time, Words


class IdentifierRule(Part):
    """A number that some system knows the person by."""

    system: str
    """The system, as a URI."""
    value: Words
    """The number."""


class AddressRule(Part):
    """Where the person lives."""

    lines: tuple[Words, ...] = ()
    """Street, house, flat."""
    city: Words | None = None
    """The town."""
    district: Words | None = None
    """The district or county."""
    state: Words | None = None
    """The state or region."""
    postal_code: Words | None = None
    """The postal code."""
    country: Words | None = None
    """The country."""


class PersonRule(Part):
    """Who. Several rows may tell it (a long table): blank cells are passed over, cells that contradict are refused."""

    table: str
    """The table that tells who the persons are."""
    where: str | None = None
    """An expression; rows for which it is false tell nothing of who the person is."""
    single: bool = False
    """Each row is a person of its own, as documents are: several rows with one key are refused, not made one person."""
    without_row: Literal["reject", "unknown"] = "reject"
    """What becomes of rows whose person has none in this table: they are rejected, or the person is of unknown sex."""
    sex: Words | None = None
    """female, male, other, unknown; F, M, U and their like are known."""
    birth_date: Time | None = None
    """The date of birth, as precise as it is told."""
    deceased: Words | None = None
    """yes or no."""
    deceased_date: Time | None = None
    """The date of death."""
    identifiers: tuple[IdentifierRule, ...] = ()
    """Numbers that other systems know the person by."""
    family: Words | None = None
    """The family name."""
    given: tuple[Words, ...] = ()
    """The given names."""
    origin: tuple[Phrase, ...] = ()
    """Origin or ethnicity in the source's words."""
    marital_status: Words | None = None
    """The marital status."""
    language: Words | None = None
    """The language that the person speaks."""
    address: AddressRule | None = None
    """Where the person lives."""
