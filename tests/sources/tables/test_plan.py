"""Rows to a case: values, units, dates, doses, events, links; and what is refused."""

from decimal import Decimal
from typing import Any

import pytest

from casefhir.record import (
    AdverseEvent,
    Age,
    Between,
    Case,
    Code,
    Course,
    Measurement,
    On,
    Problem,
    Quantity,
    Range,
    Relative,
    Visit,
    Words,
    check,
)
from casefhir.sources.tables.load import MappingError
from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.plan import Mapped
from tests.sources.tables.tables import PERSON, loaded, one, planned, told

LAB = (
    PERSON
    + """
[tables.lb]
key = ["ID"]
[[measurement]]
name = "lab"
table = "lb"
key = ["SEQ"]
text = "TEST"
concept = { column = "TEST", map = { CK = "ck", CRP = "crp", IgG = "igg", Ab = "anti-jo-1" } }
value = "RES"
unit = "UNIT?"
range = { low = "LO?", high = "HI?" }
flag = "FLAG?"
when = "DAY?"
"""
)
DM = [{"ID": "1", "SEX": "F"}]


def lab(reading: str = "", extra: str = "", **cells: str) -> Mapped:
    row = {"ID": "1", "SEQ": "1", "TEST": "CK", **cells}
    head = f"[reading]\n{reading}\n" if reading else ""
    return one(head + LAB + extra, {"dm": DM, "lb": [row]})


def fact(found: Mapped, kind: type = Measurement) -> Any:
    assert found.case is not None
    assert not found.rejects
    assert check(found.case) == []
    (made,) = [each for each in found.case.facts if type(each) is kind]
    return made


def reason(found: Mapped) -> str:
    (reject,) = found.rejects
    return f"{reject.column}: {reject.reason}. {reject.mend}"


class TestValues:
    def test_a_number_keeps_its_digits_and_unit(self) -> None:
        made = fact(lab(RES="22.70", UNIT="U/l"))
        assert made.value == Quantity(Decimal("22.70"), "U/l")
        assert str(made.value.value) == "22.70"

    @pytest.mark.parametrize(
        ("cell", "value"),
        [
            ("<0.2", Quantity(Decimal("0.2"), "U/L", "<")),
            ("> 1000", Quantity(Decimal("1000"), "U/L", ">")),
            ("≥5", Quantity(Decimal("5"), "U/L", ">=")),
            ("3-5", Range(Quantity(Decimal("3"), "U/L"), Quantity(Decimal("5"), "U/L"))),
            ("neg", Words("neg")),
            ("++", Words("++")),
        ],
    )
    def test_results_are_read_as_laboratories_write_them(self, cell: str, value: object) -> None:
        assert fact(lab(RES=cell, UNIT="U/L")).value == value

    def test_words_that_begin_with_a_figure_are_words(self) -> None:
        assert fact(lab(TEST="Sport", RES="3 to 5 times a week")).value == Words("3 to 5 times a week")

    def test_a_cell_with_a_unit_of_its_own_beside_another_is_refused(self) -> None:
        assert "has a unit of its own beside 'U/L'" in reason(lab(RES="5 mg/L", UNIT="U/L"))
        assert "has a unit of its own beside 'U/L'" in reason(lab(RES="5 haemolysed", UNIT="U/L"))

    def test_a_titre_is_a_titre(self) -> None:
        made = fact(lab(RES="1:320"))
        assert (made.titre, made.value) == ("1:320", None)

    @pytest.mark.parametrize("cell", ["007", "02155", "1E10", "1/10", "140/90", "1:2", "001-002"])
    def test_what_is_rather_an_identifier_or_a_share_stays_words(self, cell: str) -> None:
        assert fact(lab(TEST="Field", RES=cell)).value == Words(cell)

    def test_titres_with_a_stroke_are_read_where_they_are_asked_for(self) -> None:
        assert fact(lab(extra='kind = { const = "titre" }\n', TEST="Ab", RES="1/640")).titre == "1/640"

    def test_numbers_with_an_exponent(self) -> None:
        assert fact(lab(TEST="Field", RES="1.5E-3")).value == Quantity(Decimal("0.0015"))
        assert fact(lab(extra='kind = { const = "number" }\n', TEST="Field", RES="1E10")).value.value == 10**10

    def test_a_titre_below_the_first_dilution_keeps_its_sign(self) -> None:
        assert fact(lab(TEST="Ab", RES="<1:40")).value == Quantity(Decimal("40"), "{titer}", "<")

    def test_words_say_how_the_result_is(self) -> None:
        assert fact(lab(TEST="Ab", RES="neg")).interpretation == "negative"
        assert fact(lab(TEST="Ab", RES="2+")).interpretation == "positive"

    def test_what_may_be_read_in_two_ways_is_refused_with_both(self) -> None:
        told = reason(lab(RES="3,072", UNIT="U/L"))
        assert "RES: '3,072' can be read in two ways" in told
        assert 'thousands = "," or decimal = ","' in told

    def test_the_declared_marks_decide(self) -> None:
        assert fact(lab('thousands = ","', RES="3,072", UNIT="U/L")).value.value == Decimal(3072)
        assert fact(lab('decimal = ","', RES="3,072", UNIT="U/L")).value.value == Decimal("3.072")

    @pytest.mark.parametrize("cell", ["12..5", "<", "1.2.3", "- 5", "20 000", "5-", "2024-01-01"])
    def test_what_is_no_number_is_refused(self, cell: str) -> None:
        assert "RES" in reason(lab(RES=cell, UNIT="U/L"))

    def test_a_missing_value_has_its_reason(self) -> None:
        made = fact(lab('absent = { "-9" = "unknown", ND = "not-performed" }', RES="ND"))
        assert (made.value, made.absent_code) == (None, "not-performed")
        assert fact(lab(RES="NaN")).absent_code == "not-a-number"

    def test_a_blank_value_is_no_measurement_and_counted_as_filtered(self) -> None:
        found = lab(RES="  ", UNIT="U/L")
        assert found.case is not None
        assert found.case.facts == ()
        assert found.filtered["lb"] == 1

    def test_words_stay_words_where_digits_look_like_numbers(self) -> None:
        assert fact(lab(extra='kind = { const = "words" }\n', RES="3,072")).value == Words("3,072")

    def test_a_control_character_is_refused(self) -> None:
        assert "control character U+0007" in reason(lab(RES="bad\x07", UNIT="U/L"))

    def test_a_value_beside_words_that_it_is_absent_stays_and_the_words_become_a_note(self) -> None:
        found = lab(extra='absent = "STAT"\n', RES="5", UNIT="U/L", STAT="NOT DONE")
        assert fact(found).value == Quantity(Decimal(5), "U/L")
        assert fact(found).notes == ("Said to be absent beside its value: NOT DONE.",)
        assert fact(lab(extra='absent = "STAT"\n', RES="", STAT="NOT DONE")).absent_code == "not-performed"


