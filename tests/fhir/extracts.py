"""A person told in tables: every kind of fact with every field that a table can fill."""

import dataclasses
import random
from decimal import Decimal
from typing import Any, TypeVar

from casefhir.record import (
    Address,
    AdverseEvent,
    Age,
    Between,
    Case,
    Cells,
    Code,
    Component,
    Course,
    Dosage,
    Extract,
    Fact,
    Identifier,
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
    Told,
    Visit,
    Words,
    check,
)

Part = TypeVar("Part")

LOCAL = "https://registry.example.org/codes"
EXTRACT = Extract(
    title="A registry's export",
    mapping="registry",
    mapping_sha256="ab" * 32,
    files={"persons": "persons.csv", "rows": "rows.csv", "unused": "unused.csv"},
    rules={"subject": "person", "crp-1": "lab"},
    mapping_version="1",
)
PERSON = Person(
    sex="female",
    source=Cells("persons", 1, ("SEX",)),
    identifiers=(Identifier("https://registry.example.org/persons", "P-007"),),
    family="Example",
    given=("Ada", "B."),
    birth_date="1966-07",
    deceased=On("2020-05-04", Cells("persons", 1)),
    address=Address(("1 Road",), "Town", "District", "State", "12345", "DE"),
    marital_status="never married",
    marital_status_text=Told("single", codes=(Code(LOCAL, "S", "single"),)),
    language="de-CH",
    origin="Andean",
)


def here(row: int = 1, *columns: str) -> Cells:
    return Cells("rows", row, columns)


def on(date: str, printed: str | None = None) -> On:
    return On(date, here(), printed)


def own(code: str, display: str | None = None) -> tuple[Code, ...]:
    return (Code(LOCAL, code, display),)


def told(text: str, code: str) -> Told:
    return Told(text, here(), own(code, text))


def amount(value: str, unit: str = "", code: str | None = None, comparator: str | None = None) -> Quantity:
    return Quantity(Decimal(value), unit, comparator, code)


