"""The mapping file: what the tables of a registry or an export become. TOML or YAML, the same tree in both."""

from typing import Any, Literal

from pydantic import Field as Described
from pydantic import field_validator, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from casefhir.sources.tables.elements import Notation, Part, Time
from casefhir.sources.tables.person_rule import PersonRule
from casefhir.sources.tables.ruleset import (
    NAME,
    AdverseEventRule,
    CourseRule,
    IntoleranceRule,
    MeasurementRule,
    ProblemRule,
    ProcedureRule,
    ReportRule,
    Rule,
    VisitRule,
)

AbsentReason = Literal[
    "unknown", "asked-unknown", "temp-unknown", "not-asked", "asked-declined", "masked", "not-applicable",
    "unsupported", "as-text", "error", "not-a-number", "negative-infinity", "positive-infinity", "not-performed",
    "not-permitted",
]  # fmt: skip
RULES = ("visit", "problem", "course", "measurement", "procedure", "report", "intolerance", "adverse_event")
"""The kinds of rules, in the order in which facts are written."""
SCHEMA_URL = "https://w3id.org/casefhir/mapping.schema.json"
ResultMeaning = Literal["positive", "negative", "normal", "abnormal", "high", "low", "indeterminate"]
RESULT_WORDS: dict[str, ResultMeaning] = {
    "neg": "negative", "neg.": "negative", "negative": "negative", "negativ": "negative", "not detected": "negative",
    "pos": "positive", "pos.": "positive", "positive": "positive", "positiv": "positive", "detected": "positive",
    "+": "positive", "++": "positive", "+++": "positive", "++++": "positive", "1+": "positive", "2+": "positive",
    "3+": "positive", "4+": "positive",
}  # fmt: skip


class Reading(Part):
    """How cells are written."""

    decimal: Literal[".", ","] = "."
    """The decimal mark."""
    thousands: Literal["", ",", ".", " ", "'"] = ""
    """What stands between thousands; "" if nothing does: `3,072` is refused then, for it may be read either way."""
    dates: tuple[Notation, ...] = ("iso",)
    """How dates are written, tried in this order: iso (2022-09-07), dmy (07.09.2022), mdy (09/07/2022), ymd
    (2022/09/07, 20220907), excel (44811, a spreadsheet's count of days). Months by name are read with dmy, mdy."""
    two_digit_years_from: int | None = None
    """The first year that a year of two digits can mean (1930: 29 is 2029, 30 is 1930). Without it they are refused."""
    timezone: str | None = None
    """The zone of times that name none: `Europe/Berlin`, `UTC`, `+01:00`. Without it the time of day stays words."""
    missing: tuple[str, ...] = (".",)
    """Cells that are as good as blank."""
    absent: dict[str, AbsentReason] = Described(default={"NaN": "not-a-number"})
    """Codes for missing values, and why: `{"-9" = "unknown", ND = "not-performed"}`. In a result they become the reason
    why it is absent; elsewhere the cell is blank."""
    units: dict[str, str] = Described(default_factory=dict)
    """Units as printed here, and their UCUM codes; "" for one that has none. The common ones are known."""
    whole: tuple[str, ...] = ()
    """Columns of whole numbers, as keys and codes are, with * for any letters (`*_id`): 12.0 in them is read as 12."""
    results: dict[str, ResultMeaning] = RESULT_WORDS
    """Results in words that say how the result is, and what they say."""


class Found(Part):
    """How a table is found and read, whatever it is for."""

    query: str | None = None
    """A query (SQL), where the source is a database."""
    rows: str | None = None
    """For JSON documents: where the rows are, by path (`phenotypicFeatures`); without it each document is a row.
    Columns are paths too: `onset.age.iso8601duration`, `modifiers.0.label`; `/subject.id` is in the document around."""
    camel: bool = False
    """For JSON documents: names_in_snake_case are read as namesInCamelCase."""
    within: tuple[str, ...] = ()
    """For JSON documents: what they may be wrapped in (`proband`, `members`)."""
    who: tuple[str, ...] = ()
    """For JSON documents: the paths (`id`, `subject.id`) whose words, the same ones once, tell whose a document is.
    They are the column `(who)` of its rows, to be their key: one path alone may be missing, or say the same of two."""
    encoding: str | None = None
    """Of text files; found out and told without it."""
    delimiter: str | None = None
    """Of text files; found out and told without it."""
    header: int | None = Described(default=None, ge=1, le=1000)
    """Of text files and sheets: the row of the header, where a title or the like stands above it; else the first."""
    skip_after: int = Described(default=0, ge=0, le=100)
    """Of text files and sheets: rows under the header that are no data, such as a row of units."""
    fill: tuple[str, ...] = ()
    """Columns whose blank cells say what the cell above says, as where cells are merged, or a name is written once;
    beside those of the key only within one person's rows."""
    optional: bool = False
    """The table may be missing."""


