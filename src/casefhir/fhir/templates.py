"""Many facts of few shapes: each shape is made once by the ordinary path, with holes for what differs.

A template is what the ordinary path makes of a fact with marks in its slots, cut at the marks, and it is used only if,
filled with the fact's own slots, it is to the byte what the ordinary path makes of that fact. What has no template goes
the ordinary way. Never a second modelling of FHIR.

What a check finds in the first resource of a template holds for all of them, as long as values stay within what is
plausible and the dates of a person fit each other: where they may not, the whole check reads the whole person.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter
from typing import Any, Protocol

from casefhir import exactjson
from casefhir.fhir.context import DEVICE, PROVENANCE, Context, Json, Terminology, resource_id, resource_type
from casefhir.fhir.conversion import SHAPES, convert
from casefhir.fhir.drafts import (
    Draft,
    device_draft,
    fact_draft,
    patient_draft,
    provenance_draft,
    provenance_key,
    reference,
)
from casefhir.fhir.marks import is_marked
from casefhir.fhir.patient import patient
from casefhir.fhir.provenance import device, provenances_of_extract
from casefhir.fhir.slots import (
    Dangling,
    NoTemplate,
    Reading,
    narrative_slot,
    note_times,
    own_slots,
    read,
    read_person,
    text_slot,
)
from casefhir.record import Case, Cells, Extract, Fact, Measurement, On, Quantity, table_of

MOST = 20_000  # templates kept; a registry has some hundreds
_MOST_MET = 200_000


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


@dataclass(slots=True)
class Shaped:
    """A person's resources as lines of NDJSON.

    `resources` are (type, id, fact key, line without newline) in the order of `convert`; `findings` what the check
    found, each with the place of its resource in `resources` (-1: the person as a whole); `remarks` what a user should
    know of the conversion, as in `Conversion`.
    """

    resources: list[tuple[str, str, str, bytes]] = field(default_factory=list)
    findings: list[tuple[int, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Template:
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


class Templates:
    """Shapes cases told in tables, quickly; keeps its templates, so that one serves a whole process.

    `checker` checks what is written (None: nothing is checked); `terminology` as for `convert`.
    """

    def __init__(self, *, terminology: Terminology = "free", checker: Checker | None = None) -> None:
        self.terminology: Terminology = terminology
        self.checker = checker
        self.known: dict[Any, _Template | None] = {}  # None: the ordinary path makes something else
        self._met: set[int] = set()
        self._rules: dict[frozenset[str], tuple[bytes, ...]] = {}

    def shape(self, case: Case) -> Shaped:
        """The resources of `case`, and what is wrong with them; to the byte as `convert(case, form="ndjson")`."""
        return _Person(self, case).shape(case.extract) if case.extract else self._from_article(case)

    def _from_article(self, case: Case) -> Shaped:
        conversion = convert(case, form="ndjson", terminology=self.terminology)
        shaped = Shaped(remarks=[*conversion.remarks])
        for each in conversion.resources:
            key = each["meta"]["tag"][2]["code"].rpartition("/")[2]
            shaped.resources.append((each["resourceType"], each["id"], key, exactjson.write(each)))
        if self.checker:
            resources = shaped.resources
            shaped.findings = self.checker.judge([each[3] for each in resources], [each[1] for each in resources])
        return shaped

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
    ) -> _Template | None:
        """The template of a new key; None, for good, where filling it is not what the ordinary path does."""
        if len(self.known) >= MOST:
            del self.known[next(iter(self.known))]
        made = self.known[key] = self._made(slots, draft(), exactjson.write(ordinary()))
        return made

    def _made(self, slots: Sequence[bytes], draft: Draft, own: bytes) -> _Template | None:
        data = exactjson.write(draft.resource)
        places = {mark: place for place, mark in reversed([*enumerate(draft.slots)])}
        marks = re.compile(b"|".join(re.escape(each) for each in sorted(places, key=len, reverse=True)))
        form = marks.sub(b"%b", data.replace(b"%", b"%%"))
        pick = itemgetter(*(places[each] for each in marks.findall(data)))
        template = _Template(draft.resource["resourceType"], form, pick)
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


class _Person:
    """One case on its way; `doubt`: the whole check has to read it."""

    __slots__ = ("ages", "case", "context", "doubt", "reading", "series", "shaped", "templates")

    def __init__(self, templates: Templates, case: Case) -> None:
        self.templates = templates
        self.case = case
        self.context: Context | None = None
        self.reading = Reading(case, lambda kind, key: resource_id(case.key, kind, key))
        self.shaped = Shaped()
        self.doubt = False
        self.series: list[Any] = []
        self.ages: list[tuple[Decimal, str]] = []

    def shape(self, extract: Extract) -> Shaped:
        self._patient()
        for fact in self.case.facts:
            self._fact(fact)
        self._device()
        self._provenances(extract)
        if self.templates.checker:
            self._check(self.templates.checker)
        return self.shaped

    def _check(self, checker: Checker) -> None:
        reading, person = self.reading, self.case.person
        death = person.deceased
        life = (person.birth_date, death.date if type(death) is On else None)
        times = (reading.dated, reading.living, reading.ordered, reading.following)
        if self.doubt or not checker.fits(life, times, self.series, self.ages):
            resources = self.shaped.resources
            self.shaped.findings = checker.judge([each[3] for each in resources], [each[1] for each in resources])

    def _fact(self, fact: Fact) -> None:
        templates, reading = self.templates, self.reading
        shape = SHAPES[type(fact)]
        note_times(fact, reading)
        try:
            key, slots = read(fact, reading)
        except NoTemplate as reason:
            self.doubt = self.doubt or isinstance(reason, Dangling)
            self._ordinary(resource_type(fact), fact.key, lambda context: shape(context, fact))
            return
        template = templates.known.get(key)
        if template is None:
            template = self._template(
                key,
                slots,
                lambda: fact_draft(self.case, fact, templates.terminology),
                lambda context: shape(context, fact),
            )
            if template is None:
                self._ordinary(resource_type(fact), fact.key, lambda context: shape(context, fact))
                return
        odd = False
        for place, least, most in template.limits:
            if not least <= reading.numbers[place] <= most:
                odd = True
        self._fill(template, slots, fact.key, odd)
        if template.series is not None:
            self.series.append(template.series)
        if template.age:
            if isinstance(fact, Measurement) and isinstance(fact.when, On) and isinstance(fact.value, Quantity):
                self.ages.append((fact.value.value, fact.when.date))
            else:
                self.doubt = True

    def _patient(self) -> None:
        case, key = self.case, self.case.person.key
        self._other(
            "Patient", key, lambda: read_person(case.person, self.reading),
            lambda: patient_draft(case, self.templates.terminology), patient,
        )  # fmt: skip

    def _device(self) -> None:
        self._other(
            *DEVICE, lambda: ((DEVICE,), own_slots(self.reading, *DEVICE)),
            lambda: device_draft(self.case, self.templates.terminology), device,
        )  # fmt: skip

    def _provenances(self, extract: Extract) -> None:
        made: dict[str, list[bytes]] = {}
        rules: dict[str, set[str]] = {}
        given = extract.rules
        resources = self.shaped.resources
        for (kind, identity, key, _), fact in zip(resources, self.case.by_key.values(), strict=False):
            source = fact.source
            table = source.table if type(source) is Cells else table_of(fact)
            if table is not None:
                made.setdefault(table, []).append(reference(kind, identity.encode()))
                if key in given:
                    rules.setdefault(table, set()).add(given[key])
        for table in extract.files:
            if table in made:
                self._provenance(extract, table, b",".join(made[table]), frozenset(rules.get(table, ())))

    def _provenance(self, extract: Extract, table: str, targets: bytes, rules: frozenset[str]) -> None:
        name, terminology = provenance_key(table), self.templates.terminology

        def reading() -> tuple[Any, list[bytes]]:
            own = own_slots(self.reading, PROVENANCE[0], name)
            mapping = (extract.mapping, extract.mapping_version, extract.mapping_sha256, extract.files[table])
            key = (PROVENANCE, table, mapping, self.case.recorded, bool(rules))
            maker = self.reading.id_of(*DEVICE).encode()
            return key, [*own, maker, targets, *self.templates.rules_slots(rules)]

        def ordinary(context: Context) -> Json:
            found = provenances_of_extract(context, extract)
            return next(each for each in found if each["meta"]["tag"][2]["code"].endswith(f"/{name}"))

        self._other(
            PROVENANCE[0], name, reading,
            lambda: provenance_draft(self.case, extract, table, bool(rules), terminology), ordinary,
        )  # fmt: skip

    def _other(
        self,
        kind: str,
        name: str,
        reading: Callable[[], tuple[Any, list[bytes]]],
        draft: Callable[[], Draft],
        shape: Callable[[Context], Json],
    ) -> None:
        """Add a resource that is no fact's."""
        try:
            key, slots = reading()
        except NoTemplate:
            self._ordinary(kind, name, shape)
            return
        key = (key, self.case.test_data)
        template = self.templates.known.get(key) or self._template(key, slots, draft, shape)
        if template is None:
            self._ordinary(kind, name, shape)
        else:
            self._fill(template, slots, name)

    def _template(
        self, key: Any, slots: list[bytes], draft: Callable[[], Draft], shape: Callable[[Context], Json]
    ) -> _Template | None:
        if key in self.templates.known:
            return self.templates.known[key]
        if self.templates.is_new(key):
            return None
        context = Context(self.case, terminology=self.templates.terminology, urns=False)
        made = self.templates.make(key, slots, draft, lambda: shape(context))
        if made:
            made.remarks = tuple(each.partition(": ")[2] for each in context.remarks)  # each starts with the fact's key
        return made

    def _fill(self, template: _Template, slots: list[bytes], name: str, odd: bool = False) -> None:
        """Add a resource by its template; an `odd` one is checked by itself."""
        shaped = self.shaped
        line = template.form % template.pick(slots)
        if odd or template.varies:
            self._learn(line)
        elif template.findings:
            shaped.findings += [(len(shaped.resources), each) for each in template.findings]
        if template.remarks:
            shaped.remarks += [f"{name}: {each}" for each in template.remarks]
        shaped.resources.append((template.kind, slots[3].decode(), name, line))

    def _ordinary(self, kind: str, name: str, shape: Callable[[Context], Json]) -> None:
        """Add a resource by the ordinary path, checked by itself."""
        line = exactjson.write(shape(self._context()))
        learnt = self._learn(line)
        if learnt:
            self.doubt = self.doubt or learnt.age
            if learnt.series is not None:
                self.series.append(learnt.series)
        self.shaped.resources.append((kind, self.reading.id_of(kind, name), name, line))

    def _learn(self, line: bytes) -> Learnt | None:
        """Check the next resource by itself."""
        checker = self.templates.checker
        if checker is None:
            return None
        learnt = checker.learn(line)
        self.doubt = self.doubt or not learnt.apart
        self.shaped.findings += [(len(self.shaped.resources), each) for each in learnt.findings]
        return learnt

    def _context(self) -> Context:
        if self.context is None:
            self.context = Context(self.case, terminology=self.templates.terminology, urns=False)
            self.context.remarks = self.shaped.remarks
        return self.context
