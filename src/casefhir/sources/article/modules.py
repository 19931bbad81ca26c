"""Mapping modules: Python files that state one case each, and the lines on which they state it."""

import ast
import difflib
import hashlib
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import get_args

from casefhir.errors import CasefhirError
from casefhir.published import folder
from casefhir.record import Case, Fact, RecordError, check
from casefhir.sources.records import ENDINGS


class MappingError(CasefhirError):
    """A mapping with a mistake; the message starts with `file:line:`."""


@dataclass(frozen=True)
class Mapping:
    """A mapping module: its file name, the SHA-256 of its bytes, its case, and the line of each fact and span.

    `fact_lines` maps fact keys, `span_lines` (offset, length) pairs, to line numbers from 1; `place_lines` the spans
    that are written inside a fact, by (key, offset, length); `article_line` is the article's.
    """

    path: Path
    sha256: str
    case: Case
    fact_lines: dict[str, int]
    span_lines: dict[tuple[int, int], int]
    place_lines: dict[tuple[str, int, int], int] = field(default_factory=dict)
    article_line: int = 1

    @property
    def name(self) -> str:
        """The file's name, without the folder it happens to lie in."""
        return self.path.name

    def line_of(self, fact: str | None) -> int:
        """The line of the fact with that key; 1 where it has none."""
        return self.fact_lines.get(fact or "", 1)

    def line_at(self, fact: str | None, offset: int, length: int) -> int:
        """The line of that place of that fact; the fact's own line where the place is written nowhere."""
        inside = self.place_lines.get((fact or "", offset, length))
        return inside or self.span_lines.get((offset, length)) or self.line_of(fact)


def load_mapping(path: Path) -> Mapping:
    """The mapping in the Python file `path`, checked.

    The module is executed: a mapping is code of its author, like any Python file one runs. Raises `MappingError` with
    file, line, what and how to mend it; several mistakes stand on lines of their own.
    """
    try:
        data = path.read_bytes()
        tree = ast.parse(data, filename=str(path))
    except OSError as error:
        raise MappingError(f"{path}:1: The mapping cannot be read: {error.strerror}.") from error
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise MappingError(f"{path}:{line}: The mapping is not Python: {error}.") from error
    case = _run(path, compile(tree, str(path), "exec"))
    facts, spans, places, article = _lines(tree, case)
    mistakes = check(case)
    if mistakes:
        raise MappingError("\n".join(f"{path}:{facts.get(each.fact or '', 1)}: {_named(each)}" for each in mistakes))
    return Mapping(path, hashlib.sha256(data).hexdigest(), case, facts, spans, places, article)


def _named(error: RecordError) -> str:
    return f"{error.fact}: {error}" if error.fact else str(error)


def _run(path: Path, code: CodeType) -> Case:
    names: dict[str, object] = {"__name__": path.stem, "__file__": str(path)}
    try:
        exec(code, names)  # what importing it would do, without leaving it imported
    except Exception as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = frames[-1].lineno if frames else 1
        what = _named(error) if isinstance(error, RecordError) else f"{type(error).__name__}: {error}"
        raise MappingError(f"{path}:{line}: {what}") from error
    case = names.get("CASE")
    if not isinstance(case, Case):
        raise MappingError(f"{path}:1: The mapping defines no CASE; end it with CASE = Case(…).")
    return case


def published_mappings() -> list[Path]:
    """The mapping modules that casefhir comes with, in the order of their names: the installed ones, or the checkout's.

    Raises `NotShipped` where neither is there.
    """
    return sorted(path for path in folder("mappings").glob("*.py") if not path.name.startswith("_"))


def resolve(name: str) -> Path:
    """The mapping file that `name` means: a path, or the key of a published case.

    Raises `MappingError` with the keys there are where it is neither.
    """
    path = Path(name)
    if path.suffix in (".py", *ENDINGS) or path.exists():
        if not path.is_file():
            raise MappingError(
                f"{path}: There is no such file; name a mapping or record, or the key of a published case."
            )
        if path.suffix not in (".py", *ENDINGS):
            raise MappingError(
                f"{path}: This is neither a mapping nor a record ({', '.join(('.py', *ENDINGS))}). Tables are "
                "converted by a mapping of theirs: casefhir convert TABLES --mapping NAME."
            )
        return path
    published = {each.stem.replace("_", "-"): each for each in published_mappings()}
    if name in published:
        return published[name]
    near = difflib.get_close_matches(name, published, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise MappingError(f"No published case is called {name!r}.{hint} There are: {', '.join(published) or 'none'}.")


_Lines = tuple[dict[str, int], dict[tuple[int, int], int], dict[tuple[str, int, int], int], int]
_FACTS = frozenset(kind.__name__ for kind in get_args(Fact))


def _lines(tree: ast.Module, case: Case) -> _Lines:
    """Where facts, spans, the spans inside each fact, and the article are written."""
    facts: dict[str, int] = {case.person.key: 1}
    spans: dict[tuple[int, int], int] = {}
    places: dict[tuple[str, int, int], int] = {}
    article = 1
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if stretch := _stretch(node):
            spans.setdefault(stretch, node.lineno)
        if node.func.id == "Article":
            article = node.lineno
        key = case.person.key if node.func.id == "Person" else _first_word(node) if node.func.id in _FACTS else None
        if key in case.by_key:
            facts[key] = node.lineno
            for inner in ast.walk(node):
                if isinstance(inner, ast.Call) and (stretch := _stretch(inner)):
                    places.setdefault((key, *stretch), inner.lineno)
    return facts, spans, places, article


def _first_word(node: ast.Call) -> str:
    """The first argument of a call, or its `key=`, where it is a text."""
    given = [*node.args[:1], *(each.value for each in node.keywords if each.arg == "key")]
    return next((each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)), "")


def _stretch(node: ast.Call) -> tuple[int, int] | None:
    """The offset and length that a call gives as its first whole numbers (`at`, `LeftOut`, `Section`)."""
    numbers = [each.value for each in node.args if isinstance(each, ast.Constant) and type(each.value) is int]
    return (numbers[0], numbers[1]) if len(numbers) > 1 else None
