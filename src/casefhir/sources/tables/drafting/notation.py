"""How the cells of tables are written, as far as they tell: the order of dates, decimal and thousands marks."""

import re
from collections.abc import Iterator

from casefhir.sources.tables.drafting.toml import text
from casefhir.sources.tables.profile import ColumnProfile

_BLANKS = re.compile(r"[1-9]\d{0,2}(?:[ \u00a0\u202f]\d{3})+(?:,\d+)?")
_MONTH = re.compile(r"(?:0?[1-9]|1[0-2])[./](?:19|20)\d{2}")


def dates(profiles: list[ColumnProfile]) -> Iterator[str]:
    """In which order dates are written, with a question where the cells do not tell."""
    cells = [value for profile in profiles for value in profile.values]
    dotted = [match for match in (re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./]\d{2,4}", cell) for cell in cells) if match]
    notations = ["iso"] if any(re.match(r"\d{4}-\d{2}", cell) for cell in cells) or not dotted else []
    why = ""
    if dotted:
        month_first = any(int(match[2]) > 12 for match in dotted)
        day_first = any(int(match[1]) > 12 for match in dotted)
        if month_first and day_first:  # either order would read some of them wrongly
            one = next(match[0] for match in dotted if int(match[2]) > 12)
            other = next(match[0] for match in dotted if int(match[1]) > 12)
            why = f'   # {one} has the month first, {other} the day: mend one kind, then say "mdy" or "dmy"'
            notations = notations or ["iso"]
        else:
            notations.append("mdy" if month_first else "dmy")
            if not day_first and not month_first:
                why = f"   # {dotted[0][0]!r}: day or month first? No date here tells"
    if any(re.fullmatch(r"\d{1,2}[- ]?[A-Za-z]{3}[- ]?\d{2,4}", cell) for cell in cells) and not dotted:
        notations.append("dmy")
    yield f"dates = [{', '.join(text(each) for each in notations)}]{why}"
    if any(re.fullmatch(r"\d{1,2}[./]\d{1,2}[./]\d{2}", cell) for cell in cells):
        yield "two_digit_years_from = 1930   # years of two digits: from which year on?"


def numbers(profiles: list[ColumnProfile], typed: set[str]) -> Iterator[str]:
    """Decimal and thousands marks, and numbers that look like codes for a missing value. `typed` numbers are no texts:
    their point says nothing.
    """
    numeric = [value for profile in profiles if profile.kind == "number" for value in profile.values]
    cells = [value for value in numeric if value not in typed and not _MONTH.fullmatch(value)]
    grouped = {mark for cell in cells for mark in ",." if re.fullmatch(rf"\d{{1,3}}(?:\{mark}\d{{3}})+", cell)}
    blanks = any(
        any(_BLANKS.fullmatch(value) for value in profile.values)
        and all(_BLANKS.fullmatch(value) or re.match(r"[<>≤≥]?\s*\d", value) for value in profile.values)
        for profile in profiles
    )
    decimal = {
        mark for cell in cells for mark in ",." if re.fullmatch(rf"\D*\d+\{mark}(?:\d{{1,2}}|\d{{4,}})\D*", cell)
    }
    if decimal == {","}:
        yield 'decimal = ","'
        if blanks:
            yield 'thousands = " "'
        elif "." in grouped:
            yield 'thousands = "."'
        if "," in grouped:
            one = next(cell for cell in cells if re.fullmatch(r"\d{1,3}(?:,\d{3})+", cell))
            yield f"# {one} is a decimal then: if it was meant as a whole number, write it without the comma"
    elif decimal == {",", "."}:
        one, other = (next(cell for cell in cells if re.fullmatch(rf"\D*\d+\{mark}\d+\D*", cell)) for mark in ",.")
        yield f'# {one} has a decimal comma, {other} a point: mend one kind, then say decimal = "," if it is commas'
    elif "." in grouped and not decimal and "," not in grouped:
        one = next(cell for cell in cells if re.fullmatch(r"\d{1,3}(?:\.\d{3})+", cell))
        yield f'# thousands = "."   # is {one} a whole number? So it is read with a decimal point'
    elif "," in grouped:
        sure = "" if decimal else "   # 3,072: thousands, or a decimal comma?"
        yield f'thousands = ","{sure}'
    elif blanks:
        yield 'thousands = " "'
    odd = sorted({cell for cell in numeric if cell in ("-9", "-99", "-999", "999", "9999", "-1")})
    for cell in odd:
        yield f'# absent = {{ {text(cell)} = "unknown" }}   # is {cell} a code for a missing value?'
