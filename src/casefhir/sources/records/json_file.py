"""JSON to nodes: strict RFC 8259, keys stand once, every value knows its line and column."""

import json
from functools import cache
from typing import Any, cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from casefhir.sources.records.nodes import DEEPEST, Node, Place, Unreadable, place_of

_GRAMMAR = r"""
?value: object | array | STRING | NUMBER | TRUE | FALSE | NULL
object: "{" [pair ("," pair)*] "}"
pair: STRING ":" value
array: "[" [value ("," value)*] "]"
TRUE: "true"
FALSE: "false"
NULL: "null"
STRING: /"(?:[^"\\\x00-\x1f]|\\(?:["\\\/bfnrt]|u[0-9a-fA-F]{4}))*"/
NUMBER: /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/
%ignore /[ \t\r\n]+/
"""
_LITERALS: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}
_MOST_DIGITS = 15


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, start="value", parser="lalr", propagate_positions=True, maybe_placeholders=False)


def read_json(text: str) -> Node:
    """The value in JSON `text`; raises `Unreadable` with its place."""
    if not text.strip():
        raise Unreadable(Place(1, 1), "The file is empty. Write a record; casefhir schema record says its shape.")
    try:
        return _node(_parser().parse(text), 1)
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        at = len(text) if ended else int(error.pos_in_stream or 0)
        found = "its end" if ended else repr(text[at : at + 12])
        raise Unreadable(place_of(text, at), f"Not JSON: {found} cannot stand here. Correct the JSON there.") from error


def _place(part: "Token | Tree[Any]") -> Place:
    spot = part if isinstance(part, Token) else part.meta
    return Place(int(spot.line or 1), int(spot.column or 1))


def _node(part: "Token | Tree[Any]", depth: int) -> Node:
    place = _place(part)
    if depth > DEEPEST:
        raise Unreadable(place, f"It is nested more than {DEEPEST} levels deep; no record is.")
    if isinstance(part, Token):
        return Node(_scalar(part, place), place)
    if part.data == "array":
        return Node([_node(each, depth + 1) for each in part.children], place)
    nodes: dict[str, Node] = {}
    keys: dict[str, Place] = {}
    for pair in part.children:
        name, value = cast("tuple[Token, Any]", cast("Tree[Any]", pair).children)
        key = str(_scalar(name, _place(name)))
        if key in keys:
            raise Unreadable(
                _place(name),
                f"The key {key!r} stands here again; it is on line {keys[key].line} already. Remove one of them.",
            )
        keys[key] = _place(name)
        nodes[key] = _node(value, depth + 1)
    return Node(nodes, place, keys)


def _scalar(token: Token, place: Place) -> str | int | float | bool | None:
    if token.type == "NUMBER":
        whole = token.lstrip("-").isdigit() and len(token) <= _MOST_DIGITS
        return int(token) if whole else float(token)
    if token.type != "STRING":
        return _LITERALS[token.type]
    text = str(json.loads(token))
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise Unreadable(place, "A \\u escape is half of a character. Write the whole character.")
    return text
