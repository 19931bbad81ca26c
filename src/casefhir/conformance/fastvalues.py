"""What the functions of the fast path ask of single values; each answers True only when nothing is wrong."""

import re
from typing import TYPE_CHECKING, Any

from casefhir.conformance.definitions import Definitions, unversioned
from casefhir.conformance.measurements import UCUM
from casefhir.conformance.narrative import XHTML, read
from casefhir.conformance.primitives import SCHEME, TEXTS, doubt, fault
from casefhir.conformance.units import contradicts, unit_fault
from casefhir.conformance.vital_signs import implied_by
from casefhir.conformance.vocabulary import Vocabulary
from casefhir.terms.check_digits import loinc_fault, snomed_fault

if TYPE_CHECKING:
    from casefhir.conformance.fastcode import Trip

Json = dict[str, Any]
_KEPT = 50_000
_PLAIN_DIV = re.compile(
    r'<div(?: (?:xml:)?lang="[A-Za-z-]*")*(?: xmlns="' + re.escape(XHTML) + r'")(?: (?:xml:)?lang="[A-Za-z-]*")*>'
    r"[^<>&\x00-\x1f]*[^<>&\s\x00-\x1f][^<>&\x00-\x1f]*</div>\Z"
)
_CHECKED = {"http://loinc.org": loinc_fault, "http://snomed.info/sct": snomed_fault}


class Values:
    """The questions; answers about text, codes and codings are remembered."""

    def __init__(self, definitions: Definitions, vocabulary: Vocabulary) -> None:
        self.definitions = definitions
        self.vocabulary = vocabulary
        self.known: dict[str, set[str]] = {name: set() for name in TEXTS}
        self._codings: dict[tuple[Any, Any, Any], str | None] = {}
        self._members: dict[tuple[str, str | None, str], bool | None] = {}
        self._units: set[tuple[str, Any]] = set()

    def learn(self, kind: str, text: str) -> bool:
        """Is `text` a right value of primitive `kind`; right ones are kept."""
        if kind == "xhtml":
            if _PLAIN_DIV.match(text):
                return True
            reading = read(text)
            return not reading.faults and not reading.links
        if fault(kind, text) is not None or doubt(text) is not None:
            return False
        if kind in ("date", "dateTime", "instant") and not "1800" <= text[:4] <= "2100":
            return False
        kept = self.known[kind]
        if len(kept) > _KEPT:
            kept.clear()
        if len(text) < 200:
            kept.add(text)
        return True

    def text(self, text: str) -> bool:
        """Is `text` a right string."""
        return fault("string", text) is None and doubt(text) is None

    def member(self, value_set: str, system: str | None, code: str, trip: "Trip") -> bool:
        """Is `code` in `value_set`, or not to be told."""
        answer = self._has(value_set, system, code)
        if answer is None:
            trip.unchecked.append(unversioned(value_set))
        return answer is not False

    def bound(self, holders: Any, value_set: str, needs: bool, trip: "Trip") -> bool:
        """Is one of the codes of `holders` in `value_set`; without any, only where none is needed."""
        pairs = [(each.get("system"), each["code"]) for each in holders if "code" in each]
        if not pairs:
            return not needs
        answers = [False if system is None else self._has(value_set, system, code) for system, code in pairs]
        if True in answers:
            return True
        if None in answers:
            trip.unchecked.append(value_set)
            return True
        return False

    def _has(self, value_set: str, system: str | None, code: str) -> bool | None:
        """`Vocabulary.has`, remembered."""
        key = (value_set, system, code)
        if key not in self._members:
            if len(self._members) > _KEPT:
                self._members.clear()
            self._members[key] = self.vocabulary.has(value_set, system, code)
        return self._members[key]

    def coding(self, found: Json, trip: "Trip") -> bool:
        """Is a Coding as it should be; "" is remembered for a wrong one, a system for one not to be checked."""
        key = (found.get("system"), found.get("code"), found.get("display"))
        try:
            answer = self._codings[key]
        except KeyError:
            if len(self._codings) > _KEPT:
                self._codings.clear()
            answer = self._codings[key] = self._coding(*key)
        if answer:
            trip.unchecked.append(answer)
        return answer != ""

    def _coding(self, system: str | None, code: str | None, display: str | None) -> str | None:
        if system is None:
            return None if code is None else ""
        if not SCHEME.match(system):
            return ""
        if code is None:
            return None
        if implied_by(system, code):
            return ""
        if system in _CHECKED:
            return "" if _CHECKED[system](code) else system
        if system == UCUM:
            return "" if unit_fault(code) else None
        known = self.vocabulary.system(system)
        if known is None:
            answer = self.vocabulary.knows(system, code)
            if answer is not None:
                return None if answer else ""
            return "" if self.definitions.value_set(system) else system
        if code not in known.codes:
            return "" if known.whole else system
        return None if display is None or display == known.codes[code] else ""

    def quantity(self, found: Json) -> bool:
        """Is the unit of a Quantity with a code UCUM, and its printed unit no other."""
        key = (found["code"], found.get("unit"))
        return found.get("system") == UCUM and (key in self._units or self._unit(*key))

    def _unit(self, code: str, text: str | None) -> bool:
        if unit_fault(code) is not None or (text is not None and contradicts(text, code)):
            return False
        if len(self._units) > _KEPT:
            self._units.clear()
        self._units.add((code, text))
        return True

    def identifier(self, found: Json) -> bool:
        """Is the system of an Identifier absolute."""
        system = found.get("system")
        if system == "urn:ietf:rfc:3986":
            return SCHEME.match(found.get("value", "").lower()) is not None
        return system is None or SCHEME.match(system) is not None

    def period(self, found: Json) -> bool:
        """Does a Period surely end at or after its start (per-1)."""
        start, end = found.get("start"), found.get("end")
        if start is None or end is None:
            return "start" not in found or "end" not in found
        if len(start) == len(end) and len(start) <= 10:
            return bool(start <= end)
        return bool(start[:4] < end[:4] and len(start) <= 10 and len(end) <= 10)

    def range(self, found: Json) -> bool:
        """Is low of a Range surely not above high (rng-2)."""
        low, high = found.get("low"), found.get("high")
        if low is None or high is None:
            return True
        same = low.get("unit") == high.get("unit") and low.get("code") == high.get("code")
        return bool(same and "value" in low and "value" in high and low["value"] <= high["value"])
