"""A file as a tree of nodes that know their line and column, and what can be wrong with such a file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from casefhir.sources.article.modules import MappingError

LARGEST = 32 * 1024 * 1024
DEEPEST = 30
Step = str | int


@dataclass(frozen=True, slots=True)
class Place:
    """A line and column of a file, both from 1, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it starts: text, number or None; a list of nodes; or nodes by key, with the keys' places."""

    value: "str | int | float | bool | list[Node] | dict[str, Node] | None"
    place: Place
    keys: dict[str, Place] = field(default_factory=dict)

    def plain(self) -> Any:
        """The value alone, without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def child(self, step: Step) -> "Node | None":
        """The node under a key or at an index; None where there is none."""
        if isinstance(self.value, dict) and isinstance(step, str):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and 0 <= step < len(self.value):
            return self.value[step]
        return None

    def follow(self, path: tuple[Step, ...]) -> "tuple[Node, tuple[Step, ...]]":
        """The node at `path` and the steps that lead there; a step that leads nowhere (a kind's name) is skipped."""
        node, steps = self, []
        for step in path:
            found = node.child(step)
            if found:
                node = found
                steps.append(step)
        return node, tuple(steps)

    def walk(self) -> "Iterator[Node]":
        """This node and all below it."""
        yield self
        nodes = self.value.values() if isinstance(self.value, dict) else self.value
        for node in nodes if isinstance(self.value, dict | list) else ():  # type: ignore[union-attr]
            yield from node.walk()  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in a record file: `message` says what and how to mend it, `path` leads to it from the
    top (`("facts", 3, "value")`).
    """

    place: Place
    message: str
    path: tuple[Step, ...] = ()


class RecordFileError(MappingError):
    """A record file with mistakes, each on a line that starts with `file:line:column:`."""

    def __init__(self, name: str, mistakes: list[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda each: (each.place.line, each.place.column)))
        super().__init__(
            "\n".join(f"{name}:{each.place.line}:{each.place.column}: {each.message}" for each in self.mistakes)
        )


class Unreadable(Exception):
    """What stops the reading of a file, at its place."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.mistake = Mistake(place, message)


def place_of(text: str, offset: int) -> Place:
    """The place of the character at `offset` of `text`."""
    return Place(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def text_of(data: bytes) -> str:
    """UTF-8 `data` as text, a byte order mark left out."""
    if len(data) > LARGEST:
        raise Unreadable(
            Place(1, 1), f"The file has {len(data)} bytes; a record has at most {LARGEST}. Give each case a file."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="replace")
        raise Unreadable(
            place_of(before, len(before)), f"Byte {error.start} is not UTF-8. Save the file as UTF-8."
        ) from error
