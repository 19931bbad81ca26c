"""Does this JSON conform to FHIR R4? `validate` answers with findings that say where, what and how to mend.

Layers, each on its own switch: json, structure, invariants, terminology, references, profiles, meaning.
Definitions are R4's own (`data/r4.definitions`), read as they are needed; nothing is fetched.
"""

from casefhir.conformance.api import validate
from casefhir.conformance.findings import Finding, Report

__all__ = ["Finding", "Report", "validate"]
