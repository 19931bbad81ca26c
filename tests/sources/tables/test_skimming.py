"""Keys looked through are those of the rows read, and lead to places from which the same rows are read on."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casefhir.sources.tables import looking
from casefhir.sources.tables.files import open_tables
from casefhir.sources.tables.inputs import Inputs
from casefhir.sources.tables.keys import Span, keyed
from casefhir.sources.tables.looking import looked_through
from casefhir.sources.tables.readers import skimming, text
from casefhir.sources.tables.rows import TableError
from tests.sources.tables.test_readers import Spec
from tests.thorough import examples

ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "iso8859-15", "utf-16", "gb18030"]
PIECES = st.sampled_from(
    ["1", "22", "ä", ",", ",", ",", "\n", "\n", "\r\n", "\r", '"', '""', '"a\nb"', '"c,d",', " ", "\0", "\x1f"]
)


def opened(folder, content, encoding, columns=("id", "v", "w")):
    (folder / "a.csv").write_text(",".join(columns) + "\n" + content, encoding=encoding, newline="")
    table = open_tables(Inputs([folder]), {"a": Spec(encoding=encoding, delimiter=",")}).tables["a"]
    return keyed("a", table, [columns[0], columns[2]][: 1 + ("2" in content)])


def read(table, **how):
    """The rows with their keys and numbers; the error in their place, where they cannot be read."""
    try:
        return [(key, number, tuple(row)) for key, number, row in table.read(**how)]
    except TableError as error:
        return str(error)


@examples(300)
@given(st.lists(PIECES, max_size=40).map("".join), st.sampled_from(ENCODINGS), st.integers(1, 4))
@example('1,x,\n2,"a\n\n', "utf-8", 1)
@example("1,x,\r2,y,\r\n3,z,\r", "cp1252", 2)
@example('1,x,\n2,"a\nb",\n3,z,\n"4",z,', "utf-8-sig", 2)
def test_the_keys_are_those_of_the_rows_read_and_each_mark_leads_to_its_row(
    tmp_path_factory, content, encoding, marked
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "MARKED", marked)
        folder = tmp_path_factory.mktemp("rows")
        try:
            table = opened(folder, content, encoding)
        except TableError:
            return  # it has no header
        rows = read(table)
        if isinstance(rows, str):
            with pytest.raises(TableError, match=re.escape(rows)):
                looked_through([table])
            return
        found, marks = [], []
        for start, keys in table.keys(Span(0, 0)):
            if start is not None:
                marks.append((start, len(found)))
            found += keys
        assert [key for key in found if key] == [key for key, _, _ in rows if key]
        for start, before in marks:
            assert read(table, start=start) == [each for each in rows if each[1] >= start.number]
            rest = [key for key in found[before:] if key]
            assert rest == [key for key, number, _ in rows if key and number >= start.number]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('1,"a,\n2,b,\n', "A quoted cell is not closed"),
        ('1,"a"b,\n2,b,\n', "between a closing quote and the next delimiter"),
        (f"1,{'x' * (1 << 20)}x,\n", "longer than"),
        ("1,b,\n" + "x" * (16 << 20), "line 3: The line is longer than 16,777,216 characters"),
    ],
)
def test_what_cannot_be_read_is_told_as_the_reader_tells_it(tmp_path, encoding, content, said):
    with pytest.raises(TableError, match=said):
        looked_through([opened(tmp_path, content, encoding)])


def test_bytes_that_are_not_of_the_encoding_are_told_with_their_line(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"id,v\n" + b"1,x\n" * 99_999 + b"1,\xff\n")
    table = open_tables(Inputs([tmp_path]), {"a": Spec(encoding="utf-8")}).tables["a"]
    with pytest.raises(TableError, match=r"a.csv, after line \d+: The bytes are not utf-8"):
        looked_through([keyed("a", table, ["id"])])


def test_columns_of_ours_between_others_are_not_skimmed(tmp_path):
    (tmp_path / "a.csv").write_text("casefhir_row,id\n7,1\n")
    table = open_tables(Inputs([tmp_path]), {"a": Spec()}).tables["a"]
    assert not skimming.can_be_skimmed(table.parts[0])
    assert list(keyed("a", table, ["id"]).keys(Span(0, 0)))[-1][1] == ["1"]


@examples(60)
@given(
    st.lists(st.sampled_from(["", "1", "2", "10", "ä"]), max_size=40),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    st.integers(1, 40),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_what_is_seen_does_not_depend_on_how_much_is_looked_at_together(
    tmp_path_factory, keys, encoding, span, end, ordered
):
    """But for the marks: there are more of them where the spans end, each as good as the others."""
    keys = sorted(keys) if ordered else keys
    content = "".join(f"{key},{'x' * place},{end}" for place, key in enumerate(keys))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "MARKED", 3)
        table = opened(tmp_path_factory.mktemp("rows"), content.replace("2", "3"), encoding)
        (whole,) = looked_through([table])
        patch.setattr(looking, "SPAN", span)
        (parted,) = looked_through([table])
    assert (parted.orders, parted.count) == (whole.orders, whole.count)
    rows = read(table)
    for key, start in parted.marks.found:
        rest = read(table, start=start)
        assert rest == [each for each in rows if each[1] >= start.number]
        assert next(each[0] for each in rest if each[0]) == key


def test_several_processes_see_what_one_sees(tmp_path, monkeypatch):
    monkeypatch.setattr(looking, "SPAN", 100)
    table = opened(tmp_path, "".join(f"{each // 3},{each},w\n" for each in range(1000, 2000)), "utf-8")
    (one,), (three,) = looked_through([table]), looked_through([table], jobs=3)
    assert len(one.marks.found) > 50
    assert (one.orders, one.count, one.marks.found) == (three.orders, three.count, three.marks.found)


def test_an_error_in_a_later_part_is_told_with_its_line_in_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(looking, "SPAN", 1000)
    table = opened(tmp_path, "1,x,\n" * 2000 + f"1,{'x' * (1 << 20)}x,\n", "utf-8")
    with pytest.raises(TableError, match="line 2002: A cell is longer"):
        looked_through([table])
