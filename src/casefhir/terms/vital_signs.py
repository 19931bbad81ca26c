"""R4's vital-signs profiles: which codes claim them, the code each demands, the units it takes (`data/vital_signs.tsv`,
from the profiles themselves and the codes by which HL7's validator applies them).
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

_LOINC = "http://loinc.org"
_SNOMED = "http://snomed.info/sct"


@dataclass(frozen=True, slots=True)
class VitalSign:
    """One profile: its name, the LOINC code that it demands, the UCUM units that its value may have (none: it has
    parts).
    """

    name: str
    loinc: str
    units: tuple[str, ...]


@cache
def vital_signs() -> Mapping[tuple[str, str], VitalSign]:
    """(system, code) to the profile that the code claims."""
    text = (resources.files(__package__) / "data" / "vital_signs.tsv").read_text(encoding="utf-8")
    found: dict[tuple[str, str], VitalSign] = {}
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        units = tuple(row["units"].split("|")) if row["units"] else ()
        profile = VitalSign(row["profile"], row["loinc"], units)
        for system, column in ((_LOINC, "implied_by_loinc"), (_SNOMED, "implied_by_snomed")):
            for code in row[column].split("|"):
                found.setdefault((system, code), profile)
    return found
