"""A Spark job: a registry's tables, as Spark reads them, to validated FHIR.

spark-submit examples/spark_job.py TABLES OUT
"""

import sys
from pathlib import Path

from pyspark.sql import SparkSession

from casefhir.spark import convert


def main(tables: Path, out: Path) -> None:
    """Convert the CSV files in `tables` by the shipped mapping `registry`; `out` gets a folder for each file."""
    session = SparkSession.builder.appName("registry to FHIR").getOrCreate()
    # text as it stands: no types inferred, quotes doubled as in RFC 4180
    frames = {
        path.stem: session.read.csv(str(path), header=True, escape='"', multiLine=True)
        for path in sorted(tables.glob("*.csv"))
    }
    convert(frames, "registry").write.partitionBy("name").text(str(out))
    session.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
