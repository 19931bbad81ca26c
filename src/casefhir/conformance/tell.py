"""What every check is given to report by."""

from typing import Any, Protocol

from casefhir.conformance.tree import Node


class Tell(Protocol):
    """How a check reports: where (`node`, `key` below it), which rule, one sentence, what mends it."""

    def __call__(
        self, severity: str, rule: str, node: Node, message: str, mend: str = "", *, key: str = "", value: Any = None
    ) -> None:
        """Report one finding."""
