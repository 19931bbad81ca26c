"""Many facts of few shapes: each shape is made once by the ordinary path, with holes for what differs.

A template is what the ordinary path makes of a fact with marks in its slots, cut at the marks, and it is used only if,
filled with the fact's own slots, it is to the byte what the ordinary path makes of that fact. What has no template goes
the ordinary way. Never a second modelling of FHIR.

What a check finds in the first resource of a template holds for all of them, as long as values stay within what is
plausible and the dates of a person fit each other: where they may not, the whole check reads the whole person.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from casefhir import exactjson
from casefhir.fhir.checker import Checker, Learnt
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
from casefhir.fhir.fact_slots import read
from casefhir.fhir.patient import patient
from casefhir.fhir.patient_slots import read_person
from casefhir.fhir.provenance import device, provenances_of_extract
from casefhir.fhir.slots import Dangling, NoTemplate, Reading, own_slots
from casefhir.fhir.template_store import Template, TemplateStore
from casefhir.fhir.timeline import note_times
from casefhir.record import Case, Cells, Extract, Fact, Measurement, On, Quantity, tables_of


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


class Templates:
    """Shapes cases told in tables, quickly; keeps its templates, so that one serves a whole process.

    `checker` checks what is written (None: nothing is checked); `terminology` as for `convert`.
    """

    def __init__(self, *, terminology: Terminology = "free", checker: Checker | None = None) -> None:
        self.terminology: Terminology = terminology
        self.checker = checker
        self.store = TemplateStore(checker)

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


class _Person:
    """One case on its way; `doubt`: the whole check has to read it."""

    __slots__ = ("ages", "case", "context", "doubt", "reading", "series", "shaped", "store", "terminology")

    def __init__(self, templates: Templates, case: Case) -> None:
        self.store = templates.store
        self.terminology = templates.terminology
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
        if self.store.checker:
            self._check(self.store.checker)
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
        reading = self.reading
        shape = SHAPES[type(fact)]
        note_times(fact, reading)
        try:
            key, slots = read(fact, reading)
        except NoTemplate as reason:
            self.doubt = self.doubt or isinstance(reason, Dangling)
            self._ordinary(resource_type(fact), fact.key, lambda context: shape(context, fact))
            return
        template = self.store.known.get(key)
        if template is None:
            template = self._template(
                key,
                slots,
                lambda: fact_draft(self.case, fact, self.terminology),
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
            lambda: patient_draft(case, self.terminology), patient,
        )  # fmt: skip

    def _device(self) -> None:
        self._other(
            *DEVICE, lambda: ((DEVICE,), own_slots(self.reading, *DEVICE)),
            lambda: device_draft(self.case, self.terminology), device,
        )  # fmt: skip

    def _provenances(self, extract: Extract) -> None:
        made: dict[str, list[bytes]] = {}
        rules: dict[str, set[str]] = {}
        given = extract.rules
        resources = self.shaped.resources
        for (kind, identity, key, _), fact in zip(resources, self.case.by_key.values(), strict=False):
            source = fact.source
            for table in (source.table,) if type(source) is Cells else tables_of(fact):
                made.setdefault(table, []).append(reference(kind, identity.encode()))
                if key in given:
                    rules.setdefault(table, set()).add(given[key])
        for table in extract.files:
            if table in made:
                self._provenance(extract, table, b",".join(made[table]), frozenset(rules.get(table, ())))

    def _provenance(self, extract: Extract, table: str, targets: bytes, rules: frozenset[str]) -> None:
        name, terminology = provenance_key(table), self.terminology

        def reading() -> tuple[Any, list[bytes]]:
            own = own_slots(self.reading, PROVENANCE[0], name)
            mapping = (extract.mapping, extract.mapping_version, extract.mapping_sha256, extract.files[table])
            key = (PROVENANCE, table, mapping, self.case.recorded, bool(rules))
            maker = self.reading.id_of(*DEVICE).encode()
            return key, [*own, maker, targets, *self.store.rules_slots(rules)]

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
        template = self.store.known.get(key) or self._template(key, slots, draft, shape)
        if template is None:
            self._ordinary(kind, name, shape)
        else:
            self._fill(template, slots, name)

    def _template(
        self, key: Any, slots: list[bytes], draft: Callable[[], Draft], shape: Callable[[Context], Json]
    ) -> Template | None:
        if key in self.store.known:
            return self.store.known[key]
        if self.store.is_new(key):
            return None
        context = Context(self.case, terminology=self.terminology, urns=False)
        made = self.store.make(key, slots, draft, lambda: shape(context))
        if made:
            made.remarks = tuple(each.partition(": ")[2] for each in context.remarks)  # each starts with the fact's key
        return made

    def _fill(self, template: Template, slots: list[bytes], name: str, odd: bool = False) -> None:
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
        checker = self.store.checker
        if checker is None:
            return None
        learnt = checker.learn(line)
        self.doubt = self.doubt or not learnt.apart
        self.shaped.findings += [(len(self.shaped.resources), each) for each in learnt.findings]
        return learnt

    def _context(self) -> Context:
        if self.context is None:
            self.context = Context(self.case, terminology=self.terminology, urns=False)
            self.context.remarks = self.shaped.remarks
        return self.context
