"""JSON and NDJSON as tables: each document, or each item of a list in it, is a row.

Nested objects become columns by their path (`type.id`, `modifiers.0.label`), numbers keep their digits. Where the rows
are the items of a list (`phenotypicFeatures`), the columns of the document around it are there too, with a `/` before
their names (`/id`, `/subject.sex`), and those of objects between the two with `../` for each step (`../agent.id` for
rows at `medicalActions.treatment.doseIntervals`). Names in snake_case become camelCase where the table asks for it, for
some exporters write one and some the other.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from casefhir.sources.records.nodes import Unreadable
from casefhir.sources.records.yaml_file import read_yaml
from casefhir.sources.tables.readers.base import Number, OnFault, header
from casefhir.sources.tables.rows import Row, TableError

YAML = (".yaml", ".yml")
WHO = "(who)"
_LONGEST_LINE = 64 << 20
_LARGEST = 1 << 28
_DEEPEST = 64


class JsonTable:
    """A JSON or YAML file (an object, or a list of them) or NDJSON file.

    `path` is where the rows are: nothing for the documents themselves, else names joined by points; each name on the
    way may be an object or a list, and the items of all lists are rows. `camel` turns snake_case names into camelCase.
    `within` names what documents may be wrapped in: where a document has such members (a family's `proband` and
    `relatives`), these are the documents, not it. `who` are the paths that tell whose a document is: their words, the
    same ones once, stand in the column `WHO` of each of its rows.
    """

    def __init__(
        self,
        path: Path,
        *,
        rows: str | None = None,
        camel: bool = False,
        within: Sequence[str] = (),
        who: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.who = who
        self.within = within
        self.at = rows or ""
        self.camel = camel
        self.file = f"{path.name}#{rows}" if rows else path.name
        names: dict[str, None] = {}
        self.documents = 0
        self._around: dict[str, None] = {}
        for _, found in self._records():
            names |= dict.fromkeys(found)
        self._header = header(self.file, [*names]) if names else None
        self.columns = self._header.columns if self._header else ()
        self.detected = {"documents": str(self.documents)} if self.documents != 1 else {}
        if self._around and not self.at:
            self.detected["around them, not read"] = " and ".join(self._around)

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """The rows, counted from 1; in NDJSON by the line they are in where each line is one row."""
        for number, found in self._records():
            if any(value is not None and "\0" in value for value in found.values()):
                fault(number, tuple(found.get(name) for name in self.columns), "A value holds a NUL character.")
            else:
                yield number, tuple([found.get(name) for name in self.columns])

    def _records(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        number = self.documents = 0
        for line, whole in self._documents():
            wrapped = [name for name in self.within if name in whole]
            if wrapped:
                self._around |= dict.fromkeys(name for name in whole if name not in wrapped)
            for document in self._unwrapped(whole, wrapped) if wrapped else (whole,):
                self.documents += 1
                told = dict.fromkeys(words for path in self.who if (words := _word(document, path)))
                for found in self._found(document):
                    number += 1
                    if self.who:
                        found[WHO] = " / ".join(told) or None
                    yield (line if line is not None and not self.at and not self.within else number), found

    def _unwrapped(self, whole: dict[str, Any], names: list[str]) -> Iterator[dict[str, Any]]:
        for name in names:
            held = whole[name]
            for document in held if isinstance(held, list) else [held]:
                if not isinstance(document, dict):
                    raise TableError(f"{self.file}: {name!r} holds {type(document).__name__} where a document belongs.")
                yield document

    def _found(self, document: Any) -> Iterator[dict[str, str | None]]:
        try:
            yield from self._rows_of(document)
        except _TooDeep as error:
            raise TableError(
                f"{self.file}, document {self.documents}: It is nested deeper than {_DEEPEST} levels; no table is."
            ) from error

    def _rows_of(self, document: Any) -> Iterator[dict[str, str | None]]:
        if not self.at:
            yield flatten(document)
            return
        around = {f"/{name}": value for name, value in flatten(document, lists=False).items()}
        for item, above in _items([document], self.at.split("."), ()):
            found = flatten(item)
            for steps, each in enumerate(reversed(above[1:]), 1):
                found |= {f"{'../' * steps}{name}": value for name, value in flatten(each, lists=False).items()}
            yield found | around

    def _documents(self) -> Iterator[tuple[int | None, Any]]:
        if self.path.suffix.lower() in (".ndjson", ".jsonl"):
            with self.path.open("rb") as stream:
                for number, line in lines(stream, self.file):
                    yield number, self._object(line, f"line {number}")
            return
        held = self._whole
        for each in held if isinstance(held, list) else [held]:
            if not isinstance(each, dict):
                raise TableError(
                    f"{self.file}: A row is an object; the file holds {type(each).__name__} where one belongs."
                )
            yield None, each

    @cached_property
    def _whole(self) -> Any:
        return whole(self.path, self.file, camel=self.camel)

    def _object(self, data: bytes, place: str) -> dict[str, Any]:
        found = parsed(data, f"{self.file}, {place}", camel=self.camel)
        if not isinstance(found, dict):
            raise TableError(f"{self.file}, {place}: A row is an object, not {data[:40]!r}.")
        return found


def lines(stream: IO[bytes], file: str) -> Iterator[tuple[int, bytes]]:
    """The lines of an NDJSON file that are not blank, with their numbers; raises `TableError` for too long a one."""
    number = 0
    while line := stream.readline(_LONGEST_LINE):
        number += 1
        if len(line) >= _LONGEST_LINE:
            raise TableError(f"{file}, line {number}: The line is longer than {_LONGEST_LINE:,} bytes.")
        if line.strip():
            yield number, line


def whole(path: Path, file: str, *, camel: bool = False) -> Any:
    """What a JSON or YAML file holds; raises `TableError` for one that is too large, or neither."""
    if path.stat().st_size > _LARGEST:
        raise TableError(f"{path.name}: JSON of at most {_LARGEST:,} bytes is read; write NDJSON, a row a line.")
    if path.suffix.lower() in YAML:
        return _of_yaml(path, file, camel=camel)
    return parsed(path.read_bytes(), file, camel=camel)


def _of_yaml(path: Path, file: str, *, camel: bool) -> Any:
    try:
        found = read_yaml(path.read_text("utf-8-sig")).plain()
    except (UnicodeDecodeError, Unreadable) as error:
        place = f", line {error.mistake.place.line}" if isinstance(error, Unreadable) else ""
        raise TableError(f"{file}{place}: This is not readable as YAML ({error}).") from error
    return _camel(found) if camel else found


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {camel_case(name): _camel(each) for name, each in value.items()}
    return [_camel(each) for each in value] if isinstance(value, list) else value


def parsed(data: bytes, where: str, *, camel: bool = False) -> Any:
    """JSON with numbers as they were written (as `str`); raises `TableError`, also for names that stand twice."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for name, value in found:
            key = camel_case(name) if camel else name
            if key in told:
                raise ValueError(f"the name {name!r} stands twice in one object")
            told[key] = value
        return told

    try:
        return json.loads(
            data.decode("utf-8-sig"),
            parse_float=Number,
            parse_int=Number,
            parse_constant=Number,  # NaN, Infinity: words, as a laboratory may print them
            object_pairs_hook=pairs,
        )
    except RecursionError as error:
        raise TableError(f"{where}: It is nested too deeply; {_DEEPEST} levels at most are read.") from error
    except ValueError as error:
        raise TableError(f"{where}: This is not readable as JSON ({error}).") from error
    except MemoryError as error:
        raise TableError(f"{where}: It does not fit into memory; write NDJSON, a row a line.") from error