class TestUnits:
    def test_a_value_is_converted_and_the_printed_one_kept(self) -> None:
        made = fact(lab(extra='convert = "catalogue"\n', TEST="IgG", RES="980", UNIT="mg/dl", LO="700", HI="1600"))
        assert made.value == Quantity(Decimal("9.80"), "g/L")
        assert made.printed == Quantity(Decimal("980"), "mg/dl")
        assert made.range == Range(Quantity(Decimal("7.00"), "g/L"), Quantity(Decimal("16.00"), "g/L"))
        assert made.range_text == "700–1600 mg/dl"

    def test_a_unit_that_does_not_fit_the_concept_is_refused(self) -> None:
        told = reason(lab(RES="5", UNIT="mg/L"))
        assert "UNIT: the unit 'mg/L' does not fit creatine kinase" in told

    def test_what_is_not_commensurable_is_not_converted(self) -> None:
        found = one(
            LAB + 'convert = "mmol/L"\n',
            {"dm": DM, "lb": [{"ID": "1", "SEQ": "1", "TEST": "Glucose", "RES": "90", "UNIT": "mg/dL"}]},
        )
        assert "cannot be converted to mmol/L" in reason(found)
        assert "give the factor with its reason" in reason(found)

    GLUCOSE = 'convert = { of = "mg/dL", to = "mmol/L", factor = "0.0555", reason = "glucose, 180.2 g/mol" }\n'

    def test_a_factor_of_the_mapping_stands_in_the_note(self) -> None:
        made = fact(lab(extra=self.GLUCOSE, TEST="Glucose", RES="90", UNIT="mg/dL"))
        assert made.value == Quantity(Decimal("4.995"), "mmol/L", None, "mmol/L")
        assert made.printed == Quantity(Decimal("90"), "mg/dL")
        assert made.notes == ("Converted by the factor 0.0555: glucose, 180.2 g/mol.",)

    @pytest.mark.parametrize(
        ("printed", "unit", "value"), [("0.90", "g/L", "4.995"), ("4995", "umol/L", "4.995"), ("5.0", "mmol/L", "5.0")]
    )
    def test_a_factor_is_for_its_unit_and_what_is_commensurable(self, printed: str, unit: str, value: str) -> None:
        made = fact(lab(extra=self.GLUCOSE, TEST="Glucose", RES=printed, UNIT=unit))
        assert (made.value.value, made.value.ucum) == (Decimal(value), "mmol/L")
        assert bool(made.notes) == (unit == "g/L")  # the others need no factor

    @pytest.mark.parametrize(
        ("unit", "said"),
        [
            ("", "the value has no unit, so it cannot be converted to mmol/L"),
            ("g", "the mapping's factor is for mg/dL"),
            ("spoons", "'spoons' is no unit that can be converted to mmol/L"),
        ],
    )
    def test_a_factor_is_for_no_other_unit(self, unit: str, said: str) -> None:
        assert said in reason(lab(extra=self.GLUCOSE, TEST="Glucose", RES="90", UNIT=unit))

    def test_a_factor_without_its_unit_is_a_mistake(self) -> None:
        with pytest.raises(MappingError, match="a factor goes with the unit it is for and its reason"):
            lab(extra=self.GLUCOSE.replace('of = "mg/dL", ', ""), TEST="Glucose", RES="90", UNIT="mg/dL")

    def test_an_unknown_unit_stays_as_printed_and_is_counted(self) -> None:
        found = lab(RES="5", UNIT="U/l/ml/foo")
        assert fact(found).value.unit == "U/l/ml/foo"
        assert found.unmapped["lab", "UNIT", "U/l/ml/foo"] == 1

    def test_the_mappings_own_units_come_first(self) -> None:
        made = fact(lab('units = { Einheiten = "U/L" }', RES="5", UNIT="Einheiten"))
        assert made.value == Quantity(Decimal(5), "Einheiten", None, "U/L")

    def test_giga_per_litre_is_no_gauss(self) -> None:
        assert fact(lab(TEST="Leuko", RES="5", UNIT="G/L")).value.ucum == "10*9/L"
        assert fact(lab(TEST="Leuko", RES="5", UNIT="MG/L")).value.ucum is None

    def test_a_range_that_is_no_figures_stays_words(self) -> None:
        text = LAB.replace('range = { low = "LO?", high = "HI?" }', 'range = "RANGE"')
        row = {"ID": "1", "SEQ": "1", "TEST": "CK", "RES": "5", "UNIT": "U/L"}
        found = one(text, {"dm": DM, "lb": [row | {"RANGE": "see report"}]})
        assert (fact(found).range, fact(found).range_text) == (None, "see report")
        assert found.unmapped["lab", "RANGE", "see report"] == 1
        found = one(text, {"dm": DM, "lb": [row | {"RANGE": "20 - 170"}]})
        assert fact(found).range == Range(Quantity(Decimal(20), "U/L"), Quantity(Decimal(170), "U/L"))


