"""The official R4 examples (Maven `com.ibm.fhir:fhir-examples`, `json/spec`), one a line, for a comparison.

    python tools/official_examples.py OUT.ndjson

Beside OUT stands OUT.names.json, the file of each line. The nine largest files are Bundles of R4's definitions and are
left out. The archive is taken from ~/.m2; Maven brings it when it is not there.
"""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from casefhir import exactjson

ARTIFACT, VERSION = "com.ibm.fhir:fhir-examples", "4.11.1"
LARGEST = 1_500_000


def archive() -> Path:
    """The archive of the examples."""
    group, name = ARTIFACT.split(":")
    found = Path.home() / ".m2/repository" / group.replace(".", "/") / name / VERSION / f"{name}-{VERSION}.jar"
    if not found.is_file():
        get = ["mvn", "-q", "-B", "dependency:get", f"-Dartifact={ARTIFACT}:{VERSION}", "-Dtransitive=false"]
        subprocess.run(get, check=True)
    return found


def examples() -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of each example, by name."""
    with zipfile.ZipFile(archive()) as source:
        for each in sorted(source.infolist(), key=lambda one: one.filename):
            name = each.filename.removeprefix("json/spec/")
            if name.endswith(".json") and "/" not in name and each.file_size <= LARGEST:
                yield name, source.read(each)


def main(arguments: list[str]) -> None:
    out = Path(arguments[0])
    names: list[str] = []
    with out.open("wb") as stream:
        for name, data in examples():
            names.append(name)
            stream.write(exactjson.write(exactjson.read(data)) + b"\n")
    out.with_suffix(".names.json").write_text(json.dumps(names))


if __name__ == "__main__":
    main(sys.argv[1:])
