"""What of a fact differs from one to the next (its slots), and all else, which its template is known by (its key).

A slot is bytes as they stand in the JSON of its resource: an id, a date, the words of that date in the narrative, a
number, a text. What a slot's content implies beyond itself belongs to the key: the precision of a date, the unit of a
value, on which side of its range it lies. A fact that holds something else in a slot's place has no template.
"""

import re
from collections.abc import Callable
from html import escape
from operator import attrgetter
from typing import Any

import orjson

from casefhir.fhir.context import resource_type
from casefhir.fhir.datatypes import text_of, vaguely_same
from casefhir.fhir.narrative import date_words, event_words, opening
from casefhir.record import (
    AdverseEvent,
    Between,
    Case,
    Component,
    Course,
    Fact,
    Intolerance,
    Measurement,
    On,
    Person,
    Problem,
    Procedure,
    Quantity,
    Range,
    RecordError,
    Relative,
    Report,
    Suspect,
    Visit,
    check_date,
    spans_of,
)

# fields whose content are slots; those that name other facts, with the type they must be of (None: any)
SLOTTED: dict[type, tuple[str, ...]] = {
    Measurement: ("when", "value", "range", "printed", "components"),
    Component: ("value", "range", "printed"),
    Problem: ("onset", "abatement", "asserted"),
    Course: ("start", "end", "when"),
    AdverseEvent: ("when",),
    Procedure: ("when",),
    Report: ("when",),
    Visit: ("when",),
    Intolerance: ("onset",),
}
NAMING: dict[type, tuple[tuple[str, type | None], ...]] = {
    Measurement: (("visit", Visit), ("members", Measurement), ("derived_from", Measurement)),
    Problem: (("visit", Visit), ("evidence", None)),
    Course: (("visit", Visit), ("indication", None)),
    AdverseEvent: (("visit", Visit), ("resulting", Problem), ("suspects", None)),
    Procedure: (("visit", Visit), ("reports", Report)),
    Report: (("visit", Visit), ("results", Measurement)),
    Visit: (),
    Intolerance: (("visit", Visit),),
}
# fields that may name facts or hold words: with words alone a fact has a template
_EITHER: dict[type, tuple[str, ...]] = {
    Problem: ("due_to", "after", "related"),
    Procedure: ("reasons",),
    Visit: ("reasons",),
}
_SILENT = ("key", "source", "named")  # nothing of these is written, but for the key
_PRIVATE = re.compile("[\ue000-\uf8ff]+(?:(?: |&|&amp;)[\ue000-\uf8ff]+)*")  # marks; also harmless in a source
_YEARS = ("1800", "2100")  # outside these the validator warns


class NoTemplate(Exception):
    """The fact is one of a kind; it goes the ordinary way."""


class Dangling(NoTemplate):
    """What the fact says or names does not fit the others, so that they have to be checked together."""


class Reading:
    """The facts of one person while they are read: who names whom, and the dates that have to fit together."""

    __slots__ = ("by_key", "case", "dated", "following", "id_of", "ids", "living", "numbers", "ordered", "start")

    def __init__(self, case: Case, id_of: Callable[[str, str], str]) -> None:
        self.case = case
        self.by_key = case.by_key
        self.id_of = id_of
        self.ids: dict[str, bytes] = {}
        self.start = [case.key.encode(), self.identity(case.person.key)]
        self.numbers: list[Any] = []  # of the fact being read
        self.dated: list[str] = []  # when things were, or began
        self.living: list[str] = []  # when things ended that only the living have
        self.ordered: list[tuple[str, str]] = []  # starts and their ends
        self.following: list[tuple[str, str]] = []  # dates of which the second may not lie before the first

    def identity(self, key: str) -> bytes:
        """The id of the resource that the fact `key` becomes."""
        found = self.ids.get(key)
        if found is None:
            kind = resource_type(self.by_key[key])
            found = self.ids[key] = self.id_of(kind, key).encode()
        return found


Key = list[Any]
Slots = list[bytes]


def own_slots(reading: Reading, kind: str, key: str) -> Slots:
    """The slots that every resource has: case, subject, fact, id."""
    return [*reading.start, key.encode(), reading.id_of(kind, key).encode()]


def _fields(kind: type) -> tuple[Callable[[Any], Any], Callable[[Any], tuple[Any, ...]]]:
    special = {*_SILENT, *SLOTTED[kind], *(name for name, _ in NAMING.get(kind, ()))}
    fields = [name for name in kind.__dataclass_fields__ if name not in special]  # type: ignore[attr-defined]
    slotted = SLOTTED[kind]
    take = attrgetter(*slotted) if len(slotted) > 1 else (lambda fact, name=slotted[0]: (getattr(fact, name),))
    return attrgetter(*fields), take


_FIELDS = {kind: _fields(kind) for kind in SLOTTED}


