"""A mapping that would write what its [privacy] hides is refused when it is loaded: where, what, how to mend it."""

import re

import pytest

from casefhir.sources.tables.expressions import named_in
from casefhir.sources.tables.load import MappingError, shipped
from tests.sources.tables.tables import loaded, planned

FRAME = """
[tables.dm]
key = ["ID"]
[tables.lb]
key = ["ID"]
derive = { LABEL = "'no. ' + ID", SITE = "ID.startsWith('A') ? 'north' : 'south'", SEEN = "'seen ' + DAY" }
[tables.samples]
via = { VISIT = "VISIT_ID" }
through = "lb"
[lookups.sites]
files = ["sites.csv"]
key = ["ID"]
[person]
table = "dm"
sex = "SEX"
birth_date = "BORN"
identifiers = [{ system = "urn:x", value = "INSURANCE" }]
[[visit]]
name = "visit"
table = "lb"
key = ["VISIT"]
distinct = true
when = "DAY"
"""
LAB = """
[[measurement]]
name = "lab"
table = "lb"
key = ["SAMPLE", "TEST"]
concept = "TEST"
value = "RES"
when = "DAY"
"""
HASHED = "[privacy]\nhash_keys = true\n"
MOVED = "[privacy]\nshift_dates = 90\n"
CAPPED = "[privacy]\nage_cap = 89\n"
DROPPED = '[privacy]\ndrop = ["lb.SECRET*"]\n'


def refusal(privacy: str, more: str, rule: str = LAB) -> str:
    with pytest.raises(MappingError) as caught:
        loaded(FRAME + rule + more + privacy)
    return str(caught.value)


@pytest.mark.parametrize(
    "field",
    [
        'notes = ["ID"]',
        'notes = ["id?"]',
        'text = "ID"',
        'text = ["TEXT", "ID"]',
        'text = { column = "ID", map = { A1 = "x" } }',
        "notes = [{ expr = \"'no. ' + ID\" }]",
        "notes = [{ expr = \"row['ID']\" }]",
        'notes = [{ table = "dm", column = "ID" }]',
        'notes = [{ table = "dm", column = "INSURANCE" }]',
        'notes = [{ column = "ID", lookup = "sites", take = "SITE" }]',
        'notes = [{ lookup = "sites", take = "SITE", on = { ID = "ID" } }]',
        'notes = [{ table = "dm", label = "L", column = "ID", names = "A", value = "B" }]',
        'method = { text = "ID" }',
        'range = { text = "ID" }',
        'flag = "ID"',
        'codes = [{ system = "urn:y", code = "ID" }]',
        'codes = [{ system = { column = "ID" }, code = "C" }]',
        'notes = ["LABEL"]',
        'components = [{ text = "PART", value = "ID" }]',
    ],
)
def test_the_key_of_a_person_is_not_written_where_keys_are_hashed(field: str) -> None:
    told = refusal(HASHED, field + "\n")
    assert re.match(r".*t\.toml:\d+:\d+: measurement\.1\.", told)
    assert "hash_keys hashes" in told
    assert "take it out here" in told


def test_nor_may_an_expression_read_the_whole_row() -> None:
    told = refusal(HASHED, "notes = [{ expr = \"size(row) > 3 ? 'x' : ''\" }]\n")
    assert "an expression reads `row`, so a column of table 'lb' that is hidden" in told


def test_the_sentence_says_where_what_and_how_to_mend() -> None:
    path_and_place, _, what = refusal(HASHED, 'notes = ["TEXT", "ID"]\n').partition(": ")
    assert path_and_place.endswith("t.toml:38:18")
    assert what == (
        "measurement.1.notes.2: it reads the column 'ID' of table 'lb', but it tells whose a row is, and [privacy] "
        "hash_keys hashes it; take it out here; rows may be chosen and joined by it (where, on, key)."
    )


@pytest.mark.parametrize(
    "field",
    [
        "where = \"ID != 'A1'\"",
        'notes = [{ table = "dm", column = "REMARK", on = { ID = "ID" }, where = "ID != \'A1\'" }]',
        'visit = { rule = "visit", key = ["VISIT"] }',
        'members = [{ rule = "lab", on = { ID = "ID" } }]',
        'unless = "ID"',
        'notes = ["SITE"]',  # chosen by the key, but not the key
        "notes = [{ expr = \"ID == 'A1' ? 'first' : ''\" }]",
    ],
)
def test_rows_are_chosen_joined_and_linked_by_it_all_the_same(field: str) -> None:
    assert loaded(FRAME + LAB + field + "\n" + HASHED)


def test_the_key_that_leads_to_the_person_by_another_table_is_one_too() -> None:
    rule = LAB.replace('table = "lb"', 'table = "samples"').replace('when = "DAY"\n', "")
    assert "table 'samples'" in refusal(HASHED, 'notes = ["VISIT_ID"]\n', rule)
    assert "'VISIT'" in refusal(HASHED, 'notes = ["VISIT"]\n')


