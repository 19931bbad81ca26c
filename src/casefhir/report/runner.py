"""Runs a view over resources: one dict a row, by column."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from casefhir.conformance.fhirpath.values import Item, Moment
from casefhir.conformance.structure import build
from casefhir.conformance.tree import Node
from casefhir.errors import CasefhirError
from casefhir.report.bundles import Held, Resources
from casefhir.report.paths import Env, Failed, Items, Step
from casefhir.report.view import Column, Select, View

Row = dict[str, Any]


class BadRow(CasefhirError):
    """A resource on which a view cannot be evaluated."""


def rows(view: View, resources: Resources) -> Iterator[Row]:
    """The rows of `view`, resources in their order. Values are str, bool, int, `Decimal`, lists of these or None.

    Raises `BadRow` where a column finds several values or a complex one, or `where` is no yes or no.
    """
    trees = _Trees()
    for held in resources.of_type(view.resource):
        yield from _Run(view, resources, held, trees).rows()


class _Trees:
    """The trees that references lead to; those of whole resources by the identity of their JSON, which stays alive."""

    def __init__(self) -> None:
        self._whole: dict[int, Node] = {}
        self._named: dict[tuple[str, str], Node | None] = {}

    def of(self, value: dict[str, Any], id_: str, place: str) -> Node:
        """The tree of a resource; raises `BadRow`."""
        if id(value) not in self._whole:
            self._whole[id(value)] = _tree(value, id_, place)
        return self._whole[id(value)]

    def named(self, type_: str, id_: str) -> Node | None:
        """A tree with type and id alone; None where R4 has no such type."""
        if (type_, id_) not in self._named:
            self._named[type_, id_] = build({"resourceType": type_, "id": id_}, _silent)
        return self._named[type_, id_]


def _tree(value: dict[str, Any], id_: str, place: str) -> Node:
    node = build(value if "id" in value or not id_ else {**value, "id": id_}, _silent)
    if node is None:
        raise BadRow(f"{place}: this is no R4 resource; run casefhir validate on it.")
    return node


class _Run:
    """One view on one resource."""

    def __init__(self, view: View, resources: Resources, held: Held, trees: _Trees) -> None:
        self.view = view
        self.resources = resources
        self.held = held
        self.trees = trees
        self.node = _tree(held.value, held.id, f"{held.file}{held.pointer}")

    def refuse(self, why: str) -> BadRow:
        return BadRow(f"View {self.view.name} on {self.held.type}/{self.held.id} in {self.held.file}: {why}")

    def resolve(self, reference: str, _source: Node | None) -> Node | None:
        if reference.startswith("#"):
            inside = self.node.children.get("contained", [])
            return next((each for each in inside if each.get("id") == reference[1:]), None)
        target = self.resources.target(reference, self.held)
        if target is not None and self.view.resolves:
            return self.trees.of(target.value, target.id, f"{target.file}{target.pointer}")
        parts = reference.partition("/_history/")[0].split("/")
        if target is not None:
            parts = [target.type, target.id]
        # a key needs no more than type and id, and a reference out of these files still names them
        return self.trees.named(parts[-2], parts[-1]) if len(parts) > 1 else None

    def evaluate(self, step: Step, focus: Items, index: int, what: str) -> Items:
        env = Env(
            context=self.node,
            resource=self.node,
            root=self.node,
            this=focus,
            resolve=self.resolve,
            variables={**self.view.constants, "rowIndex": [index]},
        )
        try:
            return step(focus, env)
        except Failed as error:
            raise self.refuse(f"{what}: {error}.") from error

    def rows(self) -> Iterator[Row]:
        for text, test in self.view.where:
            found = self.evaluate(test, [self.node], 0, f"where {text!r}")
            plain = [each.value if isinstance(each, Node) else each for each in found]
            if len(plain) > 1 or any(not isinstance(each, bool) for each in plain):
                raise self.refuse(f"where {text!r} is not a yes or no; end it with exists() or a comparison.")
            if plain != [True]:
                return
        yield from _crossed([self.selected(each, [self.node], 0) for each in self.view.selects])

    def foci(self, select: Select, focus: Items, index: int) -> list[tuple[Items, int]]:
        if select.how is None:
            return [(focus, index)]
        if select.how == "repeat":
            found = list(self.repeated(select, focus, index))
        else:
            found = self.evaluate(select.over[0], focus, index, select.how)
        if not found and select.how == "forEachOrNull":
            return [([], 0)]
        return [([item], place) for place, item in enumerate(found)]

    def repeated(self, select: Select, focus: Items, index: int) -> Iterator[Item]:
        for step in select.over:
            for item in self.evaluate(step, focus, index, "repeat"):
                yield item
                yield from self.repeated(select, [item], index)

    def selected(self, select: Select, focus: Items, index: int) -> list[Row]:
        found: list[Row] = []
        for here, place in self.foci(select, focus, index):
            parts: list[list[Row]] = [[{each.name: self.value(each, here, place) for each in select.columns}]]
            parts += [self.selected(each, here, place) for each in select.selects]
            if select.unions:
                parts.append([row for each in select.unions for row in self.selected(each, here, place)])
            found += _crossed(parts)
        return found

    def value(self, column: Column, focus: Items, index: int) -> Any:
        found = self.evaluate(column.step, focus, index, f"column {column.name}")
        values = [each for each in (self.plain(item, column) for item in found) if each is not None]
        if column.collection:
            return values
        if len(values) > 1:
            raise self.refuse(
                f"column {column.name} finds {len(values)} values; take first(), join them, or set collection to true."
            )
        return values[0] if values else None

    def plain(self, item: Item, column: Column) -> Any:
        if isinstance(item, Moment):
            return item.text
        if isinstance(item, Node):
            if not item.is_primitive():
                raise self.refuse(f"column {column.name} finds a {item.type}; name one of its elements.")
            return item.value
        return item


def _silent(*_said: object, **_more: object) -> None:
    """Faults of structure are told by `casefhir validate`; a view takes what is there."""


def _crossed(parts: list[list[Row]]) -> list[Row]:
    return [{name: value for row in rows_ for name, value in row.items()} for rows_ in product(*parts)]