class TestDates:
    @pytest.mark.parametrize(
        ("reading", "cell", "date", "printed"),
        [
            ("", "2022-09-07", "2022-09-07", None),
            ("", "2022-09", "2022-09", None),
            ("", "2022---07", "2022", "2022---07"),
            ('dates = ["dmy"]', "07.09.2022", "2022-09-07", None),
            ('dates = ["mdy"]', "07/09/2022", "2022-07-09", None),
            ('dates = ["dmy"]', "UN-SEP-2022", "2022-09", "UN-SEP-2022"),
            ("", "2022-09-07T16:17", "2022-09-07", "2022-09-07T16:17"),
            ("", "2022-09-07T16:17:00Z", "2022-09-07T16:17:00Z", None),
            ('timezone = "Europe/Berlin"', "2022-09-07T16:17", "2022-09-07T16:17:00+02:00", "2022-09-07T16:17"),
            ('timezone = "Europe/Berlin"', "2022-10-30T02:30", "2022-10-30", "2022-10-30T02:30"),
            ("dates = ['dmy']\ntwo_digit_years_from = 1930", "07.09.29", "2029-09-07", None),
        ],
    )
    def test_dates_keep_their_precision(self, reading: str, cell: str, date: str, printed: str | None) -> None:
        when = fact(lab(reading, RES="5", UNIT="U/L", DAY=cell)).when
        assert (when.date, when.printed) == (date, printed)

    @pytest.mark.parametrize(
        ("reading", "cell", "said"),
        [
            ("", "2022-02-30", "no day of the calendar"),
            ("", "07.09.2022", "not a date as iso"),
            ('dates = ["dmy"]', "31.11.2022", "no day of the calendar"),
            ('dates = ["dmy"]', "07.09.22", "has two digits"),
            ("", "2022-09-07T25:00", "no time of the clock"),
        ],
    )
    def test_impossible_dates_are_refused(self, reading: str, cell: str, said: str) -> None:
        assert f"DAY: {cell!r}"[:4] in reason(lab(reading, RES="5", UNIT="U/L", DAY=cell))
        assert said in reason(lab(reading, RES="5", UNIT="U/L", DAY=cell))

    STUDY = LAB.replace('when = "DAY?"', 'when = { study_day = "DY", reference = { table = "dm", column = "REF" } }')

    def on_day(self, day: str, reference: str) -> Mapped:
        row = {"ID": "1", "SEQ": "1", "TEST": "CK", "RES": "5", "UNIT": "U/L", "DY": day}
        return one(self.STUDY, {"dm": [{"ID": "1", "SEX": "F", "REF": reference}], "lb": [row]})

    def test_study_day_1_is_the_reference_date_and_there_is_no_day_0(self) -> None:
        assert fact(self.on_day("1", "2020-01-10")).when.date == "2020-01-10"
        assert fact(self.on_day("-1", "2020-01-10")).when.date == "2020-01-09"
        assert "there is no study day 0" in reason(self.on_day("0", "2020-01-10"))

    def test_without_a_day_of_reference_a_study_day_stays_relative(self) -> None:
        when = fact(self.on_day("15", "2020-01")).when
        assert isinstance(when, Relative)
        assert (when.relationship, when.offset, when.words) == ("after", "14 days", "study day 15")
        first = fact(self.on_day("1", "2020-01")).when
        assert (first.relationship, first.offset, first.words) == ("concurrent", None, "study day 1")


MH = (
    PERSON
    + """
[tables.mh]
key = ["ID"]
[[problem]]
name = "mh"
table = "mh"
key = ["SEQ"]
concept = "TERM"
status = "STATUS?"
certainty = "SURE?"
severity = "SEV?"
onset = "START?"
abatement = "END?"
"""
)


def problem(text: str = MH, **cells: str) -> Mapped:
    return one(text, {"dm": DM, "mh": [{"ID": "1", "SEQ": "1", "TERM": "Dermatomyositis", **cells}]})


