"""Values as a source prints them, with every digit."""

import re
from dataclasses import dataclass
from decimal import Decimal

from casefhir import terms
from casefhir.record.codes import Code
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
    `>`). `code` is the UCUM code of the unit where the source gives it, or where the printed unit is not enough.
    """

    value: Decimal
    unit: str = ""
    comparator: str | None = None
    code: str | None = None

    @property
    def ucum(self) -> str | None:
        """The UCUM code of the unit; None when there is no unit or it makes no sense as printed."""
        return self.code or (terms.ucum_of(self.unit) if self.unit else None)

    @classmethod
    def parse(cls, text: "str | Quantity") -> "Quantity":
        """`22.7 mg/l`, `<0.2 g/l`, `48 %`, `640`: plain digits with a decimal point; raises `RecordError` otherwise.

        A quantity is given back as it is.
        """
        if isinstance(text, Quantity):
            return text
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
    def parse(cls, text: "str | Range") -> "Range":
        """`10-20 mg`, `4.0 to 10.0 G/L`; for ranges of reference also `< 5 mg/L` and `> 3.82 g/l`.

        A range is given back as it is.
        """
        if isinstance(text, Range):
            return text
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

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"> {self.low}" if self.low else f"< {self.high}"
        return f"{self.low.value}–{self.high}"


@dataclass(frozen=True, slots=True)
class Words:
    """A result that is words, even where they hold digits (`Words("between M3 and M4")`), with the codes that the
    source gives for them.
    """

    text: str
    codes: tuple[Code, ...] = ()


Value = Quantity | Range | Words


def parse_value(value: str | Value) -> Value:
    """A value as a mapping writes it: words unless it starts like a number or comparator."""
    if not isinstance(value, str):
        return value
    if re.match(r"[<>≤≥]|[-−]?\s?[0-9]", value):
        return Range.parse(value) if _RANGE.fullmatch(value) else Quantity.parse(value)
    return Words(value)
