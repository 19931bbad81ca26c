"""Layer references: where references point, whether that exists in the Bundle, and a Bundle's own rules."""

import re
from functools import lru_cache

from casefhir.conformance.definitions import CORE
from casefhir.conformance.shapes import shape
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

REST = re.compile(
    r"(?P<base>(?:https?|ftp)://[^\s?#|]*/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?(?:#.*)?\Z",
    re.ASCII,
)
# A type at the start, or before the id of a relative reference with a path ("../Patient/1").
_LOOSE = re.compile(
    r"(?:(?![a-z]+:)[^\s?#|]*/(?=[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}\Z))?([A-Z][A-Za-z]+)[?/]", re.ASCII
)
_BLANK = re.compile(r"\s", re.ASCII)
_URN = re.compile(r"urn:(uuid|oid):", re.ASCII)


@lru_cache(maxsize=4096)
def type_named(reference: str) -> str | None:
    """The resource type that the text of a reference names, None where it names none."""
    match = REST.match(reference)
    if match is not None:
        found = shape(match["type"])
        return match["type"] if found is not None and found.kind == "resource" else None
    loose = _LOOSE.match(reference)
    found = shape(loose[1]) if loose else None
    return loose[1] if loose and found is not None and found.kind == "resource" else None


@lru_cache(maxsize=1024)
def allowed(targets: tuple[str, ...]) -> frozenset[str] | None:
    """The resource types that `targets` allow, None for any; targets that are profiles allow any."""
    found: set[str] = set()
    for each in targets:
        name = each.partition("|")[0].removeprefix(CORE)
        target = shape(name)
        if name == "Resource" or target is None:
            return None
        found.add(name)
    return frozenset(found) if found else None


class Index:
    """The entries of a Bundle by fullUrl and by type and id."""

    def __init__(self, bundle: Node) -> None:
        self.bundle = bundle
        self.by_url: dict[str, list[Node]] = {}
        self.by_type_id: dict[str, list[Node]] = {}
        for entry in bundle.children.get("entry", ()):
            resource = entry.first("resource")
            if resource is None:
                continue
            url = entry.get("fullUrl")
            if isinstance(url, str):
                self.by_url.setdefault(url, []).append(resource)
            if isinstance(resource.get("id"), str):
                self.by_type_id.setdefault(f"{resource.shape.name}/{resource.get('id')}", []).append(resource)

    def find(self, reference: str, base: str | None) -> Node | None:
        """The resource that `reference` means, said in an entry whose fullUrl is `base`."""
        plain = reference.partition("#")[0].partition("/_history/")[0]
        found = self.by_url.get(reference) or self.by_url.get(plain)
        if found:
            return found[0]
        match = REST.match(reference)
        if match is None or match["base"]:
            return None
        root = REST.match(base or "")
        name = f"{match['type']}/{match['id']}"
        if root is not None and root["base"]:
            found = self.by_url.get(root["base"] + name)
            if found:
                return found[0]
        found = self.by_type_id.get(name)
        return found[0] if found else None


