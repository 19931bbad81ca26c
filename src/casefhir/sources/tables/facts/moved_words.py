"""Dates among words, where no date is asked for: they move with the person's other dates."""

import re
from collections.abc import Callable

from casefhir.sources.tables.dates import shifted
from casefhir.sources.tables.facts.moments import NO_DAY
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import Telling

_WHOLE_DATE = re.compile(
    r"\d{1,4}[-./ ]+(?:\d{1,2}|[^\W\d_]{3,9})\.?[-./, ]+\d{1,4}(?:[T ]+\d{1,2}:\d{2}.*)?", re.S
).fullmatch


def moved_words(scope: Scope, name: str) -> Callable[[str, Telling], str | None]:
    """For a person whose dates are moved: words as they are, but a whole date moved too; left out and counted if it
    cannot be.
    """
    dates, rule = scope.of.dates, scope.rule

    def found(words: str, telling: Telling) -> str | None:
        if not _WHOLE_DATE(words):
            return words
        try:
            moved = shifted(dates.read(words).iso, telling.shift)
        except Refused:
            moved = None
        if moved is None:
            telling.unmapped[rule, name, NO_DAY] += 1
        return moved

    return found
