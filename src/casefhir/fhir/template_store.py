"""Templates: JSON with holes, cut from what the ordinary path makes of a marked fact; what a check learnt of them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import Any

from casefhir import exactjson
from casefhir.fhir.checker import Checker
from casefhir.fhir.context import Json
from casefhir.fhir.drafts import Draft
from casefhir.fhir.marks import is_marked
from casefhir.fhir.slots import narrative_slot, text_slot

MOST = 20_000  # templates kept; a registry has some hundreds
_MOST_MET = 200_000


@dataclass(slots=True)
class Template:
    """JSON with holes, and what is known of every resource that fills it.

    `varies`: its findings tell of slots, or hang on others, so that each resource has to be checked; `limits`: which
    number of a fact has to lie between what.
    """

    kind: str
    form: bytes
    pick: Callable[[Sequence[bytes]], Any]
    findings: tuple[Any, ...] = ()
    remarks: tuple[str, ...] = ()
    varies: bool = False
    limits: tuple[tuple[int, Decimal, Decimal], ...] = ()
    series: Any = None
    age: bool = False


class TemplateStore:
    """Makes templates, and keeps them."""

    def __init__(self, checker: Checker | None) -> None:
        self.checker = checker
        self.known: dict[Any, Template | None] = {}  # None: the ordinary path makes something else
        self._met: set[int] = set()
        self._rules: dict[frozenset[str], tuple[bytes, ...]] = {}

    def is_new(self, key: Any) -> bool:
        """Whether a key is met for the first time: a template is made at the second, for many texts come once."""
        mark = hash(key)
        if mark in self._met:
            return False
        if len(self._met) > _MOST_MET:
            self._met.clear()
        self._met.add(mark)
        return True

    def make(
        self, key: Any, slots: Sequence[bytes], draft: Callable[[], Draft], ordinary: Callable[[], Json]
    ) -> Template | None:
        """The template of a new key; None, for good, where filling it is not what the ordinary path does."""
        if len(self.known) >= MOST:
            del self.known[next(iter(self.known))]
        made = self.known[key] = self._made(slots, draft(), exactjson.write(ordinary()))
        return made

    def _made(self, slots: Sequence[bytes], draft: Draft, own: bytes) -> Template | None:
        data = exactjson.write(draft.resource)
        places = {mark: place for place, mark in reversed([*enumerate(draft.slots)])}
        marks = re.compile(b"|".join(re.escape(each) for each in sorted(places, key=len, reverse=True)))
        form = marks.sub(b"%b", data.replace(b"%", b"%%"))
        pick = itemgetter(*(places[each] for each in marks.findall(data)))
        template = Template(draft.resource["resourceType"], form, pick)
        if is_marked(form) or form % pick(slots) != own:
            return None
        if self.checker:
            learnt = self.checker.learn(own)
            template.findings = tuple(learnt.findings)
            told = [slot.decode() for slot in slots]
            template.varies = not learnt.apart or any(
                slot in each.message or slot in (each.value or "") for each in learnt.findings for slot in told
            )
            placed = [(draft.place_of_value(part), least, most) for part, least, most in learnt.limits]
            template.limits = tuple((place, *limits) for place, *limits in placed if place is not None)  # type: ignore[misc]
            template.series, template.age = learnt.series, learnt.age
        return template

    def rules_slots(self, rules: frozenset[str]) -> tuple[bytes, ...]:
        """The names of rules as JSON and narrative have them. Raises `NoTemplate`."""
        found = self._rules.get(rules)
        if found is None:
            words = ", ".join(sorted(rules))
            found = self._rules[rules] = (text_slot(words), narrative_slot(words)) if rules else ()
        return found
