"""YAML to nodes: scalars stay the text they are, keys stand once, no tag builds anything, no alias explodes."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from casefhir.sources.records.models import Plain
from casefhir.sources.records.nodes import DEEPEST, Node, Place, Unreadable, place_of

MOST_NODES = 500_000
NULLS = ("", "~", "null")
# YAML 1.1 breaks lines at these, 1.2 and editors do not
_OTHER_BREAKS = re.compile("[\x85\u2028\u2029]")


def read_yaml(text: str) -> Node:
    """The one document in YAML `text`; raises `Unreadable` with its place."""
    other = _OTHER_BREAKS.search(text)
    if other:
        code = f"{ord(other[0]):04X}"
        raise Unreadable(
            place_of(text, other.start()),
            f'U+{code} is a line break to some YAML readers. Write "\\u{code}" in double quotes.',
        )
    try:
        return _Composer(yaml.parse(text, Loader=yaml.BaseLoader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise Unreadable(place, f"Not YAML: {_sentence(error)}. Correct it there, or quote the text.") from error
    except yaml.reader.ReaderError as error:
        code = f"\\U{ord(text[error.position]):08X}"
        raise Unreadable(
            place_of(text, error.position), f'Not YAML: the character {code}. Write it as "{code}" in double quotes.'
        ) from error


def _sentence(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(each for each in (error.context, error.problem) if each)


class _Composer:
    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchored: dict[str, tuple[Node, int]] = {}
        self._nodes = 0

    def document(self) -> Node:
        start, first = next(self._events), next(self._events)
        if isinstance(first, yaml.StreamEndEvent):
            raise Unreadable(_place(start), "The file is empty. Write a record; casefhir schema record says its shape.")
        node = self._node(next(self._events), 1)
        next(self._events)
        more = next(self._events)
        if not isinstance(more, yaml.StreamEndEvent):
            raise Unreadable(_place(more), "A second document starts here. Give each case a file of its own.")
        return node

    def _node(self, event: Any, depth: int) -> Node:
        place, before = _place(event), self._nodes
        if depth > DEEPEST:
            raise Unreadable(place, f"It is nested more than {DEEPEST} levels deep; no record is.")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        if event.tag is not None:
            raise Unreadable(place, f"The tag {event.tag} is not read: values are text. Remove it.")
        self._count(1, place)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(_scalar(event), place)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node([self._node(each, depth + 1) for each in self._until(yaml.SequenceEndEvent)], place)
        else:
            node = self._mapping(place, depth)
        if event.anchor:
            self._anchored[event.anchor] = (node, self._nodes - before)
        return node

    def _until(self, end: type) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _mapping(self, place: Place, depth: int) -> Node:
        nodes: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        for event in self._until(yaml.MappingEndEvent):
            here = _place(event)
            if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
                raise Unreadable(here, "A key is plain text; this one is a list, an object, an alias or has a tag.")
            if event.value == "<<" and event.style is None:
                raise Unreadable(here, "Merge keys (<<) are not read. Write the fields out.")
            if event.value in keys:
                raise Unreadable(
                    here,
                    f"The key {event.value!r} stands here again; it is on line {keys[event.value].line} already."
                    " Remove one of them.",
                )
            keys[event.value] = here
            nodes[event.value] = self._node(next(self._events), depth + 1)
        return Node(nodes, place, keys)

    def _alias(self, event: Any, place: Place) -> Node:
        if event.anchor not in self._anchored:
            raise Unreadable(place, f"The alias *{event.anchor} has no finished anchor &{event.anchor} before it.")
        node, size = self._anchored[event.anchor]
        self._count(size, place)
        return node

    def _count(self, more: int, place: Place) -> None:
        self._nodes += more
        if self._nodes > MOST_NODES:
            raise Unreadable(place, f"With its aliases the file has more than {MOST_NODES} values; no record has.")


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _scalar(event: Any) -> str | None:
    if event.style is not None:
        return str(event.value)
    return None if event.value in NULLS else Plain(event.value)
