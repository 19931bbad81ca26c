"""What shaping asks of a check of JSON, so that it need not know which."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol


class Learnt(Protocol):
    """What a check learns from the first resource of a template: its findings, the limits between which the value of
    the Observation (None) or of a component (its place) brings no other, codes and unit of its series, whether its
    value is an age.
    """

    @property
    def findings(self) -> Sequence[Any]:
        """What was found."""

    @property
    def limits(self) -> Sequence[tuple[int | None, Decimal, Decimal]]:
        """Which value has to lie between what."""

    @property
    def series(self) -> Any:
        """Codes and unit."""

    @property
    def age(self) -> bool:
        """Whether the value is an age."""

    @property
    def apart(self) -> bool:
        """Whether it can be checked without what it points at."""


class Checker(Protocol):
    """Checks JSON: see `casefhir.conformance.templates.TemplateChecker`."""

    def learn(self, line: bytes) -> Learnt:
        """Check one resource through all layers."""

    def judge(self, lines: Sequence[bytes], ids: Sequence[str]) -> list[tuple[int, Any]]:
        """Check a person's resources together: the place of the resource among `lines`, and what was found."""

    def fits(
        self,
        life: tuple[str | None, str | None],
        times: tuple[list[str], list[str], list[tuple[str, str]], list[tuple[str, str]]],
        series: list[Any],
        ages: list[tuple[Decimal, str]],
    ) -> bool:
        """Whether there is surely nothing to find between the resources of a person."""
