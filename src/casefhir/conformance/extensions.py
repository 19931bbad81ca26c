"""Extensions: is their definition known, and may they stand where they stand."""

from casefhir.conformance.definitions import CORE, Definitions, Json, core
from casefhir.conformance.fhirpath import Env, Unsupported, compiled, truth
from casefhir.conformance.fhirpath.evaluation import Failed
from casefhir.conformance.shapes import ancestors
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node
from casefhir.conformance.words import words

EXAMPLES = ("example.org", "acme.com", "nema.org")  # as HL7's engine; DICOM's tags have no definitions
_ANYWHERE = frozenset(  # R4's own definitions carry these where their contexts do not allow them
    CORE + "structuredefinition-" + name for name in ("fhir-type", "normative-version")
) | {CORE + "regex"}
_ELSEWHERE = (
    *(f"http://hl7.org/fhir/{v}/StructureDefinition/" for v in ("1.0", "3.0", "4.0", "4.3", "5.0")),
    "http://hl7.org/fhir/tools/StructureDefinition/",
    CORE + "structuredefinition-",
)
_LATER = frozenset(CORE + name for name in words()["later_extensions"])


class Extensions:
    """Checks the url, definition and place of each Extension; its content is its profile's business."""

    def __init__(self, definitions: Definitions, tell: Tell) -> None:
        self.definitions = definitions
        self.tell = tell

    def check(self, node: Node) -> Json | None:
        """Check Extension `node`; gives its definition where it has one to be checked against."""
        url = node.get("url")
        if ("extension" in node.children) == ("value" in node.children):
            self.tell(
                "error",
                "ext-1",
                node,
                "An extension must have either a value or extensions, not both or none.",
                "Keep one of them.",
            )
        if not isinstance(url, str):
            return None
        if ":" not in url:
            if node.parent is None or node.parent.type != "Extension":
                self.tell(
                    "error",
                    "structure.extension-url",
                    node,
                    f"Extension.url {url!r} is not an absolute URL.",
                    "Give the extension's canonical URL.",
                    value=url,
                )
            return None
        if "|" in url:
            self._unknown(node, url)  # a version is part of no extension's URL
            return None
        found = self.definitions.structure(url)
        if found is None or found.get("type") != "Extension":
            self._unknown(node, url)
            return None
        self._modifier(node, url, found)
        self._context(node, url, found)
        return found

    def _unknown(self, node: Node, url: str) -> None:
        if any(each in url for each in EXAMPLES):
            return
        if url.startswith(_ELSEWHERE) or url in core().later | _LATER:
            self.tell(
                "information",
                "structure.extension-unchecked",
                node,
                f"{url} is defined outside R4 (another version, or for definitions); it was not checked.",
                "",
                value=url,
            )
            return
        self.tell(
            "error",
            "structure.unknown-extension",
            node,
            f"No definition of extension {url} is known.",
            "Load its StructureDefinition with the profiles, or correct the URL.",
            value=url,
        )

    def _modifier(self, node: Node, url: str, found: Json) -> None:
        views = [found[view]["element"] for view in ("differential", "snapshot") if found.get(view)]
        modifies = any(each.get("isModifier") for view in views for each in view if "." not in each["path"])
        if modifies != (node.key == "modifierExtension"):
            right = "modifierExtension" if modifies else "extension"
            self.tell(
                "error",
                "structure.modifier-extension",
                node,
                f"{url} belongs in {right}, not in {node.key}.",
                f"Move it to {right}.",
                value=url,
            )

    def _context(self, node: Node, url: str, found: Json) -> None:
        holder = node.parent
        contexts = found.get("context", [])
        if holder is None or not contexts or url in _ANYWHERE:
            return
        places = _places(holder)
        for each in contexts:
            kind, expression = each.get("type"), each.get("expression", "")
            if kind == "element" and expression.partition("#")[2 if "#" in expression else 0] in places:
                return
            if kind == "extension" and _extension_path(holder, expression):
                return
            if kind == "fhirpath" and self._selected(holder, expression):
                return
        allowed = ", ".join(str(each.get("expression")) for each in contexts)
        self.tell(
            "error",
            "structure.extension-context",
            node,
            f"{url} may not stand on {holder.location}; it belongs on {allowed}.",
            "Move it.",
            value=url,
        )

    def _selected(self, holder: Node, expression: str) -> bool:
        resource = holder.resource
        try:
            found = compiled(expression)([resource], Env(context=resource, resource=resource, root=resource))
        except (Unsupported, Failed):
            return True
        return holder in found or (truth(found) if found and isinstance(found[0], bool) else False)


def _places(holder: Node) -> frozenset[str]:
    """All the ways an element context can name the place of `holder`."""
    found = {"Element", *ancestors(holder.shape.name)} if "." not in holder.shape.name else {"Element"}
    found.add(holder.shape.name)
    if holder.shape.kind == "resource" and {"url", "status"} <= holder.shape.elements.keys():
        found.update(("CanonicalResource", "MetadataResource"))
    if "." in holder.shape.name:
        found.add("BackboneElement")
    path: list[str] = []
    node: Node | None = holder
    while node is not None and node.element is not None and node.parent is not None:
        choice = node.element.choice
        found.add(node.element.path)
        name = node.element.name
        for base in ancestors(node.parent.shape.name.partition(".")[0]):
            found.update({f"{base}.{name}"} if node is holder and "." not in node.parent.shape.name else ())
        path.insert(0, name + ("[x]" if choice else ""))
        if node.parent.shape.kind == "resource":
            full = ".".join([node.parent.shape.name, *path])
            found.update({full, full.removesuffix("[x]")})
            break
        node = node.parent
    if holder.element is not None and holder.element.choice:
        found.update({holder.element.path.removesuffix("[x]")})
    return frozenset(found)


def _extension_path(holder: Node, expression: str) -> bool:
    node: Node | None = holder
    urls: list[str] = []
    while node is not None and node.type == "Extension":
        urls.insert(0, str(node.get("url")))
        if expression == "#".join(urls) or expression == node.get("url"):
            return True
        node = node.parent
    return False
