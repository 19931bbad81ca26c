"""The list of the bundles in an output folder, one file a person, so that a later run takes out those of persons who
are not in the tables any more.
"""

from collections.abc import Iterable, Set
from pathlib import Path

BUNDLES = "index/bundles.txt"


def bundle_files(out: Path, key: str) -> tuple[Path, Path]:
    """The file of a person's bundle, and of the index beside it."""
    return out / f"{key}.json", out / "index" / f"{key}.json"


def listing(keys: Iterable[str]) -> dict[str, bytes]:
    """The lines of the list for these persons; none where there are none."""
    lines = "".join(f"{key}\n" for key in keys)
    return {BUNDLES: lines.encode()} if lines else {}


def listed(out: Path) -> frozenset[str]:
    """The persons whose bundles the last run into `out` that came to its end has written."""
    try:
        lines = (out / BUNDLES).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return frozenset()
    return frozenset(line for line in lines if line and Path(line).name == line)  # nothing outside is touched


def take_out(out: Path, keys: Set[str]) -> None:
    """Remove the bundles of these persons."""
    for key in keys:
        for path in bundle_files(out, key):
            path.unlink(missing_ok=True)
