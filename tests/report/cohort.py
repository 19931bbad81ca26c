"""A cohort of any size for tests and benchmarks: the six committed cases again and again, each with ids of its own."""

import re
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from tests.report.conftest import ROOT

_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def cohort(size: int, folder: Path) -> Path:
    """`folder` with `size` bundles in it."""
    files = sorted((ROOT / "bundles").glob("*.json"))
    for number in range(size):
        file = files[number % len(files)]
        key = f"{file.stem}-{number:03d}"
        data = _UUID.sub(
            lambda found, number=number: str(uuid5(NAMESPACE_URL, f"{number}/{found[0].decode()}")).encode(),
            file.read_bytes(),
        )
        (folder / f"{key}.json").write_bytes(data.replace(file.stem.encode(), key.encode()))
    return folder
