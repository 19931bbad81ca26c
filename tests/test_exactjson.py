"""JSON keeps every digit and key, and refuses what it cannot keep."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.exactjson import UnreadableJson, UnwritableJson, read, write

from .conftest import ROOT

decimals = st.decimals(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | decimals | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner)
    ),
    max_leaves=8,
)
SUITE = ROOT.parent / "shared" / "suites" / "json" / "test_parsing"


@given(values)
def test_what_is_written_is_read_back_with_every_digit(value: Any) -> None:
    for indent in (False, True):
        data = write(value, indent=indent)
        assert repr(read(data)) == repr(read(write(read(data))))
        if not isinstance(value, Decimal):
            assert read(data) == value


@pytest.mark.parametrize(
    "text", ["4.0", "0.010", "1E+3", "1e3", "22.70", "-0.0", "0.1000000000000000055511151231257827"]
)
def test_digits_survive(text: str) -> None:
    value = read(f"[{text}]".encode())
    assert Decimal(text) == value[0]
    assert write(value) == f"[{Decimal(text)}]".encode()


@pytest.mark.parametrize(
    "value", [0.1 + 0.2, float("nan"), Decimal("NaN"), Decimal("Infinity"), dt.date(2003, 1, 1), {1: 2}]
)
def test_what_would_lose_something_is_not_written(value: Any) -> None:
    with pytest.raises(UnwritableJson):
        write({"a": value} if not isinstance(value, dict) else value)


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(UnwritableJson):
        write({"a": "\ud800"})


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', "[NaN]", "[Infinity]", "[1,]", "", "[" * 100_000, "9" * 5000, "\ufeff{}"]
)
def test_what_is_no_json_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UnreadableJson):
        read(text.encode())


@pytest.mark.documents
@pytest.mark.parametrize("path", sorted(SUITE.glob("[yn]_*.json")), ids=lambda path: path.stem)
def test_the_public_parsing_suite(path: Any) -> None:
    data = path.read_bytes()
    if path.name.startswith("y_") and "duplicated_key" not in path.name:
        json.loads(data)
        read(data)
    else:
        with pytest.raises(UnreadableJson):
            read(data)
