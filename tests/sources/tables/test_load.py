"""Mapping files: read from TOML and YAML, with every mistake at its line and column."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml

from casefhir.sources.tables import positions
from casefhir.sources.tables.load import MappingError, load_mapping
from casefhir.sources.tables.mapping import json_schema

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "tables" / "registry.toml"


def altered(tmp_path: Path, before: str, after: str) -> Path:
    text = EXAMPLE.read_text()
    assert before in text
    path = tmp_path / "altered.toml"
    path.write_text(text.replace(before, after, 1))
    return path


def test_the_published_schema_is_that_of_the_model() -> None:
    published = json.loads((ROOT / "mappings" / "tables" / "mapping.schema.json").read_text())
    assert published == json_schema()


def test_every_key_of_the_schema_has_its_sentence() -> None:
    schema = json_schema()
    parts = {"the file": schema, **schema["$defs"]}
    bare = [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, one in part["properties"].items()
        if "description" not in one
    ]
    assert bare == []


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "mappings" / "tables").glob("*.toml")), EXAMPLE], ids=lambda path: path.stem
)
def test_mappings_that_load_are_valid_by_the_schema_for_editors(path: Path) -> None:
    faults = [*jsonschema.Draft202012Validator(json_schema()).iter_errors(tomllib.loads(path.read_text()))]
    assert [fault.message for fault in faults] == []


def test_the_schema_refuses_what_the_model_refuses() -> None:
    tree = tomllib.loads(EXAMPLE.read_text())
    tree["measurement"][0]["valeu"] = "CK"
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(tree)


def test_toml_and_yaml_are_the_same_tree(tmp_path: Path) -> None:
    path = tmp_path / "registry.yaml"
    path.write_text(yaml.safe_dump(tomllib.loads(EXAMPLE.read_text()), allow_unicode=True, sort_keys=False))
    assert load_mapping(path).mapping == load_mapping(EXAMPLE).mapping


@pytest.mark.parametrize(
    ("before", "after", "line_of", "said"),
    [
        ("sex = {", "sexx = {", "sexx", "person.sexx: no such key here. Did you mean sex?"),
        ('decimal = ","', 'decimal = ";"', "decimal", "Input should be '.' or ','"),
        ('{ name = "crp",', "{ name = 3,", "{ name = 3", '3 is not text; put it in quotes: "3"'),
        ('route = "Route"', 'rote = "Route"', "rote", "Did you mean route"),
        ('convert = "catalogue"', "convert = { too = 1 }", "convert", "convert.to: is missing"),
        ('key = ["Patient"]', 'key = "Patient"', "key", """'Patient' is not a list; write ["Patient"]."""),
        ('recorded = "2', 'recorded = "on 2', "recorded", "is not an instant; write it as 2026-01-01T00:00:00Z"),
        ('name = "event"', 'name = "drug"', None, "two rules are called 'drug'"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, before: str, after: str, line_of: str | None, said: str
) -> None:
    path = altered(tmp_path, before, after)
    with pytest.raises(MappingError) as found:
        load_mapping(path)
    message = str(found.value)
    assert said in message
    if line_of:
        line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if line_of in text)
        assert f"altered.toml:{line}:" in message


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = altered(tmp_path, 'decimal = ","', 'decimal = ";"\nwrong = 1')
    with pytest.raises(MappingError) as found:
        load_mapping(path)
    assert len(str(found.value).splitlines()) == 2


def test_broken_syntax_names_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="line 3, column"):
        load_mapping(altered(tmp_path, "casefhir = 1", "casefhir = "))
    path = tmp_path / "x.yaml"
    path.write_text("a: [1\nb: 2\n")
    with pytest.raises(MappingError, match=r"x\.yaml:2:"):
        load_mapping(path)


def test_an_unknown_name_is_told_with_those_that_exist() -> None:
    with pytest.raises(MappingError, match="No mapping is called 'sdmt'"):
        load_mapping("sdmt")


def test_every_key_of_a_toml_file_has_its_place() -> None:
    text = (
        "a = 1\n\"b c\".d = [ { x = \"#]\", y = 2 }, # note\n  { x = '''q\n''', y = [1,\n 2] } ]\n"
        "[t]\nk = 1.5\n[[r]]\nn = 1\n[r.s]\nm = 2\n[[r]]\nn = 2\n"
    )
    places = positions.of_toml(text)

    def walk(value: object, path: positions.Path) -> None:
        if path:
            line, column = places[path]
            assert text.splitlines()[line - 1][column - 1] not in " #"
        if isinstance(value, dict):
            for key, each in value.items():
                if (*path, key) != ("b c",):
                    walk(each, (*path, key))
                else:
                    for name, inner in each.items():
                        walk(inner, (*path, key, name))
        elif isinstance(value, list):
            for number, each in enumerate(value):
                walk(each, (*path, number))

    walk({k: v for k, v in tomllib.loads(text).items() if k != "r"}, ())
    assert places[("r", 0, "s", "m")] == (11, 1)
    assert places[("r", 1, "n")] == (13, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("casefhir: 1\nname: a\nname: b\n", r"x\.yaml:3:1: The key 'name' stands here again"),
        ("a: &a [x]\nb: !!python/name:os.system x\n", r"x\.yaml:2:"),
        ("a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"b{n}: &b{n} [" + ", ".join([f"*b{n - 1}" if n else "*a"] * 10) + "]\n" for n in range(8)
        ), "more than"),
    ],
)  # fmt: skip
def test_yaml_that_says_things_twice_or_explodes_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(MappingError, match=says):
        load_mapping(tmp_path / "x.yaml")
