"""What of a person differs from one to the next (slots), and what the template of the Patient is known by (key)."""

from operator import attrgetter
from typing import Any

from casefhir.fhir.fact_slots import READ
from casefhir.fhir.slots import PRIVATE, Key, NoTemplate, Reading, Slots, date_slots, narrative_slot, text_slot
from casefhir.fhir.wording import opening
from casefhir.record import Person, RecordError, check_date, spans_of

_SAID = ("sex", "origin", "marital_status", "marital_status_text", "language", "birth_date_absent")
_said = attrgetter(*_SAID)


def _birth(date: str) -> str:
    """A birth date, which no rule of its own has proved yet."""
    if not PRIVATE.match(date):
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
        READ[type(person.deceased)](person.deceased, key, slots, reading)
    address = person.address
    if address is not None:
        key.append(len(address.lines))
        slots += [text_slot(line) for line in address.lines]
        for part in (address.city, address.district, address.state, address.postal_code, address.country):
            key.append(part is None)
            if part is not None:
                slots.append(text_slot(part))
    return tuple(key), slots
