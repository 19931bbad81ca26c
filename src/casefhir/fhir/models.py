"""A typed view of a bundle for integrators: fhir.resources' R4B models."""

from typing import TYPE_CHECKING, Any

from casefhir import exactjson

if TYPE_CHECKING:
    from fhir.resources.R4B.bundle import Bundle


def models(bundle: dict[str, Any] | bytes) -> "Bundle":
    """`bundle` (a dict, or its JSON) as a `fhir.resources.R4B.bundle.Bundle`.

    A view only: these models round decimals (`1.00`) and accept bad codes, so nothing is written or validated by
    them. Raises pydantic's `ValidationError` for what they refuse.
    """
    from fhir.resources.R4B.bundle import Bundle  # takes a second to load

    content = exactjson.read(bundle) if isinstance(bundle, bytes) else bundle
    return Bundle.model_validate(content)
