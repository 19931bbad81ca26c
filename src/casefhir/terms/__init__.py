"""The concept catalogue: a key leads to codes, a name, naming phrases and units; all of it data files beside this
module.
"""

from casefhir.terms.catalogue import (
    Coding,
    Concept,
    UnknownConcept,
    commensurable,
    concept,
    concepts,
    interpretation_code,
    ucum_of,
)

__all__ = [
    "Coding",
    "Concept",
    "UnknownConcept",
    "commensurable",
    "concept",
    "concepts",
    "interpretation_code",
    "ucum_of",
]
