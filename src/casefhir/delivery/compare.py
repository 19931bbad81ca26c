"""Is what the server holds what was sent? Canonical comparison, decimals by their digits, differences by
path.

What a server may change without it being a difference: key order; `meta.versionId`, `lastUpdated` and
`source`;
tags and security labels it kept from before (FHIR keeps them on update); the spelling of a reference to
itself
(absolute or with a version); the order of attributes in the narrative; 1E3 for 1000.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from casefhir.delivery.shapes import Json, obj, rows, word

_SERVERS_OWN = ("versionId", "lastUpdated", "source")
_LABELS = ("tag", "security")
_WIDEST = 30  # digits that an exponent may add when 1E3 is written out


@dataclass(frozen=True, slots=True)
class Difference:
    """One path where the two differ; None means: not there."""

    path: str
    ours: str | None
    theirs: str | None

    def __str__(self) -> str:
        """`path: ours -> theirs`."""
        return f"{self.path}: {_or_nothing(self.ours)} -> {_or_nothing(self.theirs)}"


def differences(ours: Json, theirs: Json, *, base: str = "", most: int = 50) -> tuple[Difference, ...]:
    """Where `theirs` (as read from the server at `base`) differs from `ours`, at most `most` places."""
    found: list[Difference] = []
    for one in _walk(str(ours.get("resourceType", "")), _prepared(ours, base), _prepared(theirs, base)):
        found.append(one)
        if len(found) == most:
            break
    return tuple(found)


def same(ours: Json, theirs: Json, *, base: str = "") -> bool:
    """Whether there is no difference."""
    return not differences(ours, theirs, base=base, most=1)


def _prepared(resource: Json, base: str) -> Json:
    meta = dict(obj(resource.get("meta")))
    for name in _SERVERS_OWN:
        meta.pop(name, None)
    prepared = {key: value for key, value in resource.items() if key != "meta"}
    if base:
        prepared = _relative(prepared, base.rstrip("/") + "/")
    text = prepared.get("text")
    if isinstance(text, dict) and isinstance(text.get("div"), str):
        prepared["text"] = {**text, "div": _narrative(text["div"])}
    if meta:
        prepared["meta"] = meta
    return prepared


def _relative(value: Any, base: str) -> Any:
    if isinstance(value, dict):
        return {
            key: _own_reference(item, base) if key == "reference" and isinstance(item, str) else _relative(item, base)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_relative(item, base) for item in value]
    return value


def _own_reference(reference: str, base: str) -> str:
    plain = reference.removeprefix(base)
    return plain.partition("/_history/")[0] if "://" not in plain else plain


def _narrative(div: str) -> str:
    if "<!" in div:  # no document type, no entities: compared as it stands
        return div
    try:
        return ElementTree.canonicalize(div)
    except ElementTree.ParseError:
        return div


def _walk(path: str, ours: Any, theirs: Any) -> Iterator[Difference]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            here = f"{path}.{key}"
            if key in _LABELS and path.endswith(".meta") and path.count(".") == 1:
                yield from _labels(here, ours.get(key, []), theirs.get(key, []))
            elif key not in theirs or key not in ours:
                # `meta` with nothing but the server's own fields is no difference; labels are looked into
                if here.count(".") == 1 and key == "meta":
                    yield from _walk(here, ours.get(key, {}), theirs.get(key, {}))
                else:
                    yield Difference(here, _shown(ours.get(key)), _shown(theirs.get(key)))
            else:
                yield from _walk(here, ours[key], theirs[key])
    elif isinstance(ours, list) and isinstance(theirs, list):
        for number in range(max(len(ours), len(theirs))):
            here = f"{path}[{number}]"
            if number >= len(ours) or number >= len(theirs):
                mine = ours[number] if number < len(ours) else None
                other = theirs[number] if number < len(theirs) else None
                yield Difference(here, _shown(mine), _shown(other))
            else:
                yield from _walk(here, ours[number], theirs[number])
    elif _plain(ours) != _plain(theirs):
        yield Difference(path, _shown(ours), _shown(theirs))


def _labels(path: str, ours: Any, theirs: Any) -> Iterator[Difference]:
    """Every label of ours must be there; a further one is what the server kept."""

    def key(row: Mapping[str, Any]) -> tuple[Any, Any]:
        return word(row.get("system")), word(row.get("code"))

    held = {key(row) for row in rows(theirs)}
    for row in rows(ours):
        if key(row) not in held:
            yield Difference(path, f"{row.get('system')}|{row.get('code')}", None)


def _plain(value: Any) -> tuple[str, str]:
    """A value that is equal exactly when FHIR calls the two the same: true is not 1, 1.10 is not 1.1."""
    if isinstance(value, bool):
        return ("boolean", str(value))
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and 0 < exponent <= _WIDEST:
            return ("number", format(number, "f"))
        return ("number", str(number))
    return (type(value).__name__, str(value))


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _or_nothing(text: str | None) -> str:
    return "(nothing)" if text is None else text
