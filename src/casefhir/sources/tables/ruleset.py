"""The rules of a mapping file: one kind for each kind of fact, and what they have in common."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag
from pydantic import Field as Described

from casefhir.sources.tables.elements import (
    Coded,
    Convert,
    Dose,
    Link,
    Note,
    Part,
    Phrase,
    Range,
    Time,
    VisitLink,
    Words,
    WordsOrLink,
)

NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Unless(Part):
    """What a look-up says of a column."""

    lookup: str
    """The look-up table."""
    take: str
    """The column of it that answers."""
    words: tuple[str, ...]
    """The answers for which a column is left out."""


class Columns(Part):
    """One fact for every column that fits: its name is `{column}` in the rule's fields."""

    columns: tuple[str, ...]
    """Names, with * for any letters (`lab_*`)."""
    without: tuple[str, ...] = ()
    """Names that are left out; the table's key columns are left out anyway."""
    unless: tuple[Unless, ...] = ()
    """Columns are left out of which a look-up, asked by their name (`{stem}`, with `split`), says one of these words:
    what a data dictionary marks as an identifier."""
    split: str | None = None
    """Divides the name at this (REDCap's checkboxes: `___`) into `{stem}` and `{code}`; columns without it are left
    out."""


def _kind_of_entries(value: Any) -> str:
    if isinstance(value, str):
        return "column"
    return "first" if isinstance(value, list | tuple) else "cell"


Entries = Annotated[
    Annotated[tuple[dict[str, str], ...], Tag("first")]
    | Annotated[str, Tag("column")]
    | Annotated[Columns, Tag("cell")],
    Discriminator(_kind_of_entries),
]


class Rule(Part):
    """What a row of a table becomes."""

    name: str
    """Its name: lower-case letters, digits, hyphens. Facts' keys start with it, so it should not change."""
    table: str
    """The table whose rows it reads."""
    key: tuple[Words, ...] = ()
    """The columns that tell this person's rows of the table apart (a number, a visit); ids come from them. Without
    them ids come from the whole row, and change when a cell of it does."""
    where: str | None = None
    """An expression; rows for which it is false are not for this rule."""
    unless: Words | None = None
    """Rows for which these words are not blank are not for this rule: told by a row of another table already."""
    each: Entries = ()
    """For wide tables: one fact for each entry, whose values stand for `{…}` in the fields; entries have a `name`. Or a
    CSV file beside the mapping whose header names the placeholders, or columns by pattern."""
    repeat: dict[str, tuple[str, ...]] = Described(default_factory=dict)
    """For repeated groups: every entry once for each of these, `{visit = ["1", "2"]}` for columns `CK_V{visit}`."""
    distinct: bool = False
    """Rows with the same key tell the same fact again and become one."""
    notes: tuple[Note, ...] = ()
    """Columns whose words become notes."""


class Coding(Rule):
    """A rule whose facts are named by a concept of the catalogue, by codes of the table, by words."""

    concept: Words | None = None
    """The concept: a key of the catalogue, or a name it knows."""
    codes: tuple[Coded, ...] = ()
    """Codes that the table itself gives."""
    text: Words | None = None
    """What the source calls it."""
    visit: VisitLink | None = None
    """The visit it belongs to: a column with the key of the only visit rule, or a link."""


class ProblemRule(Coding):
    """Diagnoses, comorbidities, symptoms, signs."""

    status: Words | None = None
    """active, recurrence, relapse, inactive, remission, resolved (as told; `resolved` follows from an abatement)."""
    certainty: Words | None = None
    """confirmed (where nothing is told), provisional, differential, unconfirmed (also where the words are not
    understood), refuted (absent, denied)."""
    severity: Words | None = None
    """mild, moderate, severe."""
    category: Words | None = None
    """problem-list-item, encounter-diagnosis."""
    onset: Time | None = None
    """When it began."""
    abatement: Time | None = None
    """When it ended."""
    asserted: Time | None = None
    """When it was diagnosed."""
    body_sites: tuple[Phrase, ...] = ()
    """Where in the body."""
    evidence: tuple[Link, ...] = ()
    """The measurements and reports that support it."""
    due_to: tuple[WordsOrLink, ...] = ()
    """What it was caused by: facts, or words."""
    after: tuple[WordsOrLink, ...] = ()
    """What it merely followed in time: facts, or words."""
    related: tuple[Link, ...] = ()
    """Other problems that have to do with it."""


