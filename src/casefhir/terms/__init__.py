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
from casefhir.terms.units import Conversion, NoConversion, UnknownUnit, conversion, dimension, ucum_code

__all__ = [
    "Coding",
    "Concept",
    "Conversion",
    "NoConversion",
    "UnknownConcept",
    "UnknownUnit",
    "commensurable",
    "concept",
    "concepts",
    "conversion",
    "dimension",
    "interpretation_code",
    "ucum_code",
    "ucum_of",
]
