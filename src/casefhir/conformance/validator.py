"""One resource through all layers: the tree is built once, every check walks it."""

from collections.abc import Collection, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from casefhir.conformance.bundles import Bundles
from casefhir.conformance.contents import RULED, Contents
from casefhir.conformance.definitions import Definitions, Json
from casefhir.conformance.extensions import Extensions
from casefhir.conformance.fast import Fast
from casefhir.conformance.fastcode import Trip
from casefhir.conformance.fastwriter import BARE
from casefhir.conformance.fhirpath import Env
from casefhir.conformance.findings import LAYERS, Finding, Report, Severity
from casefhir.conformance.following import Follower
from casefhir.conformance.invariants import Invariants, words
from casefhir.conformance.meaning import Meaning
from casefhir.conformance.profiles import Profiles
from casefhir.conformance.prose import Prose
from casefhir.conformance.references import References
from casefhir.conformance.shapes import shape
from casefhir.conformance.slicing import Slicer
from casefhir.conformance.structure import build
from casefhir.conformance.terminology import Terminology, codes_of
from casefhir.conformance.tree import Node
from casefhir.conformance.vital_signs import implied
from casefhir.conformance.vocabulary import Vocabulary
from casefhir.errors import CasefhirError

if TYPE_CHECKING:
    from casefhir.conformance.tx import TerminologyServer

_SHOWN, _LONGEST = 80, 1000


class UnknownLayer(CasefhirError):
    """A layer's name that there is not."""


def chosen(layers: Collection[str] | None) -> frozenset[str]:
    """The layers to run; raises `UnknownLayer` for a name that is none."""
    if layers is None:
        return frozenset(LAYERS)
    for each in layers:
        if each not in LAYERS:
            raise UnknownLayer(f"There is no layer {each!r}; choose from {', '.join(LAYERS)}.")
    return frozenset(layers)


def shown(value: Any) -> str | None:
    """`value` as a finding carries it: short, None for containers."""
    if value is None or isinstance(value, dict | list):
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


# Faults after which an element may not be what its type says.
_MISSHAPEN = frozenset(f"structure.{each}" for each in ("type", "null", "array", "not-an-array", "unknown-resource"))


def _step(node: Node, key: str) -> str:
    """The JSON key `key` of `node` as a step of FHIRPath."""
    found = node.shape.properties.get(key.removeprefix("_"))
    if found is None:
        return key
    element, ref = found
    return f"{element.name}.ofType({ref.code})" if element.choice else element.name


@cache
def _bare_words() -> tuple[Severity, str, str]:
    source = shape("DomainResource")
    assert source is not None
    return words(next(each for each in source.rules if each.key == BARE))


class Validator:
    """Checks resources one by one; keeps the definitions it has read.

    `own`: the caller's definitions (`definitions.KINDS`). `profile`: a profile that every resource
    given must follow, besides those in its meta.profile. `server` is asked for codes that are not known here.
    """

    def __init__(
        self,
        own: Iterable[Json] = (),
        *,
        profile: str | None = None,
        layers: Collection[str] | None = None,
        server: "TerminologyServer | None" = None,
    ) -> None:
        self.definitions = Definitions(own)
        self.vocabulary = Vocabulary(self.definitions)
        self.profiles = Profiles(self.definitions)
        self.layers = chosen(layers)
        self.profile = profile
        self.server = server if "terminology" in self.layers else None
        self.fast = Fast(self.definitions, self.vocabulary) if profile is None else None

    def check(self, resource: Any, report: Report, *, file: str | None = None) -> None:
        """Check `resource` (decimals as Decimal) and add what was found to `report`."""
        trip = self.quick(resource)
        if trip is None:
            self.check_slowly(resource, report, file=file)
        else:
            self.note(trip, resource, report, file=file)

    def quick(self, resource: Any, keys: int | None = None) -> Trip | None:
        """The fast path's notes when it is sure that there is nothing to find but what `note` tells, else None.

        `keys`: how many keys the bytes have, which shows repeated ones.
        """
        trip = self.fast.accepts(resource, keys) if self.fast is not None else None
        return None if trip is None or (trip.unchecked and self.server is not None) else trip

    def note(self, trip: Trip, resource: Json, report: Report, *, file: str | None = None) -> None:
        """Count `resource`, and tell which resources in it have no narrative."""
        report.resources += 1
        if "terminology" in self.layers:
            for each in trip.unchecked:
                report.unchecked[each] = report.unchecked.get(each, 0) + 1
        if trip.bare and "invariants" in self.layers:
            severity, message, mend = _bare_words()
            bare = {id(each) for each in trip.bare}
            places = [(resource["resourceType"], "", resource)]
            if resource["resourceType"] == "Bundle":
                places = [
                    (f"Bundle.entry[{number}].resource", f"/entry/{number}/resource", each["resource"])
                    for number, each in enumerate(resource.get("entry", ()))
                ]
            for location, pointer, one in places:
                if id(one) in bare:
                    report.add(Finding(severity, BARE, location, pointer, message, mend, file=file))

    def check_slowly(self, resource: Any, report: Report, *, file: str | None = None) -> None:
        """Check `resource` element by element."""
        _Run(self, report, file).check(resource)


