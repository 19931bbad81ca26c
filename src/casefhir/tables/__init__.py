"""Tables to FHIR, from files to files: the rooms one after the other, in one process or several, or on Spark."""

from casefhir.tables.checkpoints import is_unfinished
from casefhir.tables.kept import Kept
from casefhir.tables.options import Options
from casefhir.tables.run import chosen, convert_tables, manifest
from casefhir.tables.tally import Tally

__all__ = ["Kept", "Options", "Tally", "chosen", "convert_tables", "is_unfinished", "manifest"]
