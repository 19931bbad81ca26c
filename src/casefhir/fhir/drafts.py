"""Drafts of resources: what the ordinary path makes of a marked fact, beside the marks of its slots."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from casefhir.fhir.context import DEVICE, PROVENANCE, Context, Json, Terminology
from casefhir.fhir.conversion import SHAPES
from casefhir.fhir.fact_slots import read
from casefhir.fhir.marks import ABSENT, MarkedContext, Marks, marked_id
from casefhir.fhir.patient import patient
from casefhir.fhir.patient_slots import read_person
from casefhir.fhir.provenance import device, provenances_of_extract
from casefhir.fhir.slots import Reading, narrative_slot, own_slots, text_slot
from casefhir.record import Case, Extract, Fact


@dataclass(slots=True)
class Draft:
    """A resource with marks in it, the marks of its slots in their order, its marked numbers in theirs."""

    resource: Json
    slots: Sequence[bytes]
    numbers: list[Any] = field(default_factory=list)

    def place_of_value(self, part: int | None) -> int | None:
        """Which of the numbers is the value of the Observation, or of the component `part`; None: it is no slot."""
        holder = self.resource if part is None else self.resource["component"][part]
        value = holder["valueQuantity"]["value"]
        return next((place for place, number in enumerate(self.numbers) if number is value), None)


def _context(marks: Marks, terminology: Terminology) -> Context:
    return MarkedContext(marks.case, terminology=terminology, urns=False)


def fact_draft(case: Case, fact: Fact, terminology: Terminology) -> Draft:
    """The draft of the resource of a fact; raises `NoTemplate` like `read`."""
    marks = Marks(case)
    marked = marks.fact(fact, case.by_key)
    reading = Reading(marks.case, marked_id)
    _, slots = read(marked, reading)
    return Draft(SHAPES[type(fact)](_context(marks, terminology), marked), slots, reading.numbers)


def patient_draft(case: Case, terminology: Terminology) -> Draft:
    """The draft of the Patient."""
    marks = Marks(case)
    marked = marks.person(case.person)
    _, slots = read_person(marked, Reading(marks.case, marked_id))
    return Draft(patient(_context(marks, terminology)), slots)


def device_draft(case: Case, terminology: Terminology) -> Draft:
    """The draft of the Device."""
    marks = Marks(case)
    return Draft(device(_context(marks, terminology)), _fixed_key(Reading(marks.case, marked_id), *DEVICE))


def provenance_draft(case: Case, extract: Extract, table: str, ruled: bool, terminology: Terminology) -> Draft:
    """The draft of the Provenance of one table: a mark for all its targets, and one for the names of the rules."""
    marks = Marks(case)
    target, rule = marks.row(extract, table, ruled)
    reading = Reading(marks.case, marked_id)
    slots = _fixed_key(reading, PROVENANCE[0], provenance_key(table))
    slots += (marked_id(*DEVICE).encode(), reference("Patient", reading.identity(target.key)))
    if rule:
        slots += (text_slot(rule), narrative_slot(rule))
    context = _context(marks, terminology)
    assert context.case.extract is not None
    return Draft(provenances_of_extract(context, context.case.extract)[0], slots)


def _fixed_key(reading: Reading, kind: str, key: str) -> list[bytes]:
    """The slots of a resource whose key is the same in every case, and so no slot."""
    case, subject, _, identity = own_slots(reading, kind, key)
    return [case, subject, ABSENT.encode(), identity]


def provenance_key(table: str) -> str:
    """The fact key of the Provenance of a table's file."""
    return f"file-{table}"


def reference(kind: str, identity: bytes) -> bytes:
    """A Reference as JSON has it."""
    return b'{"reference":"%b/%b"}' % (kind.encode(), identity)
