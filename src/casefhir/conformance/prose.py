"""Rules of R4's text that no invariant says: contained ids, attachments, identifiers, years, profiled types."""

import base64
import binascii

from casefhir.conformance.primitives import SCHEME
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

_RFC_3986 = "urn:ietf:rfc:3986"
_YEARS = (1800, 2100)
_DATED = frozenset({"date", "dateTime", "instant"})


class Prose:
    """Checks one node at a time."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell

    def check(self, node: Node) -> None:
        """Check what R4's text says of `node`'s type."""
        name = node.shape.name
        if name == "id" and node.sibling is not None and "extension" in node.children:
            self.tell(
                "error", "structure.id-extension", node, "A resource's id may not have extensions.", "Remove them."
            )
        if name in _DATED:
            self._year(node)
        elif name == "Identifier":
            self._identifier(node)
        elif name == "Attachment":
            self._attachment(node)
        elif name == "Meta":
            self._labels(node)
        elif name == "Extension":
            self._url(node)
        elif node.shape.kind == "resource":
            self._ids(node)
            if "contained" in node.children:
                self._contained(node)

    def _url(self, node: Node) -> None:
        url = node.first("url")
        if url is None:
            return
        if url.value is None:
            self.tell(
                "error", "structure.missing", node, "Extension must have url, as a value.", "Give the extension's URL."
            )
        elif "extension" in url.children:
            self.tell("error", "structure.url-extension", url, "Extension.url may not have extensions.", "Remove them.")

    def _ids(self, resource: Node) -> None:
        seen: set[str] = set()
        waiting = list(resource.all_children())
        while waiting:
            node = waiting.pop()
            if node.shape.kind == "resource":
                continue
            waiting.extend(node.all_children())
            if node.shape.name == "ElementDefinition":
                continue  # their ids are paths, the same in both views; sdf-16 and sdf-17 ask for one of each
            for each in node.children.get("id", ()):
                if isinstance(each.value, str) and each.value in seen:
                    self.tell(
                        "error",
                        "structure.duplicate-id",
                        each,
                        f"Two elements of this resource have the id {each.value!r}.",
                        "Rename one of them.",
                        value=each.value,
                    )
                seen.add(str(each.value))

    def _labels(self, node: Node) -> None:
        seen: set[tuple[str, str]] = set()
        for each in node.children.get("security", ()):
            pair = (str(each.get("system")), str(each.get("code")))
            if pair in seen:
                self.tell(
                    "error",
                    "structure.duplicate-label",
                    each,
                    f"meta.security has {pair[1]} twice.",
                    "Keep one.",
                    value=pair[1],
                )
            seen.add(pair)

    def _year(self, node: Node) -> None:
        text = node.value
        if isinstance(text, str) and text[:4].isdigit() and not _YEARS[0] <= int(text[:4]) <= _YEARS[1]:
            self.tell(
                "warning",
                "structure.year",
                node,
                f"The year {text[:4]} is outside {_YEARS[0]} to {_YEARS[1]}.",
                "Check for a slip.",
                value=text,
            )

    def _identifier(self, node: Node) -> None:
        system, value = node.get("system"), node.get("value")
        if isinstance(system, str) and system and not SCHEME.match(system):
            self.tell(
                "error",
                "structure.identifier-system",
                node,
                f"Identifier.system {system!r} is not absolute.",
                "Give a URI with a scheme (https:, urn:).",
                value=system,
            )
        if system == _RFC_3986 and isinstance(value, str) and not SCHEME.match(value.lower()):
            self.tell(
                "error",
                "structure.identifier-uri",
                node,
                f"With system {_RFC_3986} the value must be a URI, not {value!r}.",
                "Write urn:uuid: ...",
                value=value,
            )

    def _attachment(self, node: Node) -> None:
        data, size, said = node.get("data"), node.get("size"), node.get("hash")
        if not isinstance(data, str):
            return
        try:
            raw = base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            return  # the format of data was told already
        if isinstance(size, int) and size != len(raw):
            self.tell(
                "error",
                "structure.attachment-size",
                node,
                f"size says {size} bytes, data has {len(raw)}.",
                f"Say {len(raw)}.",
                value=size,
            )
        if isinstance(said, str):
            import hashlib  # OpenSSL takes a while to load, and few attachments have a hash

            right = base64.b64encode(hashlib.sha1(raw, usedforsecurity=False).digest()).decode()
            if said != right:
                self.tell(
                    "error",
                    "structure.attachment-hash",
                    node,
                    "hash is not the SHA-1 of data in base64.",
                    f"Write {right}.",
                    value=said,
                )

    def _contained(self, node: Node) -> None:
        seen: set[str] = set()
        for each in node.children["contained"]:
            name = each.get("id")
            if not isinstance(name, str):
                self.tell(
                    "error",
                    "structure.contained-id",
                    each,
                    "A contained resource must have an id.",
                    "Give it one and refer to it with '#'.",
                )
            elif name in seen:
                self.tell(
                    "error",
                    "structure.contained-id",
                    each,
                    f"Two contained resources have the id {name!r}.",
                    "Rename one of them and its references.",
                    value=name,
                )
            else:
                seen.add(name)
