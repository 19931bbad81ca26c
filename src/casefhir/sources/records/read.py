"""Record files to cases: everything that is wrong is told with line and column; what is read holds to `check`."""

import dataclasses
import difflib
import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError

from casefhir.record import Case, RecordError, check
from casefhir.sources.article.modules import Mapping
from casefhir.sources.records.json_file import read_json
from casefhir.sources.records.models import SCHEMA_KEY, kinds_of, model_of
from casefhir.sources.records.nodes import Mistake, Node, Place, RecordFileError, Step, Unreadable, text_of
from casefhir.sources.records.yaml_file import read_yaml

_NO_SHAPE = Place(1, 1)


def load_record(path: Path) -> Mapping:
    """The case in the YAML or JSON record file `path`, checked; raises `RecordFileError` with every mistake."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordFileError(
            str(path), [Mistake(_NO_SHAPE, f"The record cannot be read: {error.strerror}.")]
        ) from error
    return read_record(data, path)


def read_record(data: bytes, path: Path | str = "record.json") -> Mapping:
    """The case in the bytes of a record file, checked, with the line of each fact and place; `path` names the file, and
    whether it is YAML or JSON.

    Raises `RecordFileError` with every mistake, each with line, column, what and how to mend.
    """
    path = Path(path)
    try:
        text = text_of(data)
        tree = read_json(text) if path.suffix == ".json" else read_yaml(text)
    except Unreadable as error:
        raise RecordFileError(str(path), [error.mistake]) from error
    if isinstance(tree.value, dict):
        tree = Node({key: node for key, node in tree.value.items() if key != SCHEMA_KEY}, tree.place, tree.keys)
    case, mistakes = built(tree)
    if case:
        mistakes = [_mistake(tree, each) for each in check(case)]
    if mistakes or case is None:
        raise RecordFileError(str(path), mistakes)
    return _located(path, data, tree, case)


def built(tree: Node, *, shape_only: bool = False) -> tuple[Case | None, list[Mistake]]:
    """The case in a tree, and what is wrong with it but for what `check` finds; `shape_only` stops where the JSON
    Schema does.
    """
    try:
        model = model_of(Case).model_validate(tree.plain())
    except ValidationError as error:
        return None, [_misshapen(tree, each) for each in error.errors(include_url=False)]
    if shape_only:
        return None, []
    builder = _Builder(tree)
    return builder.build(Case, model, ()), builder.mistakes


@dataclasses.dataclass
class _Builder:
    """Validated models to the dataclasses they were made from, whose own rules may still object."""

    tree: Node
    mistakes: list[Mistake] = dataclasses.field(default_factory=list)

    def build(self, kind: type, model: BaseModel, path: tuple[Step, ...]) -> Any:
        hints = get_type_hints(kind)
        before = len(self.mistakes)
        given = {
            each.name: self._value(hints[each.name], getattr(model, each.name), (*path, each.name))
            for each in dataclasses.fields(kind)
            if each.init
        }
        if len(self.mistakes) > before:
            return None
        try:
            return kind(**given)
        except RecordError as error:
            node, steps = self.tree.follow(path)
            self.mistakes.append(Mistake(node.place, f"{_where(self.tree, steps)}{error}", steps))
            return None

    def _value(self, hint: Any, value: Any, path: tuple[Step, ...]) -> Any:
        if isinstance(value, BaseModel):
            kind = next(each for each in kinds_of(hint) if each.__name__ == type(value).__name__)
            return self.build(kind, value, path)
        if isinstance(value, tuple):
            inner = next(
                each for each in (hint, *get_args(hint)) if get_origin(each) is tuple
            )  # one sort of list at a place: see models
            return tuple(self._value(get_args(inner)[0], each, (*path, at)) for at, each in enumerate(value))
        if isinstance(value, dict):
            return {str(name): str(words) for name, words in value.items()}
        if hint is Decimal:
            return Decimal(value)
        return str(value) if isinstance(value, str) else value


def _mistake(tree: Node, error: RecordError) -> Mistake:
    """A mistake that `check` found in a fact, at that fact."""
    path: tuple[Step, ...] = ()
    for at, node in enumerate(_facts(tree)):
        if error.fact and _key(node) == error.fact:
            path = ("facts", at)
    if error.fact and not path:
        path = ("person",)
    node, steps = tree.follow(path)
    return Mistake(node.place, f"{_where(tree, steps)}{error}", steps)


def _facts(tree: Node) -> list[Node]:
    facts = tree.value.get("facts") if isinstance(tree.value, dict) else None
    return facts.value if facts and isinstance(facts.value, list) else []


def _key(node: Node) -> str:
    key = node.value.get("key") if isinstance(node.value, dict) else None
    return key.value if key and isinstance(key.value, str) else ""


def _where(tree: Node, steps: tuple[Step, ...]) -> str:
    """`igg1-2012-12, source, offset: `: facts by their keys, fields by their names, entries by their number from 1."""
    words: list[str] = []
    for at, step in enumerate(steps):
        if at == 1 and steps[0] == "facts":
            words = [_key(tree.follow(steps[:2])[0]) or f"fact {int(step) + 1}"]
        else:
            words.append(step if isinstance(step, str) else f"entry {step + 1}")
    return f"{', '.join(words)}: " if words else ""


_CALLED = {str: "text", list: "a list", dict: "an object", bool: "true or false", int: "a number", float: "a number"}


def _misshapen(tree: Node, error: Any) -> Mistake:
    """A sentence for what pydantic objects to."""
    node, steps = tree.follow(error["loc"])
    place, kind, context = node.place, error["type"], error.get("ctx", {})
    last = str(error["loc"][-1]) if error["loc"] else ""
    found = "nothing (null)" if node.value is None else _CALLED[next(k for k in _CALLED if isinstance(node.value, k))]
    match kind:
        case "missing":
            said = f"{last} is missing. Add it (null where the source tells nothing and null is allowed)."
        case "extra_forbidden":
            holder = tree.follow(steps[:-1])[0]
            place = holder.keys.get(last, place)
            steps = (*steps[:-1],)
            said = f"There is no field {last!r} here.{_near(last, _fields(error['loc']))}"
        case "string_type":
            hint = ' Put it in quotes to keep its digits: "4.0".' if found == "a number" else " Write text in quotes."
            said = f"It should be text, not {found}.{hint}"
        case "int_type" | "int_from_float":
            said = f"It should be a whole number without quotes, not {found}."
        case "tuple_type" | "list_type":
            said = f"It should be a list, not {found}. Put it in square brackets."
        case "model_type" | "model_attributes_type":
            said = f"It should be an object with fields, not {found}."
        case "literal_error":
            said = f"{node.value!r} is none of {context['expected']}.{_near(str(node.value), _quoted(context))}"
        case "union_tag_not_found":
            said = "Which kind it is, is missing: add type (casefhir schema record lists the kinds)."
        case "union_tag_invalid":
            said = f"type is {context['tag']!r}, none of {context['expected_tags']}."
            said += _near(str(context["tag"]), context["expected_tags"].replace("'", "").split(", "))
        case "form":
            said = f"{error['msg']}, not {found}."
        case _:
            said = f"{error['msg']}."
    return Mistake(place, f"{_where(tree, steps)}{said}", steps)


def _quoted(context: dict[str, Any]) -> list[str]:
    return str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")


def _near(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _fields(path: tuple[Step, ...]) -> list[str]:
    """The fields of the kind that pydantic's path ends in."""
    hint: Any = Case
    for step in path[:-1]:
        kinds = _inside(hint)
        named = next((each for each in kinds if each.__name__ == step), None)
        if named:
            hint = named
        elif isinstance(step, str) and len(kinds) == 1 and step in get_type_hints(kinds[0]):
            hint = get_type_hints(kinds[0])[step]
    kinds = _inside(hint)
    return [each.name for each in dataclasses.fields(kinds[0])] if len(kinds) == 1 else []


