"""Record -> FHIR R4: one small module for each resource type, and the bundle they make."""

from casefhir.fhir.context import Origin, Terminology
from casefhir.fhir.conversion import Conversion, Form, convert

__all__ = ["Conversion", "Form", "Origin", "Terminology", "convert"]