def read(fact: Fact, reading: Reading) -> tuple[tuple[Any, ...], Slots]:
    """The key of the template of `fact`, and its slots. Raises `NoTemplate`."""
    kind = type(fact)
    fixed, slotted = _FIELDS[kind]
    key: Key = [kind, reading.case.test_data, fixed(fact)]
    slots: Slots = [*reading.start, fact.key.encode(), reading.identity(fact.key)]
    reading.numbers = []
    if spans_of(fact.source):
        raise NoTemplate
    for value in slotted(fact):
        if value is None:
            key.append(None)
        else:
            _READ.get(type(value), _fixed)(value, key, slots, reading)
    if kind is Measurement:
        _against_range(fact, key)
    for name, wanted in NAMING[kind]:
        named = getattr(fact, name)
        if named:
            _named(named, wanted, key, slots, reading)
        else:
            key.append(None)
    if type(fact) is Course:
        _course_times(fact)
    if kind in _EITHER:
        for name in _EITHER[kind]:
            for each in getattr(fact, name):
                if text_of(each) in reading.by_key:
                    raise NoTemplate
    return tuple(key), slots


def _course_times(fact: Course) -> None:
    start, end = fact.start, fact.end
    if fact.when and (start or end):
        raise Dangling  # two times for one: the whole check tells which it goes by
    if type(start) is On and type(end) is On and vaguely_same(start.date, end.date):
        raise NoTemplate  # one of them is written with less than it says


def _fixed(value: Any, key: Key, _slots: Slots, _reading: Reading) -> None:
    key.append(value)


def _refused(_value: Any, _key: Key, _slots: Slots, _reading: Reading) -> None:
    raise NoTemplate


_DATES: dict[str, tuple[int, bytes, bytes]] = {}


def date_slots(date: str) -> tuple[int, bytes, bytes]:
    """Precision, JSON and narrative of a date; each new one is worked out once."""
    found = _DATES.get(date)
    if found is None:
        if date[0] < "\ue000" and not _YEARS[0] <= date[:4] <= _YEARS[1]:
            raise NoTemplate
        if len(_DATES) > 1 << 16:
            _DATES.clear()
        form = min(len(date), 11)
        found = _DATES[date] = (form, date.encode(), date_words(date).encode())
    return found


def text_slot(text: str) -> bytes:
    """A text as JSON has it between its quotes; raises `NoTemplate` for what a validator may object to."""
    if not (text and text.isprintable() and text == text.strip()) and not _PRIVATE.fullmatch(text):
        raise NoTemplate
    return orjson.dumps(text)[1:-1]


def narrative_slot(text: str) -> bytes:
    """A text as the narrative has it."""
    return text_slot(escape(text, quote=False))


def _on(value: On, key: Key, slots: Slots, _reading: Reading) -> None:
    _date(value.date, value.printed, key, slots)


def _date(date: str, printed: str | None, key: Key, slots: Slots) -> None:
    form, told, words = date_slots(date)
    slots.append(told)
    slots.append(words)
    if printed is None:
        key.append(form)
    else:
        key.append(-form)
        slots += (text_slot(printed), narrative_slot(printed))


def _between(value: Between, key: Key, slots: Slots, _reading: Reading) -> None:
    if value.start and value.end and vaguely_same(value.start, value.end):
        raise NoTemplate
    key.append(Between)
    for date, printed in ((value.start, value.start_printed), (value.end, value.end_printed)):
        if date is None:
            key.append(None)
        else:
            _date(date, printed, key, slots)


def _quantity(value: Quantity, key: Key, slots: Slots, reading: Reading) -> None:
    number = value.value
    text = str(number)
    if text == "-0" or len(text) > 40 or (not number.is_finite()):
        raise NoTemplate
    key.append((value.unit, value.comparator, value.code))
    slots.append(text.encode())
    reading.numbers.append(number)


def _range(value: Range, key: Key, slots: Slots, reading: Reading) -> None:
    key.append(Range)
    for bound in (value.low, value.high):
        if bound is None:
            key.append(None)
        else:
            _quantity(bound, key, slots, reading)


def _parts(value: tuple[Component, ...], key: Key, slots: Slots, reading: Reading) -> None:
    fixed, slotted = _FIELDS[Component]
    key.append(len(value))
    for part in value:
        if spans_of(part.source):
            raise NoTemplate
        key.append(fixed(part))
        for each in slotted(part):
            if each is None:
                key.append(None)
            else:
                _READ.get(type(each), _fixed)(each, key, slots, reading)
        _against_range(part, key)


_READ: dict[type, Callable[[Any, Key, Slots, Reading], None]] = {
    On: _on,
    Between: _between,
    Quantity: _quantity,
    Range: _range,
    tuple: _parts,
    Relative: _refused,
}


