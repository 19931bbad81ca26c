"""The facts of a case as the parts of a Phenopacket; what a packet cannot say is noted as left out, with the reason."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from casefhir.report import phenopacket_values as values
from casefhir.report.chronology import NOT_TOLD, When
from casefhir.report.facts import Case, Fact
from casefhir.report.look import codes, inner, items, number, text, words
from casefhir.report.ontology import Terms

SCHEMA_VERSION = "2.0.2"
_SEX = {"male": "MALE", "female": "FEMALE", "other": "OTHER_SEX"}
_DISEASES = ("MONDO", "ORPHA", "OMIM", "ICD10", "ICD10CM", "SNOMEDCT")
_FEATURES = ("HP", "SNOMEDCT", "ICD10", "ICD10CM")
_DRUGS = ("ATC", "RxNorm", "UNII", "SNOMEDCT")  # ATC tells intravenous from subcutaneous immunoglobulin
_ANY = ("LOINC", "SNOMEDCT", "HP", "MONDO")
_DONE = ("completed",)
_PAST = frozenset({"inactive", "remission", "resolved"})
_VOID = ("entered-in-error", "cancelled", "not-done")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)\Z")
_AGES = {"a": "Y", "mo": "M", "wk": "W", "d": "D"}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What of a fact is not in the packet (`what`: all of it, or a part), and why."""

    case: str
    resource: str
    title: str
    what: str
    why: str