def _inside(hint: Any) -> list[type]:
    found = kinds_of(hint)
    for each in get_args(hint):
        found += [kind for kind in _inside(each) if kind not in found]
    return found


def _located(path: Path, data: bytes, tree: Node, case: Case) -> Mapping:
    """The case as a mapping: the lines of its facts, of their places and of the article."""
    facts = {case.person.key: tree.follow(("person",))[0].place.line}
    spans: dict[tuple[int, int], int] = {}
    places: dict[tuple[str, int, int], int] = {}
    for node in _facts(tree):
        facts[_key(node)] = node.place.line
        for stretch, line in _stretches(node):
            places.setdefault((_key(node), *stretch), line)
    for stretch, line in _stretches(tree):
        spans.setdefault(stretch, line)
    article = tree.follow(("article",))[0].place.line
    return Mapping(path, hashlib.sha256(data).hexdigest(), case, facts, spans, places, article)


def _stretches(node: Node) -> list[tuple[tuple[int, int], int]]:
    found = []
    for each in node.walk():
        if isinstance(each.value, dict) and {"offset", "length"} <= each.value.keys():
            offset, length = each.value["offset"].value, each.value["length"].value
            if offset is not None and length is not None and str(offset).isdigit() and str(length).isdigit():
                found.append(((int(str(offset)), int(str(length))), each.place.line))
    return found
