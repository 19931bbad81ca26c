"""Published cases and registry tables as FHIR R4 that conforms and can be traced to its source.

The verbs are those of the command line. Names are loaded when first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from casefhir.conformance import Finding as Finding
    from casefhir.conformance import Report as Report
    from casefhir.conformance import validate as validate
    from casefhir.delivery import upload as upload
    from casefhir.delivery import upload_async as upload_async
    from casefhir.errors import CasefhirError as CasefhirError
    from casefhir.fhir import Conversion as Conversion
    from casefhir.fhir.models import models as models
    from casefhir.library import convert as convert
    from casefhir.library import coverage as coverage
    from casefhir.library import list_cases as list_cases
    from casefhir.library import load_case as load_case
    from casefhir.library import mapping_schema as mapping_schema
    from casefhir.library import plot as plot
    from casefhir.library import query as query
    from casefhir.library import read_record as read_record
    from casefhir.library import record_schema as record_schema
    from casefhir.library import validate_conversion as validate_conversion
    from casefhir.library import verify as verify
    from casefhir.library import write_record as write_record
    from casefhir.sources.records.nodes import RecordFileError as RecordFileError

_HOMES = {
    "CasefhirError": "casefhir.errors",
    "Conversion": "casefhir.fhir",
    "Finding": "casefhir.conformance",
    "RecordFileError": "casefhir.sources.records.nodes",
    "Report": "casefhir.conformance",
    "convert": "casefhir.library",
    "coverage": "casefhir.library",
    "list_cases": "casefhir.library",
    "load_case": "casefhir.library",
    "models": "casefhir.fhir.models",
    "plot": "casefhir.library",
    "query": "casefhir.library",
    "read_record": "casefhir.library",
    "mapping_schema": "casefhir.library",
    "record_schema": "casefhir.library",
    "upload": "casefhir.delivery",
    "upload_async": "casefhir.delivery",
    "validate": "casefhir.conformance",
    "validate_conversion": "casefhir.library",
    "verify": "casefhir.library",
    "write_record": "casefhir.library",
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'casefhir' has no attribute {name!r}") from None
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
