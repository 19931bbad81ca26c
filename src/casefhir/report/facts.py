"""Resources as facts that people read: what, value, when, status, codes, places in the source, notes."""

from dataclasses import dataclass, field
from typing import Any

from casefhir.report.bundles import Held, Resources
from casefhir.report.chronology import Chronology, Hang, When, title
from casefhir.report.descriptions import described
from casefhir.report.look import Code, Place, all_words, codes, inner, items, places, text, words

KINDS = {
    "Condition": "Problems",
    "MedicationStatement": "Treatment courses",
    "MedicationRequest": "Treatment courses",
    "MedicationAdministration": "Treatment courses",
    "Observation": "Results",
    "AdverseEvent": "Adverse events",
    "AllergyIntolerance": "Allergies and intolerances",
    "Procedure": "Procedures",
    "DiagnosticReport": "Reports",
    "Encounter": "Visits",
    "Immunization": "Immunizations",
    "FamilyMemberHistory": "Family history",
}
ORDER = (*dict.fromkeys(KINDS.values()), "Other facts")
_SUBJECTS = ("subject", "patient", "individual", "beneficiary")
_NOT_FACTS = frozenset({"Patient", "DocumentReference", "Composition", "Provenance", "Bundle"})
_CODED = ("code", "medicationCodeableConcept", "event", "vaccineCode", "type")
# what makes a name alone say the wrong thing
_DOUBTS = frozenset(
    {"refuted", "entered-in-error", "provisional", "differential", "unconfirmed", "not-taken", "not-done"}
)


@dataclass(frozen=True, slots=True)
class Link:
    """Another fact of the page that this one points at."""

    key: str
    text: str


@dataclass(slots=True)
class Fact:
    """One resource for people; `key` is its name on the page."""

    key: str
    held: Held
    kind: str
    title: str
    value: str
    status: str
    start: When
    end: When
    codes: tuple[Code, ...]
    places: tuple[Place, ...]
    notes: tuple[str, ...]
    hang: Hang | None = None
    links: tuple[Link, ...] = ()
    findings: list[Any] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The title, and what turns it into its opposite or into a doubt: refuted, not taken, not done."""
        verified = items(self.held.value, "verificationStatus")
        said = [text(self.held.value, "status"), *(each.code for one in verified for each in codes(one))]
        doubts = [each.replace("-", " ") for each in said if each in _DOUBTS]
        return f"{self.title} ({', '.join(doubts)})" if doubts else self.title

    @property
    def about(self) -> str:
        """What makes two facts tell of the same thing, two courses of one drug: the first code, else the words."""
        return f"{self.codes[0].system}|{self.codes[0].code}" if self.codes else self.title.lower()

    @property
    def brief(self) -> str:
        """The value in few words: a course's dose as the source has it, where it has it."""
        said = [text(each, "text") for each in items(self.held.value, "dosage")]
        return "; ".join(filter(None, said)) or self.value

    @property
    def when(self) -> str:
        """When it was, in words."""
        if self.end.text and self.end.text != self.start.text:
            return f"{self.start.text or 'start not told'} – {self.end.text}"
        return self.start.text


@dataclass(slots=True)
class Case:
    """One patient's facts; `patient` is None for facts that name no patient of these files."""

    key: str
    name: str
    patient: Held | None
    facts: list[Fact]
    others: dict[str, int]
    resources: list[Held]

    def of_kind(self, kind: str) -> list[Fact]:
        """The facts of one table."""
        return [each for each in self.facts if each.kind == kind]


def cases(resources: Resources) -> list[Case]:
    """The facts of each patient, patients in their order; what names no patient comes last."""
    alone = _alone(resources)
    found: dict[int, Case] = {}
    shown: dict[int, list[Held]] = {}
    for each in resources:
        named = _patient(each, resources)
        # a Device or a Provenance names no patient: it belongs to the only one of its bundle
        owner = named if named or each.type in KINDS else alone.get(each.scope)
        case = found.setdefault(id(owner.value) if owner else 0, Case("", "", owner, [], {}, []))
        case.resources.append(each)
        if each.type in KINDS or (named is not None and each.type not in _NOT_FACTS):
            shown.setdefault(id(case), []).append(each)
        elif each.type != "Patient":
            case.others[each.type] = case.others.get(each.type, 0) + 1
    ordered = sorted(found.values(), key=lambda case: case.patient is None)
    ordered = [case for case in ordered if id(case) in shown or case.patient]
    keys = {
        id(each.value): f"c{number}-{at}"
        for number, case in enumerate(ordered, 1)
        for at, each in enumerate(shown.get(id(case), ()))
    }
    chronology = Chronology(resources)
    for case in ordered:
        case.facts = [_fact(each, keys, chronology, resources) for each in shown.get(id(case), ())]
    for number, case in enumerate(ordered, 1):
        case.key = f"case{number}"
        case.name = _name(case.patient) if case.patient else "Facts without a patient"
    names = [case.name for case in ordered]
    for case in ordered:
        if names.count(case.name) > 1 and case.patient is not None:
            case.name = f"{case.name} ({case.key}, Patient/{case.patient.id})"
    return ordered


def _patient(held: Held, resources: Resources) -> Held | None:
    if held.type == "Patient":
        return held
    for key in _SUBJECTS:
        target = resources.target(text(held.value, key, "reference"), held)
        if target is not None and target.type == "Patient":
            return target
    return None


def _alone(resources: Resources) -> dict[str, Held]:
    """The patient of each bundle that has one only."""
    found: dict[str, list[Held]] = {}
    for each in resources.of_type("Patient"):
        found.setdefault(each.scope, []).append(each)
    return {scope: patients[0] for scope, patients in found.items() if len(patients) == 1}


def _name(patient: Held) -> str:
    tags = [
        text(each, "code")
        for each in items(inner(patient.value, "meta"), "tag")
        if text(each, "system").endswith("casefhir/case")
    ]
    if tags:
        return tags[0]
    for each in items(patient.value, "name"):
        given = each.get("given")
        parts = [*(given if isinstance(given, list) else []), each.get("family")]
        full = text(each, "text") or " ".join(part for part in parts if isinstance(part, str))
        if full:
            return full
    return f"Patient/{patient.id}"


def _fact(held: Held, keys: dict[int, str], chronology: Chronology, resources: Resources) -> Fact:
    value = held.value

    def link(reference: Any) -> Link | None:
        target = resources.target(text(reference, "reference"), held)
        if target is not None:
            return Link(keys.get(id(target.value), ""), title(target))
        said = text(reference, "display") or text(reference, "reference")
        return Link("", said) if said else None

    concept = next((one for key in _CODED for one in items(value, key) if words(one)), None)
    shown = title(held)
    medicine = resources.target(text(value, "medicationReference", "reference"), held)
    if medicine is not None:
        concept, shown = inner(medicine.value, "code"), title(medicine)
    said, linked = described(held)
    notes = [text(each, "text") for each in items(value, "note")]
    return Fact(
        keys[id(value)],
        held,
        KINDS.get(held.type, "Other facts"),
        shown,
        said,
        _status(value),
        chronology.start(held),
        chronology.end(held),
        codes(concept),
        places(value),
        tuple(filter(None, notes)),
        chronology.hang(held),
        tuple(filter(None, (link(each) for each in linked))),
    )


def _status(value: Any) -> str:
    parts = [
        text(value, "status"),
        words(inner(value, "clinicalStatus")),
        words(inner(value, "verificationStatus")),
        all_words(value, "statusReason"),
        text(value, "actuality"),
    ]
    return "; ".join(filter(None, parts))
