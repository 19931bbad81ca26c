"""Layer profiles: does a node follow a profile's tree."""

from collections.abc import Callable
from typing import Any

from casefhir.conformance.definitions import CORE, unversioned
from casefhir.conformance.fhirpath import Env
from casefhir.conformance.fhirpath.values import order
from casefhir.conformance.findings import MustSupport
from casefhir.conformance.invariants import Invariants, translated
from casefhir.conformance.limits import limit_of
from casefhir.conformance.profiles import Part, Profile, Profiles
from casefhir.conformance.shapes import TypeRef, ancestors
from casefhir.conformance.slicing import Slicer, fits_pattern, same_value
from casefhir.conformance.tell import Tell
from casefhir.conformance.terminology import Terminology
from casefhir.conformance.tree import Node

_DEPTH = 12


def _path(node: Node) -> str:
    """The place of `node` in its resource, without the numbers of array items."""
    steps: list[str] = []
    while node.shape.kind != "resource" and node.parent is not None:
        steps.append(node.element.name if node.element is not None else node.key)
        node = node.parent
    return ".".join([node.type, *reversed(steps)])


class Silent(Exception):
    """The first error of a trial: enough to know that a node does not conform."""


class Follower:
    """Checks nodes against profiles; `trial` gives a follower that answers yes or no instead of telling."""

    def __init__(
        self,
        profiles: Profiles,
        slicer_of: Callable[["Follower"], Slicer],
        terminology: Terminology,
        invariants: Invariants,
        tell: Tell,
    ) -> None:
        self.profiles = profiles
        self.terminology = terminology
        self.invariants = invariants
        self.tell = tell
        self.slicer = slicer_of(self)
        self._trials: dict[tuple[int, str], bool] = {}
        self._depth = 0
        self.must_support: MustSupport = {}

    def check(self, node: Node, url: str) -> bool:
        """Check `node` against profile `url`; False when no such profile is known."""
        name = unversioned(url).removeprefix(CORE)
        profile = self.profiles.get(url)
        if profile is None:
            known = self.profiles.definitions.structure(url) is not None
            if known and name not in ancestors(node.shape.name):
                self.tell("error", "profiles.type", node, f"This is a {node.type}, not a {name}.", "Name its own type.")
            return known
        if profile.type not in ancestors(node.shape.name):
            self.tell(
                "error",
                "profiles.type",
                node,
                f"{profile.url} is for {profile.type}, not for {node.type}.",
                "Name a profile of this type.",
            )
            return True
        self._element(node, profile.root, profile)
        return True

    def conforms(self, url: str, node: Node) -> bool | None:
        """Whether `node` follows profile `url`, without telling; None where the profile is not known."""
        key = (id(node), url)
        if key in self._trials:
            return self._trials[key]
        if self._depth > _DEPTH:
            return None
        self._trials[key] = True  # a profile that asks for itself is met by itself
        told, terminology_told, invariants_told = self.tell, self.terminology.tell, self.invariants.tell

        def stop(severity: str, *_: Any, **__: Any) -> None:
            if severity in ("error", "fatal"):
                raise Silent

        self.tell = self.terminology.tell = self.invariants.tell = stop
        self._depth += 1
        try:
            known = self.check(node, url)
            found: bool | None = True if known else None
        except Silent:
            found = False
        finally:
            self._depth -= 1
            self.tell, self.terminology.tell, self.invariants.tell = told, terminology_told, invariants_told
        if found is None:
            del self._trials[key]
            return None
        self._trials[key] = found
        return found

    def _element(self, node: Node, part: Part, profile: Profile) -> None:
        if part.types is not None:
            self._types(node, part.types, profile)
        if part.fixed is not None and not same_value(part.fixed, node.value):
            self._tell("fixed", node, profile, f"must be {_short(part.fixed)}", "Write that value.")
        if part.pattern is not None and not fits_pattern(part.pattern, node.value):
            self._tell("pattern", node, profile, f"must contain {_short(part.pattern)}", "Add what is missing.")
        if part.binding is not None:
            self.terminology.bound(node, part.binding, profile=profile.url)
        if part.longest is not None and isinstance(node.value, str) and len(node.value) > part.longest:
            self._tell("max-length", node, profile, f"is longer than {part.longest} characters", "Shorten it.")
        self._bounds(node, part, profile)
        for rule in part.rules.values():
            if rule.key not in self._base_rules(node):
                self.invariants.judge(rule, translated(rule.expression), node, self._env(node, part, profile))
        for name, child in part.children.items():
            self._group(node, name, child, profile)

    def _env(self, node: Node, part: Part, profile: Profile) -> Env:
        """For a rule on an element that is a resource, %resource is the resource around it."""
        env = self.invariants.make(node)
        if part is not profile.root and node.shape.kind == "resource" and node.parent is not None:
            env.resource, env.root = node.parent.resource, node.parent.root_resource
        return env

    def _base_rules(self, node: Node) -> set[str]:
        own = node.element.rules if node.element is not None else ()
        return {rule.key for rule in (*node.shape.rules, *own)} | {"ele-1", "ext-1"}

    def _group(self, parent: Node, name: str, part: Part, profile: Profile) -> None:
        nodes = parent.children.get(name, [])
        if part.least and not parent.is_primitive() and name not in parent.shape.elements:
            self.tell(
                "warning",
                "profiles.not-evaluated",
                parent,
                f"{profile.url} wants {name}, which no {parent.type} has in R4; that was not checked.",
                "Correct the profile.",
            )
            return
        self._count(parent, name, len(nodes), part, profile)
        for node in nodes:
            self._element(node, part, profile)
        if part.slices:
            self._slices(parent, name, nodes, part, profile)

    def _count(self, parent: Node, name: str, count: int, part: Part, profile: Profile) -> None:
        label = name if part.slice_name is None else f"{name}:{part.slice_name}"
        if part.must_support and not self._depth:
            counted = self.must_support.setdefault(profile.url, {}).setdefault(f"{_path(parent)}.{label}", (0, 0))
            self.must_support[profile.url][f"{_path(parent)}.{label}"] = (counted[0] + bool(count), counted[1] + 1)
        if count < part.least:
            self._tell(
                "missing",
                parent,
                profile,
                f"must have {label} at least {part.least} times, and has it {count}",
                f"Give {label}.",
            )
        if part.most is not None and count > part.most:
            self._tell(
                "too-many",
                parent,
                profile,
                f"may have {label} {part.most} times, and has it {count}",
                "Keep the right ones.",
            )

    def _slices(self, parent: Node, name: str, nodes: list[Node], part: Part, profile: Profile) -> None:
        members: dict[str, list[Node]] = {each: [] for each in part.slices}
        last = -1
        order_of = {each: place for place, each in enumerate(part.slices)}
        for node in nodes:
            found = [each for each, one in part.slices.items() if self.slicer.belongs(node, one, part.slicing)]
            for each in found:
                members[each].append(node)
            if not found and name == "extension" and parent.type == "Extension" and ":" not in str(node.get("url")):
                self._tell(
                    "sub-extension",
                    node,
                    profile,
                    f"{node.get('url')!r} is no part of this extension",
                    f"Its parts are {', '.join(part.slices)}.",
                )
            elif not found and part.slicing is not None and part.slicing.rules == "closed":
                self._tell(
                    "closed-slicing",
                    node,
                    profile,
                    f"is none of the slices {', '.join(part.slices)} of {name}",
                    "Make it one of them, or remove it.",
                )
            if found and part.slicing is not None and part.slicing.ordered:
                if order_of[found[0]] < last:
                    self._tell("slice-order", node, profile, f"slice {found[0]} comes too late", "Reorder the slices.")
                last = max(last, order_of[found[0]])
        for each, one in part.slices.items():
            self._count(parent, name, len(members[each]), one, profile)
            for node in members[each]:
                self._element(node, one, profile)

    def _types(self, node: Node, types: tuple[TypeRef, ...], profile: Profile) -> None:
        fitting = [each for each in types if _fits(node, each.code)]
        if not fitting:
            if not any(each.code for each in types):
                return
            allowed = ", ".join(each.code for each in types)
            self._tell("type", node, profile, f"must be of type {allowed}, not {node.type}", "Use one of these types.")
            return
        profiled = [url for each in fitting for url in each.profiles]
        if profiled and all(each.profiles for each in fitting):
            self._one_of(node, profiled, profile)
        targets = [url for each in fitting for url in each.targets]
        if targets and node.shape.name == "Reference":
            self._target(node, targets, profile)

    def _one_of(self, node: Node, urls: list[str], profile: Profile) -> None:
        if len(urls) == 1:
            if self._depth < _DEPTH:
                self._depth += 1
                try:
                    self.check(node, urls[0])
                finally:
                    self._depth -= 1
            return
        if all(self.conforms(url, node) is False for url in urls):
            self._tell("type-profile", node, profile, f"follows none of {', '.join(urls)}", "Follow one of them.")

    def _target(self, node: Node, targets: list[str], profile: Profile) -> None:
        text = node.get("reference")
        if not isinstance(text, str):
            return
        found = self.slicer.resolve(text, node)
        from casefhir.conformance.references import type_named

        name = found.shape.name if found is not None else type_named(text)
        if name is None:
            return
        possible = [url for url in targets if self._type_of(url) in (*ancestors(name), "")]
        if not possible:
            self._tell(
                "target-type",
                node,
                profile,
                f"points at a {name}; it may point at " + ", ".join(sorted({self._type_of(url) for url in targets})),
                "Point at one of these.",
            )
            return
        if found is not None and all(self.conforms(url, found) is False for url in possible):
            self._tell(
                "target-profile",
                node,
                profile,
                f"points at a {name} that does not follow {', '.join(possible)}",
                "Make the target conform.",
            )

    def _type_of(self, url: str) -> str:
        plain = unversioned(url).removeprefix(CORE)
        if "/" not in plain and plain in ancestors(plain) and len(ancestors(plain)) > 1:
            return plain
        found = self.profiles.definitions.structure(url)
        return str(found.get("type", "")) if found is not None else ""

    def _bounds(self, node: Node, part: Part, profile: Profile) -> None:
        for wanted, sign, words in ((part.least_value, -1, "less"), (part.most_value, 1, "more")):
            if wanted is None:
                continue
            limit = limit_of(node, wanted, sign)
            if limit is None:
                self.tell(
                    "warning",
                    "profiles.not-evaluated",
                    node,
                    f"The bound {_short(wanted)} of {profile.url} was not checked.",
                    "Check it by hand.",
                )
            elif order(node, limit) == sign:
                self._tell("bounds", node, profile, f"is {words} than {wanted}", "Correct the value.")

    def _tell(self, rule: str, node: Node, profile: Profile, message: str, mend: str) -> None:
        name = node.element.name if node.element is not None else node.type
        self.tell(
            "error",
            f"profiles.{rule}",
            node,
            f"{name} {message} ({profile.url}).",
            mend,
            value=node.value if node.is_primitive() else None,
        )


def _fits(node: Node, code: str) -> bool:
    """Is `node` of type `code`: exactly for data types, by descent for resources."""
    if node.shape.kind == "resource":
        return code in ancestors(node.shape.name)
    if node.shape.kind == "backbone":
        return code in ("BackboneElement", "Element")
    return code == node.shape.name or (code == "id" and node.shape.name == "string")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 120 else text[:117] + "..."