class TestProblems:
    def test_the_catalogue_is_asked_by_name_and_the_words_stay(self) -> None:
        made = fact(problem(), Problem)
        assert (made.concept, made.text) == ("dermatomyositis", "Dermatomyositis")

    def test_words_it_lacks_stay_text_and_are_counted(self) -> None:
        found = problem(TERM="Dermatomyositiss")
        assert (fact(found, Problem).concept, fact(found, Problem).text) == (None, "Dermatomyositiss")
        assert found.unmapped == {("mh", "TERM", "Dermatomyositiss"): 1}

    def test_an_end_makes_it_resolved(self) -> None:
        made = fact(problem(START="2020", END="2021-03"), Problem)
        assert (made.status, made.onset.date, made.abatement.date) == ("resolved", "2020", "2021-03")

    def test_an_end_before_the_start_is_refused(self) -> None:
        assert "END: it ends (2019-03) before it starts (2020)" in reason(problem(START="2020", END="2019-03"))

    def test_a_denied_one_has_no_course_and_what_is_told_of_it_stands_in_the_notes(self) -> None:
        made = fact(problem(SURE="No", SEV="severe", START="2020"), Problem)
        assert made.certainty == "refuted"
        assert (made.status, made.severity, made.onset) == (None, None, None)
        assert made.notes == ("severity: severe", "onset: 2020")

    def test_a_certainty_nobody_understands_is_never_taken_for_a_confirmation(self) -> None:
        found = problem(SURE="ruled out by biopsy")
        assert fact(found, Problem).certainty == "unconfirmed"
        assert fact(found, Problem).notes == ("Certainty: ruled out by biopsy",)
        assert found.unmapped["mh", "SURE", "ruled out by biopsy"] == 1

    def test_words_of_a_map_that_lead_to_no_known_value_are_kept_too(self) -> None:
        text = MH.replace('certainty = "SURE?"', 'certainty = { column = "SURE", map = { "1" = "confirmed" } }')
        made = fact(problem(text, SURE="2"), Problem)
        assert (made.certainty, made.notes) == ("unconfirmed", ("Certainty: 2",))

    def test_an_age_at_onset(self) -> None:
        made = fact(problem(MH.replace('"START?"', '{ age = "START" }'), START="P5Y11M"), Problem)
        assert isinstance(made.onset, Age)
        assert made.onset.age == Quantity(Decimal(71), "months")
        assert made.onset.words == "P5Y11M"

    @pytest.mark.parametrize(
        ("told", "age", "note"),
        [
            ("P71Y", "71 years", False),
            ("P71Y1M", "853 months", True),
            ("P3Y2D", "3 years", True),
            ("P2W3D", "17 days", True),
            ("P0Y0M14D", "14 days", False),
            ("P0Y3W", "3 weeks", False),
            ("P1Y0M", "1 years", False),
            ("P0D", "0 days", False),
            ("P1DT12H", "1 days", True),
        ],
    )
    def test_a_duration_in_the_one_unit_that_says_it_is_told_as_it_is_written_too(
        self, told: str, age: str, note: bool
    ) -> None:
        made = fact(problem(MH.replace('"START?"', '{ age = "START" }'), START=told), Problem)
        assert isinstance(made.onset, Age)
        assert made.onset.age == Quantity.parse(age)
        assert (f"Told exactly as {told}." in made.notes) is note

    def test_nothing_that_says_what_it_is_is_refused(self) -> None:
        assert "nothing says what it is" in reason(problem(TERM=""))


EX = (
    PERSON
    + """
[tables.ex]
key = ["ID"]
[tables.ae]
key = ["ID"]
optional = true
[[course]]
name = "ex"
table = "ex"
key = ["SEQ"]
drug = "TRT"
start = "START?"
end = "END?"
ongoing = "ONGOING?"
reasons = ["WHY?"]
[course.dose]
amount = "DOSE?"
unit = "UNIT?"
frequency = "FREQ?"
route = "ROUTE?"
[[adverse_event]]
name = "ae"
table = "ae"
key = ["SEQ"]
text = "TERM"
when = "START"
end = "END?"
severity = "GRADE?"
seriousness = [SERIOUSNESS, "SER?"]
outcome = "OUT?"
suspects = [{ rule = "ex", causality = "REL?" }]
action = "ACN?"
"""
).replace(
    "SERIOUSNESS",
    '{ column = "DEATH", optional = true, map = { Y = "death", N = "" } }, '
    '{ column = "LIFE", optional = true, map = { Y = "life-threatening", N = "" } }',
)


def course(**cells: str) -> Mapped:
    return one(EX, {"dm": DM, "ex": [{"ID": "1", "SEQ": "1", "TRT": "Methotrexate", **cells}]})


