"""The kinds of fact that a source tells of a person. Each has a key of its own within the case, and its places.

Fields that name other facts hold their keys. Text fields keep the source's naming phrase, never its sentences; a field
typed `Text` may carry the place where that element stands when it is another than the fact's own, and its codes.
`codes` are those that the source itself gives for the fact; they stand before the catalogue's. Values are text as
printed (`22.7 mg/l`) or, where a table has their parts in columns, a `Quantity` or `Range`.
"""

from dataclasses import dataclass
from typing import Literal

from casefhir.record.codes import AbsentReason, Code
from casefhir.record.moments import Moment
from casefhir.record.quantities import Quantity, Range, Value
from casefhir.record.spans import Source, Text

ClinicalStatus = Literal["active", "recurrence", "relapse", "inactive", "remission", "resolved"]
Certainty = Literal["confirmed", "provisional", "differential", "unconfirmed", "refuted"]
Severity = Literal["mild", "moderate", "severe"]
CourseStatus = Literal["active", "completed", "stopped", "not-taken", "intended", "on-hold", "unknown"]
Causality = Literal["certain", "probable", "possible", "unlikely"]
Outcome = Literal["resolved", "recovering", "ongoing", "resolvedWithSequelae", "fatal", "unknown"]
Seriousness = Literal[
    "non-serious", "serious", "death", "life-threatening", "hospitalization", "disability", "birth-defect",
    "intervention-needed",
]  # fmt: skip
Interpretation = Literal[
    "normal", "abnormal", "high", "low", "critically abnormal", "critically high", "critically low", "positive",
    "negative", "indeterminate", "better", "worse",
]  # fmt: skip
Category = Literal[
    "laboratory",
    "lung-function",
    "vital-signs",
    "score",
    "imaging",
    "exam",
    "survey",
    "social-history",
    "therapy",
]


@dataclass(frozen=True, slots=True)
class Age:
    """An age (`56 years`, `8 months`) as the onset or the end of a problem; `words` as the source has it."""

    age: str | Quantity
    source: Source
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnosis, comorbidity, symptom, sign or manifestation: one for its whole course. Denied ones are `refuted`.

    `status` only if told (it makes the problem part of the problem list, unless `category` says otherwise); `asserted`
    when it was diagnosed; `due_to` facts or free words it was caused by, `after` such it merely followed; `evidence`
    the facts that support it.
    """

    key: str
    concept: str | None
    source: Source
    text: str | None = None
    status: ClinicalStatus | None = None
    certainty: Certainty = "confirmed"
    severity: Severity | None = None
    severity_text: Text | None = None
    onset: Moment | Age | None = None
    abatement: Moment | Age | None = None
    asserted: Moment | None = None
    body_sites: tuple[Text, ...] = ()
    due_to: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    visit: str | None = None
    codes: tuple[Code, ...] = ()
    category: Literal["problem-list-item", "encounter-diagnosis"] | None = None


@dataclass(frozen=True, slots=True)
class Dosage:
    """One regimen. `text` as said (None only where the source has no words for it); the rest only where it is clear.

    `dose` a quantity or range per administration or, as told, per kilogram (`1 g/kg`, `10-20 mg`); given `times` (1)
    every `every` (`1 month`, `2 weeks`), each over `over` (`5 days`), `count` times in all, during `lasting` (`6
    months`); `schedule` the source's word for how often (`BID`); `as_needed` only if said; `at_most` the most in a
    period (`500 mg`, `1 day`); `route` oral, intravenous, subcutaneous, intramuscular, any other in `route_text`;
    `method` words.
    """

    text: Text | None
    dose: str | Quantity | Range | None = None
    times: int | None = None
    every: str | Quantity | None = None
    over: str | Quantity | None = None
    count: int | None = None
    lasting: str | Quantity | None = None
    at_most: tuple[str | Quantity, str | Quantity] | None = None
    route: Literal["oral", "intravenous", "subcutaneous", "intramuscular"] | None = None
    route_text: Text | None = None
    method: Text | None = None
    schedule: Text | None = None
    as_needed: bool | None = None
    site: Text | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """One course of a drug: drug × regimen × period; another dose or a restart is another course.

    `status` active only if the source says so at its last word; `reasons` why it was stopped or not taken: keys of the
    catalogue's reasons (`reason-lack-of-effect`) or the source's words; `indication` keys of problems, `purposes` what
    it was given for in words; `notes` effects and the like.
    """

    key: str
    drug: str | None
    source: Source
    text: str | None = None
    status: CourseStatus = "unknown"
    reasons: tuple[Text, ...] = ()
    start: Moment | None = None
    end: Moment | None = None
    when: Moment | None = None
    dosage: Dosage | None = None
    indication: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    named: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()
    purposes: tuple[Text, ...] = ()
    visit: str | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a measurement that belongs with the others (systolic pressure, a titre beside its result)."""

    concept: str | None
    value: str | Value | None
    text: str | None = None
    titre: str | None = None
    interpretation: Interpretation | None = None
    range: str | Range | None = None
    range_text: str | None = None
    absent: Text | None = None
    source: Source | None = None
    codes: tuple[Code, ...] = ()
    printed: Quantity | None = None
    absent_code: AbsentReason | None = None
    interpretation_text: str | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """Anything measured, observed or stated of the person at a time.

    `value` a quantity (`22.7 mg/l`), a range (`3000-5000 U/L`) or the words it was given in (`normal`); `absent` the
    words of an announced but missing value (`Technical problem`), `absent_code` R4's code of the reason; `titre` as
    printed (`1/640`). `printed` is the value before it was converted to the unit of `value`. `range` is the range
    of reference (`< 5 mg/L`, `4.0-10.0 G/L`), `range_text` as printed; `scale` the bounds of a score (`0-88`),
    `scale_text` as printed. `interpretation` only if told (`interpretation_text` the flag as printed): what follows
    from value and range, or from the words alone, is added.
    """

    key: str
    concept: str | None
    value: str | Value | None
    source: Source
    text: str | None = None
    when: Moment | None = None
    category: Category | None = None
    titre: str | None = None
    absent: Text | None = None
    interpretation: Interpretation | None = None
    range: str | Range | None = None
    range_text: str | None = None
    scale: str | Range | None = None
    scale_text: str | None = None
    method: Text | None = None
    body_site: Text | None = None
    components: tuple[Component, ...] = ()
    members: tuple[str, ...] = ()
    derived_from: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    named: tuple[str, ...] = ()
    visit: str | None = None
    codes: tuple[Code, ...] = ()
    printed: Quantity | None = None
    absent_code: AbsentReason | None = None
    interpretation_text: str | None = None


