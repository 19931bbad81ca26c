"""Tables to FHIR on Spark: the same conversion as the local engine's, over files or over any tables that Spark reads.

Rows of all tables are brought together by person with one shuffle; every partition is converted by the same code as
locally, streaming; the driver collects sums only.
"""

from casefhir.spark.files import convert_files
from casefhir.spark.frames import convert
from casefhir.spark.work import NotOnSpark, session

__all__ = ["NotOnSpark", "convert", "convert_files", "session"]
