"""What of a fact differs from one to the next (its slots), and all else, which its template is known by (its key).

What a slot's content implies beyond itself belongs to the key: the precision of a date, the unit of a value, on which
side of its range it lies. A fact that holds something else in a slot's place has no template.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from casefhir.fhir.datatypes import text_of, vaguely_same
from casefhir.fhir.slots import (
    PRIVATE,
    Dangling,
    Key,
    NoTemplate,
    Reading,
    Slots,
    date_slots,
    narrative_slot,
    text_slot,
)
from casefhir.fhir.wording import event_words, opening
from casefhir.record import (
    AdverseEvent,
    Between,
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
    Relative,
    Report,
    Suspect,
    Visit,
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
# the field of the concept that a fact may have beside its text: with neither concept nor codes the text is a slot
_CONCEPT: dict[type, str | None] = {
    Problem: "concept", Course: "drug", AdverseEvent: "concept", Procedure: "concept", Report: "concept",
    Visit: None, Intolerance: "drug",
}  # fmt: skip
# fields that may name facts or hold words: with words alone a fact has a template
_EITHER: dict[type, tuple[str, ...]] = {
    Problem: ("due_to", "after", "related"),
    Procedure: ("reasons",),
    Visit: ("reasons",),
}
_TEXT = object()
"""Stands in a key for words that are a slot."""
_LONGEST = 1000
_SILENT = ("key", "source", "named")  # nothing of these is written, but for the key


def _fields(kind: type) -> tuple[Callable[[Any], Any], Callable[[Any], tuple[Any, ...]]]:
    special = {*_SILENT, *SLOTTED[kind], *(name for name, _ in NAMING.get(kind, ()))}
    if kind in NAMING:
        special |= {"notes", "text"} if kind in _CONCEPT else {"notes"}
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
            READ.get(type(value), _fixed)(value, key, slots, reading)
    if fact.notes:
        _notes(fact.notes, key, slots)
    else:
        key.append(None)
    if kind is Measurement:
        _against_range(fact, key)
    elif slots_text(fact):
        key.append(_TEXT)
        _text(fact.text or "", slots)
    else:
        key.append(fact.text)
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


def slots_text(fact: Fact) -> bool:
    """Whether the text of a fact is a slot: it is all that names it, and nothing hangs on its letters."""
    kind = type(fact)
    if kind not in _CONCEPT:
        return False
    concept = _CONCEPT[kind]
    if fact.codes or (concept is not None and getattr(fact, concept) is not None):
        return False
    if type(fact) is Procedure and fact.body_sites:
        return False  # sites that its name tells are not told again
    return is_slot(fact.text)


def is_slot(text: object) -> bool:
    """Whether words can stand in a slot: as they are within a sentence and at its start, and without its end."""
    if type(text) is not str or not text or len(text) > _LONGEST:
        return False
    if PRIVATE.fullmatch(text):
        return True
    return (
        text.isprintable()
        and text[-1] not in " .!?"
        and text[0] != " "
        and not ("<" in text or "&" in text)
        and opening(text) == text
    )


def _text(text: str, slots: Slots) -> None:
    slots += (text_slot(text), narrative_slot(text))


def _notes(notes: tuple[Any, ...], key: Key, slots: Slots) -> None:
    for note in notes:
        if is_slot(note):
            key.append(_TEXT)
            _text(note, slots)
        else:
            key.append(note)
    key.append(len(notes))


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
                READ.get(type(each), _fixed)(each, key, slots, reading)
        _against_range(part, key)


READ: dict[type, Callable[[Any, Key, Slots, Reading], None]] = {
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
