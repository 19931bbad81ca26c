"""FHIRPath over the trees of `casefhir.conformance.tree`, translated once to Python closures.

`compiled(expression)` gives a function from a node to a list; what the translator does not support raises
`Unsupported` when it is translated, so no rule passes because it could not be read.
"""

from casefhir.conformance.fhirpath.engine import compiled
from casefhir.conformance.fhirpath.evaluation import Env, Failed, truth
from casefhir.conformance.fhirpath.parse import Unsupported

__all__ = ["Env", "Failed", "Unsupported", "compiled", "truth"]