class Table(Found):
    """A table: the files it is in, and the columns that tell whose row it is."""

    files: tuple[str, ...] = ()
    """Names of its files or sheets, with * for any letters, with or without the ending; several for a table in parts or
    under several names. Without them the table's own name."""
    dictionary: str | None = None
    """The look-up that is its data dictionary, for a REDCap project: an export of labels is read by it as if it were of
    raw values."""
    events: str | None = None
    """The look-up that lists its events, for a REDCap project: their labels are read as their unique names."""
    key: tuple[str, ...] = ()
    """The columns that identify the person; alike in all tables."""
    via: dict[str, str] = Described(default_factory=dict)
    """Where the table lacks the person's key: the columns of the table `through`, `{its column = this table's}`."""
    through: str | None = None
    """The table that leads from these rows to the person."""
    where: str | None = None
    """An expression; rows for which it is false are filtered, and counted."""
    derive: dict[str, str] = Described(default_factory=dict)
    """New columns by expressions, `{ID = "STUDY + '-' + NUMBER"}`; usable like any column of the table."""
    reading: Reading | None = None
    """How this table's cells are written, where it is otherwise than `[reading]`."""

    @property
    def persons(self) -> tuple[str, ...]:
        """The columns that tell whose a row is."""
        return (*self.key, *self.via.values())


class LookupTable(Found):
    """A small table that is read whole: code lists, a data dictionary, OMOP's concepts."""

    files: tuple[str, ...]
    """Its files, beside the tables or beside the mapping."""
    key: tuple[str, ...]
    """The columns it is asked by."""
    names: dict[str, str] = Described(default_factory=dict)
    """Columns that may be called otherwise, `{other name = name}`, as in REDCap's interface and in its API."""

    @property
    def persons(self) -> tuple[str, ...]:
        """None: its rows are nobody's."""
        return ()


class System(Part):
    """A code system that curies name by a prefix."""

    uri: str
    """Its URI: `http://loinc.org`."""
    keep_prefix: bool = False
    """Whether the prefix belongs to the code (`HP:0001250`) or not (`LOINC:2157-6`)."""


class Privacy(Part):
    """What is done so that persons are not recognised. The salt comes from CASEFHIR_SALT, never from this file."""

    hash_keys: bool = False
    """Person's keys, other keys and identifiers are replaced by salted hashes. Rules that would write such a column as
    words are refused."""
    shift_dates: int | None = Described(default=None, ge=1, le=3650)
    """All dates of a person move by one and the same number of days, up to this many; intervals stay. Keys of rows are
    hashed too, for they may be dates."""
    age_cap: int | None = Described(default=None, ge=1, le=120)
    """Ages above this are told as above it. Of persons who are above it the date of birth, and ages from which it could
    be reckoned, are left out (89)."""
    age_on: Time | None = None
    """Up to when ages are counted for `age_cap`: a date in the person's table, such as that of the last contact or of
    the extract, or `{ const = "2024-06-30" }`. Where it is blank, or not given: up to `recorded`. In any case up to the
    last date that is told of the person, and not beyond death."""
    drop: tuple[str, ...] = ()
    """Columns that are never read, `table.column` or `column`, with * for any letters."""
    keep: tuple[str, ...] = ()
    """Columns, written as in `drop`, that are keys of rows and may be told as they stand although `hash_keys` hashes
    keys, for their words are nobody's: names of visits. Keys of persons cannot be kept."""

    @property
    def hides(self) -> bool:
        """Whether anything is done to the data, so that the tables themselves must not go where the output goes."""
        return bool(self.hash_keys or self.shift_dates or self.age_cap or self.drop)

    @property
    def salted(self) -> bool:
        """Whether a salt is needed, by which keys of rows are hashed too."""
        return self.hash_keys or self.shift_dates is not None