FACTS: tuple[Fact, ...] = (
    Visit(
        "visit-1",
        here(),
        when=Between("2011-05-04T08:00:00Z", "2011-05-06", here(), end_printed="2011-05-06 10:15"),
        setting="virtual",
        setting_text=told("video", "video"),
        text="Clinic visit",
        codes=own("clinic"),
        reasons=("dm", told("check-up", "chk")),
        discharge=told("home", "home"),
        notes=("by phone",),
    ),
    Visit("visit-2", here(), codes=own("ward", "Ward stay"), when=on("2012"), setting="short stay"),
    Problem(
        "dm",
        "dermatomyositis",
        here(),
        text="Dermatomyositis",
        status="resolved",
        severity="severe",
        severity_text=told("grade 3", "g3"),
        onset=Age("45 years", here()),
        abatement=Age(amount("46", "a", "a"), here()),
        asserted=on("2011-05-04", "04.05.2011 8 am"),
        body_sites=(told("skin", "skin"),),
        evidence=("crp-1",),
        notes=("seen by two",),
        visit="visit-1",
        codes=own("M33", "DM"),
    ),
    Problem(
        "birth",
        None,
        here(),
        codes=own("Q99", "Congenital thing"),
        onset=Age(amount("0", "a", "a"), here()),
        category="encounter-diagnosis",
        certainty="provisional",
        abatement=on("2011"),
        status="remission",
    ),
    Problem("denied", None, here(), text="rash", certainty="refuted", asserted=on("2011-05")),
    Course(
        "drug-1",
        "azathioprine",
        here(),
        text="AZATHIOPRINE",
        status="stopped",
        start=on("2011-06-01"),
        end=on("2011-08-01T12:00:00+02:00"),
        codes=own("AZA"),
        visit="visit-1",
        purposes=(told("muscle", "m"),),
        indication=("dm",),
        reasons=(Told("reason-treatment-not-tolerated", codes=own("AE")), told("nausea", "n")),
        dosage=Dosage(
            "50 mg BID",
            dose=amount("50", "mg"),
            times=2,
            every=amount("1", "d", "d"),
            over=amount("30", "min", "min"),
            count=20,
            lasting=amount("2", "mo", "mo"),
            at_most=(amount("200", "mg"), amount("1", "d", "d")),
            route="oral",
            route_text=told("PO", "po"),
            method=told("swallow", "sw"),
            schedule=told("BID", "BID"),
            as_needed=True,
            site=told("mouth", "mo"),
        ),
    ),
    Course(
        "drug-2",
        None,
        here(),
        codes=own("X1", "Drug X"),
        status="active",
        when=Between("2011", None, here()),
        dosage=Dosage(None, dose=Range(amount("1", "g"), amount("2", "g")), route_text="inhaled", as_needed=False),
    ),
    Measurement(
        "crp-1",
        "crp",
        amount("9.90", "mg/dL", "mg/dL"),
        here(),
        text="C-reactive protein",
        when=on("2011-05-04T16:17:47Z"),
        range=Range(amount("0.0", "mg/dL", "mg/dL"), amount("0.5", "mg/dL", "mg/dL")),
        range_text="0 - 5",
        printed=amount("99.0", "mg/l", "mg/L"),
        interpretation="critically high",
        interpretation_text="HH",
        method=told("nephelometry", "neph"),
        body_site=told("arm", "arm"),
        notes=("haemolysed",),
        visit="visit-1",
        codes=(Code("http://loinc.org", "1988-5", version="2.77"), *own("CRP")),
        derived_from=("words",),
    ),
    Measurement(
        "low",
        "igg",
        amount("2", "g/L", comparator="<"),
        here(),
        when=on("2012-01-01"),
        category="laboratory",
        range=Range(amount("7"), None),
    ),
    Measurement("span", "ck", Range(amount("3000", "U/L"), amount("5000", "U/L")), here(), when=on("2012")),
    Measurement(
        "words", None, Words("moderate growth", own("++", "moderate")), here(), text="Culture", when=on("2012-02")
    ),
    Measurement("titre", "ana", "positive", here(), titre="1:320", when=on("2012-02-03")),
    Measurement("none", "ck", None, here(), absent="ND", absent_code="not-performed", when=on("2012-02-03")),
    Measurement("none-2", "ck", None, here(), absent_code="not-a-number", when=on("2012-02-03")),
    Measurement(
        "score", "muscle-score-88", amount("70"), here(), scale=Range(amount("0"), amount("88")), when=on("2012")
    ),
    Measurement(
        "heart", "heart-rate", amount("72", "/min", "/min"), here(), when=on("2012-02-03"), category="vital-signs"
    ),
    Measurement(
        "panel",
        None,
        None,
        here(),
        text="Panel",
        codes=own("PANEL"),
        when=on("2012-02-03"),
        members=("low",),
        components=(
            Component(
                "ck",
                amount("120", "U/L"),
                range=Range(None, amount("195", "U/L")),
                codes=own("CK"),
                printed=amount("2.0", "ukat/L", "ukat/L"),
                interpretation="normal",
                interpretation_text="N",
            ),
            Component(None, None, text="aldolase", absent="lost", absent_code="error"),
            Component(None, Words("clear", own("clr")), codes=own("look", "Look")),
            Component(None, Range(amount("1"), amount("2")), text="grade"),
        ),
    ),
    AdverseEvent(
        "event-1",
        "headache",
        here(),
        (Suspect("drug-1", told("PROBABLE", "prob"), "probable"), Suspect("drug-2", None)),
        text="HEADACHE",
        when=on("2011-07"),
        severity="moderate",
        severity_text=told("GRADE 2", "2"),
        seriousness="hospitalization",
        seriousness_text=told("Y", "Y"),
        outcome="resolved",
        outcome_text=told("RECOVERED", "REC"),
        resulting=("birth",),
        notes=("settled",),
        visit="visit-1",
        codes=own("10019211"),
    ),
    AdverseEvent("event-2", None, here(), (Suspect("drug-2", None, "unlikely"),), codes=own("E2", "Event two")),
    Intolerance(
        "allergy",
        None,
        here(),
        text="peanut",
        kind="allergy",
        certainty="confirmed",
        reactions=(told("hives", "h"), "headache"),
        notes=("as a child",),
        codes=own("PN"),
        status="inactive",
        category="food",
        onset=on("1970"),
        visit="visit-1",
    ),
    Intolerance("allergy-2", None, here(), text="latex", category=None, certainty="refuted", status="resolved"),
    Procedure(
        "biopsy",
        "muscle-biopsy",
        here(),
        status="stopped",
        why_not=told("bleeding", "bl"),
        when=on("2011-05-05"),
        body_sites=(told("thigh", "th"),),
        reasons=("dm", told("weakness", "w")),
        outcome=told("no result", "nr"),
        reports=("report",),
        notes=("repeat",),
        visit="visit-1",
        codes=own("BX"),
    ),
    Report(
        "report",
        None,
        here(),
        text="Histology",
        kind="pathology",
        when=on("2011-05-06"),
        results=("words",),
        conclusion=told("inflammation", "infl"),
        notes=("two readers",),
        visit="visit-1",
        codes=own("HIST"),
    ),
)


