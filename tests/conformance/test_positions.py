"""Places: every pointer is found at its bytes, lines and columns are those an editor shows, memory is the answer's."""

import json
import tracemalloc

import orjson
from hypothesis import given
from hypothesis import strategies as some

from casefhir.conformance import validate
from casefhir.conformance.positions import places, repeated_keys, spans

WORDS = some.text() | some.sampled_from(['"', "\\", '\\"', "a/b~c", "é\n", "日本"])
JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53), 2**53) | WORDS,
    lambda inner: some.lists(inner) | some.dictionaries(WORDS, inner),
    max_leaves=20,
)


def walk(value, at=""):
    yield at, value
    if isinstance(value, dict):
        for key, each in value.items():
            yield from walk(each, f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from walk(each, f"{at}/{number}")


@given(JSON, some.booleans(), some.booleans(), some.data())
def test_what_stands_at_the_span_of_a_pointer_is_its_value(value, indented, bom, data):
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 if indented else 0)
    text = (b"\xef\xbb\xbf" if bom else b"") + text
    everything = dict(walk(value))
    asked = data.draw(some.lists(some.sampled_from(sorted(everything)), max_size=5))
    found = spans(text, asked)
    assert set(asked) <= set(found)
    for pointer, span in found.items():
        assert json.loads(text[span.start : span.end]) == everything[pointer]
        key = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        if span.key != span.start:
            assert json.loads(text[span.key : span.start].rstrip(b" \n:")) == key


@given(JSON)
def test_line_and_column_are_those_of_the_text(value):
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    found = spans(text, [pointer for pointer, _ in walk(value)])
    for start, place in places(text, [(each.start, each.end) for each in found.values()]).items():
        before = text[:start].decode()
        assert place.line == before.count("\n") + 1
        assert place.column == len(before) - before.rfind("\n")
        shown = place.excerpt
        assert 0 <= shown.start < len(shown.text)
        assert 1 <= shown.width <= len(shown.text)
        assert shown.text[shown.start] == text[start:].decode()[0]


def test_an_array_item_that_is_not_there_is_not_found():
    assert set(spans(b'{"a": [1, 2]}', ["/a/7", "/a/1", "/b/c"])) == {"", "/a", "/a/1"}


def test_of_a_repeated_key_the_last_is_meant():
    text = b'{"a": 1, "a": 2}'
    assert text[spans(text, ["/a"])["/a"].start :] == b"2}"
    assert [(pointer, text[start:end]) for pointer, _, start, end in repeated_keys(text)] == [("/a", b'"a"')]


@given(JSON)
def test_what_has_no_repeated_key_shows_none(value):
    assert not list(repeated_keys(orjson.dumps([value, value])))


def test_findings_have_line_column_offset_and_excerpt():
    data = '{"resourceType": "Patient",\n "language": "é", "gender": "bananas"}'.encode()
    (one,) = [each for each in validate(data).findings if each.pointer == "/gender"]
    assert (one.line, one.column) == (2, 29)
    assert data[one.offset :].startswith(b'"bananas"')
    assert one.excerpt.text[one.excerpt.start :][: one.excerpt.width] == '"bananas"'


def test_an_unknown_element_is_shown_at_its_key():
    data = b'{"resourceType": "Patient", "bananas":    3}'
    (one,) = [each for each in validate(data).findings if each.rule == "structure.unknown-element"]
    assert data[one.offset :].startswith(b'"bananas"')


def test_a_place_in_a_long_text_costs_no_more_than_the_text():
    data = b'{"resourceType": "Patient", "x": "' + b"a\\n" * 1_000_000 + b'", "gender": "q"}'
    tracemalloc.start()
    spans(data, ["/gender"])
    repeated = list(repeated_keys(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not repeated
    assert peak < 20_000_000


def test_what_is_wrong_in_an_extension_of_a_primitive_is_found_there():
    data = b'{"resourceType": "Patient", "birthDate": "1970", "_birthDate": {"extension": [{"url": "a b"}]}}'
    found = [each for each in validate(data, layers={"structure"}).findings if each.pointer.endswith("/url")]
    assert {each.pointer for each in found} == {"/_birthDate/extension/0/url"}
    assert all(data[each.offset :].startswith(b'"a b"') for each in found)
