"""Expressions of a mapping: CEL, compiled once, over the cells of a row as text. Nothing is evaluated as Python."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from casefhir.extras import needed
from casefhir.sources.tables.rows import Row, find_column

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = {
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
    "let", "loop", "package", "namespace", "return", "var", "void", "while", "row", "int", "uint", "double", "bool",
    "string", "bytes", "list", "map", "type", "size", "dyn", "has",
}  # fmt: skip
_INDEX = re.compile(r"""row\s*\[\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*\]""")
_STRING = re.compile(r"""'[^'\\]*'|"[^"\\]*\"""")
_MARK = re.compile(r"row_(\d+)_")
_CALLED = re.compile(r"\s*\(")
_COMPARED = re.compile(r"\s*(?:==|!=|in\b|\.\s*(?:matches|startsWith|endsWith|contains)\b)")
_COMPARING = re.compile(r"(?:==|!=)\s*$")
_MEMO = 1 << 16
Answer = str | bool | int
EVERY = "row"
"""What stands for all columns, where an expression reads `row` as a whole."""


class ExpressionError(Exception):
    """An expression that cannot be compiled, or that failed for a row; the message says what is wrong."""


class Expression:
    """A compiled expression; `columns` are those whose cells it reads. `of(row)` is text, a truth or a whole number.

    Decimals are not computed: binary fractions would change digits. `row['X?']` is blank where there is no column X.
    """

    def __init__(
        self, text: str, columns: Sequence[str], clean: Callable[[str], str] | None = None, *, truth: bool = False
    ) -> None:
        cel = needed("cel_expr_python.cel", "tables", "An expression in a mapping")
        strings = needed("cel_expr_python.ext.ext_strings", "tables", "An expression in a mapping")
        self.text = text
        named = {name: place for place, name in enumerate(columns)}
        words = set(_NAME.findall(text))
        self._bare = {
            name: columns[place]
            for name in (words | {*named}) - _RESERVED
            if _NAME.fullmatch(name) and (place := find_column(columns, name)) is not None
        }
        """Variables and the columns they stand for; capitals do not matter."""
        self._named: dict[str, str | None] = {}
        """Likewise of `row['…']`; None for a column that may be missing, and is."""
        for one, other in _INDEX.findall(text):
            name = one or other
            place = find_column(columns, name)
            if place is None and name.endswith("?"):
                place = find_column(columns, name[:-1])
            elif place is None:
                raise ExpressionError(f"there is no column {name!r}")
            self._named[name] = None if place is None else columns[place]
        read = {*self._named.values(), *(column for name, column in self._bare.items() if name in words)}
        whole = EVERY in _NAME.findall(_INDEX.sub("", text))
        variables = dict.fromkeys(self._bare, cel.Type.STRING) | {"row": cel.Type.Map(cel.Type.STRING, cel.Type.STRING)}
        try:
            program = cel.NewEnv(variables=variables, extensions=[strings.ExtStrings()]).compile(text)
        except RuntimeError as error:
            raise ExpressionError(_said(str(error))) from None
        kind = str(program.return_type())
        if kind in ("DOUBLE", "double"):
            raise ExpressionError(
                "it gives a decimal, which would be computed in binary; take the column's value and let "
                "`convert` change its unit"
            )
        if truth and kind not in ("BOOL", "bool", "DYN", "dyn"):
            raise ExpressionError(f"it gives {kind.lower()}, not true or false")
        bare = set(_NAME.findall(_STRING.sub("", _INDEX.sub("", text))))
        self.required = {column for name, column in self._bare.items() if name in bare}
        """The columns that it names without a `?`."""
        self.required |= {column for name, column in self._named.items() if column and not name.endswith("?")}
        chosen = [*named] if whole else [name for name in named if name in read]
        self.columns = tuple(chosen)
        self._places = tuple(named[name] for name in chosen)
        self._program = program
        self._whole = whole
        self._clean = clean
        self._memo: dict[tuple[str | None, ...], Answer] = {}

    def of(self, row: Row) -> Answer:
        """What it gives for `row`; raises `ExpressionError`."""
        asked = tuple([row[place] for place in self._places])
        found = self._memo.get(asked)
        if found is None:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            found = self._memo[asked] = self._evaluated(asked)
        return found

    def _evaluated(self, asked: tuple[str | None, ...]) -> Answer:
        clean = self._clean
        cells = {
            name: "" if cell is None else clean(cell) if clean else cell for name, cell in zip(self.columns, asked)
        }
        data: dict[str, Any] = {name: cells[column] for name, column in self._bare.items() if column in cells}
        data["row"] = dict(cells) if self._whole else {}
        data["row"] |= {name: cells.get(column or "", "") for name, column in self._named.items()}
        try:
            found = self._program.eval(data=data)
            value = found.value()
            failed = str(found.type()) in ("ERROR", "UNKNOWN")
        except RuntimeError as error:
            raise ExpressionError(_said(str(error))) from None
        if failed:  # the value is the message then
            raise ExpressionError(_said(str(value)))
        if isinstance(value, str | bool | int):
            return value
        if isinstance(value, float):
            raise ExpressionError("it gives a decimal, which would be computed in binary")
        raise ExpressionError(_said(str(value)))


def named_in(text: str) -> dict[str, bool]:
    """What an expression may read: all words outside its strings that could be columns, those in `row['…']`, and
    `EVERY` if it reads the row as a whole. Each with whether it is but compared with something (`STOP == ''`), so that
    its own words do not come out of the expression.
    """
    indexed: list[str] = []

    def mark(found: re.Match[str]) -> str:
        indexed.append(found[1] or found[2])
        return f"row_{len(indexed) - 1}_"

    bare = _STRING.sub("''", _INDEX.sub(mark, text))
    found: dict[str, bool] = {}
    for each in _NAME.finditer(bare):
        if _CALLED.match(bare, each.end()):
            continue
        place = _MARK.fullmatch(each[0])
        name = indexed[int(place[1])] if place and int(place[1]) < len(indexed) else each[0]
        if place or name == EVERY or name not in _RESERVED:
            compared = bool(_COMPARED.match(bare, each.end()) or _COMPARING.search(bare[: each.start()]))
            found[name] = found.get(name, True) and compared and name != EVERY
    return found


def _said(message: str) -> str:
    """The first line of CEL's message, without its code."""
    first = message.splitlines()[0] if message else "it failed"
    first = re.sub(r"^(?:[A-Z_]+: )*(<input>:1:)?", lambda match: "column " if match[1] else "", first)
    return re.sub(r" \[[A-Z_]+\]$", "", first).replace(" (in container '')", "")
