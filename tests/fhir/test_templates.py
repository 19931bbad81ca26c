"""The quick way is the ordinary way: the same bytes, and the same findings, whatever the facts hold."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from casefhir import exactjson, library, validate
from casefhir.fhir import convert
from casefhir.fhir.fact_slots import read
from casefhir.fhir.slots import NoTemplate, Reading
from casefhir.fhir.templates import Shaped
from casefhir.published import folder
from casefhir.record import (
    Address,
    AdverseEvent,
    Age,
    Between,
    Case,
    Code,
    Component,
    Course,
    Dosage,
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
    RecordError,
    Relative,
    Report,
    Suspect,
    Visit,
    Words,
    at,
)
from tests.thorough import examples

from .extracts import FACTS, LOCAL, amount, extract, here, told

QUICK = library.templates()  # one for all examples: what one teaches holds for the others


def lines(case: Case) -> list[bytes]:
    return [exactjson.write(each) for each in convert(case, form="ndjson").resources]


def found(case: Case) -> list[tuple[str, ...]]:
    """What the whole validator finds in the person's resources together."""
    entries = [
        {"fullUrl": f"urn:uuid:{each['id']}", "resource": each} for each in convert(case, form="ndjson").resources
    ]
    bundle = exactjson.write({"resourceType": "Bundle", "type": "collection", "entry": entries})
    findings = validate(bundle, profiles=(folder("profiles"),)).findings
    return sorted((each.pointer, each.severity, each.rule, each.message, str(each.value)) for each in findings)


def told_by(shaped: Shaped) -> list[tuple[str, ...]]:
    return sorted(
        (
            f"/entry/{place}/resource{each.pointer}" if place >= 0 else each.pointer,
            each.severity,
            each.rule,
            each.message,
            str(each.value),
        )
        for place, each in shaped.findings
    )


def has_template(case: Case, fact: Fact) -> bool:
    try:
        read(fact, Reading(case, lambda kind, key: f"{kind}/{key}"))
    except NoTemplate:
        return False
    return True


def test_every_field_that_tables_fill_is_the_same_by_templates() -> None:
    for _ in range(3):  # the ordinary way, by new templates, by known ones
        shaped = QUICK.shape(extract())
        assert [each[3] for each in shaped.resources] == lines(extract())
        assert shaped.findings == []


def test_resources_tell_type_id_and_fact() -> None:
    for (kind, identity, key, _), resource in zip(
        QUICK.shape(extract()).resources, convert(extract(), form="ndjson").resources, strict=True
    ):
        assert (kind, identity) == (resource["resourceType"], resource["id"])
        assert resource["meta"]["tag"][2]["code"].endswith(f"/{kind}/{key}")


def test_nearly_every_kind_of_fact_has_templates() -> None:
    """Those that name a problem as their reason tell its name and date, so that each is one of a kind."""
    case = extract()
    assert {fact.key for fact in FACTS if not has_template(case, fact)} == {"visit-1", "biopsy"}
    QUICK.shape(case)
    assert None not in QUICK.store.known.values()


def test_a_fact_that_hangs_on_another_or_on_a_document_goes_the_ordinary_way() -> None:
    later = Relative("after", "dm", here())
    fact = Measurement("x", "crp", amount("1", "mg/L"), here(), when=later)
    case = extract(*FACTS, fact)
    assert not has_template(case, fact)
    assert not has_template(case, replace(fact, when=None, source=at(1, 2, "x")))
    assert [each[3] for each in QUICK.shape(case).resources] == lines(case)


def test_a_case_told_in_an_article_is_shaped_too() -> None:
    case = library.load_case("ivig-antisynthetase-ku").case
    assert [each[3] for each in QUICK.shape(case).resources] == lines(case)


# Random persons. Values come from small pools, so that templates meet again, and some of them are wrong.

