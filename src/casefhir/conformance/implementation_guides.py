"""ImplementationGuides: what they say they depend on."""

import re

from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

_PACKAGE = re.compile(r"[A-Za-z][\w-]*(?:\.[\w-]+)+\Z", re.ASCII)
_VERSION = re.compile(r"[\w$-]+(?:\.[\w$-]+)*\Z", re.ASCII)


class ImplementationGuides:
    """Checks ImplementationGuide nodes."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell

    def check(self, node: Node) -> None:
        """Check the dependencies of ImplementationGuide `node`."""
        for each in node.children.get("dependsOn", ()):
            self._dependency(each)

    def _tell(self, node: Node, message: str, mend: str) -> None:
        self.tell("error", "profiles.guide-dependency", node, message, mend, value=node.value)

    def _dependency(self, node: Node) -> None:
        uri, package, version = (node.first(each) for each in ("uri", "packageId", "version"))
        if uri is not None and isinstance(uri.value, str):
            plain, stroke, said = uri.value.partition("|")
            if "/ImplementationGuide/" not in plain:
                wanted = "Give the canonical URL of the ImplementationGuide, which has /ImplementationGuide/ in it."
                self._tell(uri, f"{plain} is not the URL of an ImplementationGuide.", wanted)
            if stroke and said != (version.value if version is not None else None):
                self._tell(
                    uri,
                    f"The URL ends in |{said}, and version does not say the same.",
                    "Name the version in version, and nowhere else.",
                )
        if package is not None and isinstance(package.value, str) and not _PACKAGE.match(package.value):
            self._tell(package, f"{package.value!r} is no package's name.", "Write it as hl7.fhir.us.core.")
        elif version is not None and isinstance(version.value, str) and not _VERSION.match(version.value):
            self._tell(version, f"{version.value!r} is no package's version.", "Write it as 3.1.0.")
