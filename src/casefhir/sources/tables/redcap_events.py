"""The events of a REDCap project: labels, as exports of labels have them, and their unique names."""

import html
import re

from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.rows import TableError, find_column

COLUMN = "redcap_event_name"
_PARTS = ("event_name", "arm_num", "unique_event_name")
_ARM = re.compile(r"(.*?)\s*\(Arm (\d+)(?:: .*)?\)")


def event_label(cell: str) -> str:
    """A label as `event_names` has it: `Visit 1 (Arm 2: Drug B)` by its name and the number of its arm."""
    label = " ".join(html.unescape(cell).split())
    arm = _ARM.fullmatch(label)
    return f"{arm[1]} (Arm {arm[2]})" if arm else label


def event_names(lookup: Lookup) -> dict[str, list[str]]:
    """Label -> unique names, of a project's list of events; a label is told with its arm, and without. Raises
    `TableError` where a column of it is missing.
    """
    places = [find_column(lookup.columns, part) for part in _PARTS]
    for part, place in zip(_PARTS, places):
        if place is None:
            raise TableError(
                f"{lookup.file}: A REDCap project's list of events has the column {part!r}; this has none."
            )
    found: dict[str, list[str]] = {}
    for row in lookup.rows.values():
        name, arm, unique = ((row[place] or "").strip() for place in places if place is not None)
        for label in dict.fromkeys([event_label(name), event_label(f"{name} (Arm {arm})")]):
            found.setdefault(label, []).append(unique)
    return found