class CourseRule(Rule):
    """Courses of drugs."""

    drug: Words | None = None
    """The drug: a key of the catalogue, or a name it knows."""
    codes: tuple[Coded, ...] = ()
    """Codes of the drug that the table itself gives."""
    text: Words | None = None
    """What the source calls the drug."""
    status: Words | None = None
    """active, completed, stopped, not-taken, intended, on-hold, unknown (where nothing is told)."""
    reasons: tuple[Phrase, ...] = ()
    """Why it was stopped or not taken."""
    start: Time | None = None
    """When it began."""
    end: Time | None = None
    """When it ended."""
    when: Time | None = None
    """Instead of start and end: one date."""
    ongoing: Words | None = None
    """yes or no (words for them are known): whether it goes on at the source's last word; makes the status active."""
    dose: Dose | None = None
    """How much, how often, by which route."""
    indication: tuple[Link, ...] = ()
    """The problems that it was given for."""
    purposes: tuple[Phrase, ...] = ()
    """What it was given for, in words."""
    visit: VisitLink | None = None
    """The visit it belongs to: a column with the key of the only visit rule, or a link."""


Conversion = Annotated[
    Annotated[str, Tag("column")] | Annotated[Convert, Tag("cell")],
    Discriminator(lambda value: "column" if isinstance(value, str) else "cell"),
]


class Result(Part):
    """A value with its unit, range and flag."""

    value: Words | None = None
    """The result as the laboratory writes it: `22.7`, `<0.2`, `1:320`, `neg`, `++`."""
    comparator: Words | None = None
    """`<`, `<=`, `>=`, `>` where a column of its own tells it; a number without one in its cell takes it."""
    unit: Words | None = None
    """The unit as printed; what it is in UCUM is known, or said in `[reading.units]`."""
    kind: Words | None = None
    """number, words, titre, or auto (where nothing is told: a number where it reads as one and as nothing else)."""
    value_codes: tuple[Coded, ...] = ()
    """Codes of a result that is words."""
    convert: Conversion | None = None
    """The UCUM unit to convert to, or `catalogue` for the concept's own."""
    range: Range | None = None
    """The range of reference: in two columns, or as text in one."""
    flag: Words | None = None
    """normal, high, low, abnormal, positive, negative, …; H, L, N and their like are known."""


class ComponentRule(Result):
    """A part of a measurement: systolic pressure."""

    concept: Words | None = None
    """The concept: a key of the catalogue, or a name it knows."""
    codes: tuple[Coded, ...] = ()
    """Codes that the table itself gives."""
    text: Words | None = None
    """What the source calls it."""


class Printed(Part):
    """The result before it was converted, where the table has both."""

    value: Words
    """The result as it was printed."""
    unit: Words | None = None
    """Its unit as it was printed."""


class Pair(Part):
    """Two measurements of the rule, of the same moment and visit, that are parts of one."""

    concept: str
    """The concept that they become together: a key of the catalogue."""
    parts: tuple[str, str]
    """The concepts of the two: keys of the catalogue. A row is one of them by its concept or by a code of its own."""


class MeasurementRule(Coding, Result):
    """Results, findings, scores: whatever was measured or observed."""

    when: Time | None = None
    """When it was measured, or the specimen taken."""
    category: Words | None = None
    """laboratory, lung-function, vital-signs, score, imaging, exam, survey, social-history, therapy; that of the
    concept where nothing is told."""
    printed: Printed | None = None
    """The result before it was converted, where the table has both."""
    blank: Literal["skip", "unknown", "reject"] = "skip"
    """What a blank value is: nothing (the row counts as filtered), a result that is missing, or a row to reject."""
    absent: Words | None = None
    """Why the value is missing, in words or as one of R4's codes (`not-performed`)."""
    method: Phrase | None = None
    """How it was measured."""
    body_site: Phrase | None = None
    """Where in the body."""
    scale: Range | None = None
    """The bounds of a score."""
    components: tuple[ComponentRule, ...] = ()
    """Parts that belong together: systolic and diastolic pressure."""
    members: tuple[Link, ...] = ()
    """The measurements that it is a group of."""
    derived_from: tuple[Link, ...] = ()
    """The measurements that it was computed from."""
    pairs: tuple[Pair, ...] = ()
    """What becomes one where there is just one of each (systolic and diastolic pressure, each in its own row). Without
    the same time and visit, or with several, they stay as they are."""