USUAL_DATES = [
    "1999", "2011", "2011-05", "2011-05-04", "2011-05-05", "2012-01-01", "2011-05-04T08:00:00Z",
    "2011-05-05T00:15:00.5+02:00",
]  # fmt: skip
ODD_DATES = ["1899", "1950-02", "1966-07", "1966-07-04", "2011-05-04T23:30:00-05:00", "2030-12-31", "2150"]
DATES = st.sampled_from(USUAL_DATES * 3 + ODD_DATES)
USUAL_TEXTS = ["fever", "aSS", "x", "10 % & <more>", '"quoted" \\', "Grüße 🩺", "two  blanks", "%b %s", "é"]
USUAL_TEXTS += ["HEADACHE", "Rash, left arm", "2nd degree block", "Grade 2; settled", "NAUSEA %b", "No", 'Site "A"']
ODD_TEXTS = ["Fever.", "ends!", " blank", "a\tb", "a\x01b", "\ue000\ue001", "\ue000&\ue001", "f0"]
TEXTS = st.sampled_from(USUAL_TEXTS * 5 + ODD_TEXTS)
PRINTED = st.none() | TEXTS
NOTES = st.just(()) | st.lists(TEXTS, max_size=2).map(tuple)
NUMBERS = st.sampled_from(
    ["0", "0.0", "5", "5.0", "7.10", "16", "99", "1E+3", "12.5", "-0", "-3", "1E-7", "12345678901234567890"]
)
UNITS = st.sampled_from([("mg/L", "mg/L"), ("mg/l", None), ("g/L", "g/L"), ("", None), ("odd", None), ("U/L", "U/L")])
LOINC = "http://loinc.org"
GOOD_CODES = [Code(LOINC, "1988-5"), Code(LOINC, "30525-0"), Code(LOCAL, "X", "ex"), Code(LOCAL, "Y")]
CODES = st.lists(st.sampled_from(GOOD_CODES * 4 + [Code("bad", " z")]), max_size=2).map(tuple)
ONS = st.builds(On, DATES, st.just(here()), PRINTED)


@st.composite
def betweens(draw: st.DrawFn) -> Between | On:
    start, end = draw(st.none() | DATES), draw(st.none() | DATES)
    try:
        return Between(start, end, here(), draw(PRINTED), draw(PRINTED))
    except RecordError:
        return draw(ONS)


MOMENTS = st.none() | ONS | betweens()


@st.composite
def quantities(draw: st.DrawFn, unit: tuple[str, str | None] | None = None) -> Quantity:
    text, code = unit or draw(UNITS)
    comparator = draw(st.sampled_from([None, None, "<", ">="]))
    return Quantity(Decimal(draw(NUMBERS)), text, comparator, code)


@st.composite
def ranges(draw: st.DrawFn, unit: tuple[str, str | None]) -> Range:
    low, high = (replace(draw(quantities(unit)), comparator=None) for _ in range(2))
    return draw(st.sampled_from([Range(low, high), Range(low, None), Range(None, high)]))


@st.composite
def results(draw: st.DrawFn) -> dict[str, Any]:
    unit = draw(UNITS)
    value = draw(
        st.none() | quantities(unit) | ranges(unit) | TEXTS.map(Words) | st.sampled_from(["positive", "7 mg/L"])
    )
    return {
        "value": value,
        "range": draw(st.none() | ranges(unit) | ranges(draw(UNITS)) | st.just("< 5 mg/L")),
        "printed": draw(st.none() | quantities()) if isinstance(value, Quantity) else None,
        "interpretation": draw(st.sampled_from([None, None, "high", "low", "normal"])),
        "interpretation_text": draw(st.none() | st.just("HH")),
        "absent_code": None if value is not None else "unknown",
        "codes": draw(CODES),
    }


@st.composite
def measurements(draw: st.DrawFn, key: str, names: dict[str, list[str]]) -> Measurement:
    concept = draw(st.sampled_from(["crp", "ck", "age", "heart-rate", None]))
    components = draw(
        st.lists(
            st.builds(lambda each: Component("ck", text="part", **each), results()),
            max_size=2,
        )
    )
    return Measurement(
        key, concept, source=here(), text=draw(st.just("lab") | TEXTS if concept else st.just("lab")),
        when=draw(MOMENTS), range_text=draw(st.none() | st.just("5 - 7")), visit=draw(name(names, Visit)),
        components=tuple(components), members=draw(several(names, Measurement)),
        notes=draw(NOTES),
        **draw(results()),
    )  # fmt: skip


def name(names: dict[str, list[str]], kind: type) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None, *names.get(kind.__name__, [])])


def several(names: dict[str, list[str]], *kinds: type) -> st.SearchStrategy[tuple[str, ...]]:
    known = [each for kind in kinds for each in names.get(kind.__name__, [])]
    return st.lists(st.sampled_from(known), max_size=2, unique=True).map(tuple) if known else st.just(())


