"""Record -> FHIR R4: one small module for each resource type, and the bundle they make."""

from casefhir.fhir.context import Origin, Terminology
from casefhir.fhir.conversion import Conversion, convert
from casefhir.fhir.subject import Form, UnfitSubject

__all__ = ["Conversion", "Form", "Origin", "Terminology", "UnfitSubject", "convert"]
