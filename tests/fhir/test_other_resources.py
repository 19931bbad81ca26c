"""Problems, courses, adverse events and the rest, each rule of modelling once."""

from decimal import Decimal

import pytest

from casefhir.record import (
    AdverseEvent,
    Age,
    Between,
    Course,
    Dosage,
    Intolerance,
    Measurement,
    On,
    Problem,
    Procedure,
    Report,
    Suspect,
    Told,
    Visit,
    at,
    check,
)

from .samples import HERE, LATER, MAY_2012, case, shaped

SNOMED = "http://snomed.info/sct"


def codes(concept: dict[str, object]) -> dict[str, str]:
    return {each["system"]: each["code"] for each in concept.get("coding", [])}  # type: ignore[attr-defined]


def test_a_problem_is_on_the_problem_list_only_where_its_status_is_told() -> None:
    told = shaped(Problem("dm", "dermatomyositis", HERE, status="active"))
    assert told["clinicalStatus"]["coding"][0]["code"] == "active"
    assert told["category"][0]["coding"][0]["code"] == "problem-list-item"
    untold = shaped(Problem("dm", "dermatomyositis", HERE))
    assert "clinicalStatus" not in untold
    assert "category" not in untold


def test_a_denied_problem_is_refuted() -> None:
    found = shaped(Problem("rash", None, HERE, text="rash", certainty="refuted"))
    assert found["verificationStatus"]["coding"][0]["code"] == "refuted"
    assert not {"clinicalStatus", "category", "severity"} & set(found)
    assert "No rash." in found["text"]["div"]


def test_onset_and_end_keep_their_precision() -> None:
    found = shaped(Problem("dm", "dermatomyositis", HERE, status="resolved", onset=On("2003", HERE), abatement=LATER))
    assert found["onsetDateTime"] == "2003"
    assert "abatementDateTime" not in found
    assert found["_abatementDateTime"]["extension"][1]["url"].endswith("relative-date")
    between = shaped(Problem("dm", "dermatomyositis", HERE, onset=Between("2003", "2005", HERE)))
    assert (between["onsetPeriod"]["start"], between["onsetPeriod"]["end"]) == ("2003", "2005")
    aged = shaped(Problem("dm", "dermatomyositis", HERE, onset=Age("21 years", HERE)))
    assert aged["onsetAge"]["code"] == "a"


def test_an_end_needs_a_status_that_has_ended() -> None:
    with pytest.raises(AssertionError):
        case(Problem("dm", "dermatomyositis", HERE, status="active", abatement=MAY_2012))


def test_links_between_problems_are_r4s_extensions() -> None:
    found = shaped(Problem("pain", "headache", HERE, due_to=("ivig-1",), after=("a fall",), asserted=On("2011", HERE)))
    urls = [each["url"].rsplit("/", 1)[1] for each in found["extension"]]
    assert urls[:3] == ["condition-assertedDate", "condition-dueTo", "condition-occurredFollowing"]
    assert found["extension"][1]["valueReference"]["display"] == "immunoglobulin IV"
    assert found["extension"][2]["valueCodeableConcept"] == {"text": "a fall"}


def test_only_free_codes_are_written_unless_told() -> None:
    fact = Problem("ass", "antisynthetase-syndrome", HERE)
    assert SNOMED not in codes(shaped(fact)["code"])
    assert codes(shaped(fact, terminology="snomed")["code"])[SNOMED] == "445187004"


def test_intravenous_and_subcutaneous_immunoglobulin_differ_by_atc() -> None:
    atc = "http://www.whocc.no/atc"
    iv = codes(shaped(Course("iv", "ivig", HERE))["medicationCodeableConcept"])
    sc = codes(shaped(Course("sc", "scig", HERE))["medicationCodeableConcept"])
    assert (iv.pop(atc), sc.pop(atc)) == ("J06BA02", "J06BA01")
    assert iv == sc


def test_a_dose_stays_per_kilogram_and_its_interval_is_timing() -> None:
    dosage = Dosage("2 g/kg over 5 days, monthly", dose="2.0 g/kg", times=1, every="1 month", over="5 days",
                    route="intravenous", count=4, lasting="6 months", at_most=("500 mg", "1 day"))  # fmt: skip
    found = shaped(Course("ivig-2", "ivig", HERE, dosage=dosage))["dosage"][0]
    assert found["doseAndRate"][0]["doseQuantity"]["value"] == Decimal("2.0")
    assert found["doseAndRate"][0]["doseQuantity"]["code"] == "g/kg"
    repeat = found["timing"]["repeat"]
    assert (repeat["frequency"], repeat["period"], repeat["periodUnit"]) == (1, 1, "mo")
    assert (repeat["duration"], repeat["durationUnit"], repeat["count"]) == (5, "d", 4)
    assert repeat["boundsDuration"]["code"] == "mo"
    assert found["maxDosePerPeriod"]["denominator"]["code"] == "d"
    assert codes(found["route"])[SNOMED] == "47625008"