class TestCourses:
    def test_a_dose_with_its_rhythm_and_route(self) -> None:
        made = fact(course(DOSE="7.5", UNIT="mg", FREQ="QW", ROUTE="PO"), Course)
        assert made.drug == "methotrexate"
        assert made.dosage.text == "7.5 mg QW PO"
        assert made.dosage.dose == Quantity(Decimal("7.5"), "mg")
        assert (made.dosage.times, str(made.dosage.every), made.dosage.route) == (1, "1 wk", "oral")

    def test_a_rhythm_nobody_knows_stays_words_and_is_counted(self) -> None:
        found = course(DOSE="5", UNIT="mg", FREQ="on odd Tuesdays")
        made = fact(found, Course)
        assert (made.dosage.times, made.dosage.schedule) == (None, "on odd Tuesdays")
        assert found.unmapped["ex", "FREQ", "on odd Tuesdays"] == 1

    def test_a_dose_without_a_known_unit_stays_in_the_text(self) -> None:
        found = course(DOSE="2", UNIT="spoons")
        assert (fact(found, Course).dosage.dose, fact(found, Course).dosage.text) == (None, "2 spoons")
        assert found.unmapped["ex", "UNIT", "spoons"] == 1

    def test_a_negative_dose_is_refused(self) -> None:
        assert "DOSE: a dose of -5 is below nothing" in reason(course(DOSE="-5", UNIT="mg"))

    def test_its_status_is_never_more_than_told(self) -> None:
        assert fact(course(START="2020", END="2021"), Course).status == "unknown"
        assert fact(course(ONGOING="yes"), Course).status == "active"
        assert fact(course(WHY="lack of effect"), Course).status == "stopped"
        assert "ongoing, and has an end" in reason(course(ONGOING="y", END="2021"))

    def test_the_reason_the_catalogue_knows_is_its_key(self) -> None:
        assert fact(course(WHY="Lack of effect"), Course).reasons == ("reason-lack-of-effect",)


def events(drugs: list[dict[str, str]], **cells: str) -> Mapped:
    rows = [{"ID": "1", "TRT": "Methotrexate", **each} for each in drugs]
    event = {"ID": "1", "SEQ": "1", "TERM": "Nausea", "START": "2020-05-01", **cells}
    return one(EX, {"dm": DM, "ex": rows, "ae": [event]})


class TestAdverseEvents:
    def test_words_of_cdisc_become_r4s(self) -> None:
        made = fact(
            events([{"SEQ": "1"}], GRADE="MODERATE", SER="N", OUT="RECOVERED/RESOLVED", REL="POSSIBLY RELATED"),
            AdverseEvent,
        )
        assert (made.severity, made.seriousness, made.outcome) == ("moderate", "non-serious", "resolved")
        assert (made.suspects[0].causality, made.suspects[0].words) == ("possible", "POSSIBLY RELATED")

    def test_the_gravest_criterion_counts_and_all_are_told(self) -> None:
        made = fact(events([{"SEQ": "1"}], SER="Y", LIFE="Y", DEATH="N"), AdverseEvent)
        assert made.seriousness == "life-threatening"
        assert made.seriousness_text == "is life-threatening"

    def test_suspects_are_the_courses_that_had_begun(self) -> None:
        made = fact(
            events(
                [{"SEQ": "1", "START": "2020-01-01"}, {"SEQ": "2", "START": "2020-06-01"}, {"SEQ": "3", "START": ""}]
            ),
            AdverseEvent,
        )
        assert [each.course for each in made.suspects] == ["ex.1", "ex.3"]

    def test_a_drug_withdrawn_is_a_course_stopped_for_the_event(self) -> None:
        found = events(
            [{"SEQ": "1", "START": "2020-01-01", "END": "2020-02-01"}, {"SEQ": "2", "START": "2020-02-01", "END": ""}],
            ACN="DRUG WITHDRAWN",
        )
        assert found.case is not None
        first, second = (each for each in found.case.facts if isinstance(each, Course))
        assert (first.status, first.reasons, first.notes) == ("unknown", (), ())
        assert (second.status, second.reasons) == ("stopped", ("adverse event",))
        assert second.notes == ("Action taken for Nausea: DRUG WITHDRAWN",)

    def test_a_dose_reduced_is_a_note_of_the_course(self) -> None:
        found = events([{"SEQ": "1"}], ACN="DOSE REDUCED")
        made = fact(found, Course)
        assert (made.status, made.notes) == ("unknown", ("Action taken for Nausea: DOSE REDUCED",))

    def test_the_end_is_the_abatement_of_the_condition(self) -> None:
        made = fact(events([{"SEQ": "1"}], END="2020-05-09"), Problem)
        assert (made.key, made.status, made.abatement.date) == ("ae.1.condition", "resolved", "2020-05-09")

    def test_the_condition_of_a_fatal_event_ends_without_being_resolved(self) -> None:
        made = fact(events([{"SEQ": "1"}], END="2020-05-09", OUT="FATAL"), Problem)
        assert (made.status, made.abatement.date) == ("inactive", "2020-05-09")

    def test_words_not_understood_stay_and_are_counted(self) -> None:
        found = events([{"SEQ": "1"}], OUT="LOST TO FOLLOW-UP")
        assert fact(found, AdverseEvent).notes == ("Outcome: LOST TO FOLLOW-UP",)
        assert found.unmapped["ae", "OUT", "LOST TO FOLLOW-UP"] == 1


WIDE = (
    PERSON
    + """
[tables.v]
key = ["ID"]
[[visit]]
name = "visit"
table = "v"
key = ["V"]
when = "DAY"
[[measurement]]
name = "lab"
table = "v"
key = ["V"]
visit = "V"
concept = { const = "{concept}" }
value = "{column}"
unit = { const = "{unit}" }
each = [
  { name = "ck", column = "CK", concept = "ck", unit = "U/L" },
  { name = "note", column = "NOTE", concept = "dlco" },
]
"""
)