class TableMapping(Part):
    """A mapping file."""

    casefhir: Literal[1]
    """The version of this format."""
    name: str = Described(pattern=NAME)
    """The mapping's name: lower-case letters, digits, hyphens. All ids begin with it, unless `dataset` is given."""
    title: str
    """What it is, in words."""
    version: str
    """The mapping's own version; every Provenance names it."""
    recorded: str = Described(pattern=r"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z$")
    """The instant that the output shows as that of its making, pinned so that the same input gives the same bytes."""
    dataset: str | None = Described(default=None, pattern=NAME)
    """The name of the data set in all ids, which keeps two sets apart that number their persons alike. Else `name`."""
    test_data: bool = False
    """Whether everything is marked as test data."""
    reading: Reading = Reading()
    """How cells are written; a table may say it otherwise for itself."""
    tables: dict[str, Table]
    """The tables, by the names that rules call them by."""
    lookups: dict[str, LookupTable] = Described(default_factory=dict)
    """Small tables that are read whole: code lists, a data dictionary."""
    systems: dict[str, System | str] = Described(default_factory=dict)
    """Prefixes of curies and what code system they name."""
    person: PersonRule
    """Who the persons are."""
    visit: tuple[VisitRule, ...] = ()
    """Dated contacts."""
    problem: tuple[ProblemRule, ...] = ()
    """Diagnoses, comorbidities, symptoms, signs."""
    course: tuple[CourseRule, ...] = ()
    """Courses of drugs."""
    measurement: tuple[MeasurementRule, ...] = ()
    """Results, findings, scores."""
    procedure: tuple[ProcedureRule, ...] = ()
    """Things done to the person."""
    report: tuple[ReportRule, ...] = ()
    """Reports of examinations with several findings."""
    intolerance: tuple[IntoleranceRule, ...] = ()
    """Intolerances and allergies."""
    adverse_event: tuple[AdverseEventRule, ...] = ()
    """Adverse events, with the condition that they became."""
    privacy: Privacy = Privacy()
    """What is done so that persons are not recognised."""
    schema_: str | None = Described(default=None, alias="$schema")
    """The schema, for editors."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules but the person's, in the order in which facts are written."""
        return tuple(rule for kind in RULES for rule in getattr(self, kind))

    def reading_of(self, table: str) -> Reading:
        """How the cells of a table are written."""
        return self.tables[table].reading or self.reading

    @field_validator("tables", mode="after")
    @classmethod
    def _some_tables(cls, tables: dict[str, Table]) -> dict[str, Table]:
        if not tables:
            raise ValueError("name at least one table")
        return tables

    @model_validator(mode="after")
    def _names_exist(self) -> "TableMapping":
        seen: set[str] = set()
        for rule in self.rules:
            if rule.name in seen:
                raise ValueError(f"two rules are called {rule.name!r}; ids start with the name, so give one another")
            seen.add(rule.name)
        for name, table in self.tables.items():
            if table.dictionary is not None and table.dictionary not in self.lookups:
                raise ValueError(
                    f"table {name!r}: there is no look-up {table.dictionary!r} that could be its dictionary"
                )
            if table.events is not None and table.events not in self.lookups:
                raise ValueError(f"table {name!r}: there is no look-up {table.events!r} that could list its events")
        return self


class _AnyOf(GenerateJsonSchema):
    """Alternatives that a function chooses among: a value may fit several by its form (a list of columns is a list of
    words, and of times), so they are no `oneOf`.
    """

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        found = super().tagged_union_schema(schema)
        if "discriminator" not in found and "oneOf" in found:
            found["anyOf"] = found.pop("oneOf")
        return found


def json_schema() -> dict[str, Any]:
    """The JSON Schema of mapping files, for editors and other programs."""
    found = TableMapping.model_json_schema(by_alias=True, schema_generator=_AnyOf)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_URL, **found}