@st.composite
def facts(draw: st.DrawFn, key: str, names: dict[str, list[str]]) -> Fact:
    kind = draw(
        st.sampled_from(["visit", "problem", "course", "event", "procedure", "report", "allergy", *["lab"] * 4])
    )
    text, codes, when, visit = draw(TEXTS), draw(CODES), draw(MOMENTS), draw(name(names, Visit))
    match kind:
        case "visit":
            setting: Any = draw(st.sampled_from([None, "inpatient", "ambulatory"]))
            return Visit(
                key,
                here(),
                when=when,
                setting=setting,
                text=text,
                codes=codes,
                reasons=draw(reasons(names)),
                notes=draw(NOTES),
            )
        case "problem":
            status: Any = draw(st.sampled_from([None, "active", "resolved"]))
            onset = draw(MOMENTS | st.just(Age("40 years", here())))
            return Problem(
                key, draw(st.sampled_from(["dermatomyositis", None])), here(), text=text, status=status, onset=onset,
                abatement=when, asserted=draw(MOMENTS), evidence=draw(several(names, Measurement)), visit=visit,
                due_to=draw(reasons(names)), codes=codes, notes=draw(NOTES),
                certainty=draw(st.sampled_from(["confirmed", "confirmed", "unconfirmed"])),
            )  # fmt: skip
        case "course":
            period = draw(st.booleans())
            return Course(
                key, draw(st.sampled_from(["ivig", None])), here(), text=text, codes=codes, visit=visit,
                notes=draw(NOTES),
                start=draw(MOMENTS) if period else None, end=draw(MOMENTS) if period else None,
                when=None if period else when, indication=draw(several(names, Problem)),
                dosage=draw(st.none() | st.builds(lambda dose: Dosage("as said", dose=dose), quantities())),
            )  # fmt: skip
        case "event":
            blamed = draw(several(names, Course, Procedure))
            suspects = tuple(
                Suspect(each, draw(st.none() | TEXTS), draw(st.sampled_from([None, "possible"]))) for each in blamed
            )
            return AdverseEvent(
                key, None, here(), suspects, text=text, when=when, resulting=draw(several(names, Problem)), visit=visit,
                severity=draw(st.sampled_from([None, "mild"])), outcome="resolved", codes=codes, notes=draw(NOTES),
            )  # fmt: skip
        case "procedure":
            return Procedure(
                key,
                None,
                here(),
                text=text,
                codes=codes,
                when=when,
                reasons=draw(reasons(names)),
                notes=draw(NOTES),
                body_sites=draw(st.just(()) | st.just(("arm",))),
            )
        case "report":
            return Report(
                key,
                None,
                here(),
                text=text,
                when=when,
                results=draw(several(names, Measurement)),
                codes=codes,
                notes=draw(NOTES),
            )
        case "allergy":
            return Intolerance(key, None, here(), text=text, codes=codes, onset=when, visit=visit, notes=draw(NOTES))
        case _:
            return draw(measurements(key, names))


def reasons(names: dict[str, list[str]]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.just(()) | st.tuples(TEXTS) | several(names, Problem)


BIRTHS = st.sampled_from([*[None, "1966", "1966-07", "1966-07-04"] * 3, "2011-05-04", "1966-02-30", "x"])
IDENTIFIERS = st.builds(Identifier, st.sampled_from([LOCAL, LOCAL, "urn:ietf:rfc:3986"]), TEXTS)


@st.composite
def persons(draw: st.DrawFn) -> Person:
    return Person(
        draw(st.sampled_from(["female", "unknown"])), here(),
        origin=draw(st.none() | st.just(told("Andean", "a"))),
        identifiers=draw(st.lists(IDENTIFIERS, max_size=2).map(tuple)),
        family=draw(st.none() | TEXTS), given=draw(st.lists(TEXTS, max_size=2).map(tuple)),
        birth_date=draw(BIRTHS),
        deceased=draw(st.sampled_from([None, True, False]) | ONS | betweens()),
        address=draw(st.none() | st.builds(Address, st.lists(TEXTS, max_size=1).map(tuple), st.none() | TEXTS)),
        marital_status=draw(st.sampled_from([None, "married"])),
        language=draw(st.sampled_from([None, "de"])),
    )  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> Case:
    names: dict[str, list[str]] = {}
    made: list[Fact] = []
    for number in range(draw(st.integers(1, 6))):
        fact = draw(facts(f"f{number}", names))
        names.setdefault(type(fact).__name__, []).append(fact.key)
        made.append(fact)
    key = draw(st.sampled_from(["p-1", "registry.p-2"]))
    return extract(*made, person=draw(persons()), key=key, test_data=draw(st.booleans()))


def test_facts_that_differ_in_free_text_share_a_template() -> None:
    def told_of(text: str, note: str) -> Case:
        return extract(Problem("p", None, here(), text=text, onset=On("2011-05", here()), notes=(note,)))

    for text, note in (("HEADACHE", "Site A"), ("Rash, left arm", "Site B")):
        QUICK.shape(told_of(text, note))
    known = len(QUICK.store.known)
    for text, note in (("2nd degree block", "No site"), ("Übelkeit", 'Ort "C"')):
        case = told_of(text, note)
        assert [each[3] for each in QUICK.shape(case).resources] == lines(case)
    assert len(QUICK.store.known) == known


@examples(60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases())
def test_bytes_and_findings_are_those_of_the_ordinary_way(case: Case) -> None:
    shaped = QUICK.shape(case)
    assert [each[3] for each in shaped.resources] == lines(case)
    assert told_by(shaped) == found(case)
    assert shaped.remarks == [*convert(case, form="ndjson").remarks]