class TestWide:
    def test_each_entry_is_a_fact_and_what_it_lacks_is_left_out(self) -> None:
        found = one(WIDE, {"dm": DM, "v": [{"ID": "1", "V": "a", "DAY": "2020-01-01", "CK": "5", "NOTE": "low"}]})
        assert found.case is not None
        made = {each.key: each for each in found.case.facts if isinstance(each, Measurement)}
        assert made["lab.ck.a"].value == Quantity(Decimal(5), "U/L")
        assert made["lab.note.a"].value == Words("low")
        assert {each.visit for each in made.values()} == {"visit.a"}

    def test_a_row_is_converted_whole_or_not_at_all(self) -> None:
        rows = [
            {"ID": "1", "V": "a", "DAY": "2020-01-01", "CK": "5..", "NOTE": "low"},
            {"ID": "1", "V": "b", "DAY": "2020-02-01", "CK": "6", "NOTE": ""},
        ]
        found = one(WIDE, {"dm": DM, "v": rows})
        assert found.case is not None
        assert [each.key for each in found.case.facts] == ["visit.b", "lab.ck.b"]
        assert (found.converted["v"], found.rejected, found.filtered["v"]) == (1, {"v": 1}, 0)

    def test_repeated_groups(self) -> None:
        text = PERSON + (
            '[[measurement]]\nname = "ck"\ntable = "dm"\nconcept = { const = "ck" }\nvalue = "CK_{v}?"\n'
            'unit = { const = "U/L" }\nwhen = "DAY_{v}?"\nkey = [{ const = "{v}" }]\nrepeat = { v = ["1", "2", "3"] }\n'
        )
        found = one(text, {"dm": [DM[0] | {"CK_1": "5", "DAY_1": "2020", "CK_2": "6", "DAY_2": "2021"}]})
        assert found.case is not None
        assert [(each.key, each.when.date) for each in found.case.facts] == [("ck.1.1", "2020"), ("ck.2.2", "2021")]  # type: ignore[union-attr]

    def test_columns_by_pattern_with_labels_from_a_dictionary(self) -> None:
        text = PERSON + (
            '[lookups.dd]\nfiles = ["dd.csv"]\nkey = ["field"]\n'
            '[[measurement]]\nname = "sx"\ntable = "dm"\nkey = ["ID"]\nwhere = "row[\'{column}\'] == \'1\'"\n'
            'text = { const = "{code}", choices = { const = "{stem}", lookup = "dd", take = "choices" } }\n'
            'value = { const = "checked" }\neach = { columns = ["*___*"], split = "___" }\n'
        )
        lookups = {"dd": Lookup("dd.csv", ("field", "choices"), {("sx",): ("sx", "1, Rash | 2, Fever")})}
        found = one(text, {"dm": [DM[0] | {"sx___1": "0", "sx___2": "1"}]}, lookups=lookups)
        assert found.case is not None
        assert [each.text for each in found.case.facts] == ["Fever"]  # type: ignore[union-attr]


class TestKeysAndLinks:
    def test_two_rows_with_one_key_that_differ_are_both_refused(self) -> None:
        rows = [{"ID": "1", "SEQ": "1", "TEST": "CK", "RES": "5"}, {"ID": "1", "SEQ": "1", "TEST": "CK", "RES": "6"}]
        found = one(LAB, {"dm": DM, "lb": rows})
        assert [(each.row, each.reason) for each in found.rejects] == [
            (3, "its key is that of row 2, and the rows differ"),
            (2, "its key is that of row 3, and the rows differ"),
        ]

    def test_an_exact_repeat_is_refused_once(self) -> None:
        rows = [{"ID": "1", "SEQ": "1", "TEST": "CK", "RES": "5"}] * 2
        found = one(LAB, {"dm": DM, "lb": rows})
        assert [(each.row, each.reason) for each in found.rejects] == [(3, "it repeats row 2 exactly")]
        assert found.case is not None
        assert len(found.case.facts) == 1

    def test_rows_that_tell_the_same_again_are_one_where_the_rule_says_so(self) -> None:
        text = LAB + '[[visit]]\nname = "v"\ntable = "lb"\nkey = ["V"]\nwhen = "DAY"\ndistinct = true\n'
        rows = [{"ID": "1", "SEQ": str(n), "TEST": "CK", "RES": "5", "V": "1", "DAY": "2020"} for n in range(3)]
        found = one(text, {"dm": DM, "lb": rows})
        assert found.case is not None
        assert not found.rejects
        assert [each.key for each in found.case.facts if isinstance(each, Visit)] == ["v.1"]

    def test_a_link_that_leads_nowhere_is_counted(self) -> None:
        found = one(WIDE.replace('visit = "V"', 'visit = "W"'), {
            "dm": DM, "v": [{"ID": "1", "V": "a", "W": "z", "DAY": "2020", "CK": "5", "NOTE": ""}]
        })  # fmt: skip
        assert found.unmapped["lab", "W -> visit", "z"] == 1

    def test_rules_that_link_in_a_circle_are_refused(self) -> None:
        text = LAB + 'members = [{ rule = "lab", key = ["SEQ"] }]\n'
        with pytest.raises(MappingError, match="in a circle: lab -> lab"):
            one(text, {"dm": DM, "lb": [{"ID": "1", "SEQ": "1", "TEST": "CK", "RES": "5"}]})

    def test_codes_of_the_table_by_column_and_by_curie(self) -> None:
        text = MH.replace(
            'concept = "TERM"',
            'text = "TERM"\ncodes = [{ curie = "CURIE" }, { system = "http://loinc.org", code = "LOINC" }]',
        )
        text = '[systems]\nHP = { uri = "http://human-phenotype-ontology.org", keep_prefix = true }\n' + text
        made = fact(
            one(
                text,
                {"dm": DM, "mh": [{"ID": "1", "SEQ": "1", "TERM": "Rash", "CURIE": "HP:0000988", "LOINC": "2157-6"}]},
            ),
            Problem,
        )
        assert made.codes == (
            Code("http://human-phenotype-ontology.org", "HP:0000988"),
            Code("http://loinc.org", "2157-6"),
        )


