"""What verify and coverage report: where, what, and how to mend it."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold; `file` and `line` (from 1) are the mapping's, `fact` is the fact's key, if any."""

    file: str
    line: int
    fact: str | None
    what: str
    mend: str

    def __str__(self) -> str:
        named = f" {self.fact}:" if self.fact else ""
        return f"{self.file}:{self.line}:{named} {self.what} {self.mend}".rstrip()

    def as_json(self) -> dict[str, object]:
        """The finding as a JSON object."""
        return asdict(self)
