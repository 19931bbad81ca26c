"""Where rejected rows are kept: they stay as they stood, to be mended, so they do not go where hidden data goes."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefhir.errors import CasefhirError
from casefhir.sources.tables.mapping import Privacy
from casefhir.tables.rejects import FOLDER


class ClearRows(CasefhirError):
    """Rejected rows would stand in the clear in the output of a mapping that hides something of them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The folder of rejected rows, there while it is entered; `apart` if it is outside the output. One that is made
    apart is for its owner alone.
    """

    folder: Path
    apart: bool

    @classmethod
    def of(cls, out: Path, privacy: Privacy, asked: Path | None = None) -> "Kept":
        """Where it is `asked` for; else in `out`, or beside it where the mapping hides something. Raises `ClearRows`
        where it would be in the output nevertheless.
        """
        whole = out.resolve()
        beside = whole.with_name(f"{whole.name or 'out'}-{FOLDER}")
        folder = asked or (beside if privacy.hides else out / FOLDER)
        inside = folder.resolve().is_relative_to(whole)
        if inside and privacy.hides:
            raise ClearRows(
                f"{folder}: Rejected rows keep their keys, names and dates, which this mapping hides in the output; "
                f"name a folder outside {out} (--rejects DIR)."
            )
        return cls(folder, not inside)

    @property
    def note(self) -> str:
        """What a person should know of it."""
        return f"{self.folder} has rows as they stood, with keys, names and dates: do not pass it on with the output."

    def __enter__(self) -> "Kept":
        if self.apart:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self.apart:
            with suppress(OSError):
                self.folder.rmdir()  # nothing was rejected

    def conclude(self, before: dict[str, Any], files: Sequence[Path]) -> dict[str, Any]:
        """Take out what an earlier run left here (`before`, of its manifest) and this one did not write; what the
        manifest says of these files.
        """
        written = sorted(str(path.relative_to(self.folder)) for path in files)
        if before.get("folder") == self.folder.name:
            for name in set(before.get("files", [])) - set(written):
                (self.folder / name).unlink(missing_ok=True)
        if not written:
            return {}
        note = "Rejected rows as they stood, kept apart from the output: do not pass them on with it."
        return {"rejects": {"folder": self.folder.name, "files": written, "note": note}}