class TestPersons:
    def test_rows_that_contradict_each_other_are_refused(self) -> None:
        found = one(
            MH.replace("[tables.mh]", "[tables.mh]\noptional = true"),
            {"dm": [{"ID": "1", "SEX": "F"}, {"ID": "1", "SEX": "M"}]},
        )
        assert found.case is None
        assert "contradict each other in sex: 'female' and 'male'" in found.rejects[0].reason

    def test_without_a_row_nothing_is_told_and_every_row_is_refused(self) -> None:
        found, other = told(
            LAB, {"dm": [{"ID": "2", "SEX": "F"}], "lb": [{"ID": "1", "SEQ": "1", "TEST": "CK", "RES": "5"}]}
        )[::-1]
        assert other.case is not None
        assert found.case is None
        assert "has no row for this person" in found.rejects[0].reason
        assert found.rejected == {"lb": 1}

    def test_a_period_of_an_event(self) -> None:
        text = WIDE.replace('when = "DAY"', 'when = { start = "DAY", end = "TO" }')
        found = one(
            text, {"dm": DM, "v": [{"ID": "1", "V": "a", "DAY": "2020-01", "TO": "2020-02-03", "CK": "", "NOTE": ""}]}
        )
        when = fact(found, Visit).when
        assert isinstance(when, Between)
        assert (when.start, when.end) == ("2020-01", "2020-02-03")


PRIVATE = '[privacy]\nhash_keys = true\nshift_dates = 100\nage_cap = 89\ndrop = ["dm.NAME", "*SECRET*"]\n'


class TestPrivacy:
    def case(self, key: str = "1", born: str = "1961-02-03") -> Case:
        text = PRIVATE + MH.replace(
            'sex = "SEX"', 'sex = "SEX"\nbirth_date = "BORN"\nidentifiers = [{ system = "urn:x", value = "ID" }]'
        )
        rows = [{"ID": key, "SEQ": "1", "TERM": "Rash", "START": "2020-01-10", "END": "2020-02-10"}]
        (found,) = told(text, {"dm": [{"ID": key, "SEX": "F", "BORN": born, "NAME": "Doe"}], "mh": rows})
        assert found.case is not None
        return found.case

    def test_keys_are_hashed_and_dates_move_together(self) -> None:
        case = self.case()
        (made,) = case.facts
        assert isinstance(made, Problem)
        assert isinstance(made.onset, On)
        assert isinstance(made.abatement, On)
        assert "Doe" not in repr(case)
        assert case.key != "t-1"
        assert case.person.identifiers[0].value != "1"
        days = _days(made.abatement.date) - _days(made.onset.date)
        assert days == 31
        assert made.onset.date != "2020-01-10"
        assert _days(case.person.birth_date or "") - _days("1961-02-03") == _days(made.onset.date) - _days("2020-01-10")

    def test_persons_move_differently_and_always_the_same(self) -> None:
        moved = [self.case(key).person.birth_date for key in ("1", "2", "3")]
        assert len(set(moved)) > 1
        assert moved == [self.case(key).person.birth_date for key in ("1", "2", "3")]

    def test_a_birth_date_beyond_the_cap_is_masked(self) -> None:
        person = self.case(born="1930-01-01").person
        assert (person.birth_date, person.birth_date_absent) == (None, "masked")

    @pytest.mark.parametrize(("born", "absent"), [("1961", "masked"), ("", "unknown")])
    def test_a_birth_date_that_cannot_be_moved_is_masked_not_unknown(self, born: str, absent: str) -> None:
        person = self.case(born=born).person
        assert (person.birth_date, person.birth_date_absent) == (None, absent)

    def test_an_age_above_the_cap_is_told_as_above_it(self) -> None:
        text = "[privacy]\nage_cap = 89\n" + MH.replace('"START?"', '{ age = "AGE" }')
        made = fact(one(text, {"dm": DM, "mh": [{"ID": "1", "SEQ": "1", "TERM": "Rash", "AGE": "95"}]}), Problem)
        assert made.onset.age == Quantity(Decimal(89), "years", ">")

    def test_a_dropped_column_cannot_be_mapped(self) -> None:
        with pytest.raises(MappingError, match="privacy\\] drops it"):
            planned(
                loaded(PRIVATE + MH.replace('"TERM"', '"SECRET_TERM"')),
                {"dm": DM, "mh": [{"ID": "1", "SEQ": "1", "SECRET_TERM": "x"}]},
            )

    def test_it_needs_a_salt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from casefhir.sources.tables.plan import Plan

        monkeypatch.delenv("CASEFHIR_SALT", raising=False)
        with pytest.raises(MappingError, match="CASEFHIR_SALT"):
            Plan(loaded(PRIVATE + MH), {})