def test_a_dose_range_is_a_range() -> None:
    found = shaped(Course("p", "prednisone", HERE, dosage=Dosage("10-20 mg/day", dose="10-20 mg", every="1 day")))
    dose = found["dosage"][0]["doseAndRate"][0]["doseRange"]
    assert (dose["low"]["value"], dose["high"]["value"]) == (10, 20)
    assert "frequency" not in found["dosage"][0]["timing"]["repeat"]


def test_why_a_course_was_stopped_is_its_status_reason() -> None:
    reasons = ("reason-patient-refused", Told("intolerance", at(7, 11, "intolerance")))
    found = shaped(Course("mtx", "methotrexate", HERE, status="stopped", reasons=reasons, start=MAY_2012, end=LATER))
    refused, intolerance = found["statusReason"]
    assert codes(refused)[SNOMED] == "105480006"
    assert (intolerance["text"], intolerance["extension"][0]["extension"][1]["valueInteger"]) == ("intolerance", 7)
    assert found["effectivePeriod"]["start"] == "2012-05"
    assert found["effectivePeriod"]["_end"]["extension"][1]["url"].endswith("relative-date")


def test_a_course_without_dose_has_no_dosage() -> None:
    assert "dosage" not in shaped(Course("x", "leflunomide", HERE))


def test_an_adverse_event_names_its_suspects_and_keeps_the_words() -> None:
    found = shaped(
        AdverseEvent("fever", "fever", HERE,
                     (Suspect("ivig-1", "suspected", "possible"), Suspect("mtx", "given before")),
                     when=MAY_2012, severity="moderate", seriousness="hospitalization", outcome="resolved"),
        Course("mtx", "methotrexate", HERE),
    )  # fmt: skip
    first, second = (each["causality"][0]["assessment"] for each in found["suspectEntity"])
    assert (first["text"], first["coding"][0]["code"]) == ("suspected", "Possible")
    assert second == {"text": "given before"}
    assert found["seriousness"]["coding"][0]["code"] == "SeriousResultsInHospitalization"
    assert found["date"] == "2012-05"
    assert "category" not in found


def test_an_intolerance_has_the_status_that_r4_demands() -> None:
    found = shaped(Intolerance("no-mtx", "methotrexate", HERE, reactions=("headache", "odd feeling")))
    assert found["clinicalStatus"]["coding"][0]["code"] == "active"
    assert found["type"] == "intolerance"
    assert found["reaction"][1]["manifestation"][0] == {"text": "odd feeling"}


def test_a_declined_procedure_is_not_done() -> None:
    found = shaped(Procedure("bx", "biopsy", HERE, status="not-done", why_not="declined"))
    assert (found["status"], found["statusReason"]["text"]) == ("not-done", "declined")
    assert "performedDateTime" not in found


def test_a_report_holds_its_findings() -> None:
    finding = Measurement("ck", "ck", "normal", HERE)
    found = shaped(Report("lab", None, HERE, text="laboratory", results=("ck",), conclusion="unremarkable"), finding)
    assert found["result"][0]["reference"].startswith("urn:uuid:")
    assert found["performer"] == [{"display": "Example A, Sample B (authors of the report)"}]


def test_the_class_of_a_visit_is_said_only_where_told() -> None:
    assert shaped(Visit("v", HERE, when=MAY_2012))["class"]["extension"][0]["valueCode"] == "unknown"
    stay = shaped(Visit("v", HERE, when=MAY_2012, setting="inpatient", reasons=("weakness",)))
    assert stay["class"]["code"] == "IMP"
    assert "end" not in stay["period"]
    assert stay["reasonCode"] == [{"text": "weakness"}]


def test_a_reference_of_the_wrong_kind_is_refused() -> None:
    wrong = AdverseEvent("e", "fever", HERE, (Suspect("ck", "x"),))
    with pytest.raises(AssertionError):
        case(wrong, Measurement("ck", "ck", "normal", HERE))
    assert check(case()) == []