class _Run:
    """One resource's walk."""

    def __init__(self, validator: Validator, report: Report, file: str | None) -> None:
        self.validator = validator
        self.report = report
        self.file = file
        self.layers = validator.layers
        self.misshapen = False
        self.references = References(self.tell)
        self.bundles = Bundles(self.references, self.tell)
        self.terminology = Terminology(validator.vocabulary, self.tell, validator.server)
        self.prose = Prose(self.tell)
        self.meaning = Meaning(self.references, self.tell)
        self.extensions = Extensions(validator.definitions, self.tell)
        self.invariants = Invariants(self.tell, self.env)
        self.contents = Contents(validator.definitions, validator.profiles, validator.vocabulary, self.tell, self.env)
        self.follower = Follower(
            validator.profiles,
            lambda follower: Slicer(validator.vocabulary, self.references.resolve, follower.conforms),
            self.terminology,
            self.invariants,
            self.tell,
        )

    def tell(
        self, severity: str, rule: str, node: Node, message: str, mend: str = "", *, key: str = "", value: Any = None
    ) -> None:
        location, pointer = node.location, node.pointer
        if key:
            location, pointer = (
                f"{location}.{_step(node, key)}",
                f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}",
            )
        short = shown(value)
        if short is not None and len(short) == _SHOWN:
            # whole, a long value would stand in the sentence, and be left there when values are redacted
            message = message.replace(str(value), short).replace(repr(value), repr(short))
        if len(message) > _LONGEST:
            message = message[: _LONGEST - 3] + "..."
        self.report.add(
            Finding(severity, rule, location, pointer, message, mend, None, short, self.file)  # type: ignore[arg-type]
        )

    def env(self, node: Node) -> Env:
        """What an expression on `node` can see."""
        return Env(
            context=node,
            resource=node.resource,
            root=node.root_resource,
            this=[node],
            resolve=self.references.resolve,
            member_of=self.member_of,
            conforms=self.conforms,
        )

    def member_of(self, value_set: str, node: Node) -> bool | None:
        """`memberOf()`: is the code of `node` in `value_set`."""
        answers = [self.validator.vocabulary.has(value_set, system, code) for system, code in codes_of(node)]
        return True if True in answers else None if None in answers else False

    def conforms(self, profile: str, node: Node) -> bool | None:
        """`conformsTo()`: does `node` follow `profile`."""
        return self.follower.conforms(profile, node)

    def check(self, resource: Any) -> None:
        """Walk the tree and ask every layer."""
        silent = "structure" not in self.layers

        def tell(
            severity: str, rule: str, node: Node, message: str, mend: str = "", *, key: str = "", value: Any = None
        ) -> None:
            self.misshapen = self.misshapen or rule in _MISSHAPEN
            if not silent or severity == "fatal":
                self.tell(severity, rule, node, message, mend, key=key, value=value)

        root = build(resource, tell)
        self.report.resources += 1
        if root is None:
            return
        self._node(root)
        for node in root.descendants():
            self._node(node)
        self.report.merge(Report(unchecked=dict(self.terminology.unchecked), must_support=self.follower.must_support))

    def _node(self, node: Node) -> None:
        layers = self.layers
        name = node.shape.name
        if "invariants" in layers:
            self.invariants.check(node)
        if "terminology" in layers:
            self.terminology.check(node)
        if "structure" in layers:
            self.prose.check(node)
            if name == "Bundle" and "signature" in node.children:
                from casefhir.conformance.signatures import Signatures

                Signatures(self.tell).check(node)
        if name == "Extension" and "structure" in layers:
            if self.extensions.check(node) is not None:
                self.follower.check(node, str(node.get("url")))
        elif name == "Reference" and "references" in layers:
            self.references.check(node)
        elif name == "Bundle" and "references" in layers:
            self.bundles.check(node)
        if "profiles" in layers:
            self._profiles(node)
        if "meaning" in layers:
            self.meaning.check(node)

    def _contents(self, node: Node) -> None:
        if not self.misshapen:
            self.contents.check(node)
        elif node.shape.name in RULED:
            self.tell(
                "warning",
                "profiles.not-evaluated",
                node,
                f"What this {node.shape.name} says was not compared with what it builds on: its JSON is misshapen.",
                "Mend the errors of layer structure first.",
            )

    def _profiles(self, node: Node) -> None:
        if node.shape.kind == "resource":
            self._contents(node)
            meta = node.first("meta")
            said = meta.children.get("profile", []) if meta is not None else []
            asked = self.validator.profile if node.parent is None else None
            wanted = {each.value: each for each in reversed(said) if isinstance(each.value, str)}
            implicit = (*implied(node), *self.validator.definitions.globals.get(node.shape.name, ()))
            for url in (*([asked] if asked is not None else []), *implicit):
                wanted.setdefault(url, node)
            for url, where in wanted.items():
                self._profile(node, url, where)
        elif node.ref is not None and node.ref.profiles:
            for url in node.ref.profiles:
                self.follower.check(node, url)

    def _profile(self, node: Node, url: str, where: Node) -> None:
        if not self.follower.check(node, url):
            versions = self.validator.definitions.versions(url)
            of_which = f" (at hand: {', '.join(versions)})" if versions else ""
            self.tell(
                "error",
                "profiles.unknown",
                where,
                f"Profile {url} is not known{of_which}, so it was not checked.",
                "Load it with the profiles, or take it out of meta.profile.",
                value=url,
            )
