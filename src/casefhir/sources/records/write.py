"""Cases to record files: YAML for people, JSON for programs; what `read` makes of them is the same case."""

import dataclasses
import re
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import yaml

from casefhir import exactjson
from casefhir.record import Case
from casefhir.sources.records.models import TYPE, UNTYPED, kinds_of

# what YAML 1.2 readers take for numbers and PyYAML for text
_NUMBER_ELSEWHERE = re.compile(r"[-+]?(?:0o[0-7]+|0x[0-9a-fA-F]+|\.?[0-9][0-9_.]*(?:[eE][-+]?[0-9]+)?)$")


def as_data(case: Case) -> dict[str, Any]:
    """The record as what JSON holds: fields with their defaults left out, `type` where several kinds may stand."""
    return _object(case, tagged=False)


def _object(part: Any, *, tagged: bool) -> dict[str, Any]:
    hints = get_type_hints(type(part))
    found: dict[str, Any] = {TYPE: type(part).__name__} if tagged else {}
    for each in dataclasses.fields(part):
        value = getattr(part, each.name)
        if each.init and value != _default(each):
            found[each.name] = _value(hints[each.name], value)
    return found


def _default(field: "dataclasses.Field[Any]") -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _value(hint: Any, value: Any) -> Any:
    if isinstance(value, tuple):
        return [_value(hint, each) for each in value]
    if dataclasses.is_dataclass(value):
        return _object(value, tagged=_several(hint, type(value)))
    return str(value) if isinstance(value, Decimal) else value


def _several(hint: Any, kind: type) -> bool:
    """Whether other dataclasses may stand where the hint allows `kind`, so that it has to say its own."""
    if kind in UNTYPED:
        return False
    if kind in kinds_of(hint):
        return len(kinds_of(hint)) > 1
    return any(_several(each, kind) for each in get_args(hint))


def to_json(case: Case) -> bytes:
    """The record as JSON, indented, the same bytes everywhere."""
    return exactjson.write(as_data(case), indent=True)


def to_yaml(case: Case) -> bytes:
    """The record as YAML: a short object a line; text that some reader would take for something else is in quotes."""
    made: bytes = yaml.dump(
        as_data(case), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None,
        encoding="utf-8",
    )  # fmt: skip
    return made


class _Dumper(yaml.SafeDumper):
    """Without anchors and aliases; times and numbers as text, in quotes."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    quoted = '"' if _NUMBER_ELSEWHERE.match(text) or not text.isprintable() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=quoted)


_Dumper.add_representer(str, _text)
