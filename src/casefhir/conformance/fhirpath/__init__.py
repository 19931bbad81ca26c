"""FHIRPath over the trees of `casefhir.conformance.tree`, translated once to Python closures.

`compiled(expression)` gives a function from a node to a list; what the translator does not support raises
`Unsupported` when it is translated, so no rule passes because it could not be read.
"""

from casefhir.conformance.fhirpath.engine import Env, compiled, truth
from casefhir.conformance.fhirpath.parse import Unsupported

__all__ = ["Env", "Unsupported", "compiled", "truth"]
