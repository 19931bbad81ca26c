"""Expressions of a mapping: CEL, compiled once, over the cells of a row as text. Nothing is evaluated as Python."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from casefhir.extras import needed
from casefhir.sources.tables.rows import Row

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = {
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
    "let", "loop", "package", "namespace", "return", "var", "void", "while", "row", "int", "uint", "double", "bool",
    "string", "bytes", "list", "map", "type", "size", "dyn", "has",
}  # fmt: skip
_INDEX = re.compile(r"""row\s*\[\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*\]""")
_MEMO = 1 << 16
Answer = str | bool | int


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
        bare = {name for name in named if _NAME.fullmatch(name) and name not in _RESERVED}
        asked = [one or other for one, other in _INDEX.findall(text)]
        self._named = {name: name if name in named else name.removesuffix("?") for name in asked}
        for name, column in self._named.items():
            if column not in named and name == column:
                raise ExpressionError(f"there is no column {name!r}")
        indexed = [column for column in self._named.values() if column in named]
        whole = "row" in _NAME.findall(_INDEX.sub("", text))
        words = set(_NAME.findall(text))
        variables = dict.fromkeys(bare, cel.Type.STRING) | {"row": cel.Type.Map(cel.Type.STRING, cel.Type.STRING)}
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
        chosen = [*named] if whole else [name for name in named if name in indexed or (name in words and name in bare)]
        self.columns = tuple(chosen)
        self._places = tuple(named[name] for name in chosen)
        self._program = program
        self._indexed = set(chosen) if whole else set(indexed)
        self._bare = bare
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
        data: dict[str, Any] = {name: cell for name, cell in cells.items() if name in self._bare}
        data["row"] = {name: cell for name, cell in cells.items() if name in self._indexed}
        data["row"] |= {name: cells.get(column, "") for name, column in self._named.items()}
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


def _said(message: str) -> str:
    """The first line of CEL's message, without its code."""
    first = message.splitlines()[0] if message else "it failed"
    first = re.sub(r"^(?:[A-Z_]+: )*(<input>:1:)?", lambda match: "column " if match[1] else "", first)
    return re.sub(r" \[[A-Z_]+\]$", "", first).replace(" (in container '')", "")
