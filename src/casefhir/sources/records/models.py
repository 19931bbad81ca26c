"""Pydantic models made from the record's dataclasses when they are first asked for: there is no second copy of them.

Where several kinds of object may stand (facts, moments), `type` says which; a span and words need none. An object, a
list and a text are told apart by what they are. Nothing is converted: a whole number is one, text is text, and the
digits of a quantity are text.
"""

import dataclasses
import functools
import operator
import re
import types
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Strict, Tag, create_model
from pydantic.json_schema import GenerateJsonSchema

from casefhir.record import Case, Span, Words

TYPE = "type"
SCHEMA_KEY = "$schema"
_ID = "https://w3id.org/casefhir/schema/record.json"
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_FLAG = "true or false"
UNTYPED = (Span, Words)  # what stands nearly everywhere where another kind may stand too
_FORMS: dict[type, str] = {
    bool: _FLAG,
    str: "text",
    list: "a list",
    tuple: "a list",
    dict: "an object",
    int: "a number",
}


class Plain(str):
    """A scalar that YAML has without quotes: text, or a whole number where one belongs."""

    __slots__ = ()


def _whole(value: Any) -> Any:
    if isinstance(value, Plain) and _WHOLE.fullmatch(value):
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value  # JSON's 12.0 is whole


def _flag(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, Plain) else value


Whole = Annotated[int, Strict(), BeforeValidator(_whole)]
Flag = Annotated[bool, Strict(), BeforeValidator(_flag)]
Digits = Annotated[str, Field(pattern=r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$")]


class _Described(GenerateJsonSchema):
    """Names of fields are plain enough: no titles made of them."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


@cache
def model_of(kind: type, tagged: bool = False) -> type[BaseModel]:
    """The model of the dataclass `kind`: same fields, same defaults, nothing else allowed; `tagged` models have `type`
    first.
    """
    hints = get_type_hints(kind, include_extras=True)
    fields: dict[str, Any] = {TYPE: (Literal[kind.__name__], ...)} if tagged else {}
    for each in dataclasses.fields(kind):
        if each.init:
            fields[each.name] = (_shape(hints[each.name]), _default(each))
    return create_model(kind.__name__, __config__=ConfigDict(extra="forbid"), __doc__=_about(kind), **fields)


def _about(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return ... if field.default_factory is dataclasses.MISSING else Field(default_factory=field.default_factory)


def options(hint: Any) -> tuple[Any, ...]:
    """What a type hint allows, one by one."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def kinds_of(hint: Any) -> list[type]:
    """The dataclasses among what a type hint allows."""
    return [each for each in options(hint) if isinstance(each, type) and dataclasses.is_dataclass(each)]


def _shape(hint: Any) -> Any:
    """The type hint `hint` with dataclasses replaced by their models and unions told apart."""
    if get_origin(hint) is tuple:
        return tuple[tuple(each if each is Ellipsis else _shape(each) for each in get_args(hint))]  # type: ignore[misc]
    if hint is int:
        return Whole
    if hint is bool:
        return Flag
    if hint is Decimal:
        return Digits
    if hint in kinds_of(hint):
        return model_of(hint)
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    shapes: dict[str, Any] = {}
    kinds = kinds_of(hint)
    if len(kinds) == 1:
        shapes["an object"] = model_of(kinds[0])
    elif kinds:
        shapes["an object"] = _one_of(kinds)
    for each in options(hint):
        if each not in kinds and each is not type(None):
            form = "text" if get_origin(each) is Literal else _FORMS[get_origin(each) or each]
            shapes[form] = _shape(each)
    nullable = type(None) in options(hint)
    if len(shapes) == 1:
        (alone,) = shapes.values()
        return alone | None if nullable else alone
    told = " or ".join(shapes)
    tags = _any_of(Annotated[shape, Tag(form)] for form, shape in shapes.items())
    form_of = _form_or_flag if _FLAG in shapes else _form
    apart: Any = Annotated[tags, Discriminator(form_of, "form", f"It should be {told}")]
    return apart | None if nullable else apart


def _any_of(hints: Iterable[Any]) -> Any:
    return functools.reduce(operator.or_, hints)


def _one_of(kinds: list[type]) -> Any:
    """Several kinds of object, told apart by `type`; the one that needs none is told by its lack."""
    plain = next((each for each in kinds if each in UNTYPED), None)
    if plain is None:
        return Annotated[_any_of(model_of(each, tagged=True) for each in kinds), Field(discriminator=TYPE)]
    models = _any_of(Annotated[model_of(each, tagged=each is not plain), Tag(each.__name__)] for each in kinds)

    def kind(value: Any) -> Any:
        named = value.get(TYPE, plain.__name__) if isinstance(value, dict) else None
        return named if isinstance(named, str) else None

    return Annotated[models, Discriminator(kind)]


def _form_or_flag(value: Any) -> str | None:
    return _form(_flag(value))


def _form(value: Any) -> str | None:
    return next((name for kind, name in _FORMS.items() if isinstance(value, kind)), None)


def schema() -> dict[str, Any]:
    """The record model as JSON Schema (draft 2020-12): what a YAML or JSON record may hold."""
    made = model_of(Case).model_json_schema(schema_generator=_Described)
    own = {SCHEMA_KEY: {"type": "string", "description": "Where this schema is, for editors; not read."}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _ID,
        **made,
        "properties": own | made["properties"],
    }