@pytest.mark.parametrize("field", ['notes = ["SAMPLE"]', 'text = "SAMPLE"', 'reasons = ["SAMPLE"]'])
def test_the_key_of_a_row_is_not_written_unless_the_mapping_keeps_it(field: str) -> None:
    rule = '[[procedure]]\nname = "biopsy"\ntable = "lb"\nkey = ["SAMPLE"]\nconcept = "WHAT"\n'
    assert "let [privacy] keep = [..] name it" in refusal(HASHED, field + "\n", rule)
    assert loaded(FRAME + rule + field + "\n" + HASHED + 'keep = ["lb.SAMPLE"]\n')
    assert loaded(FRAME + rule + field + "\n")


def test_what_a_fact_is_called_may_be_in_its_key() -> None:
    assert loaded(FRAME + LAB + 'text = "TEST"\n' + HASHED)


def test_keys_of_persons_cannot_be_kept() -> None:
    assert "hash_keys hashes it" in refusal(HASHED + 'keep = ["ID"]\n', 'notes = ["ID"]\n')


@pytest.mark.parametrize(
    "field",
    ['notes = ["DAY"]', "notes = [{ expr = \"'on ' + DAY\" }]", 'text = "DAY"', 'notes = ["SEEN"]',
     'notes = [{ table = "dm", column = "BORN" }]'],
)  # fmt: skip
def test_a_date_is_not_written_as_words_where_dates_move(field: str) -> None:
    assert "shift_dates moves" in refusal(MOVED, field + "\n")
    assert loaded(FRAME + LAB + field + "\n")


@pytest.mark.parametrize(
    "when",
    ["{ expr = \"YEAR + '-' + MONTH\" }", '"WHOLE"', '{ year = "YEAR", month = "MONTH" }', '{ start = "WHOLE" }'],
)
def test_nor_are_the_parts_that_it_is_made_of(when: str) -> None:
    text = FRAME.replace("derive = {", "derive = { WHOLE = \"YEAR + '-' + MONTH\",")
    rule = LAB.replace('when = "DAY"', f'when = {when}\nnotes = ["MONTH"]')
    with pytest.raises(MappingError, match=r"the column 'MONTH' of table 'lb', but it is a date"):
        loaded(text + rule + MOVED)
    assert loaded(text + rule)


def test_a_word_among_the_dates_is_parted_from_them_all_the_same() -> None:
    course = (
        '[[course]]\nname = "drug"\ntable = "lb"\nkey = ["NO"]\ndrug = "DRUG"\n'
        "end = { expr = \"END == 'on' ? '' : END\" }\n"
        "ongoing = { expr = \"END == 'on' ? 'yes' : ''\" }\n"
    )
    assert loaded(FRAME + course + MOVED)


@pytest.mark.parametrize(
    "field",
    ['notes = [{ table = "dm", column = "BORN" }]', "notes = [{ table = \"dm\", column = \"BORN\", where = \"true\" }]",
     'notes = ["AGE"]', "notes = [{ expr = \"AGE + ' years'\" }]"],
)  # fmt: skip
def test_births_and_ages_are_not_written_as_words_where_they_are_capped(field: str) -> None:
    aged = '[[problem]]\nname = "mh"\ntable = "lb"\nkey = ["NO"]\nconcept = "TERM"\nonset = { age = "AGE" }\n'
    assert "age_cap" in refusal(CAPPED, field + "\n", aged)
    assert loaded(FRAME + aged + field + "\n")


def test_days_are_not_counted_from_birth_where_ages_are_capped() -> None:
    lab = LAB.replace(
        'when = "DAY"', 'when = { study_day = "D", reference = { table = "dm", column = "BORN" }, first_day = 0 }'
    )
    assert "is the date of birth" in refusal(CAPPED, "", lab)


def test_ids_are_not_made_of_ages_that_are_capped_unless_they_are_salted() -> None:
    lab = LAB.replace('concept = "TEST"', 'concept = { const = "age" }').replace('["SAMPLE", "TEST"]', '["RES"]')
    assert "an age" in refusal(CAPPED, "", lab)
    assert "give it a key" in refusal(CAPPED, "", LAB.replace('key = ["SAMPLE", "TEST"]\n', ""))
    assert loaded(FRAME + lab + CAPPED + "hash_keys = true\n")


def test_a_key_of_birth_dates_has_to_be_hashed() -> None:
    text = FRAME.replace('[tables.dm]\nkey = ["ID"]', '[tables.dm]\nkey = ["NAME", "BORN"]')
    for privacy in (MOVED, CAPPED, '[privacy]\ndrop = ["dm.NAME"]\n'):
        with pytest.raises(MappingError, match=r"tables\.dm\.key: .* say hash_keys = true"):
            loaded(text + privacy)
    assert loaded(text + MOVED + "hash_keys = true\n")