@dataclass(frozen=True, slots=True)
class Suspect:
    """A course that an adverse event is blamed on: the source's words (None only where a table names the course and
    says nothing of the cause), and our documented reading of them, if any.
    """

    course: str
    words: Text | None
    causality: Causality | None = None


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """Harm during treatment that the source tells as such: one per event and episode.

    R4 has no note here (nor in reports and visits): `notes` go into the narrative.
    """

    key: str
    concept: str | None
    source: Source
    suspects: tuple[Suspect, ...]
    text: str | None = None
    when: Moment | None = None
    severity: Severity | None = None
    severity_text: Text | None = None
    seriousness: Seriousness | None = None
    seriousness_text: Text | None = None
    outcome: Outcome | None = None
    outcome_text: Text | None = None
    resulting: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    visit: str | None = None
    codes: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Intolerance:
    """The source calls the person intolerant of, or allergic to, a substance; `reactions` keys of concepts or words."""

    key: str
    drug: str | None
    source: Source
    text: str | None = None
    kind: Literal["intolerance", "allergy"] = "intolerance"
    certainty: Literal["confirmed", "unconfirmed", "refuted"] = "unconfirmed"
    reactions: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    codes: tuple[Code, ...] = ()
    status: Literal["active", "inactive", "resolved"] = "active"
    category: Literal["medication", "food", "environment", "biologic"] | None = "medication"
    onset: Moment | None = None
    visit: str | None = None


@dataclass(frozen=True, slots=True)
class Procedure:
    """Something done to the person, or declined (`not-done` with `why_not`)."""

    key: str
    concept: str | None
    source: Source
    text: str | None = None
    status: Literal["completed", "not-done", "in-progress", "stopped", "unknown"] = "completed"
    why_not: Text | None = None
    when: Moment | None = None
    body_sites: tuple[Text, ...] = ()
    reasons: tuple[Text, ...] = ()
    outcome: Text | None = None
    reports: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    visit: str | None = None
    codes: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The report of an examination with several findings: imaging, biopsy, EMG, lung function; `results` are
    measurements.
    """

    key: str
    concept: str | None
    source: Source
    text: str | None = None
    kind: str | None = None
    when: Moment | None = None
    results: tuple[str, ...] = ()
    conclusion: Text | None = None
    notes: tuple[Text, ...] = ()
    visit: str | None = None
    codes: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """A dated contact: seen, referred, admitted. `setting` only if told; `codes` of its type; `reasons` keys of
    problems or words.
    """

    key: str
    source: Source
    when: Moment | None = None
    setting: Literal["inpatient", "ambulatory", "emergency", "home", "virtual", "short stay"] | None = None
    setting_text: Text | None = None
    text: str | None = None
    reasons: tuple[Text, ...] = ()
    discharge: Text | None = None
    notes: tuple[Text, ...] = ()
    codes: tuple[Code, ...] = ()


Fact = Problem | Course | Measurement | AdverseEvent | Intolerance | Procedure | Report | Visit
