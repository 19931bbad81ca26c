"""Values as a source prints them, with every digit."""

import re
from dataclasses import dataclass
from decimal import Decimal

from casefhir import terms
from casefhir.record.errors import RecordError

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
# not the second half of 20 000, and not the dash of a grade "3 –"
_UNIT = r"(?!\d{3}(?:\D|$)|[-–−]$)(?P<unit>\S.*)"
_QUANTITY = re.compile(rf"(?P<comparator><=|>=|<|>|≤|≥)?\s*(?P<value>[-−]?{_NUMBER})(?:\s+{_UNIT}|(?P<sign>%.*))?")
TITRE = re.compile(r"1\s*[:/]\s*([0-9]+)")
_COMPARATORS = {"≤": "<=", "≥": ">="}
_RANGE = re.compile(rf"(?P<low>{_NUMBER})\s*(?:-|–|to)\s*(?P<high>{_NUMBER})(?:\s+{_UNIT}|(?P<sign>%.*))?")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its digits, the unit as printed (empty: none printed) and perhaps a comparator (`<`, `<=`, `>=`,
    `>`).
    """

    value: Decimal
    unit: str = ""
    comparator: str | None = None

    @property
    def ucum(self) -> str | None:
        """The UCUM code of the unit; None when there is no unit or it makes no sense as printed."""
        return terms.ucum_of(self.unit) if self.unit else None

    @classmethod
    def parse(cls, text: str) -> "Quantity":
        """`22.7 mg/l`, `<0.2 g/l`, `48 %`, `640`: plain digits with a decimal point; raises `RecordError` otherwise."""
        match = _QUANTITY.fullmatch(text)
        if not match:
            raise RecordError(
                f"{text!r} is not a number with a unit: write 22.7 mg/l, <0.2 g/l or 3072 U/l, with a decimal point "
                f"and without thousands separators."
            )
        comparator = _COMPARATORS.get(match["comparator"], match["comparator"])
        value = Decimal(match["value"].replace("−", "-"))
        return cls(value, match["unit"] or match["sign"] or "", comparator)

    def __str__(self) -> str:
        return f"{self.comparator or ''}{self.value}{' ' if self.unit else ''}{self.unit}"


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, either of which may be missing, both in the same unit."""

    low: Quantity | None
    high: Quantity | None

    @classmethod
    def parse(cls, text: str) -> "Range":
        """`10-20 mg`, `4.0 to 10.0 G/L`; for ranges of reference also `< 5 mg/L` and `> 3.82 g/l`."""
        match = _RANGE.fullmatch(text)
        if match:
            low, high, unit = (
                Decimal(match["low"]),
                Decimal(match["high"]),
                match["unit"] or match["sign"] or "",
            )
            if high < low:
                raise RecordError(f"The range {text!r} ends below its start.")
            return cls(Quantity(low, unit), Quantity(high, unit))
        one = Quantity.parse(text)
        bound = Quantity(one.value, one.unit)
        if one.comparator in ("<", "<="):
            return cls(None, bound)
        if one.comparator in (">", ">="):
            return cls(bound, None)
        raise RecordError(f"{text!r} is not a range: write 4.0-10.0 G/L, < 5 mg/L or > 3.82 g/l.")


@dataclass(frozen=True, slots=True)
class Words:
    """A result that is words, even where they hold digits (`Words("between M3 and M4")`)."""

    text: str


Value = Quantity | Range | Words


def parse_value(value: "str | Words") -> Value:
    """A value as a mapping writes it: words unless it starts like a number or comparator."""
    if isinstance(value, Words):
        return value
    if re.match(r"[<>≤≥]|[-−]?\s?[0-9]", value):
        return Range.parse(value) if _RANGE.fullmatch(value) else Quantity.parse(value)
    return Words(value)
