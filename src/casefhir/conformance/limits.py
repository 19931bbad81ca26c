"""What minValue and maxValue of a profile mean for the element they are about."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from casefhir.conformance.fhirpath.clock import shifted
from casefhir.conformance.fhirpath.values import Amount, moment
from casefhir.conformance.tree import Node

_KINDS = {"time": "time", "date": "date", "dateTime": "dateTime", "instant": "dateTime"}


def limit_of(node: Node, wanted: Any, sign: int) -> Any:
    """A profile's minValue (`sign` -1) or maxValue (1) as a value to compare `node` with; None where it cannot be.

    For dates a quantity is a distance from now: minValue into the past, maxValue into the future.
    """
    if isinstance(wanted, dict):
        if not isinstance(wanted.get("value"), int | Decimal):
            return None
        amount = Amount(Decimal(wanted["value"]), str(wanted.get("code") or wanted.get("unit") or "1"))
        if not node.is_primitive():
            return amount
        now = moment(datetime.now(UTC).date().isoformat(), "date")
        return None if now is None or node.type not in _KINDS else shifted(now, amount, sign)
    if isinstance(wanted, str):
        return Decimal(wanted) if isinstance(node.value, int | Decimal) else moment(wanted, _KINDS.get(node.type, ""))
    return wanted
