"""Mapping files read: TOML or YAML, by path or by the name of one that comes with casefhir."""

import difflib
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from casefhir import published
from casefhir.errors import CasefhirError
from casefhir.sources.records.nodes import Unreadable
from casefhir.sources.records.yaml_file import read_yaml
from casefhir.sources.tables import hiding, positions
from casefhir.sources.tables.mapping import RULES, TableMapping

SUFFIXES = (".toml", ".yaml", ".yml")


class MappingError(CasefhirError):
    """A mapping file that cannot be used: each mistake with its line and column, what is wrong, how to mend it."""


@dataclass(frozen=True, slots=True)
class LoadedMapping:
    """A mapping with its file: `path`, SHA-256 of its bytes (hexadecimal), the folder its CSV files lie in, and the
    line of each rule by name.
    """

    mapping: TableMapping
    path: FilePath
    sha256: str
    lines: dict[str, int]

    @property
    def folder(self) -> FilePath:
        """Where value maps and look-ups of the mapping lie."""
        return self.path.parent


def shipped() -> dict[str, FilePath]:
    """The mappings that come with casefhir, by name."""
    folder = published.folder("mappings") / "tables"
    found = sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES) if folder.is_dir() else []
    return {path.stem: path for path in found}


def load_mapping(name_or_path: str | FilePath) -> LoadedMapping:
    """The mapping of that name or in that file; raises `MappingError` with every mistake in it."""
    path = _path(name_or_path)
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise MappingError(
            f"{path}: {error.strerror}. Name a mapping file, or one of {', '.join(shipped())}."
        ) from None
    except UnicodeDecodeError as error:
        raise MappingError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8.") from None
    text = text.replace("\r\n", "\n")
    tree, places = _tree(path, text)
    try:
        mapping = TableMapping.model_validate(tree)
    except ValidationError as error:
        raise MappingError(_sentences(path, error, places)) from None
    if mapping.privacy.hides:
        faults = [_at(path, each.path, each.text, places) for each in hiding.of_mapping(mapping, path.parent).faults()]
        if faults:
            raise MappingError("\n".join(dict.fromkeys(faults)))
    lines = {}
    for kind in RULES:
        for number, rule in enumerate(getattr(mapping, kind)):
            place = positions.nearest(places, (kind, number))
            lines[rule.name] = place[0] if place else 1
    return LoadedMapping(mapping, path, hashlib.sha256(data).hexdigest(), lines)


def _path(name_or_path: str | FilePath) -> FilePath:
    path = FilePath(name_or_path)
    if path.suffix in SUFFIXES or path.is_file():
        return path
    known = shipped()
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    near = difflib.get_close_matches(str(name_or_path), known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise MappingError(
        f"No mapping is called {str(name_or_path)!r}.{hint} Those that come with casefhir: "
        f"{', '.join(known) or 'none'}; your own is named by its file (.toml, .yaml)."
    )


def _tree(path: FilePath, text: str) -> tuple[Any, dict[positions.Path, positions.Place]]:
    try:
        if path.suffix == ".toml":
            return tomllib.loads(text), positions.of_toml(text)
        return _of_yaml(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f'{path}: {error}. A value in TOML is "text", a number, true, [..] or {{..}}.') from None
    except Unreadable as error:
        raise MappingError(f"{path}:{error.mistake.place.line}:{error.mistake.place.column}: {error}") from None


def _of_yaml(text: str) -> tuple[Any, dict[positions.Path, positions.Place]]:
    """Scalars stay text (`no` is no truth value, `1.0` no number): what they mean is the model's to say."""
    node = read_yaml(text)
    tree = node.plain()
    if isinstance(tree, dict) and tree.get("casefhir") == "1":
        tree["casefhir"] = 1
    return tree, positions.of_node(node)


_KINDS = {"column", "cell", "first", "several", "when", "link", "bounds", "named"}


def _sentences(path: FilePath, error: ValidationError, places: dict[positions.Path, positions.Place]) -> str:
    """One line for each mistake: file, line, column, where in the tree, what, and what would be right."""
    found = []
    for each in error.errors(include_url=False):
        loc = tuple(part for part in each["loc"] if part not in _KINDS or not isinstance(part, str))
        found.append(_at(path, loc, _what(each["type"], each["msg"], each.get("input"), loc), places))
    return "\n".join(dict.fromkeys(found))


def _at(path: FilePath, loc: positions.Path, what: str, places: dict[positions.Path, positions.Place]) -> str:
    """A mistake with its place: file, line, column, where in the tree."""
    place = positions.nearest(places, loc)
    where = f"{path}:{place[0]}:{place[1]}" if place else str(path)
    name = ".".join(str(part + 1) if isinstance(part, int) else part for part in loc) or "the file"
    return f"{where}: {name}: {what}"


def _what(kind: str, message: str, given: Any, loc: positions.Path) -> str:
    if kind == "missing":
        return "is missing."
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(loc[-1]), _all_keys(), n=3, cutoff=0.6)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        return f"no such key here.{hint} casefhir schema mapping lists them."
    if kind == "string_type" and isinstance(given, int | float | bool):
        return f'{given!r} is not text; put it in quotes: "{given}".'
    if kind in ("model_type", "model_attributes_type") and not isinstance(given, dict):
        return f'{given!r} is neither a column\'s name in quotes nor a table such as {{ column = "NAME" }}.'
    if kind == "tuple_type":
        return f'{given!r} is not a list; write ["{given}"].' if isinstance(given, str) else "should be a list: [..]."
    if kind == "string_pattern_mismatch" and loc[-1] == "recorded":
        return f"{given!r} is not an instant; write it as 2026-01-01T00:00:00Z."
    if kind == "string_pattern_mismatch" and loc[-1] in ("name", "dataset"):
        return f"{given!r} is not such a name; use lower-case letters and digits, with single hyphens between."
    return message.removeprefix("Value error, ") + ("" if message.endswith(".") else ".")


def _all_keys() -> list[str]:
    from casefhir.sources.tables.mapping import json_schema

    schema = json_schema()
    parts = [schema, *schema["$defs"].values()]
    return sorted({key for part in parts for key in part.get("properties", {})})
