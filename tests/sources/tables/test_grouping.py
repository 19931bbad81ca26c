"""Rows by person: all of one key together, whatever the order, and the same however they were brought together."""

import csv
import os
import random
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casefhir.sources.tables import grouping, sorting
from casefhir.sources.tables import keys as keyed_tables
from casefhir.sources.tables.files import open_tables
from casefhir.sources.tables.grouping import persons
from casefhir.sources.tables.inputs import Inputs
from casefhir.sources.tables.looking import looked_through
from casefhir.sources.tables.readers import text
from casefhir.sources.tables.rows import Start, TableError
from tests.sources.tables.test_readers import Spec
from tests.thorough import examples

KEYS = st.lists(st.sampled_from(["1", "2", "10", "9", "P-1", "ä", "Z"]), min_size=1, max_size=40)


def table(folder, name, keys):
    (folder / f"{name}.csv").write_text("id,v\n" + "".join(f"{key},{place}\n" for place, key in enumerate(keys)))


def grouped(folder, names, columns=("id",)):
    opened = open_tables(Inputs([folder]), {name: Spec() for name in names})
    faults = []
    tables = [keyed(name, opened.tables[name], columns) for name in names]
    found = list(persons(tables, lambda *told: faults.append(told)))
    return [(each.key, each.rows) for each in found], faults


def keyed(*asked):
    """A table with its key columns, looked through."""
    return looked_through([keyed_tables.keyed(*asked)])[0]


@contextmanager
def small_pieces(marked=2, piece=3):
    with pytest.MonkeyPatch.context() as patch:
        for module in (text, keyed_tables, sorting):
            patch.setattr(module, "MARKED", marked)
        patch.setattr(grouping, "PIECE", piece)
        yield


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252", "gb18030"]
ROWS = st.lists(
    st.tuples(st.sampled_from(["", "1", "2", "3", "4", "ragged 2", "ragged"]), st.sampled_from(["x", "ä", "a\nb", ""])),
    max_size=30,
)


@examples(150)
@given(
    rows=st.lists(ROWS, min_size=2, max_size=2),
    encoding=st.sampled_from(ENCODINGS),
    marked=st.integers(1, 4),
    piece=st.integers(1, 6),
    ordered=st.booleans(),
)
@example(rows=[[("3", "x")], [("ragged 2", "x"), ("ragged", "x")]], encoding="utf-8", marked=1, piece=1, ordered=False)
def test_pieces_together_are_the_whole_each_row_and_each_fault_once(
    tmp_path_factory, rows, encoding, marked, piece, ordered
):
    folder = tmp_path_factory.mktemp("rows")
    told = Counter()
    for name, listed in zip("ab", rows):
        if ordered:
            listed = sorted(listed, key=lambda row: row[0].removeprefix("ragged "))
        with (folder / f"{name}.csv").open("w", encoding=encoding, newline="") as stream:
            write = csv.writer(stream).writerow
            write(["id", "v"])
            for key, cell in listed:
                write([key.removeprefix("ragged "), cell, "more"] if key.startswith("ragged") else [key, cell])
                told[name] += 1
    opened = open_tables(Inputs([folder]), {name: Spec(encoding=encoding) for name in "ab"})
    with small_pieces(marked, piece):
        tables = [keyed(name, opened.tables[name], ["id"]) for name in "ab"]
        faults: list = []
        with grouping.grouping(tables) as (grouped, pieces):
            # any process, in any order
            read = {
                place: list(grouped.persons(pieces[place], lambda *told: faults.append(told)))
                for place in reversed(range(len(pieces)))
            }
        found = [each for place in range(len(pieces)) for each in read[place]]
    whole = list(persons(tables, lambda *_: None))
    assert [(each.key, each.rows, each.broken) for each in found] == [
        (each.key, each.rows, each.broken) for each in whole
    ]
    assert len({each.key for each in found}) == len(found)
    seen = Counter(name for name, *_ in faults)
    for each in found:
        seen.update({name: len(listed) for name, listed in each.rows.items()})
        seen.update(name for name, _, _ in each.broken)
    assert seen == told
    assert len({(name, number) for name, number, *_ in faults}) == len(faults)


def test_sorted_text_is_cut_into_pieces_that_begin_near_their_rows(tmp_path):
    table(tmp_path, "a", [f"{place // 5:03}" for place in range(500)])
    opened = open_tables(Inputs([tmp_path]), {"a": Spec()})
    with small_pieces(10, 50), grouping.grouping([keyed("a", opened.tables["a"], ["id"])]) as (_, pieces):
        assert len(pieces) == 10
        for piece in pieces[1:]:
            first = 5 * int(piece.low[1]) + 2  # the line, below a header
            assert first - 20 <= piece.starts["a"].number < first


def test_a_table_may_lie_in_several_files(tmp_path):
    for part in range(3):
        table(tmp_path, f"a{part}", [f"{part}{place:02}" for place in range(30)])
    opened = open_tables(Inputs([tmp_path]), {"a": Spec(files=["a*"])})
    with small_pieces(4, 10):
        tables = [keyed("a", opened.tables["a"], ["id"])]
        with grouping.grouping(tables) as (grouped, pieces):
            found = [each for piece in pieces for each in grouped.persons(piece, pytest.fail)]
    assert len(pieces) > 6
    assert [key for (key,) in (each.key for each in found)] == [f"{part}{n:02}" for part in range(3) for n in range(30)]
    assert [tables[0].table.sheet.place(each.rows["a"][0][0]) for each in found][29:31] == [
        ("a0.csv", 31),
        ("a1.csv", 2),
    ]


