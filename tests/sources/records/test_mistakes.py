"""Whatever is wrong with a record file is told with file, line, column, what, and how to mend it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir import library
from casefhir.sources.records.nodes import RecordFileError
from casefhir.sources.records.read import load_record, read_record
from tests.thorough import examples

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = library.load_case(ROOT / "examples" / "example_azathioprine_dermatomyositis.py").case
RECORD = """\
key: one
title: A case
article:
  title: An article
  sha256: 2be037322b3c75c56dd3044bcdc0f3faf65ae5a710fa921a5d76617f425e2358
  sha1: 60a4cd68959be0815276507bb47fe7a134da8a19
  size: 1176
  characters: 1176
person:
  sex: female
  source: {offset: 46, length: 34, quote: 47-year-old woman of Andean origin}
facts:
- type: Measurement
  key: ck-onset
  concept: ck
  value: 3260 UI/l
  source: {offset: 120, length: 20, quote: CK … 3260 UI/l}
  when: {type: On, date: 2012-03, source: {offset: 248, length: 10, quote: March 2012}}
sections: []
recorded: 2026-11-22T00:00:00Z
"""


def mistakes(text: str | bytes, name: str = "r.yaml") -> list[str]:
    with pytest.raises(RecordFileError) as caught:
        read_record(text.encode() if isinstance(text, str) else text, name)
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def test_the_record_is_one() -> None:
    mapping = read_record(RECORD.encode(), "r.yaml")
    assert mapping.line_of("ck-onset") == 13
    assert mapping.line_at("ck-onset", 248, 10) == 18
    assert mapping.article_line == 4


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        # of shape
        (
            "sex: female",
            "sex: Female",
            "10:8",
            "'Female' is none of 'female', 'male', 'other' or 'unknown'. Did you mean",
        ),
        ("concept: ck", "concpt: ck", "15:3", "ck-onset: There is no field 'concpt' here. Did you mean concept?"),
        ("  concept: ck\n", "", "13:3", "ck-onset: concept is missing."),
        ("size: 1176", "size: many", "7:9", "article, size: It should be a whole number without quotes, not text."),
        ("size: 1176", "size: '1176'", "7:9", "whole number without quotes"),
        ("size: 1176", "size: 1_176", "7:9", "whole number"),
        ("size: 1176", "size: 1176.0", "7:9", "whole number"),
        ("type: Measurement", "type: Measurment", "13:3", "none of 'Problem', 'Course', 'Measurement'"),
        ("- type: Measurement\n  key", "- key", "13:3", "Which kind it is, is missing: add type"),
        ("type: On, ", "", "18:9", "ck-onset, when: Which kind it is, is missing"),
        ("sections: []", "sections: none", "19:11", "sections: It should be a list, not text."),
        (
            "{offset: 46, length: 34, quote: 47-year-old woman of Andean origin}",
            "here",
            "11:11",
            "person, source: It should be an object or a list, not text.",
        ),
        ("key: one", "key: [one]", "1:6", "key: It should be text, not a list."),
        ("key: one", "key:", "1:5", "key: It should be text, not nothing (null)."),
        # of the record's own rules
        ("date: 2012-03", "date: 2012-13", "18:9", "ck-onset, when: '2012-13' is not a date"),
        ("quote: March 2012", "quote: ' March 2012'", "18:43", "blanks at its ends"),
        ("key: one", "key: One", "1:1", "other characters than a-z"),
        ("recorded: 2026-11-22T00:00:00Z", "recorded: 2026-11-22", "1:1", "`recorded` is an instant"),
        # of check
        ("concept: ck", "concept: ckk", "13:3", "Did you mean ck"),
        ("3260 UI/l", "3,260 UI/l", "13:3", "without thousands separators"),
        ("characters: 1176", "characters: 100", "13:3", "ends after the document"),
        # of YAML
        ("title: A case", "title: A case\nkey: two", "3:1", "The key 'key' stands here again; it is on line 1"),
        (
            "title: A case",
            "title: !!python/object/apply:os.system [ls]",
            "2:8",
            "python/object/apply:os.system is not read",
        ),
        ("title: A case", "title: !x A case", "2:8", "The tag !x is not read"),
        ("title: A case", "title: *nowhere", "2:8", "has no finished anchor"),
        ("title: A case", "title: &a [*a]", "2:12", "has no finished anchor"),
        ("title: A case", "<<: {title: A case}", "2:1", "Merge keys (<<) are not read."),
        ("title: A case", "? [a]\n: b", "2:3", "A key is plain text"),
        ("title: A case", "title: A: case", "2:9", "Not YAML: mapping values are not allowed here"),
        ("title: A case", "title: 'A case", "21:1", "found unexpected end of stream."),
        ("title: A case", "title:\tA\tcase\n\tb: c", "2:7", "Not YAML"),
        ("title: A case", "title: A\x07case", "2:9", "Not YAML: the character \\U00000007."),
        ("title: A case", "title: A\u2028case", "2:9", "U+2028 is a line break to some YAML readers."),
        ("recorded:", "---\nrecorded:", "20:1", "A second document starts here."),
    ],
)
def test_each_mistake_has_its_place(old: str, new: str, place: str, said: str) -> None:
    assert RECORD.count(old) >= 1
    lines = mistakes(RECORD.replace(old, new, 1))
    assert any(line.startswith(f"r.yaml:{place}: ") and said in line for line in lines), lines


def test_all_mistakes_are_told_at_once_in_order() -> None:
    lines = mistakes(
        RECORD.replace("female", "f").replace("size: 1176", "size: x").replace("concept: ck", "concpt: ck")
    )
    assert [each.split(":")[1] for each in lines] == ["7", "10", "13", "15"]


def test_scalars_stay_text() -> None:
    text = RECORD.replace("value: 3260 UI/l", "value: no").replace("title: A case", "title: 4.0")
    case = read_record(text.encode(), "r.yaml").case
    assert case.title == "4.0"
    assert case.by_key["ck-onset"].value == "no"  # type: ignore[union-attr]


def test_an_alias_stands_for_what_it_names() -> None:
    text = RECORD.replace("source: {offset: 120", "source: &here {offset: 120").replace(
        "when: {", "notes: [{text: x, source: *here}]\n  when: {"
    )
    fact = read_record(text.encode(), "r.yaml").case.by_key["ck-onset"]
    assert fact.notes[0].source == fact.source  # type: ignore[union-attr]


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 20)]
    (line,) = mistakes("\n".join(["l0: &l0 [x]", *levels]))
    assert re.match(r"r\.yaml:\d+:\d+: With its aliases the file has more than", line)


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000])
def test_deep_nesting_is_refused(text: str) -> None:
    (line,) = mistakes(text)
    assert "nested more than 30 levels" in line


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", "1:1", "The file is empty"),
        ('{"key": "a",\n "key": "b"}', "2:2", "The key 'key' stands here again; it is on line 1 already."),
        ('{"key": 4.0}', "1:9", 'key: It should be text, not a number. Put it in quotes to keep its digits: "4.0".'),
        ('{"key": NaN}', "1:9", "Not JSON: 'NaN}' cannot stand here."),
        ('{"key": "a",}', "1:13", "Not JSON: '}' cannot stand here."),
        ('{"key": "a"', "1:12", "Not JSON: its end cannot stand here."),
        ('{"key": 01}', "1:10", "Not JSON"),
        ('{"key": "\\ud800"}', "1:9", "half of a character"),
        ('{"key": "a\tb"}', "1:9", "Not JSON"),
        ("[" * 9_000 + "]" * 9_000, "1:31", "nested more than 30 levels"),
        ('{"resourceType": "Bundle"}', "1:2", "There is no field 'resourceType' here."),
    ],
)
def test_json_is_read_as_strictly(text: str, place: str, said: str) -> None:
    lines = mistakes(text, "r.json")
    assert any(line.startswith(f"r.json:{place}: ") and said in line for line in lines), lines


def test_other_encodings_and_sizes_are_refused() -> None:
    assert mistakes(b"key: \xff")[0] == "r.yaml:1:6: Byte 5 is not UTF-8. Save the file as UTF-8."
    assert "at most" in mistakes(b" " * (32 * 1024 * 1024 + 1))[0]
    assert read_record(b"\xef\xbb\xbf" + RECORD.encode(), "r.yaml").case.key == "one"


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordFileError, match="cannot be read: No such file"):
        load_record(tmp_path / "none.yaml")


@examples(300)
@given(st.text(max_size=200), st.sampled_from(["r.yaml", "r.json"]))
def test_any_text_is_read_or_refused_with_a_place(text: str, name: str) -> None:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return
    with pytest.raises(RecordFileError, match=rf"^{name}:\d+:\d+: "):
        read_record(data, name)


@examples(200)
@given(st.integers(0, len(RECORD) - 1), st.text(max_size=3))
def test_any_slip_of_the_hand_is_read_or_refused_with_a_place(at: int, slip: str) -> None:
    try:
        data = (RECORD[:at] + slip + RECORD[at + 1 :]).encode()
    except UnicodeEncodeError:
        return
    try:
        read_record(data, "r.yaml")
    except RecordFileError as error:
        assert all(each.place.line >= 1 and each.place.column >= 1 for each in error.mistakes)  # noqa: PT017