class References:
    """Checks every Reference of one tree; knows its Bundles."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self._indexes: dict[int, Index] = {}

    def index_of(self, node: Node) -> tuple[Index | None, str | None]:
        """The Bundle that holds `node`, indexed, and the fullUrl of the entry it is in."""
        entry: Node | None = node
        while entry is not None:
            holder = entry.parent
            if holder is not None and holder.shape.name == "Bundle" and entry.key == "entry":
                if id(holder) not in self._indexes:
                    self._indexes[id(holder)] = Index(holder)
                url = entry.get("fullUrl")
                return self._indexes[id(holder)], url if isinstance(url, str) else None
            entry = holder
        return None, None

    def resolve(self, reference: str, node: Node | None) -> Node | None:
        """The resource that `reference`, said in `node`, points at, within the input."""
        if node is None:
            return None
        if reference.startswith("#"):
            holder = node.root_resource
            if reference == "#":
                return holder
            return holder.contained(reference[1:])
        index, base = self.index_of(node)
        return None if index is None else index.find(reference, base)

    def check(self, node: Node) -> None:
        """Check Reference `node`."""
        text = node.get("reference")
        said = node.get("type")
        targets = allowed(node.ref.targets) if node.ref is not None else None
        if isinstance(said, str) and shape(said) is None and (":" not in said or shape(said.removeprefix(CORE))):
            self.tell(
                "error",
                "references.type",
                node,
                f"Reference.type {said!r} is no R4 resource type.",
                "Name the target's type.",
                value=said,
            )
            said = None
        if isinstance(text, str):
            self._target(node, text, said if isinstance(said, str) else None, targets)
        elif isinstance(said, str) and targets is not None and said not in targets:
            self._wrong(node, said, targets)
        elif not {"reference", "identifier", "display"} & node.children.keys():
            self.tell(
                "warning",
                "references.nothing",
                node,
                "A reference without reference or identifier should have a display.",
                "Say what is meant.",
            )

    def _target(self, node: Node, text: str, said: str | None, targets: frozenset[str] | None) -> None:
        found = self.resolve(text, node)
        self._ambiguous(node, text)
        name = found.shape.name if found is not None else type_named(text)
        if found is None:
            self._unresolved(node, text)
        if name is None:
            name = said
        elif said is not None and said != name:
            self.tell(
                "error",
                "references.type",
                node,
                f"Reference.type says {said}, but {text} is a {name}.",
                f"Say {name}, or leave type out.",
                value=said,
            )
        if name is not None and targets is not None and name not in targets:
            self._wrong(node, name, targets)

    def _ambiguous(self, node: Node, text: str) -> None:
        index, _ = self.index_of(node)
        if index is None:
            return
        match = REST.match(text)
        relative = match is not None and not match["base"] and not match["version"]
        if len(index.by_url.get(text, ())) > 1 or (relative and len(index.by_type_id.get(text, ())) > 1):
            self.tell(
                "error",
                "references.ambiguous",
                node,
                f"Several entries of the Bundle answer to {text}.",
                "Refer to one version, or drop the others.",
                value=text,
            )

    def _wrong(self, node: Node, name: str, targets: frozenset[str]) -> None:
        self.tell(
            "error",
            "references.target-type",
            node,
            f"A {name} may not stand here; {node.element.path if node.element else 'this'} points at "
            f"{', '.join(sorted(targets))}.",
            "Point at one of these types.",
            value=node.get("reference"),
        )

    def _unresolved(self, node: Node, text: str) -> None:
        if _BLANK.search(text):
            self.tell(
                "error",
                "references.form",
                node,
                f"{text!r} has white space.",
                "Write it without.",
                value=text,
            )
            return
        if text.startswith("#"):
            return  # ref-1 says it
        index, base = self.index_of(node)
        if _URN.match(text):
            if index is not None:
                self.tell(
                    "error",
                    "references.dangling",
                    node,
                    f"No entry of the Bundle has the fullUrl {text}.",
                    "Add the entry, or correct the reference.",
                    value=text,
                )
            return
        if REST.match(text) is None and "?" not in text and not text.startswith(("http://", "https://")):
            severity = "warning" if index is None else "error"
            self.tell(
                severity,
                "references.form",
                node,
                f"{text!r} has not the form of a reference (Type/id).",
                "Write Type/id, an absolute URL, urn:uuid: or #id.",
                value=text,
            )
            return
        if index is None or text.startswith(("http://", "https://")):
            return
        kind = index.bundle.get("type")
        if kind in ("document", "message"):
            self.tell(
                "error",
                "references.dangling",
                node,
                f"The {kind} has no entry for {text}.",
                "Add the entry; a document carries what it refers to.",
                value=text,
            )
        elif kind == "collection" and base is not None:
            self.tell(
                "warning",
                "references.unresolved",
                node,
                f"No entry of the Bundle is {text}.",
                "Add the entry if it is meant to be there.",
                value=text,
            )
