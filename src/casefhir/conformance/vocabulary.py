"""Code systems and value sets as sets of codes; grammars where a code system has no list."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from casefhir.conformance.definitions import Definitions, unversioned
from casefhir.conformance.units import unit_fault
from casefhir.conformance.words import words
from casefhir.terms.check_digits import code_fault

Codes = frozenset[str] | Callable[[str], bool | None] | None
"""The codes of one system in a value set: a list, a grammar (which may not tell), or None for "cannot be told here"."""

_MIME = re.compile(r"[a-zA-Z0-9!#$&^_.+-]+/[a-zA-Z0-9!#$&^_.+-]+( *; *[^;=\s]+=(\"[^\"]*\"|[^;]+))* *;?\Z")
_FORMATS = frozenset({"xml", "json", "ttl"})  # R4 names its own formats so, where a MIME type is bound
# BCP 47, without the four to eight letters that it reserves and nobody has registered
_LANGUAGE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"
    r"|x(?:-[a-z0-9]{1,8})+|i-[a-z]+)\Z",
    re.IGNORECASE | re.ASCII,
)
CURRENCIES = words()["currencies"]


def _form(pattern: str) -> Callable[[str], bool | None]:
    """A grammar that tells what is no code, and of the rest cannot tell which ones are."""
    wanted = re.compile(pattern, re.ASCII)
    return lambda code: None if wanted.fullmatch(code) else False


_GRAMMARS: dict[str, Codes] = {
    "urn:ietf:bcp:13": lambda code: code in _FORMATS or _MIME.match(code) is not None,
    "urn:ietf:bcp:47": lambda code: _LANGUAGE.match(code) is not None,
    "urn:iso:std:iso:4217": CURRENCIES,
    "urn:iso:std:iso:3166": _form(r"[A-Z]{2,3}|\d{3}"),
    "urn:iso:std:iso:3166:-2": _form(r"[A-Z]{2}-[A-Z0-9]{1,3}"),
    "http://unstats.un.org/unsd/methods/m49/m49.htm": _form(r"\d{3}"),
    "http://unitsofmeasure.org": lambda code: unit_fault(code) is None,
}


# The value sets that these systems define by their URL alone: which of their codes is not known here, but no others.
_IMPLICIT = {"http://loinc.org/vs": "http://loinc.org", "http://snomed.info/sct?fhir_vs": "http://snomed.info/sct"}


@dataclass(slots=True)
class System:
    """A code system's codes with their displays and parents; `whole` when the list is complete."""

    codes: dict[str, str | None] = field(default_factory=dict)
    parents: dict[str, set[str]] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    whole: bool = False

    def below(self, top: str) -> frozenset[str]:
        """The codes that are `top` or one of its kinds."""
        children: dict[str, list[str]] = {}
        for code, parents in self.parents.items():
            for parent in parents:
                children.setdefault(parent, []).append(code)
        found, waiting = {top}, [top]
        while waiting:
            for each in children.get(waiting.pop(), ()):
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        return frozenset(found)


def _gather(concepts: list[dict[str, Any]], parent: str | None, into: System) -> None:
    for each in concepts:
        code = each["code"]
        into.codes.setdefault(code, each.get("display"))
        into.parents.setdefault(code, set()).update(each.get("parents", ()))
        for prop in each.get("property", ()):
            if prop.get("code") in ("parent", "subsumedBy") and prop.get("valueCode"):
                into.parents[code].add(prop["valueCode"])
        if parent is not None:
            into.parents[code].add(parent)
        words = [d if isinstance(d, str) else d.get("value") for d in each.get("designation", ())]
        if words:
            into.others[code] = [word for word in words if word]
        _gather(each.get("concept", []), code, into)