def _days(date: str) -> int:
    import datetime as dt

    return dt.date.fromisoformat(date).toordinal()


class TestMappingsThatDoNotFit:
    def test_a_column_that_is_not_there_is_told_with_the_nearest_and_the_line(self) -> None:
        with pytest.raises(
            MappingError, match=r"t\.toml:\d+: mh: table 'mh' has no column 'SEQ'\. Did you mean SEQU\?"
        ):
            planned(loaded(MH), {"dm": DM, "mh": [{"ID": "1", "SEQU": "1", "TERM": "x"}]})

    def test_an_expression_that_cannot_be_is_told_when_the_plan_is_made(self) -> None:
        with pytest.raises(MappingError, match="undeclared reference to 'FOO'"):
            planned(loaded(MH + "where = \"FOO == '1'\"\n"), {"dm": DM, "mh": [{"ID": "1", "SEQ": "1", "TERM": "x"}]})

    def test_an_expression_that_fails_for_a_row_refuses_the_row(self) -> None:
        found = problem(MH + 'where = "int(SEQ) > 0"\n', SEQ="x")
        assert "the expression int(SEQ) > 0 fails" in reason(found)

    def test_a_missing_table_is_told(self) -> None:
        with pytest.raises(MappingError, match="table 'mh' is not there"):
            planned(loaded(MH), {"dm": DM})


def test_what_is_remarked_of_a_refused_row_is_not_said_of_the_next() -> None:
    """Both rows have a range in words, which is counted; the first is refused for its unit while it is read."""
    text = LAB.replace('range = { low = "LO?", high = "HI?" }', 'range = "RANGE"\nmethod = "METHOD"')
    row = {"ID": "1", "TEST": "CK", "UNIT": "U/L", "RANGE": "see report", "METHOD": "x"}
    rows = [row | {"SEQ": "1", "RES": "5", "METHOD": "bad\x07"}, row | {"SEQ": "2", "RES": "5"}]
    found = one(text, {"dm": DM, "lb": rows})
    assert [each.row for each in found.rejects] == [2]
    assert found.unmapped["lab", "RANGE", "see report"] == 1


class TestWhatRealExportsTaught:
    def test_a_zero_before_a_number_with_a_unit_is_no_identifier(self) -> None:
        assert fact(lab(TEST="Temp", RES="097.8", UNIT="F")).value == Quantity(Decimal("97.8"), "F", None, "[degF]")
        assert isinstance(fact(lab(TEST="Kit", RES="0978")).value, Words)

    def test_words_keep_the_unit_that_stands_beside_them(self) -> None:
        made = fact(lab(TEST="Ketones", RES="TRACE", UNIT="mg/dL"))
        assert (made.value, made.notes) == (Words("TRACE"), ("Unit beside it: mg/dL.",))

    def test_of_several_words_those_count_that_lead_to_a_concept(self) -> None:
        text = LAB.replace('concept = { column = "TEST"', 'concept = ["TEST", "TESTCD"]\n#')
        row = {"ID": "1", "SEQ": "1", "TEST": "Muscle enzyme", "TESTCD": "CK", "RES": "5", "UNIT": "U/L"}
        found = one(text, {"dm": DM, "lb": [row]})
        assert (fact(found).concept, fact(found).text, found.unmapped) == ("ck", "Muscle enzyme", {})

    def test_a_test_of_the_same_name_that_measures_something_else_has_no_code(self) -> None:
        text = LAB.replace('concept = { column = "TEST"', 'concept = "TEST"\n#')
        row = {"ID": "1", "SEQ": "1", "TEST": "CK", "RES": "5", "UNIT": "mg/L"}
        found = one(text, {"dm": DM, "lb": [row]})
        assert (fact(found).concept, fact(found).text) == (None, "CK")
        assert found.unmapped == {("lab", "TEST", "CK in mg/L"): 1}

    def test_a_column_that_may_be_missing_is_blank_to_an_expression(self) -> None:
        where = LAB.replace('key = ["SEQ"]', "key = [\"SEQ\"]\nwhere = \"row['STAT?'] != 'NOT DONE'\"")
        row = {"ID": "1", "SEQ": "1", "TEST": "CK", "RES": "5", "UNIT": "U/L"}
        assert fact(one(where, {"dm": DM, "lb": [row]})).concept == "ck"
        found = one(where, {"dm": DM, "lb": [{**row, "STAT": "NOT DONE"}]})
        assert found.filtered["lb"] == 1

    @pytest.mark.parametrize("words", ["NONE", "NOT RELATED", "N"])
    def test_what_is_told_to_be_unrelated_is_no_suspect(self, words: str) -> None:
        made = fact(events([{"SEQ": "1", "START": "2020-01-01"}], REL=words), AdverseEvent)
        assert (made.suspects, made.notes) == ((), (f"Relationship to Methotrexate: {words}",))

    def test_nothing_is_suspected_by_date_alone_where_nothing_is_said_of_the_cause(self) -> None:
        found = events([{"SEQ": "1", "START": "2020-01-01"}], REL="", ACN="DRUG WITHDRAWN")
        assert fact(found, AdverseEvent).suspects == ()
        assert fact(found, Course).status == "stopped"  # the action is the suspect's all the same
