"""Results as Observations: the printed digits and units, words, ranges, titres, and what follows from them."""

from decimal import Decimal

import pytest

from casefhir.fhir import convert
from casefhir.record import Component, Measurement, On, RecordError, Relative, Told, Words, at

from .samples import HERE, LATER, MAY_2012, case, shaped


def test_a_value_keeps_its_digits_its_printed_unit_and_its_ucum_code() -> None:
    found = shaped(Measurement("ck", "ck", "489.0 UI/l", HERE))
    assert found["valueQuantity"] == {
        "value": Decimal("489.0"), "unit": "UI/l", "system": "http://unitsofmeasure.org", "code": "U/L",
    }  # fmt: skip
    assert found["code"]["coding"] == [{"system": "http://loinc.org", "code": "2157-6"}]
    assert found["category"][0]["coding"][0]["code"] == "laboratory"


def test_a_figure_printed_with_thousands_shows_its_print() -> None:
    found = shaped(Measurement("ck", "ck", "3260 UI/l", at(1, 10, "3,260 UI/l")))
    assert found["valueQuantity"]["extension"][0]["valueString"] == "3,260 UI/l"
    assert found["valueQuantity"]["value"] == 3260


def test_the_comparator_of_a_range_stays_with_the_range() -> None:
    found = shaped(Measurement("igg1", "igg1", "2.48 g/l", HERE, range="> 3.82 g/l", range_text="N >3.82 g/l"))
    assert "comparator" not in found["valueQuantity"]
    assert found["referenceRange"][0]["low"]["value"] == Decimal("3.82")
    assert found["referenceRange"][0]["text"] == "N >3.82 g/l"
    assert found["interpretation"][0]["coding"][0]["code"] == "L"


def test_a_range_without_a_unit_takes_that_of_its_result() -> None:
    found = shaped(Measurement("igg2", "igg2", "1.65 g/l", HERE, range="> 2.41"))
    assert found["referenceRange"][0]["low"]["code"] == "g/L"


@pytest.mark.parametrize(
    ("value", "normal", "code"),
    [("98 mg/L", "< 5 mg/L", "H"), ("5 mg/L", "< 5 mg/L", "H"), ("4.9 mg/L", "< 5 mg/L", "N"),
     ("8 mg/L", "5-10 mg/L", "N"),
     ("10 mg/L", "5-10 mg/L", "N"), ("4 mg/L", "5-10 mg/L", "L")],
)  # fmt: skip
def test_the_interpretation_follows_from_the_stated_range(value: str, normal: str, code: str) -> None:
    found = shaped(Measurement("crp", "crp", value, HERE, range=normal))
    assert found["interpretation"][0]["coding"][0]["code"] == code


def test_without_range_or_word_nothing_is_interpreted() -> None:
    assert "interpretation" not in shaped(Measurement("crp", "crp", "22.7 mg/l", HERE))
    assert "interpretation" not in shaped(Measurement("crp", "crp", "0.5 g/l", HERE, range="< 5 mg/L"))


def test_words_are_no_number() -> None:
    found = shaped(Measurement("ck", "ck", "normal", HERE))
    assert found["valueCodeableConcept"]["text"] == "normal"
    assert found["interpretation"][0]["coding"][0]["code"] == "N"
    assert "valueQuantity" not in found
    assert shaped(Measurement("mrc", "mrc-grade", Words("3 –"), HERE))["valueCodeableConcept"] == {"text": "3 –"}


def test_a_value_announced_but_absent_says_why() -> None:
    found = shaped(Measurement("dlco", "dlco-percent-predicted", None, HERE, absent="Technical problem"))
    assert found["dataAbsentReason"]["text"] == "Technical problem"
    assert found["dataAbsentReason"]["coding"][0]["code"] == "error"


def test_a_unit_without_sense_stays_and_is_reported() -> None:
    made = case(Measurement("ck", "ck", "3072 U/l/ml", HERE))
    conversion = convert(made)
    found = next(each for each in conversion.resources if each["resourceType"] == "Observation")
    assert found["valueQuantity"] == {"value": 3072, "unit": "U/l/ml"}
    assert conversion.remarks == ("ck: the unit 'U/l/ml' has no UCUM code; it stands as printed.",)


def test_a_multiple_of_the_upper_limit_is_no_concentration() -> None:
    found = shaped(Measurement("ck", "ck", "6 times the normal level", HERE, text="CPK"))
    assert found["code"] == {"text": "CPK, multiple of the upper limit of normal"}
    assert (found["valueQuantity"]["code"], found["valueQuantity"]["unit"]) == ("1", "times the normal level")


def test_a_score_carries_its_scale_as_a_typed_range() -> None:
    found = shaped(Measurement("score", "muscle-score-88", "75.5", HERE, scale="0-88"))
    assert found["valueQuantity"] == {"value": Decimal("75.5"), "system": "http://unitsofmeasure.org", "code": "1"}
    assert found["referenceRange"][0]["type"]["text"]
    assert found["referenceRange"][0]["high"]["value"] == 88


