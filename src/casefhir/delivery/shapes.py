"""Reading JSON from a server that may send anything: never an exception, at worst nothing."""

from typing import Any

Json = dict[str, Any]


def obj(value: Any) -> Json:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Json]:
    """The objects of a list; nothing when it is no list."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def word(value: Any) -> str | None:
    """`value` if it is a string, else None."""
    return value if isinstance(value, str) else None


def version_of(resource: Json) -> str | None:
    """`meta.versionId`."""
    return word(obj(resource.get("meta")).get("versionId"))
