"""Facts without a date on the axis: those told by an event stand under it, the others by their kind."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from casefhir.report.facts import ORDER, Case, Fact
from casefhir.report.marks import drawn

_WORDS = "words "  # before the name of an event that is words alone; a fact's key has no space


@dataclass(slots=True)
class Rung:
    """A fact or an event told in words (`fact` None) with the facts that hang on it; `told` is how it hangs itself.

    `listed` is False for a fact that is drawn on the axis and stands here only as what others hang on.
    """

    fact: Fact | None
    name: str
    told: str
    listed: bool
    below: list["Rung"] = field(default_factory=list)

    def __iter__(self) -> Iterator["Rung"]:
        yield self
        for each in self.below:
            yield from each


@dataclass(frozen=True, slots=True)
class Ladder:
    """`hung` are the events in the order of their dates, then of the bundle; `loose` the other facts by kind."""

    hung: tuple[Rung, ...]
    loose: tuple[tuple[str, tuple[Fact, ...]], ...]

    @property
    def count(self) -> int:
        """How many facts are listed."""
        return sum(each.listed for top in self.hung for each in top) + sum(len(facts) for _, facts in self.loose)


def ladder(case: Case) -> Ladder:
    """Every fact of `case` that is not drawn, once."""
    facts = {id(each.held.value): each for each in case.facts}
    by_key = {each.key: each for each in case.facts}
    undated = [each for each in case.facts if not drawn(each)]
    above = {each.key: _above(each, facts, by_key) for each in undated}
    for each in undated:
        _cut(each.key, above)
    rungs: dict[str, Rung] = {}
    tops: list[Rung] = []
    for each in undated:
        found = above[each.key]
        if found is None:
            continue
        name, told = found
        rung = rungs.setdefault(each.key, Rung(each, each.label, "", True))
        rung.told = told
        parent = rungs.get(name)
        if parent is None:
            event = by_key.get(name)
            parent = Rung(
                event, event.label if event else name.removeprefix(_WORDS), "", event is not None and not drawn(event)
            )
            rungs[name] = parent
        parent.below.append(rung)
    for name, rung in rungs.items():
        if rung.fact is None or above.get(name) is None:
            tops.append(rung)
    tops.sort(key=lambda each: (each.fact is None, _day(each)))
    held = {each.fact.key for top in tops for each in top if each.fact is not None}
    loose = [each for each in undated if each.key not in held]
    kinds = ((kind, tuple(each for each in loose if each.kind == kind)) for kind in ORDER)
    return Ladder(tuple(tops), tuple((kind, found) for kind, found in kinds if found))


def _day(rung: Rung) -> str:
    """A key that sorts dated events before others."""
    first = rung.fact.start.first if rung.fact else None
    return first.isoformat() if first else "9999"


def _above(fact: Fact, facts: dict[int, Fact], by_key: dict[str, Fact]) -> tuple[str, str] | None:
    """The name of what `fact` hangs on (a fact's key, or words) and how; None where it hangs on nothing."""
    if fact.hang is not None:
        event = facts.get(id(fact.hang.event.value)) if fact.hang.event else None
        if event is not None:
            return event.key, fact.hang.told
        return (_WORDS + fact.hang.name, fact.hang.told) if fact.hang.name else None
    if fact.kind == "Adverse events":
        suspects = [link.key for link in fact.links if link.key in by_key]
        courses = [key for key in suspects if by_key[key].kind == "Treatment courses"]
        if courses:
            others = ", ".join(by_key[key].title for key in courses[1:])
            return courses[0], f"suspected of this{f' and of {others}' if others else ''}"
    return None


def _cut(key: str, above: dict[str, tuple[str, str] | None]) -> None:
    """Let go of what hangs on itself in a circle."""
    seen = {key}
    at = above.get(key)
    while at is not None:
        if at[0] in seen:
            above[key] = None
            return
        seen.add(at[0])
        at = above.get(at[0])
