"""A case written as YAML or JSON and read again is the same case, and becomes the same bytes."""

import dataclasses
import json
import string
import types
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import jsonschema
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from casefhir import library
from casefhir.fhir import Origin
from casefhir.fhir import convert as convert_case
from casefhir.record import Case, Fact, RecordError
from casefhir.sources.article.modules import Mapping
from casefhir.sources.records.json_file import read_json
from casefhir.sources.records.models import model_of, schema
from casefhir.sources.records.nodes import RecordFileError
from casefhir.sources.records.read import built, read_record
from casefhir.sources.records.write import as_data, to_json, to_yaml
from casefhir.sources.records.yaml_file import read_yaml
from tests.fhir.extracts import extract
from tests.thorough import examples

CASES = library.list_cases()
VALIDATOR = jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("mapping", CASES, ids=lambda each: each.case.key)
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_published_cases_become_the_same_bytes(mapping: Mapping, form: library.RecordForm) -> None:
    again = read_record(library.write_record(mapping.case, form), f"record.{form}")
    assert again.case == mapping.case
    origin = Origin(mapping.name, mapping.sha256, mapping.fact_lines)
    for shape in ("transaction", "document"):
        assert (
            convert_case(again.case, origin, form=shape).to_json()
            == convert_case(mapping.case, origin, form=shape).to_json()
        )


@pytest.mark.parametrize("mapping", CASES, ids=lambda each: each.case.key)
def test_published_cases_hold_to_the_schema(mapping: Mapping) -> None:
    assert not list(VALIDATOR.iter_errors(json.loads(to_json(mapping.case))))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert {"Measurement", "Course", "Relative", "Span"} <= set(schema()["$defs"])


# Any record: made from the dataclasses' own hints, so that a new field is tried too.

WORDS = st.one_of(
    st.sampled_from(
        ["no", "Off", "null", "~", "4.0", "0.10", "1e3", "012", "2003-11", "2012-05-04", "<<", "!", "- a", "a: b", "#x",
         "12:30:00", ".inf", "0x1F", "1_000", "=",
         "y", "…", "3 – 4", "'", '"', "\\", "[a]", "{a}", "&a", "*a", "%", "@"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)  # fmt: skip
KEYS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6)
DATES = st.sampled_from(["2003", "2003-11", "2003-11-04"])


def values(hint: Any, name: str) -> st.SearchStrategy[Any]:
    """Values of a field with that hint; names with rules of their own get values that keep them."""
    if name in ("date", "start", "end", "birth_date") and hint in (str, str | None):
        return DATES
    if name == "key":
        return KEYS
    if name == "recorded":
        return st.just("2026-11-22T00:00:00Z")
    if name == "quote":
        return WORDS.map(str.strip).filter(bool)
    if hint is str:
        return WORDS
    if hint is bool:
        return st.booleans()
    if hint is Decimal:
        return st.sampled_from(["0", "4.0", "-0.10", "12E+3", "1E-7"]).map(Decimal)
    if get_origin(hint) is dict:
        return st.dictionaries(WORDS, WORDS, max_size=2)
    if hint is int:
        return st.integers(1, 10**9)
    if hint is type(None):
        return st.none()
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of(*(values(each, name) for each in get_args(hint)))
    if get_origin(hint) is tuple:
        inside = get_args(hint)
        if inside[-1] is Ellipsis:
            return st.lists(st.deferred(lambda: values(inside[0], "")), max_size=2).map(tuple)
        return st.tuples(*(values(each, "") for each in inside))
    return parts(hint)


def parts(kind: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    fields = {each.name: values(hints[each.name], each.name) for each in dataclasses.fields(kind) if each.init}

    def make(given: dict[str, Any]) -> Any:
        try:
            return kind(**given)
        except RecordError:
            return None

    return st.fixed_dictionaries(fields).map(make).filter(lambda each: each is not None)


KINDS = get_args(Fact)
FACTS = st.lists(
    st.sampled_from(KINDS).flatmap(parts),
    min_size=1,
    max_size=2,
    unique_by=lambda each: each.key,
)
SLOW = examples(40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@SLOW
@given(FACTS, st.sampled_from(["yaml", "json"]))
def test_any_record_comes_back_equal(facts: list[Any], form: str) -> None:
    case = dataclasses.replace(CASES[0].case, facts=tuple(facts), left_out=())
    tree = read_yaml(to_yaml(case).decode()) if form == "yaml" else read_json(to_json(case).decode())
    again, mistakes = built(tree)
    assert not mistakes
    assert again == case


SMALL = as_data(dataclasses.replace(CASES[0].case, facts=CASES[0].case.facts[:6], left_out=()))
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=3),
    st.just([]), st.just({}), st.just([None]), st.just({"type": "On"}), st.just({"text": "x"}),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, part in inside for each in places(part, (*path, key)))]


PLACES = [each for each in places(SMALL) if each]


@examples(120)
@given(st.sampled_from(PLACES), st.sampled_from(["put", "drop", "add"]), JUNK)
def test_schema_and_reader_agree_on_what_is_a_record(path: tuple[Any, ...], way: str, junk: Any) -> None:
    """A record with something put, dropped or added anywhere is refused by both or by neither."""
    data = json.loads(json.dumps(SMALL))
    holder = data
    for step in path[:-1]:
        holder = holder[step]
    if way == "put":
        holder[path[-1]] = junk
    elif way == "drop":
        del holder[path[-1]]
    elif isinstance(holder, dict):
        holder["frobnicate"] = junk
    else:
        holder.append(junk)
    text = json.dumps(data)
    _, mistakes = built(read_json(text), shape_only=True)
    assert bool(mistakes) == (not VALIDATOR.is_valid(json.loads(text))), mistakes
    if mistakes:
        with pytest.raises(RecordFileError, match=r"^record\.json:1:\d+: "):
            read_record(text.encode(), "record.json")


def test_no_dataclass_has_a_field_called_as_the_mark_of_its_kind() -> None:
    assert all("type" not in each.__dataclass_fields__ for each in (Case, *KINDS))
    assert "type" in model_of(Case).model_json_schema()["$defs"]["Measurement"]["required"]


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_case_told_in_tables_comes_back_equal(form: library.RecordForm) -> None:
    case = extract()
    assert read_record(library.write_record(case, form), f"record.{form}").case == case