class _TooDeep(Exception):
    """An object is nested too deeply."""


def camel_case(name: str) -> str:
    """`phenotypic_features` as phenotypicFeatures; other names stay."""
    return re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda match: match[1].upper(), name)


def _word(document: Any, path: str) -> str | None:
    """The text at the end of a path of names, without blanks around it."""
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document.strip() if isinstance(document, str) else None


def flatten(value: Any, *, lists: bool = True, depth: int = 0) -> dict[str, str | None]:
    """The leaves of `value` by their path, as text; lists are left out where not wanted. Raises `_TooDeep`."""
    if depth > _DEEPEST:
        raise _TooDeep
    found: dict[str, str | None] = {}
    for name, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, dict) or (isinstance(each, list) and lists):
            found |= {f"{name}.{rest}": leaf for rest, leaf in flatten(each, lists=lists, depth=depth + 1).items()}
        elif isinstance(each, list):
            continue
        else:
            found[str(name)] = {True: "true", False: "false"}[each] if isinstance(each, bool) else each
    return found


def _items(
    values: list[Any], names: list[str], above: tuple[dict[str, Any], ...]
) -> Iterator[tuple[Any, tuple[dict[str, Any], ...]]]:
    """The objects at the end of the path, each with those it lies in, the outermost first."""
    for value in values:
        if isinstance(value, list):
            yield from _items(value, names, above)
        elif not names:
            if isinstance(value, dict):
                yield value, above
        elif isinstance(value, dict) and names[0] in value:
            yield from _items([value[names[0]]], names[1:], (*above, value))
