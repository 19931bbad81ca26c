"""Files that are there whole or not at all."""

import os
import tempfile
from pathlib import Path

SCRATCH = ".part"
"""How the names of files end that are not whole yet; they start with a point."""


def write_file(path: Path, data: bytes) -> None:
    """`data` in `path`, whole or not at all, whoever else writes there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=SCRATCH, delete=False) as scratch:
        scratch.write(data)
        scratch.flush()
        os.fsync(scratch.fileno())
    os.chmod(scratch.name, 0o644)
    os.replace(scratch.name, path)