@pytest.mark.parametrize(
    "field", ['notes = ["SECRET"]', 'key = ["SECRET_NO"]', "where = \"SECRET == 'x'\"", 'unless = "Secret"']
)
def test_a_dropped_column_is_read_nowhere(field: str) -> None:
    rule = LAB.replace('key = ["SAMPLE", "TEST"]\n', "")
    assert "[privacy] drops it; take it out here or from `drop`" in refusal(DROPPED, field + "\n", rule)


def test_nor_by_conditions_and_derived_columns_of_its_table() -> None:
    for more in ("where = \"SECRET == 'x'\"", 'derive = { X = "SECRET" }'):
        text = FRAME.replace("derive = {", "# {").replace(
            '[tables.lb]\nkey = ["ID"]', f'[tables.lb]\nkey = ["ID"]\n{more}'
        )
        with pytest.raises(MappingError, match=r"tables\.lb.*drops it"):
            loaded(text + LAB + DROPPED)


def test_what_only_headers_show_is_refused_with_the_tables() -> None:
    mapping = loaded(FRAME.replace('[tables.dm]\nkey = ["ID"]', '[tables.dm]\nkey = ["#1"]') + HASHED + "[[problem]]\n"
                     'name = "mh"\ntable = "dm"\nkey = ["NO"]\nconcept = "TERM"\nnotes = ["PATIENT"]\n')  # fmt: skip
    row = {"PATIENT": "1", "SEX": "F", "BORN": "", "INSURANCE": "", "NO": "", "TERM": ""}
    lab = {"ID": "1", "VISIT": "1", "DAY": ""}
    with pytest.raises(MappingError, match=r"t\.toml:\d+: mh: it reads the column 'PATIENT' of table 'dm'"):
        planned(mapping, {"dm": [row], "lb": [lab], "samples": [{"VISIT_ID": "1"}]}, {})


def test_wide_rules_pass_over_columns_that_are_hidden() -> None:
    wide = '[[measurement]]\nname = "all"\ntable = "dm"\nvalue = "{column}"\ntext = { const = "{column}" }\n'
    mapping = loaded(FRAME + HASHED + 'drop = ["NAME"]\n' + wide + 'each = { columns = ["*"] }\n')
    row = {"ID": "1", "SEX": "F", "BORN": "", "INSURANCE": "7", "NAME": "Doe", "CK": "5"}
    plan = planned(
        mapping, {"dm": [row], "lb": [{"ID": "1", "VISIT": "1", "DAY": ""}], "samples": [{"VISIT_ID": "1"}]}, {}
    )
    assert [step.entry for step in plan.steps if step.name == "all"] == ["SEX", "BORN", "CK"]


@pytest.mark.parametrize("name", [*shipped()])
@pytest.mark.parametrize("privacy", [HASHED, MOVED, HASHED + "age_cap = 89\n"])
def test_the_mappings_that_come_with_casefhir_can_hide(name: str, privacy: str) -> None:
    from tests.sources.tables.tables import loaded as load

    text = shipped()[name].read_text()
    if "[privacy]" in text:
        text, privacy = text.replace("[privacy]\n", privacy, 1), ""
    assert load(
        text + privacy, head="", files={each.name: each.read_text() for each in shipped()[name].parent.glob("*.csv")}
    )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("STOP == '' ? 'on' : 'off'", {"STOP": True}),
        ("STOP == '' ? '' : STOP", {"STOP": False}),
        ("row['a b'] != '' || '' == B ? 'x' : C", {"a b": True, "B": True, "C": False}),
        ("ID.matches('^A') ? 'x' : ''", {"ID": True}),
        ("A in ['ID', 'B'] ? 'x' : 'ID'", {"A": True}),
        ("size(row) > 3 ? 'x' : ''", {"row": False}),
        ("ID.substring(0, 2)", {"ID": False}),
    ],
)  # fmt: skip
def test_what_an_expression_reads_and_what_it_only_compares(text: str, read: dict[str, bool]) -> None:
    assert named_in(text) == read


@pytest.mark.parametrize("pattern", ["skip*", "rej*", "is?", "*loinc*", "*urn*"])
def test_words_of_the_mapping_are_no_columns_that_could_be_dropped(pattern: str) -> None:
    rule = (
        LAB.replace('when = "DAY"', 'when = { date = "DAY", dates = ["iso"] }')
        + 'blank = "skip"\ncodes = [{ system = "http://loinc.org", code = "LOINCNO?" }]\n'
    ).replace("LOINCNO", "CODE")
    loaded(FRAME + rule + f'[privacy]\ndrop = ["{pattern}"]\n')
