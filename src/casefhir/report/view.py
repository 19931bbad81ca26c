"""A SQL-on-FHIR ViewDefinition: read, checked as a whole, its paths translated once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from casefhir.conformance.fhirpath.values import Item, moment
from casefhir.conformance.shapes import shape
from casefhir.errors import CasefhirError
from casefhir.report.paths import Step, Unsupported, path

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_TIMES = frozenset({"Date", "DateTime", "Instant", "Time"})
_ITERATORS = ("forEach", "forEachOrNull", "repeat")


class BadView(CasefhirError):
    """A ViewDefinition that cannot be run."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: name, path, the FHIR type of its values, whether a list, what it means; `sql_type` from its tag."""

    name: str
    text: str
    step: Step
    type: str
    collection: bool
    description: str
    sql_type: str | None


@dataclass(frozen=True, slots=True)
class Select:
    """A selection: rows for each focus of `over` (None: the focus itself), columns times selects times unions."""

    over: tuple[Step, ...]
    how: str | None
    columns: tuple[Column, ...]
    selects: tuple["Select", ...]
    unions: tuple["Select", ...]

    def all_columns(self) -> Iterator[Column]:
        """Every column a row has, in order."""
        yield from self.columns
        for each in self.selects:
            yield from each.all_columns()
        if self.unions:
            yield from self.unions[0].all_columns()


@dataclass(frozen=True, slots=True)
class View:
    """A whole view: the resource type it is about, which resources (`where`), and what it selects.

    `resolves` is True where a path follows references into other resources with resolve().
    """

    name: str
    description: str
    resource: str
    constants: Mapping[str, list[Item]]
    where: tuple[tuple[str, Step], ...]
    selects: tuple[Select, ...]
    resolves: bool

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the table."""
        return tuple(column for each in self.selects for column in each.all_columns())


class _Reader:
    def __init__(self, place: str) -> None:
        self.place = place
        self.constants: dict[str, list[Item]] = {}
        self.resolves = False

    def refuse(self, why: str) -> BadView:
        return BadView(f"{self.place}: {why}")

    def step(self, text: Any, where: str) -> Step:
        if not isinstance(text, str) or not text:
            raise self.refuse(f"{where} wants a FHIRPath as text, not {text!r}.")
        self.resolves = self.resolves or "resolve" in text
        try:
            return path(text, self.constants)
        except Unsupported as error:
            raise self.refuse(f"{where}: {error}") from error

    def listed(self, holder: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        found = holder.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self.refuse(f"{key} is no list of objects.")
        return found

    def constant(self, given: Mapping[str, Any]) -> None:
        name = given.get("name")
        values = [(key, value) for key, value in given.items() if key.startswith("value")]
        if not isinstance(name, str) or not _NAME.match(name) or len(values) != 1:
            raise self.refuse(f"constant {name!r} wants a name and one value[x].")
        key, value = values[0]
        item: Item = moment(value, key[5].lower() + key[6:]) if key[5:] in _TIMES else value
        if key == "valueInstant":
            item = moment(value, "dateTime")
        if key == "valueDecimal" and isinstance(value, int):
            item = Decimal(value)
        if item is None or isinstance(item, dict | list):
            raise self.refuse(f"constant {name!r}: {value!r} is no value of a primitive type.")
        self.constants[name] = [item]

    def column(self, given: Mapping[str, Any]) -> Column:
        name = given.get("name")
        if not isinstance(name, str) or not _NAME.match(name):
            raise self.refuse(f"a column's name is letters, digits and _, starting with a letter; not {name!r}.")
        collection = given.get("collection", False)
        if not isinstance(collection, bool):
            raise self.refuse(f"column {name}: collection is true or false, not {collection!r}.")
        tags = {each.get("name"): each.get("value") for each in self.listed(given, "tag")}
        text = given.get("path")
        step = self.step(text, f"column {name}")
        return Column(
            name,
            str(text),
            step,
            str(given.get("type", "string")),
            collection,
            str(given.get("description", "")),
            tags.get("ansi/type"),
        )

    def select(self, given: Mapping[str, Any]) -> Select:
        ways = [each for each in _ITERATORS if each in given]
        if len(ways) > 1:
            raise self.refuse(f"one select has {' and '.join(ways)}; keep one.")
        how = ways[0] if ways else None
        over: tuple[Step, ...] = ()
        if how is not None:
            texts = given[how] if how == "repeat" else [given[how]]
            if not isinstance(texts, list) or not texts:
                raise self.refuse("repeat wants a list of paths.")
            over = tuple(self.step(each, how) for each in texts)
        found = Select(
            over,
            how,
            tuple(self.column(each) for each in self.listed(given, "column")),
            tuple(self.select(each) for each in self.listed(given, "select")),
            tuple(self.select(each) for each in self.listed(given, "unionAll")),
        )
        headings = [[column.name for column in each.all_columns()] for each in found.unions]
        for other in headings[1:]:
            if other != headings[0]:
                raise self.refuse(f"unionAll wants the same columns in the same order: {headings[0]}, not {other}.")
        return found

    def view(self, given: Mapping[str, Any]) -> View:
        resource = given.get("resource")
        known = shape(resource) if isinstance(resource, str) and "." not in resource else None
        if known is None or known.kind != "resource":
            raise self.refuse(f"resource names an R4 resource type, not {resource!r}.")
        name = given.get("name", known.name.lower())
        if not isinstance(name, str) or not _NAME.match(name):
            raise self.refuse(f"a view's name is letters, digits and _, starting with a letter; not {name!r}.")
        for each in self.listed(given, "constant"):
            self.constant(each)
        selects = tuple(self.select(each) for each in self.listed(given, "select"))
        if not selects:
            raise self.refuse("a view wants at least one select.")
        where = tuple(
            (str(each.get("path")), self.step(each.get("path"), "where")) for each in self.listed(given, "where")
        )
        view = View(name, str(given.get("description", "")), known.name, self.constants, where, selects, self.resolves)
        names = [each.name for each in view.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise self.refuse(f"column {twice[0]} stands twice; rename one.")
        return view


def parse_view(value: Any, place: str = "ViewDefinition") -> View:
    """The view in JSON `value`; `place` is named in errors. Raises `BadView`.

    Source: https://build.fhir.org/ig/FHIR/sql-on-fhir-v2/StructureDefinition-ViewDefinition.html
    """
    if not isinstance(value, dict):
        raise BadView(f"{place}: a ViewDefinition is a JSON object.")
    return _Reader(place).view(value)