class Writer:
    """Writes the packet of one case, once."""

    def __init__(self, case: Case, created: str, created_by: str) -> None:
        self.case = case
        self.created = created
        self.created_by = created_by
        self.terms = Terms()
        self.left: list[LeftOut] = []

    def packet(self) -> dict[str, Any]:
        """The packet as JSON; what it leaves out is in `left` afterwards."""
        features: list[Any] = []
        diseases: list[Any] = []
        measurements: list[Any] = []
        actions: list[Any] = []
        for fact in self.case.facts:
            kind = fact.held.type
            if text(fact.held.value, "status") in _VOID:
                self._leave(fact, "all", f"its status is {text(fact.held.value, 'status')}")
            elif kind == "Condition":
                self._condition(fact, features, diseases)
            elif kind == "Observation":
                measurements += self._measurements(fact)
            elif kind == "MedicationStatement":
                actions += self._treatment(fact)
            elif kind == "Procedure":
                actions += self._procedure(fact)
            elif kind != "AdverseEvent":
                self._leave(fact, "all", f"a phenopacket has no place for {kind}")
        self._unblamed()
        value: dict[str, Any] = {"id": self.case.name, "subject": self._subject()}
        for key, found in (
            ("phenotypicFeatures", features),
            ("measurements", measurements),
            ("diseases", diseases),
            ("medicalActions", actions),
        ):
            if found:
                value[key] = found
        value["metaData"] = self._metadata()
        return value

    def _leave(self, fact: Fact, what: str, why: str) -> None:
        self.left.append(LeftOut(self.case.name, f"{fact.held.type}/{fact.held.id}", fact.label, what, why))

    def _subject(self) -> dict[str, Any]:
        patient = self.case.patient.value if self.case.patient else {}
        found: dict[str, Any] = {"id": self.case.name, "sex": _SEX.get(text(patient, "gender"), "UNKNOWN_SEX")}
        born = text(patient, "birthDate")
        if len(born) == len("2012-05-01"):
            found["dateOfBirth"] = f"{born}T00:00:00Z"
        elif born:
            name = f"Patient/{text(patient, 'id')}"
            self.left.append(LeftOut(self.case.name, name, "birth date", born, "not a whole day"))
        if inner(patient, "deceasedBoolean") is True or text(patient, "deceasedDateTime"):
            found["vitalStatus"] = {"status": "DECEASED"}
        elif inner(patient, "deceasedBoolean") is False:
            found["vitalStatus"] = {"status": "ALIVE"}
        return found

    def _time(self, fact: Fact, name: str, start: When, end: When) -> dict[str, Any]:
        """`name` as a TimeElement where dates tell it, at their precision; empty, and told, where they do not."""
        if not start.text and not end.text:
            return {}
        if _INSTANT.match(start.text) and not end.text:
            return {name: {"timestamp": start.text}}
        until = end if end.text else start
        if start.first is None or until.last is None or start.derived or until.derived:
            self._leave(fact, "when", f"told as “{fact.when}”, which is no stretch of dates")
            return {}
        return {name: {"interval": stretch(start.first, until.last)}}

    def _condition(self, fact: Fact, features: list[Any], diseases: list[Any]) -> None:
        value = fact.held.value
        said = {each.code for one in items(value, "verificationStatus") for each in codes(one)}
        if said & {"provisional", "differential", "unconfirmed", "entered-in-error"}:
            self._leave(fact, "all", f"a phenopacket has no word for {', '.join(sorted(said))}")
            return
        coded = inner(value, "code")
        named = self.terms.prefixes(coded)
        # what an ontology of diseases names is a disease; all else is what was seen
        is_disease = bool(named & {"MONDO", "ORPHA", "OMIM"}) or (bool(named) and named <= {"ICD10", "ICD10CM"})
        term = self.terms.first(coded, _DISEASES if is_disease else _FEATURES)
        if term is None:
            self._leave(fact, "all", "no code of a system that phenopackets use")
            return
        found: dict[str, Any] = {"term" if is_disease else "type": term}
        if "refuted" in said:
            found["excluded"] = True
        severity = self.terms.first(inner(value, "severity"), ("HP", "SNOMEDCT"))
        if severity and not is_disease:
            found["severity"] = severity
        found |= self._onset(fact)
        # a condition's end is its abatement; without a start its end alone is told as the resolution
        found |= self._time(fact, "resolution", fact.end, NOT_TOLD)
        past = {each.code for one in items(value, "clinicalStatus") for each in codes(one)} & _PAST
        if past and "resolution" not in found:
            self._leave(fact, "status", f"{', '.join(past)}, without a date that a phenopacket can tell")
        if fact.notes and is_disease:
            self._leave(fact, "note", "a phenopacket has no place for it")
        elif fact.notes:
            found["description"] = "; ".join(fact.notes)
        (diseases if is_disease else features).append(found)

    def _onset(self, fact: Fact) -> dict[str, Any]:
        age = inner(fact.held.value, "onsetAge")
        years, unit = number(age, "value"), _AGES.get(text(age, "code"))
        if years is not None and unit and years == years.to_integral_value() and not text(age, "comparator"):
            return {"onset": {"age": {"iso8601duration": f"P{int(years)}{unit}"}}}
        return self._time(fact, "onset", fact.start, NOT_TOLD)

    def _measurements(self, fact: Fact) -> Iterator[dict[str, Any]]:
        value = fact.held.value
        parts = [each for each in (value, *items(value, "component")) if any(key.startswith("value") for key in each)]
        if not parts:
            self._leave(fact, "all", "no value")
        elif fact.notes:
            self._leave(fact, "note", "a phenopacket has no place for it")
        when: dict[str, Any] | None = None
        for part in parts:
            assay, said = self.terms.first(inner(part, "code"), _ANY), words(inner(part, "code"))
            measured = values.value(part, self.terms)
            if assay is None or isinstance(measured, str):
                self._leave(fact, said or "all", "no code of what was measured" if assay is None else str(measured))
                continue
            when = self._time(fact, "timeObserved", fact.start, fact.end) if when is None else when
            yield {"assay": assay, "value": measured, **when}

    def _treatment(self, fact: Fact) -> Iterator[dict[str, Any]]:
        value = fact.held.value
        status = text(value, "status")
        if status in ("not-taken", "intended"):
            self._leave(fact, "all", f"its status is {status}")
            return
        agent = self.terms.first(inner(value, "medicationCodeableConcept"), _DRUGS)
        if agent is None:
            self._leave(fact, "all", "no code of the drug")
            return
        treatment: dict[str, Any] = {"agent": agent}
        dosages = items(value, "dosage")
        routes = [route for each in dosages if (route := self.terms.first(inner(each, "route"), ("SNOMEDCT",)))]
        if len(routes) == len(dosages) == 1:
            treatment["routeOfAdministration"] = routes[0]
        told = self._dose(fact, dosages)
        if isinstance(told, dict):
            treatment["doseIntervals"] = [told]
        elif fact.value:
            self._leave(
                fact, "dose", f"told as “{fact.value}”; a phenopacket wants amount, frequency and dates: {told}"
            )
        if fact.when and not isinstance(told, dict):
            self._leave(fact, "when", f"told as “{fact.when}”; a phenopacket has times of doses alone")
        if fact.notes:
            self._leave(fact, "note", "a phenopacket has no place for it")
        found: dict[str, Any] = {"treatment": treatment}
        reason = next((term for each in items(value, "statusReason") if (term := self.terms.first(each, _ANY))), None)
        if reason:
            found["treatmentTerminationReason"] = reason
        blamed = [self.terms.first(inner(each.held.value, "event"), ("HP", "SNOMEDCT")) for each in self._blaming(fact)]
        if any(blamed):
            found["adverseEvents"] = [each for each in blamed if each]
        yield found

    def _dose(self, fact: Fact, dosages: list[Any]) -> dict[str, Any] | str:
        """The dose interval of a course, or why there is none."""
        start, end = fact.start, fact.end
        if start.first is None or end.last is None or start.derived or end.derived:
            return "no dates of both its start and its end"
        told = values.dose(dosages, self.terms)
        return told if isinstance(told, str) else told | {"interval": stretch(start.first, end.last)}

    def _blaming(self, course: Fact) -> list[Fact]:
        """The adverse events that `course` alone is suspected of."""
        return [each for each in self.case.of_kind("Adverse events") if self._suspects(each) == [course.key]]

    def _suspects(self, event: Fact) -> list[str]:
        count = len(items(event.held.value, "suspectEntity"))
        return [link.key for link in event.links[:count]]

    def _unblamed(self) -> None:
        """Say which adverse events stand under no treatment, and why."""
        told = {
            each.key
            for course in self.case.of_kind("Treatment courses")
            if course.held.type == "MedicationStatement"
            and text(course.held.value, "status") not in ("not-taken", "intended", *_VOID)
            and self.terms.first(inner(course.held.value, "medicationCodeableConcept"), _DRUGS)
            for each in self._blaming(course)
            if self.terms.first(inner(each.held.value, "event"), ("HP", "SNOMEDCT"))
        }
        for event in self.case.of_kind("Adverse events"):
            if event.key not in told:
                self._leave(event, "all", "no code, or not one treatment of the packet that is suspected")
            else:
                self._leave(event, "when, outcome, causality", "a phenopacket has the name of an adverse event alone")

    def _procedure(self, fact: Fact) -> Iterator[dict[str, Any]]:
        value = fact.held.value
        code = self.terms.first(inner(value, "code"), ("SNOMEDCT", "LOINC"))
        if text(value, "status") not in _DONE or code is None:
            self._leave(
                fact, "all", "no code" if code is None else f"its status is {text(value, 'status') or 'not told'}"
            )
            return
        found: dict[str, Any] = {"code": code}
        sites = [site for each in items(value, "bodySite") if (site := self.terms.first(each, ("SNOMEDCT",)))]
        if len(sites) == 1:
            found["bodySite"] = sites[0]
        yield {"procedure": found | self._time(fact, "performed", fact.start, fact.end)}

    def _metadata(self) -> dict[str, Any]:
        recorded = [text(each.value, "recorded") for each in self.case.resources if each.type == "Provenance"]
        instants = sorted(each for each in recorded if _INSTANT.match(each))
        found: dict[str, Any] = {
            "created": instants[-1] if instants else self.created,
            "createdBy": self.created_by,
            "resources": self.terms.resources(each.value for each in self.case.resources),
            "phenopacketSchemaVersion": SCHEMA_VERSION,
        }
        articles = [each.value for each in self.case.resources if each.type == "DocumentReference"]
        references = [self._reference(each) for each in articles]
        if any(references):
            found["externalReferences"] = [each for each in references if each]
        return found

    def _reference(self, article: Any) -> dict[str, str] | None:
        names = [text(each, "value") for each in items(article, "identifier")]
        title = next((text(each, "attachment", "title") for each in items(article, "content")), "")
        for name in names:
            if "doi.org/" in name:
                return {"id": "DOI:" + name.partition("doi.org/")[2], "reference": name, "description": title}
        return {"id": names[-1], "description": title} if names and title else None


def stretch(first: date, last: date) -> dict[str, str]:
    """From the first second of a day to the last of another."""
    return {"start": f"{first}T00:00:00Z", "end": f"{last}T23:59:59Z"}