class SuspectRule(Link):
    """Courses that an event is blamed on: by key, by columns that agree, or all of a rule that had begun by then."""

    words: Words | None = None
    """What the source says of the cause."""
    causality: Words | None = None
    """certain, probable, possible, unlikely, or unrelated: then it is no suspect, and a note says so. The usual words
    are known. Where `words` or `causality` are mapped, and blank, nothing is suspected by date alone."""


class AdverseEventRule(Coding):
    """Adverse events, with the condition that they became."""

    when: Time | None = None
    """When it happened or began."""
    end: Time | None = None
    """The end: the resulting condition's abatement."""
    severity: Words | None = None
    """mild, moderate, severe; CTCAE grades and CDISC's words are known."""
    seriousness: tuple[Words, ...] = ()
    """serious, non-serious, death, life-threatening, hospitalization, disability, birth-defect, intervention-needed:
    all columns that tell of it, the gravest first."""
    outcome: Words | None = None
    """resolved, recovering, ongoing, resolvedWithSequelae, fatal, unknown; CDISC's words are known."""
    suspects: tuple[SuspectRule, ...] = ()
    """The courses that are blamed for it."""
    action: Words | None = None
    """What was done with the suspect: withdrawn, interrupted, reduced, increased, unchanged, not applicable; CDISC's
    words are known. `withdrawn` becomes the course's status and reason, the others its note."""
    condition: bool = True
    """Whether the condition that the event became is written beside it."""


class IntoleranceRule(Rule):
    """Intolerances and allergies."""

    drug: Words | None = None
    """What is not tolerated: a key of the catalogue, or a name it knows."""
    codes: tuple[Coded, ...] = ()
    """Codes that the table itself gives."""
    text: Words | None = None
    """What the source calls it."""
    kind: Words | None = None
    """intolerance or allergy."""
    category: Words | None = None
    """medication, food, environment, biologic."""
    status: Words | None = None
    """active, inactive, resolved."""
    certainty: Words | None = None
    """confirmed, unconfirmed (where nothing is told), refuted."""
    onset: Time | None = None
    """When it began."""
    reactions: tuple[Phrase, ...] = ()
    """What it does to the person."""
    visit: VisitLink | None = None
    """The visit it belongs to: a column with the key of the only visit rule, or a link."""


class ProcedureRule(Coding):
    """Things done to the person."""

    status: Words | None = None
    """completed (where nothing is told), not-done, in-progress, stopped, unknown."""
    why_not: Phrase | None = None
    """Why it was not done."""
    when: Time | None = None
    """When it was done."""
    body_sites: tuple[Phrase, ...] = ()
    """Where in the body."""
    reasons: tuple[Phrase, ...] = ()
    """Why it was done."""
    outcome: Phrase | None = None
    """What came of it."""
    reports: tuple[Link, ...] = ()
    """The reports that tell of it."""


class ReportRule(Coding):
    """Reports of examinations with several findings: imaging, biopsy, lung function, a laboratory's sheet."""

    kind: Words | None = None
    """What kind of examination, in words."""
    when: Time | None = None
    """When the examination was."""
    results: tuple[Link, ...] = ()
    """Its findings: measurements."""
    conclusion: Phrase | None = None
    """What the report concludes."""


class VisitRule(Rule):
    """Dated contacts."""

    when: Time | None = None
    """When it was: a day, or from and to."""
    setting: Words | None = None
    """inpatient, ambulatory, emergency, home, virtual, short stay."""
    codes: tuple[Coded, ...] = ()
    """Codes of the kind of visit that the table itself gives."""
    text: Words | None = None
    """What the source calls it."""
    reasons: tuple[Phrase, ...] = ()
    """Why the person came."""
    discharge: Phrase | None = None
    """How or where to the person was discharged."""
