"""The order in which rules are told: those that others link to first."""

from graphlib import CycleError, TopologicalSorter
from typing import Any

from casefhir.sources.tables.elements import Link
from casefhir.sources.tables.mapping import TableMapping
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.ruleset import Rule


def in_order(mapping: TableMapping) -> list[str]:
    """The rules' names; raises `Refused` where they link in a circle."""
    names = [rule.name for rule in mapping.rules]
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for rule in mapping.rules:
        sorter.add(rule.name, *(each for each in _linked(rule) if each in names))
        visit = getattr(rule, "visit", None)
        if visit is not None and not isinstance(visit, Link):
            sorter.add(rule.name, *(each.name for each in mapping.visit))
    try:
        return list(sorter.static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise Refused(f"rules link to each other in a circle: {circle}", "take one of the links out") from None


def _linked(rule: Rule) -> list[str]:
    found: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, Link):
            found.append(part.rule)
        if isinstance(part, tuple):
            for each in part:
                walk(each)

    for name in type(rule).model_fields:
        walk(getattr(rule, name))
    return found
