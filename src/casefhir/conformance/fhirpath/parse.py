"""FHIRPath text to a syntax tree: nested tuples whose first item names the kind of node."""

import re
from dataclasses import dataclass
from typing import Any

from casefhir.errors import CasefhirError

Tree = tuple[Any, ...]


class Unsupported(CasefhirError):
    """An expression that the translator cannot read or does not support."""


_TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<datetime>@(?:\d{4}(?:-\d\d(?:-\d\d)?)?(?:T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)?(?:Z|[+-]\d\d:\d\d)?)?
        |T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?))
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<quoted>`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*")
  | (?P<variable>%(?:[A-Za-z_][\w-]*|`[^`]*`|'[^']*'))
  | (?P<name>[A-Za-z_]\w*)
  | (?P<special>\$(?:this|index|total))
  | (?P<operator><=|>=|!=|!~|[-+*/&|=~<>.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "~", "!=", "!~"),
    ("<", ">", "<=", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
_UNITS = frozenset(
    unit + plural
    for unit in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for plural in ("", "s")
)
_DEPTH = 200


@dataclass(slots=True)
class _Token:
    kind: str
    text: str


def unescape(text: str) -> str:
    """`text` of a string or quoted name with its escapes resolved."""

    def one(match: re.Match[str]) -> str:
        found = match[1]
        return chr(int(found[1:], 16)) if found[0] == "u" and len(found) == 5 else _ESCAPES.get(found, found)

    return _ESCAPE.sub(one, text)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unsupported(f"FHIRPath {text!r} has an unreadable character at {at}: {text[at]!r}.")
        at = match.end()
        if match.lastgroup != "space":
            found.append(_Token(str(match.lastgroup), match[0]))
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else "end"

    def next(self) -> _Token:
        if self.at >= len(self.tokens):
            raise Unsupported(f"FHIRPath {self.text!r} ends too early.")
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, text: str) -> None:
        found = self.next()
        if found.text != text:
            raise Unsupported(f"FHIRPath {self.text!r}: expected {text!r}, found {found.text!r}.")

    def level(self, number: int) -> Tree:
        if number == len(_LEVELS):
            return self.unary()
        left = self.level(number + 1)
        while self.peek() in _LEVELS[number] and self.kind() in ("name", "operator"):
            operator = self.next().text
            if operator in ("is", "as"):
                left = (operator, left, self.type_name())
            else:
                left = ("binary", operator, left, self.level(number + 1))
        return left

    def type_name(self) -> str:
        name = self.name()
        while self.peek() == ".":
            self.next()
            name += "." + self.name()
        return name

    def name(self) -> str:
        found = self.next()
        if found.kind == "quoted":
            return unescape(found.text[1:-1])
        if found.kind != "name":
            raise Unsupported(f"FHIRPath {self.text!r}: expected a name, found {found.text!r}.")
        return found.text

    def unary(self) -> Tree:
        if self.peek() in ("+", "-") and self.kind() == "operator":
            operator = self.next().text
            return ("unary", operator, self.unary())
        return self.postfix()

    def postfix(self) -> Tree:
        tree = self.term()
        while True:
            if self.peek() == "." and self.kind() == "operator":
                self.next()
                tree = ("step", tree, self.invocation())
            elif self.peek() == "[" and self.kind() == "operator":
                self.next()
                tree = ("index", tree, self.expression())
                self.expect("]")
            else:
                return tree

    def expression(self) -> Tree:
        self.depth += 1
        if self.depth > _DEPTH:
            raise Unsupported("FHIRPath nested too deeply.")
        found = self.level(0)
        self.depth -= 1
        return found

    def invocation(self) -> Tree:
        if self.kind() == "special":
            return ("special", self.next().text)
        quoted = self.kind() == "quoted"
        name = self.name()
        if not quoted and self.peek() == "(" and self.kind() == "operator":
            self.next()
            arguments: list[Tree] = []
            while self.peek() != ")":
                arguments.append(self.expression())
                if self.peek() == ",":
                    self.next()
            self.expect(")")
            return ("call", name, tuple(arguments))
        return ("name", name)

    def term(self) -> Tree:
        kind = self.kind()
        if kind == "operator" and self.peek() == "(":
            self.next()
            found = self.expression()
            self.expect(")")
            return found
        if kind == "operator" and self.peek() == "{":
            self.next()
            self.expect("}")
            return ("empty",)
        if kind == "string":
            return ("literal", "string", unescape(self.next().text[1:-1]))
        if kind == "datetime":
            return ("literal", "datetime", self.next().text[1:])
        if kind == "variable":
            return ("variable", self.next().text[1:].strip("`'"))
        if kind == "number":
            return self.number()
        if kind == "name" and self.peek() in ("true", "false"):
            return ("literal", "boolean", self.next().text == "true")
        return self.invocation()

    def number(self) -> Tree:
        text = self.next().text
        if self.kind() == "string":
            return ("literal", "quantity", (text, unescape(self.next().text[1:-1])))
        if self.kind() == "name" and self.peek() in _UNITS:
            return ("literal", "quantity", (text, self.next().text))
        return ("literal", "decimal" if "." in text else "integer", text)


def parse(text: str) -> Tree:
    """The syntax tree of FHIRPath `text`; raises `Unsupported` where it cannot be read, or is nested or chained too far
    for those who walk the tree.
    """
    parser = _Parser(text)
    try:
        tree = parser.expression()
    except RecursionError:
        raise Unsupported("FHIRPath nested too deeply.") from None
    if _too_deep(tree):
        raise Unsupported("FHIRPath nested too deeply.")
    if parser.at != len(parser.tokens):
        raise Unsupported(f"FHIRPath {text!r}: did not expect {parser.peek()!r}.")
    return tree


def _too_deep(tree: Tree) -> bool:
    level: list[Any] = [tree]
    for _ in range(_DEPTH):
        level = [each for one in level for each in one if isinstance(each, tuple)]
        if not level:
            return False
    return True