def test_a_titre_stands_beside_the_result() -> None:
    found = shaped(Measurement("ana", "ana", "positive", HERE, titre="1/640"))
    titre = found["component"][0]["valueQuantity"]
    assert (titre["value"], titre["code"]) == (640, "{titer}")
    assert titre["extension"][0]["valueString"] == "1/640"
    alone = shaped(Measurement("ana", "ana-titre", None, HERE, titre="1: 5120"))
    assert alone["valueQuantity"]["value"] == 5120


def test_a_level_without_volume_has_no_ucum_code() -> None:
    part = Component("anti-jo-1-units", "150 U", range="< 20 U")
    found = shaped(Measurement("jo1", "anti-jo-1", "positive", HERE, components=(part,)))["component"][0]
    assert found["valueQuantity"] == {"value": 150, "unit": "U"}
    assert found["interpretation"][0]["coding"][0]["code"] == "H"


def test_a_value_told_as_a_range_is_a_range() -> None:
    found = shaped(Measurement("ck", "ck", "3000-5000 U/L", HERE))
    assert found["valueRange"]["low"]["value"] == 3000


def test_a_vital_sign_without_a_day_has_no_vital_signs_code() -> None:
    assert "coding" not in shaped(Measurement("w", "body-weight", "70 kg", HERE, when=MAY_2012))["code"]
    day = On("2012-05-04", at(1, 10, "4 May 2012"))
    coded = shaped(Measurement("w", "body-weight", "70 kg", HERE, when=day))["code"]["coding"]
    assert coded == [{"system": "http://loinc.org", "code": "29463-7"}]


def test_a_time_that_is_not_told_is_said_to_be_unknown() -> None:
    found = shaped(Measurement("crp", "crp", "8 mg/L", HERE))
    assert found["_effectiveDateTime"]["extension"][0]["valueCode"] == "unknown"
    assert "effectiveDateTime" not in found


def test_a_time_told_by_an_event_is_no_calendar_date() -> None:
    found = shaped(Measurement("crp", "crp", "8 mg/L", HERE, when=LATER))
    assert "effectiveDateTime" not in found
    words, relation, place = found["_effectiveDateTime"]["extension"]
    assert words["valueString"] == "Three months after"
    event, relationship, offset = relation["extension"]
    assert event["valueReference"]["reference"].startswith("MedicationStatement/")
    assert relationship["valueCode"] == "after-start"
    assert offset["valueDuration"]["code"] == "mo"
    assert place["extension"][1] == {"url": "offset", "valueInteger": 30}


def test_how_long_after_may_be_unknown() -> None:
    when = Relative("after", "the first visit", HERE)
    found = shaped(Measurement("crp", "crp", "8 mg/L", HERE, when=when))
    event, _, offset = found["_effectiveDateTime"]["extension"][0]["extension"]
    assert event["valueCodeableConcept"] == {"text": "the first visit"}
    assert offset["valueDuration"]["extension"][0]["valueCode"] == "unknown"


def test_what_stands_elsewhere_carries_its_own_place() -> None:
    note = Told("measured twice", at(500, 14, "measured twice"))
    found = shaped(Measurement("crp", "crp", "8 mg/L", HERE, notes=(note,), body_site="left arm"))
    assert found["note"][0]["extension"][0]["extension"][1]["valueInteger"] == 500
    assert found["bodySite"] == {"text": "left arm"}


def test_a_unit_that_does_not_fit_its_concept_is_refused() -> None:
    with pytest.raises(AssertionError):
        case(Measurement("ck", "ck", "22.7 kg", HERE))


def test_two_facts_with_one_key_are_refused() -> None:
    twice = Measurement("crp", "crp", "8 mg/L", HERE)
    with pytest.raises(RecordError, match="Two facts have the key 'crp'"):
        case(twice, twice)


def test_signs_are_kept() -> None:
    assert shaped(Measurement("d", None, "−30%", HERE, text="TLC"))["valueQuantity"]["value"] == -30
    found = shaped(Measurement("d", "crp", "≥5 mg/L", HERE))["valueQuantity"]
    assert (found["comparator"], found["value"]) == (">=", 5)


def test_a_hedge_stays_with_the_figure() -> None:
    places = (at(1, 9, "20 000 IU/L"), at(5, 20, "close to 20 000 IU/L"))
    found = shaped(Measurement("ck", "ck", "20000 IU/L", places))["valueQuantity"]
    assert found["extension"][0]["valueString"] == "close to 20 000 IU/L"


def test_without_printed_authors_nobody_is_named_as_performer() -> None:
    from dataclasses import replace

    from .samples import ARTICLE

    made = convert(case(Measurement("ck", "ck", "normal", HERE), article=replace(ARTICLE, authors=())))
    assert not [each for each in made.resources if "performer" in each]


def test_a_record_made_in_code_is_checked_before_it_is_converted() -> None:
    from casefhir import library
    from casefhir.record import Case, Person, Section

    from .samples import ARTICLE

    wrong = Measurement("ck", "ck", "5 kg", HERE)
    made = Case("x", "X", ARTICLE, Person("female", HERE), (wrong,), (Section("s", 0, 10),), "2026-11-22T00:00:00Z")
    with pytest.raises(RecordError, match="ck: The unit 'kg' does not fit"):
        library.convert(made)
