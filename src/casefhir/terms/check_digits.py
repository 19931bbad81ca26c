"""Codes that tell by themselves that they are mistyped: LOINC numbers and SNOMED CT identifiers have check digits."""

import re
from functools import lru_cache


@lru_cache(maxsize=8192)
def loinc_fault(code: str) -> str | None:
    """What is wrong with `code` as a LOINC number (Mod 10 check digit); parts and answers (LP, LA) are let through."""
    if re.match(r"(?:LP|LA|LL|LG|MTHU)\d+-\d\Z", code, re.ASCII):
        return None
    match = re.match(r"(\d{1,7})-(\d)\Z", code, re.ASCII)
    if match is None:
        return "is not a LOINC number (digits, a dash and a check digit)"
    total = 0
    for place, digit in enumerate(reversed(match[1])):
        number = int(digit) * (2 if place % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    wanted = (10 - total % 10) % 10
    return None if wanted == int(match[2]) else f"has check digit {match[2]}, but {match[1]} wants {wanted}"


_MULTIPLY = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_PERMUTE = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)
_EXPRESSION = re.compile(r"[:=+|{}(),<>^\s]")


@lru_cache(maxsize=8192)
def snomed_fault(code: str) -> str | None:
    """What is wrong with `code` as a SNOMED CT identifier (Verhoeff check digit) or expression of them."""
    if not code.isdigit() and not _EXPRESSION.search(code):
        return "is not a SNOMED CT identifier (6 to 18 digits)"
    for number in re.findall(r"(?<![\d|#.])\d{6,18}(?![\d.])", re.sub(r"\|[^|]*\|", "", code)) or [code]:
        if not re.match(r"[1-9]\d{5,17}\Z", number, re.ASCII):
            return "is not a SNOMED CT identifier (6 to 18 digits)"
        check = 0
        for place, digit in enumerate(reversed(number)):
            check = _MULTIPLY[check][_PERMUTE[place % 8][int(digit)]]
        if check:
            return "is not a SNOMED CT identifier: its check digit is wrong"
    return None


_FAULTS = {"http://loinc.org": loinc_fault, "http://snomed.info/sct": snomed_fault}


def code_fault(system: str, code: str) -> str | None:
    """What is wrong with `code` by the form of its `system` alone; None for systems whose codes do not tell."""
    fault = _FAULTS.get(system)
    return fault(code) if fault else None
