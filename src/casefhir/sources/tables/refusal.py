"""Why a cell cannot be converted."""

_LONGEST = 300


class Refused(Exception):
    """A cell that cannot become what the mapping asks of it; inside the plan alone, where it becomes a `Reject`.

    `reason` says what is wrong, `mend` how to mend it, `column` whose cell it is.
    """

    def __init__(self, reason: str, mend: str, column: str | None = None) -> None:
        reason = reason if len(reason) <= _LONGEST else f"{reason[: _LONGEST // 2]}…{reason[-_LONGEST // 2 :]}"
        super().__init__(reason)
        self.reason = reason
        self.mend = mend
        self.column = column
