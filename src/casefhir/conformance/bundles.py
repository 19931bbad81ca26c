"""The rules of a Bundle that R4 states in prose, by its type."""

import re

from casefhir.conformance.primitives import SCHEME
from casefhir.conformance.references import References, type_named
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

_REST_END = re.compile(r"\A(https?://.*/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})\Z", re.ASCII)
_POINTING = frozenset({"Reference", "uri", "url"})
_FREE = ("transaction", "batch", "transaction-response", "batch-response")


class Bundles:
    """Checks a Bundle node beyond its invariants."""

    def __init__(self, references: References, tell: Tell) -> None:
        self.references = references
        self.tell = tell

    def check(self, node: Node) -> None:
        """Check Bundle `node`."""
        kind = node.get("type")
        entries = node.children.get("entry", [])
        for entry in entries:
            self._identity(entry, kind)
        relations = [each.get("relation") for each in node.children.get("link", ())]
        for each in ("self", "first", "previous", "prev", "next", "last"):
            if relations.count(each) > 1:
                message = f"A Bundle may have one link with relation {each!r}."
                self.tell("error", "references.link", node, message, "Keep one.")
        if kind == "document":
            self._document(entries)
        elif kind == "message" and entries:
            self._first(entries, "MessageHeader")

    def _identity(self, entry: Node, kind: object) -> None:
        resource, url = entry.first("resource"), entry.get("fullUrl")
        if resource is None:
            return
        if not isinstance(url, str):
            if kind not in _FREE and kind is not None and not entry.children.get("fullUrl"):
                self.tell(
                    "error",
                    "references.full-url",
                    entry,
                    f"Each entry of a {kind} Bundle must have a fullUrl.",
                    "Give urn:uuid: or a URL.",
                )
            return
        search = entry.first("search")
        if kind == "searchset" and search is not None and search.get("mode") == "outcome":
            if resource.shape.name != "OperationOutcome":
                message = f"What a search says of itself is an OperationOutcome, not a {resource.shape.name}."
                self.tell("error", "references.search-outcome", entry, message, "Say match or include.")
        elif kind == "searchset" and "id" not in resource.children and resource.shape.name != "OperationOutcome":
            self.tell("error", "references.search-id", entry, "A search's results have ids.", "Give it its id.")
        match = _REST_END.match(url)
        identity = resource.get("id")
        if match is not None and type_named(url) is not None and "id" not in resource.children:
            self.tell(
                "error",
                "references.full-url",
                entry,
                f"fullUrl ends in {match[2]}/{match[3]}, but the resource has no id.",
                f"Give it the id {match[3]} if it is that {match[2]}, or a urn:uuid: as fullUrl.",
                value=url,
            )
        elif match is not None and isinstance(identity, str):
            if (match[2], match[3]) != (resource.shape.name, identity):
                self.tell(
                    "error",
                    "references.full-url",
                    entry,
                    f"fullUrl ends in {match[2]}/{match[3]}, but the resource is {resource.shape.name}/{identity}.",
                    "Make them agree.",
                    value=url,
                )
        elif not SCHEME.match(url):
            self.tell(
                "error",
                "references.full-url",
                entry,
                f"fullUrl {url!r} is not absolute.",
                "Give urn:uuid: or an absolute URL.",
                value=url,
            )

    def _first(self, entries: list[Node], name: str) -> Node | None:
        first = entries[0].first("resource")
        if first is None or first.shape.name != name:
            return None  # bdl-11 and bdl-12 say it
        return first

    def _document(self, entries: list[Node]) -> None:
        start = self._first(entries, "Composition") if entries else None
        if start is None:
            return
        targets = {}
        for entry in entries:
            resource = entry.first("resource")
            if resource is not None:
                targets[id(resource)] = self._targets(resource)
        reached = _reached({id(start)}, targets)
        linked = set(reached)
        while more := {each for each, found in targets.items() if each not in linked and found & linked}:
            linked = _reached(linked | more, targets)
        for entry in entries[1:]:
            resource = entry.first("resource")
            if resource is None or id(resource) in reached:
                continue
            if id(resource) not in linked:
                message = f"Nothing links this {resource.shape.name} with the document's Composition."
                self.tell(
                    "error", "references.unreachable", entry, message, "Refer to it from a section, or leave it out."
                )
            elif resource.shape.name != "Provenance":
                message = f"This {resource.shape.name} is not reachable from the document's Composition."
                self.tell("warning", "references.unreachable", entry, message, "Refer to it from a section.")

    def _targets(self, resource: Node) -> set[int]:
        """The resources of the Bundle that `resource` points at."""
        found: set[int] = set()
        for each in resource.descendants():
            text = each.get("reference") if each.type == "Reference" else each.value
            if each.type in _POINTING and isinstance(text, str):
                target = self.references.resolve(text, each)
                if target is not None and target is not resource:
                    found.add(id(target))
        return found


def _reached(start: set[int], targets: dict[int, set[int]]) -> set[int]:
    """`start` and all that can be reached from it."""
    found, waiting = set(start), list(start)
    while waiting:
        more = targets.get(waiting.pop(), set()) - found
        found |= more
        waiting += more
    return found