def extract(*facts: Fact, person: Person = PERSON, **frame: object) -> Case:
    """A case told in tables; all of `FACTS` where none are given."""
    base: dict[str, object] = {
        "key": "registry.p-007", "title": "P-007 of a registry", "article": None, "extract": EXTRACT, "sections": (),
        "recorded": "2026-01-01T00:00:00Z", "test_data": False,
    }  # fmt: skip
    kept = {fact.key for fact in facts or FACTS} | {person.key}
    rules = {key: rule for key, rule in EXTRACT.rules.items() if key in kept}
    base["extract"] = Extract(
        EXTRACT.title, EXTRACT.mapping, EXTRACT.mapping_sha256, EXTRACT.files, rules, EXTRACT.mapping_version
    )
    return Case(person=person, facts=facts or FACTS, **(base | frame))  # type: ignore[arg-type]


def varied(seed: int) -> Case:
    """A person with every kind of fact, some of the optional fields left out by chance, others given other values."""
    chance = random.Random(seed)
    person = _varied(PERSON, chance, extract())
    return extract(*(_varied(fact, chance, extract()) for fact in FACTS), person=person, key=f"registry.p-{seed}")


_OTHERWISE: dict[type, dict[str, tuple[Any, ...]]] = {
    Person: {
        "sex": ("male", "other", "unknown"),
        "birth_date": ("1966", "1966-07-04"),
        "deceased": (True, False, Between("2019", None, Cells("persons", 1))),
        "birth_date_absent": ("masked", "asked-unknown"),
        "marital_status": ("married", "unmarried", "widowed", "domestic partner"),
    },
    Visit: {
        "setting": ("inpatient", "ambulatory", "emergency", "home"),
        "when": (on("2011-05-04T08:00:00Z"), on("2011")),
    },
    Problem: {
        "severity": ("mild", "moderate"),
        "onset": (
            on("2010-05"),
            Between("2010", "2011-01-02", here()),
            Relative("after-start", "drug-1", here(), "3 months"),
        ),
        "certainty": ("provisional", "differential", "unconfirmed"),
    },
    Course: {
        "status": ("unknown", "not-taken", "on-hold", "intended"),
        "start": (on("2011"), Relative("after", "dm", here()), Between("2010-02", "2011-03", here())),
    },
    Measurement: {
        "when": (on("2011"), Between("2011", "2012", here()), None),
        "interpretation": ("abnormal", "critically low", "positive", "negative", "indeterminate"),
        "category": ("exam", "imaging", "survey", "therapy", "lung-function", "score", "social-history"),
        "absent_code": ("masked", "not-applicable", "error", "temp-unknown", "positive-infinity", "not-permitted"),
    },
    AdverseEvent: {
        "seriousness": ("non-serious", "serious", "death", "life-threatening", "disability", "intervention-needed"),
        "outcome": ("recovering", "ongoing", "resolvedWithSequelae", "fatal", "unknown"),
        "when": (on("2011-07-02T10:00:00+02:00"), Relative("concurrent", "a party", here())),
    },
    Intolerance: {"category": ("environment", "biologic", "medication"), "certainty": ("unconfirmed",)},
    Procedure: {"status": ("completed", "not-done", "in-progress", "unknown")},
}


def _varied(part: Part, chance: random.Random, case: Case) -> Part:
    """`part` with other values and without some of its optional fields, as far as the record allows."""
    for _ in range(8):
        changed = dataclasses.replace(part, **_changes(part, chance))  # type: ignore[type-var]
        if not _mistakes(changed, case):
            return changed
    return part


def _changes(part: Any, chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in dataclasses.fields(part):
        others = _OTHERWISE.get(type(part), {}).get(field.name, ())
        if others and getattr(part, field.name) is not None and chance.random() < 0.5:
            found[field.name] = chance.choice(others)
        elif field.name not in ("key", "source") and field.default is not dataclasses.MISSING and chance.random() < 0.3:
            found[field.name] = field.default
    return found


def _mistakes(part: Any, case: Case) -> bool:
    """Whether the record objects to `part`, alone among the facts that it may name."""
    facts = [part if part.key == fact.key else fact for fact in case.facts]
    person = part if isinstance(part, Person) else case.person
    return bool(check(extract(*facts, person=person)))