def test_marks_grow_sparse_instead_of_many(monkeypatch):
    monkeypatch.setattr(keyed_tables, "_MOST_MARKS", 8)
    marks = keyed_tables.Marks()
    for place in range(1000):
        marks.place(Start(place, place))
        marks.key(f"{place:04}")
    assert len(marks.found) < 8
    gaps = {int(after[0]) - int(before[0]) for before, after in pairwise(marks.found)}
    assert {gap * keyed_tables.MARKED for gap in gaps} == {marks.spacing}


@examples(25)
@given(KEYS, KEYS)
def test_every_row_comes_once_with_its_person(tmp_path_factory, left, right):
    folder = tmp_path_factory.mktemp("rows")
    table(folder, "a", left)
    table(folder, "b", right)
    found, faults = grouped(folder, ["a", "b"])
    assert not faults
    keys = [key for (key,), _ in found]
    assert len(keys) == len(set(keys))
    for (key,), rows in found:
        for name, source in (("a", left), ("b", right)):
            assert [row for _, row in rows.get(name, [])] == [
                (each, str(place)) for place, each in enumerate(source) if each == key
            ]


@examples(15)
@given(KEYS, KEYS)
def test_sorting_on_disk_gives_what_sorting_in_memory_gives(tmp_path_factory, left, right):
    folder = tmp_path_factory.mktemp("rows")
    table(folder, "a", left)
    table(folder, "b", right)
    in_memory = grouped(folder, ["a", "b"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyed_tables, "IN_MEMORY", 0)
        assert grouped(folder, ["a", "b"]) == in_memory


@pytest.mark.parametrize("keys", [["1", "2", "9", "10", "11"], ["1", "10", "11", "2", "9"], ["P1", "P10", "P2"]])
def test_sorted_tables_keep_their_order_and_stream(tmp_path, keys):
    table(tmp_path, "a", [key for key in keys for _ in range(3)])
    table(tmp_path, "b", keys[1:])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "sorted_on_disk", None)
        patch.setattr(keyed_tables, "IN_MEMORY", -1)
        assert [key for (key,), _ in grouped(tmp_path, ["a", "b"])[0]] == keys


def test_a_row_without_a_key_is_told(tmp_path):
    (tmp_path / "a.csv").write_text("id,v\n1,a\n ,b\n2,c\n")
    found, faults = grouped(tmp_path, ["a"])
    assert [key for (key,), _ in found] == ["1", "2"]
    assert [(name, number) for name, number, _, _ in faults] == [("a", 3)]


def test_keys_of_several_columns_do_not_run_together(tmp_path):
    (tmp_path / "a.csv").write_text("site,id,v\n1,12,a\n11,2,b\n")
    assert [key for key, _ in grouped(tmp_path, ["a"], ("site", "id"))[0]] == [("1", "12"), ("11", "2")]


def test_a_key_column_that_is_not_there_is_named(tmp_path):
    table(tmp_path, "a", ["1"])
    with pytest.raises(TableError, match="'person'"):
        grouped(tmp_path, ["a"], ("person",))


def test_order_of_rows_does_not_matter_for_who_is_who(tmp_path):
    keys = [str(each) for each in range(50) for _ in range(3)]
    table(tmp_path, "a", keys)
    ordered = {key: len(rows["a"]) for key, rows in grouped(tmp_path, ["a"])[0]}
    random.Random(1).shuffle(keys)
    table(tmp_path, "a", keys)
    assert {key: len(rows["a"]) for key, rows in grouped(tmp_path, ["a"])[0]} == ordered


def test_what_a_killed_process_left_is_taken_out_and_what_another_sorts_is_not(tmp_path):
    old = tmp_path / "casefhir-sort-old"
    old.mkdir()
    (old / "0.lines").write_text("[]")
    with sorting.sorting_folder(tmp_path) as running:
        (running / "0.lines").write_text("[]")
        for each in (old, running):
            os.utime(each, (0, 0))
        with sorting.sorting_folder(tmp_path) as new:
            assert sorted(tmp_path.iterdir()) == sorted([running, new])
    assert not list(tmp_path.iterdir())


FULL = """
import resource, sys
from pathlib import Path
from casefhir.sources.tables import keys, looking
from casefhir.sources.tables.files import open_tables
from casefhir.sources.tables.grouping import grouping
from casefhir.sources.tables.inputs import Inputs
from casefhir.sources.tables.mapping import Table

folder = Path(sys.argv[1])
keys.IN_MEMORY = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))  # to a file that grows, a full disk looks like that
keyed = keys.keyed("a", open_tables(Inputs([folder]), {"a": Table()}).tables["a"], ["id"])
with grouping(looking.looked_through([keyed]), scratch=folder):
    pass
"""


@pytest.mark.parametrize("in_memory", [0, 100_000])
@pytest.mark.thorough
def test_a_disk_that_is_too_small_for_sorting_is_told(tmp_path, in_memory):
    table(tmp_path, "a", [str(each) for each in range(20_000, 0, -1)])
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), str(in_memory)], capture_output=True, text=True, check=False
    )
    assert "TMPDIR" in done.stderr
    assert "cannot be sorted there" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