class Vocabulary:
    """Answers whether a code is in a code system or a value set of `definitions`."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self._systems: dict[str, System | None] = {}
        self._sets: dict[str, dict[str, Codes] | None] = {}

    def system(self, url: str) -> System | None:
        """The code system `url`, None when its contents are not known here."""
        if url not in self._systems:
            source = self.definitions.code_system(url)
            found = None
            if source is not None and source.get("concept"):
                found = System(whole=source.get("content") == "complete")
                _gather(source["concept"], None, found)
            self._systems[url] = found
        return self._systems[url]

    def knows(self, system: str, code: str) -> bool | None:
        """Is `code` one of code system `system`: by its list, its grammar or its check digit; None if not told here."""
        if code_fault(system, code) is not None:
            return False
        found = self.system(system)
        if found is not None:
            return True if code in found.codes else False if found.whole else None
        return _member(_GRAMMARS.get(system), code)

    def codes(self, value_set: str) -> dict[str, Codes] | None:
        """The codes of `value_set` by system; None for a value set that is not known."""
        url = unversioned(value_set)
        if url not in self._sets:
            self._sets[url] = None  # a value set that includes itself ends here
            source = self.definitions.value_set(url)
            if source is not None:
                self._sets[url] = self.expanded(source)
            elif (of := next((of for start, of in _IMPLICIT.items() if url.startswith(start)), None)) is not None:
                self._sets[url] = {of: None}
        return self._sets[url]

    def has(self, value_set: str, system: str | None, code: str) -> bool | None:
        """Is `code` of `system` (None: any) in `value_set`? None where it cannot be told."""
        return self.among(self.codes(value_set), system, code)

    def among(self, codes: dict[str, Codes] | None, system: str | None, code: str) -> bool | None:
        """As `has`, for the codes of a value set that is no canonical (`expanded`)."""
        if codes is None:
            return None
        if system is not None:
            return _member(codes[system], code) if system in codes else (None if "" in codes else False)
        answers = [_member(each, code) for each in codes.values()]
        if True in answers:
            return True
        return None if None in answers else False

    def expanded(self, source: dict[str, Any]) -> dict[str, Codes]:
        """The codes of the ValueSet `source` by system."""
        compose = source.get("compose", {})
        found: dict[str, Codes] = {}
        for each in compose.get("include", ()):
            for system, codes in self._included(each):
                found[system] = _either(found[system], codes) if system in found else codes
        if not compose.get("include"):
            return self._expansion(source)
        for each in compose.get("exclude", ()):
            for system, codes in self._included(each):
                if system in found:
                    found[system] = _without(found[system], codes)
        return found

    def _expansion(self, source: dict[str, Any]) -> dict[str, Codes]:
        found: dict[str, set[str]] = {}
        waiting = list(source.get("expansion", {}).get("contains", ()))
        while waiting:
            each = waiting.pop()
            waiting.extend(each.get("contains", ()))
            if "code" in each and "system" in each:
                found.setdefault(each["system"], set()).add(each["code"])
        if not found:
            return {"": None}
        return {system: frozenset(codes) for system, codes in found.items()}

    def _included(self, each: dict[str, Any]) -> Iterator[tuple[str, Codes]]:
        others = [self.codes(url) for url in each.get("valueSet", ())]
        system = each.get("system")
        if system is None:
            if any(other is None for other in others) or not others:
                yield "", None
                return
            first = others[0] or {}
            for name, codes in first.items():
                for other in others[1:]:
                    codes = _both(codes, (other or {}).get(name, frozenset()))
                yield name, codes
            return
        codes = self._of_system(system, each)
        for other in others:
            codes = _both(codes, other.get(system, frozenset()) if other is not None else None)
        yield system, codes

    def _of_system(self, url: str, each: dict[str, Any]) -> Codes:
        if each.get("concept"):
            return frozenset(concept["code"] for concept in each["concept"])
        if url in _GRAMMARS:
            return _at_most(_GRAMMARS[url]) if each.get("filter") else _GRAMMARS[url]
        system = self.system(url)
        if system is None or not system.whole:
            return None
        codes = frozenset(system.codes)
        for one in each.get("filter", ()):
            kept = _filtered(system, one)
            if kept is None:
                return None
            codes &= kept
        return codes


def _filtered(system: System, one: dict[str, Any]) -> frozenset[str] | None:
    operation, wanted = one.get("op"), one.get("value", "")
    if one.get("property") == "concept" and wanted in system.codes:
        if operation == "is-a":
            return system.below(wanted)
        if operation == "descendent-of":
            return system.below(wanted) - {wanted}
        if operation == "is-not-a":
            return frozenset(system.codes) - system.below(wanted)
        if operation == "=":
            return frozenset({wanted})
    if one.get("property") in ("concept", "code") and operation == "in":
        return frozenset(wanted.split(","))
    return None


def _member(codes: Codes, code: str) -> bool | None:
    if codes is None:
        return None
    return codes(code) if callable(codes) else code in codes


def _either(first: Codes, second: Codes) -> Codes:
    if isinstance(first, frozenset) and isinstance(second, frozenset):
        return first | second

    def member(code: str) -> bool | None:
        answers = (_member(first, code), _member(second, code))
        return True if True in answers else None if None in answers else False

    return member


def _both(first: Codes, second: Codes) -> Codes:
    if isinstance(first, frozenset) and isinstance(second, frozenset):
        return first & second

    def member(code: str) -> bool | None:
        answers = (_member(first, code), _member(second, code))
        return False if False in answers else None if None in answers else True

    return member


def _without(first: Codes, second: Codes) -> Codes:
    if isinstance(first, frozenset) and isinstance(second, frozenset):
        return first - second

    def member(code: str) -> bool | None:
        inside, outside = _member(first, code), _member(second, code)
        if inside is False or outside is True:
            return False
        return None if inside is None or outside is None else True

    return member


def _at_most(codes: Codes) -> Codes:
    """Codes of which a filter that is not evaluated here keeps some."""
    return _both(codes, None)