def _against_range(part: Any, key: Key) -> None:
    """On which side of each bound the value lies: its interpretation follows from that, or is doubted for it."""
    value, normal = part.value, part.range
    if type(value) is Range and not (value.low and value.high and value.low.value <= value.high.value):
        raise NoTemplate
    if type(normal) is Range and normal.low and normal.high:
        if normal.low.unit != normal.high.unit or normal.low.code != normal.high.code:
            raise NoTemplate
        key.append(normal.low.value > normal.high.value)
    if normal is None or type(value) is not Quantity:
        return
    if type(normal) is not Range:
        raise NoTemplate
    number, unit, code = value.value, value.unit, value.code
    for bound in (normal.low, normal.high):
        if bound is not None:
            if (bound.unit and bound.unit != unit) or (bound.code and bound.code != code):
                raise NoTemplate
            key.append((number > bound.value) - (number < bound.value))


def _named(named: str | tuple[Any, ...], wanted: type | None, key: Key, slots: Slots, reading: Reading) -> None:
    several = (named,) if isinstance(named, str) else named
    key.append(len(several))
    for each in several:
        if type(each) is Suspect:
            other = reading.by_key.get(each.course)
            if type(other) is not Course and type(other) is not Procedure:
                raise Dangling
            key.append((type(other), each.words, each.causality))
            words = event_words(reading.case, each.course)
            if words.endswith((".", "!", "?")):
                raise NoTemplate  # the sentence may end with it
            slots += (reading.identity(each.course), narrative_slot(words))
            continue
        kind = type(reading.by_key.get(each))
        if kind is type(None) or kind is Person or (wanted is not None and kind is not wanted):
            raise Dangling
        key.append(kind)
        slots.append(reading.identity(each))


def _edges(moment: Any, reading: Reading) -> tuple[str | None, str | None]:
    if type(moment) is On:
        return moment.date, moment.date
    if type(moment) is Between:
        if moment.start and moment.end:
            reading.ordered.append((moment.start, moment.end))
        return moment.start, moment.end
    return None, None


def note_times(fact: Any, reading: Reading) -> None:
    """Note the dates of `fact` that have to fit the person's life and each other."""
    kind = type(fact)
    if kind is Course and (fact.start or fact.end):
        begin = fact.start.date if type(fact.start) is On else None
        end = fact.end.date if type(fact.end) is On else None
        if begin and end:
            reading.ordered.append((begin, end))
    elif kind is Problem:
        begin, end = _edges(fact.onset, reading)
        _, abated = _edges(fact.abatement, reading)
        if begin and abated:
            reading.following.append((begin, abated))
    else:
        begin, end = _edges(fact.onset if kind is Intolerance else fact.when, reading)
    if begin and kind is not Report:
        reading.dated.append(begin)
    if end and (kind is Course or kind is AdverseEvent or kind is Visit):
        reading.living.append(end)
    if kind is AdverseEvent and begin:
        for suspect in fact.suspects:
            started = _started(reading.by_key.get(suspect.course))
            if started:
                reading.following.append((started, begin))


def _started(suspect: Any) -> str | None:
    """When a course or procedure began, as far as a date says it."""
    if type(suspect) is Course and (suspect.start or suspect.end):
        return suspect.start.date if type(suspect.start) is On else None
    when = suspect.when if type(suspect) is Course or type(suspect) is Procedure else None
    return when.start if type(when) is Between else when.date if type(when) is On else None


_SAID = ("sex", "origin", "marital_status", "marital_status_text", "language", "birth_date_absent")
_said = attrgetter(*_SAID)


def _birth(date: str) -> str:
    """A birth date, which no rule of its own has proved yet."""
    if not _PRIVATE.match(date):
        try:
            check_date(date)
        except RecordError:
            raise NoTemplate from None
    if len(date) > len("2003-11-04"):
        raise NoTemplate
    return date


def read_person(person: Person, reading: Reading) -> tuple[tuple[Any, ...], Slots]:
    """The key and the slots of the Patient's template. Raises `NoTemplate`."""
    if spans_of(person.source):
        raise NoTemplate
    key: Key = [Person, _said(person), len(person.given), person.family is None]
    slots: Slots = [*reading.start, person.key.encode(), reading.identity(person.key)]
    names = [*person.given, *((person.family,) if person.family else ())]
    if names:
        slots += [text_slot(each) for each in names]
        slots.append(narrative_slot(opening(" ".join(names))))
    for identifier in person.identifiers:
        key.append(identifier.system)
        if identifier.system == "urn:ietf:rfc:3986":
            raise NoTemplate  # its values have a form of their own
        slots.append(text_slot(identifier.value))
    if person.birth_date is None:
        key.append(None)
    else:
        form, date, words = date_slots(_birth(person.birth_date))
        key.append(form)
        slots += (date, words)
    if isinstance(person.deceased, bool) or person.deceased is None:
        key.append(person.deceased)
    else:
        _READ[type(person.deceased)](person.deceased, key, slots, reading)
    address = person.address
    if address is not None:
        key.append(len(address.lines))
        slots += [text_slot(line) for line in address.lines]
        for part in (address.city, address.district, address.state, address.postal_code, address.country):
            key.append(part is None)
            if part is not None:
                slots.append(text_slot(part))
    return tuple(key), slots
