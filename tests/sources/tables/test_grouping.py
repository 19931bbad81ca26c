"""Rows by person: all of one key together, whatever the order, and the same however they were brought together."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefhir.sources.tables import grouping
from casefhir.sources.tables.files import open_tables
from casefhir.sources.tables.grouping import keyed, persons
from casefhir.sources.tables.rows import TableError
from tests.sources.tables.test_readers import Spec

KEYS = st.lists(st.sampled_from(["1", "2", "10", "9", "P-1", "ä", "Z"]), min_size=1, max_size=40)


def table(folder, name, keys):
    (folder / f"{name}.csv").write_text("id,v\n" + "".join(f"{key},{place}\n" for place, key in enumerate(keys)))


def grouped(folder, names, columns=("id",)):
    opened = open_tables([folder], {name: Spec() for name in names})
    faults = []
    tables = [keyed(name, opened.tables[name], columns) for name in names]
    found = list(persons(tables, lambda *told: faults.append(told)))
    return [(each.key, each.rows) for each in found], faults


@settings(deadline=None, max_examples=25)
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


@settings(deadline=None, max_examples=15)
@given(KEYS, KEYS)
def test_sorting_on_disk_gives_what_sorting_in_memory_gives(tmp_path_factory, left, right):
    folder = tmp_path_factory.mktemp("rows")
    table(folder, "a", left)
    table(folder, "b", right)
    in_memory = grouped(folder, ["a", "b"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "IN_MEMORY", 0)
        assert grouped(folder, ["a", "b"]) == in_memory


@pytest.mark.parametrize("keys", [["1", "2", "9", "10", "11"], ["1", "10", "11", "2", "9"], ["P1", "P10", "P2"]])
def test_sorted_tables_keep_their_order_and_stream(tmp_path, keys):
    table(tmp_path, "a", [key for key in keys for _ in range(3)])
    table(tmp_path, "b", keys[1:])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "_sorted_on_disk", None)
        patch.setattr(grouping, "IN_MEMORY", -1)
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
