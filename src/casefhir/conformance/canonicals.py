"""Definitions that an instance names: contained in it, in its Bundle, or among those that were loaded."""

from typing import Any

from casefhir.conformance.definitions import Definitions, Json, unversioned
from casefhir.conformance.tree import Node


def named(canonical: str, kind: str, node: Node, definitions: Definitions) -> Json | None:
    """The `kind` (a resource type) that `canonical`, said in `node`, means; None where none is at hand."""
    if canonical.startswith("#"):
        return contained(node.root_resource.value, kind, canonical[1:])
    url, _, version = canonical.partition("|")
    for each in _bundled(node, kind):
        if each.get("url") == unversioned(url) and (not version or each.get("version") == version):
            return each
    return definitions.find(kind, canonical)


def contained(resource: Json, kind: str, identity: str) -> Json | None:
    """The `kind` that `resource` contains under the id `identity`."""
    for each in resource.get("contained", ()):
        if isinstance(each, dict) and each.get("id") == identity and each.get("resourceType") == kind:
            return each
    return None


def _bundled(node: Node, kind: str) -> list[Json]:
    found: list[Json] = []
    here: Node | None = node
    while here is not None:
        if here.shape.name == "Bundle":
            resources = (entry.get("resource") for entry in here.children.get("entry", ()))
            found += [each for each in resources if isinstance(each, dict) and each.get("resourceType") == kind]
        here = here.parent
    return found


def extension_values(holder: Json, *urls: str) -> list[Any]:
    """The value[x] of each extension of `holder` (an object of JSON) with one of `urls`."""
    found: list[Any] = []
    for each in holder.get("extension", ()):
        if isinstance(each, dict) and each.get("url") in urls:
            found += [value for key, value in each.items() if key.startswith("value")]
    return found


def extension_value(holder: Json, *urls: str) -> Any:
    """The first of `extension_values`, or None."""
    return next(iter(extension_values(holder, *urls)), None)
