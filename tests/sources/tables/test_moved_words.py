"""Dates among words move with the person's other dates, or are left out and counted."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.record import Measurement, Procedure, Words
from casefhir.sources.tables.dates import DateReader
from casefhir.sources.tables.facts.moved_words import NOT_SHOWN, moved_words
from tests.sources.tables.tables import one

TEXT = """
[reading]
dates = ["iso", "dmy"]
[tables.dm]
key = ["ID"]
[tables.suppdm]
key = ["ID"]
[person]
table = "dm"
[[procedure]]
name = "op"
table = "dm"
key = ["NO"]
concept = "WHAT"
why_not = "WHY"
body_sites = ["SITE"]
notes = ["NOTE", { label = "Remark", words = "NOTE" },
  { table = "suppdm", label = "QLABEL", column = "QVAL", names = "IDVAR", value = "IDVARVAL" }]
[[measurement]]
name = "lab"
table = "dm"
key = ["NO"]
text = { const = "Pressure" }
components = [{ text = { const = "Last period" }, kind = { const = "words" }, value = "NOTE" }]
"""
MOVED = "[privacy]\nshift_dates = 100\n"
ROW = {"ID": "1", "NO": "2020-03-04", "WHAT": "Biopsy", "WHY": "", "SITE": "", "NOTE": ""}


def told(
    privacy: str = MOVED, qualifier: str = "x", **cells: str
) -> tuple[Procedure, str, dict[tuple[str, str, str], int]]:
    supp = {"ID": "1", "QLABEL": "Consent", "QVAL": qualifier, "IDVAR": "NO", "IDVARVAL": "2020-03-04"}
    found = one(TEXT + privacy, {"dm": [ROW | cells], "suppdm": [supp]})
    assert found.case is not None, found.rejects
    made = next(fact for fact in found.case.facts if isinstance(fact, Procedure))
    return made, repr(found.case), dict(found.unmapped)


@pytest.mark.parametrize("words", ["2020-05-06", "06.05.2020", "6 May 2020", "2020-05-06T10:11"])
def test_whole_dates_move(words: str) -> None:
    made, whole, _ = told(qualifier=words, WHAT=words, SITE=words, NOTE=words)
    assert not any(each in whole for each in ("2020-05-06", "06.05.2020", "May 2020"))
    day = dt.date.fromisoformat(str(made.text)[:10])
    assert 1 <= abs((day - dt.date(2020, 5, 6)).days) <= 100
    assert made.body_sites == (made.text,)
    assert made.notes == (made.text, f"Remark: {made.text}", f"Consent: {made.text}")
    plain, _, _ = told("", qualifier=words, WHAT=words, SITE=words, NOTE=words)
    assert plain.notes == (words, f"Remark: {words}", f"Consent: {words}")


@pytest.mark.parametrize("words", ["2020-05-06/2020-05-09", "2020-05-06T10:11/2020-05-06T11:00"])
def test_intervals_move_as_a_whole(words: str) -> None:
    made, whole, _ = told(qualifier=words, NOTE=words)
    assert "2020-05-0" not in whole
    days = [dt.date.fromisoformat(each[:10]) for each in str(made.notes[0]).split("/")]
    assert (days[1] - days[0]).days == (3 if "09" in words else 0)


@pytest.mark.parametrize(
    "words", ["05/2020", "--05-06", "06MAY2020", "20200506", "May 6, 2020", "2020-05", "31.02.2020"]
)
def test_what_cannot_be_moved_exactly_is_left_out_and_counted(words: str) -> None:
    made, whole, counts = told(NOTE=words, SITE=words)
    assert words not in whole
    assert made.notes[0] == NOT_SHOWN or made.notes[0] == "2020" or made.notes[0][:2] == "20"
    assert made.notes[0] != NOT_SHOWN or sum(counts.values()) >= 2


@pytest.mark.parametrize("words", ["since May 2020", "M3-4", "12.5", "1:320", "2020", "3-5", "20201", "stage 2-3"])
def test_other_words_stay_as_they_are(words: str) -> None:
    made, _, _ = told(NOTE=words, WHAT="Biopsy")
    assert made.notes[0] == words


def test_a_date_without_a_year_is_not_told_where_dates_move() -> None:
    text = TEXT + MOVED
    text = text.replace('why_not = "WHY"', 'when = "WHY"')
    supp = {"ID": "1", "QLABEL": "", "QVAL": "", "IDVAR": "", "IDVARVAL": ""}
    found = one(text, {"dm": [ROW | {"WHY": "--05-06"}], "suppdm": [supp]})
    assert found.case is not None
    assert "05-06" not in repr(found)


def test_components_move_too() -> None:
    supp = {"ID": "1", "QLABEL": "", "QVAL": "", "IDVAR": "", "IDVARVAL": ""}
    found = one(TEXT + MOVED, {"dm": [ROW | {"NOTE": "2020-05-06"}], "suppdm": [supp]})
    assert found.case is not None
    (part,) = next(fact for fact in found.case.facts if isinstance(fact, Measurement)).components
    assert isinstance(part.value, Words)
    day = dt.date.fromisoformat(part.value.text)
    assert 1 <= abs((day - dt.date(2020, 5, 6)).days) <= 100


def test_keys_of_rows_that_are_dates_do_not_stand_in_ids() -> None:
    made, whole, _ = told()
    assert "2020-03-04" not in whole
    assert made.key != told("")[0].key
    assert "2020-03-04" in told("")[0].key


WRITTEN = ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %b %Y", "%d%b%Y", "%Y%m%d", "%Y-%m-%dT%H:%M", "%m/%Y"]


@given(
    st.dates(dt.date(1850, 1, 1), dt.date(2090, 1, 1)), st.integers(-365, 365).filter(bool), st.sampled_from(WRITTEN)
)
def test_no_date_comes_out_as_it_was(day: dt.date, shift: int, written: str) -> None:
    words = day.strftime(written)
    moved = moved_words(words, DateReader(("iso", "dmy")), shift)
    assert moved != words
    if moved is not None and len(moved) >= 10:
        assert moved[:10] == (day + dt.timedelta(days=shift)).isoformat()


AE = """
[tables.ae]
key = ["ID"]
[person]
table = "ae"
[[adverse_event]]
name = "ae"
table = "ae"
key = ["NO"]
concept = "TERM"
when = "START"
end = "END"
action = "ACTION"
condition = false
[[problem]]
name = "mh"
table = "ae"
key = ["NO"]
concept = "TERM"
certainty = "SURE"
status = "ACTION"
onset = "START"
abatement = "END"
"""
EVENT = {"ID": "1", "NO": "1", "TERM": "Rash", "START": "2020-05-06", "END": "2020-06-07", "ACTION": "", "SURE": ""}


def notes_of(text: str, **cells: str) -> list[str]:
    found = one(AE + text, {"ae": [EVENT | cells]})
    assert found.case is not None, found.rejects
    return [str(note) for fact in found.case.facts for note in getattr(fact, "notes", ())]


def test_dates_in_notes_move_once() -> None:
    told = dict(note.split(": ") for note in notes_of(MOVED, SURE="refuted"))
    end = dt.date.fromisoformat(told["Ended"])
    assert 1 <= abs((end - dt.date(2020, 6, 7)).days) <= 100
    assert told == {"Ended": f"{end}", "onset": f"{end - dt.timedelta(32)}", "abatement": f"{end}"}
    plain = dict(note.split(": ") for note in notes_of("", SURE="refuted"))
    assert plain == {"Ended": "2020-06-07", "onset": "2020-05-06", "abatement": "2020-06-07"}


def test_dates_where_other_words_are_expected_move_too() -> None:
    told = " ".join(notes_of(MOVED, ACTION="2020-05-06"))
    assert "Action taken: 20" in told
    assert "Status: 20" in told
    assert "2020-05-06" not in told
    assert "2020-05-06" in " ".join(notes_of("", ACTION="2020-05-06"))


def test_an_end_by_age_is_told_in_words_and_not_where_ages_are_capped() -> None:
    age = AE.replace('end = "END"', 'end = { age = "END" }').replace('abatement = "END"', "")
    for privacy, notes in (("", ["Ended: at the age of 93 years"]), ("[privacy]\nage_cap = 89\n", [])):
        found = one(age + privacy, {"ae": [EVENT | {"END": "93"}]})
        assert found.case is not None
        assert [str(note) for fact in found.case.facts for note in fact.notes] == notes  # type: ignore[union-attr]
