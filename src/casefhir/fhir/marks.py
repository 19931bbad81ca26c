"""Facts with marks in their slots: what the ordinary path makes of them is a template with holes.

Marks are made of characters of Unicode's private use area, which no source prints. A marked number keeps its value, so
that what follows from it stays; a marked date keeps its precision, a fact that is named its kind.
"""

from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from typing import Any

from casefhir.fhir.context import Context
from casefhir.fhir.fact_slots import NAMING, SLOTTED, is_slot, slots_text
from casefhir.record import (
    Address,
    Between,
    Case,
    Cells,
    Component,
    Extract,
    Fact,
    Identifier,
    On,
    Person,
    Quantity,
    Range,
    Suspect,
)

FIRST, LAST = "\ue000", "\uf8ff"
ABSENT = "\ue005"  # stands nowhere
_NOWHERE = Cells("", 1)


class _Number(Decimal):
    """A number that is shown as a mark."""

    shown: str

    def __new__(cls, value: Decimal, shown: str) -> "_Number":
        made = super().__new__(cls, value)
        made.shown = shown
        return made

    def __str__(self) -> str:
        return self.shown

    def __format__(self, _spec: str, _context: object = None) -> str:
        return self.shown


def forged(kind: type, /, **given: Any) -> Any:
    """An instance of the dataclass `kind` whose own rules are not asked; fields not given take their defaults."""
    made: Any = object.__new__(kind)
    for name, field in kind.__dataclass_fields__.items():  # type: ignore[attr-defined]
        value = given.get(name, () if field.default.__class__ is tuple else field.default)
        object.__setattr__(made, name, value)
    return made


def _changed(part: Any, **changed: Any) -> Any:
    fields = {name: getattr(part, name) for name in part.__dataclass_fields__}
    return forged(type(part), **(fields | changed))


class Marks:
    """Makes marks that differ from each other, and marked facts in a marked case."""

    def __init__(self, case: Case) -> None:
        self._numbers = count()
        self.named: dict[str, Fact | Person] = {}
        person = _changed(case.person, key=self.mark())
        self.case: Case = forged(
            Case,
            key=self.mark(),
            title=case.title,
            article=None,
            person=person,
            facts=(),
            sections=(),
            recorded=case.recorded,
            extract=case.extract,
            test_data=case.test_data,
            by_key=self.named,
        )
        self.named[person.key] = person

    def mark(self) -> str:
        """A new mark: four characters, as many as a year has."""
        number = next(self._numbers)
        return "".join(chr(0xE000 + digit) for digit in (1, number // 256, number % 256 + 256, 2))

    def text(self) -> str:
        """A new mark for a text, which the narrative has to escape: so it stands there as another mark."""
        return f"{self.mark()}&{self.mark()}"

    def fact(self, fact: Fact, by_key: Mapping[str, Fact | Person]) -> Fact:
        """`fact` with a mark in each of its slots."""
        changed: dict[str, Any] = {"key": self.mark(), "source": _NOWHERE}
        changed |= {name: self._leaf(getattr(fact, name)) for name in SLOTTED[type(fact)]}
        changed |= {name: self._names(getattr(fact, name), by_key) for name, _ in NAMING[type(fact)]}
        changed["notes"] = tuple(self.text() if is_slot(note) else note for note in fact.notes)
        if slots_text(fact):
            changed["text"] = self.text()
        made: Fact = _changed(fact, **changed)
        self.named[made.key] = made
        return made

    def person(self, person: Person) -> Person:
        """The person with a mark in each slot, put in the marked case."""
        address = person.address and Address(
            tuple(self.text() for _ in person.address.lines),
            *(
                getattr(person.address, name) and self.text()
                for name in ("city", "district", "state", "postal_code", "country")
            ),
        )
        made: Person = _changed(
            self.case.person,
            identifiers=tuple(Identifier(each.system, self.text()) for each in person.identifiers),
            family=person.family and self.text(),
            given=tuple(self.text() for _ in person.given),
            birth_date=person.birth_date and self._date(person.birth_date),
            deceased=self._leaf(person.deceased),
            address=address,
            source=_NOWHERE,
        )
        object.__setattr__(self.case, "person", made)
        self.named[made.key] = made
        return made

    def row(self, extract: Extract, table: str, ruled: bool) -> tuple[Person, str | None]:
        """One fact of a table, the person, alone in the marked case; and the mark for the rules of that table."""
        made: Person = _changed(self.case.person, source=Cells(table, 1))
        rule = self.text() if ruled else None
        alone = _changed(extract, files={table: extract.files[table]}, rules={made.key: rule} if rule else {})
        object.__setattr__(self.case, "person", made)
        object.__setattr__(self.case, "extract", alone)
        self.named[made.key] = made
        return made, rule

    def _date(self, date: str) -> str:
        return self.mark() + "-03-17T16:17:47Z"[: min(len(date), 20) - 4]

    def _leaf(self, value: Any) -> Any:
        if isinstance(value, On):
            return forged(On, date=self._date(value.date), source=_NOWHERE, printed=value.printed and self.text())
        if isinstance(value, Between):
            return forged(
                Between,
                start=value.start and self._date(value.start),
                end=value.end and self._date(value.end),
                source=_NOWHERE,
                start_printed=value.start_printed and self.text(),
                end_printed=value.end_printed and self.text(),
            )
        if isinstance(value, Quantity):
            return Quantity(_Number(value.value, self.mark()), value.unit, value.comparator, value.code)
        if isinstance(value, Range):
            return Range(value.low and self._leaf(value.low), value.high and self._leaf(value.high))
        if isinstance(value, tuple):
            return tuple(
                _changed(part, **{name: self._leaf(getattr(part, name)) for name in SLOTTED[Component]})
                for part in value
            )
        return value

    def _names(self, named: Any, by_key: Mapping[str, Fact | Person]) -> Any:
        if isinstance(named, tuple):
            return tuple(self._names(each, by_key) for each in named)
        if isinstance(named, Suspect):
            return Suspect(self._names(named.course, by_key), named.words, named.causality)
        if named is None:
            return None
        key = self.mark()
        self.named[key] = forged(type(by_key[named]), key=key, text=self.text(), source=_NOWHERE)
        return key


class MarkedContext(Context):
    """A conversion whose ids are marks that tell type and key."""

    __slots__ = ()

    def id_of(self, kind: str, key: str) -> str:
        """The mark for the id of a resource."""
        return marked_id(kind, key)


def marked_id(kind: str, key: str) -> str:
    """The mark for the id of a resource."""
    return f"\ue003{kind}{key}\ue004"


def is_marked(data: bytes) -> bool:
    """Whether a mark is left in `data`."""
    return any(FIRST <= character <= LAST for character in data.decode())
