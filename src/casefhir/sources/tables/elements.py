"""The small parts of a mapping file: where a cell's words come from, codes, times, links. `mapping` has the whole."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Tag
from pydantic import Field as Described


class Part(BaseModel):
    """A part of a mapping file: unknown keys are refused, the sentences under the keys are the schema's."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, populate_by_name=True)


class Cell(Part):
    """Where words come from: a column of the row, a constant, an expression, or a cell of another table.

    Exactly one of `column`, `const` and `expr`; `table` or `lookup` with `take` leads on to another table.
    """

    column: str | None = None
    """A column of the rule's table, by its name in the header (capitals do not matter where that is unambiguous)."""
    const: str | None = None
    """The same words for every row."""
    expr: str | None = None
    """An expression (CEL) over the row's cells: columns by name, `row['Any name']`; a blank cell is ''."""
    optional: bool = False
    """The column need not be in the table; without it the field is blank. (`"NAME?"` is short for this.)"""
    table: str | None = None
    """Another table of the same person to take the cell from; `column` is then a column of that table."""
    on: dict[str, str] = Described(default_factory=dict)
    """With `table`: which of its rows, `{its column = this row's column}`; without it the person has one row there."""
    where: str | None = None
    """With `table`: an expression over that table's row, which chooses among its rows."""
    lookup: str | None = None
    """A look-up table, asked with the words found so far as its key; `take` is the column that answers."""
    take: str | None = None
    """The column of the look-up that gives the words."""
    choices: "Words | None" = None
    """A list such as `1, Mild | 2, Severe` (REDCap's): the words found become the label beside them."""
    map: dict[str, str] | str | None = None
    """What words become: `{M = "male"}`, or a CSV file beside the mapping (first column: words, second: what they
    become). "" stands for nothing. Words that are not in it are reported."""
    default: str | None = None
    """What a blank cell becomes. That it is a default is noted in the fact, and counted in every report."""


def _kind_of_words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "first"
    return "column" if isinstance(value, str) else "cell"


One = Annotated[
    Annotated[str, Tag("column")] | Annotated[Cell, Tag("cell")],
    Discriminator(_kind_of_words),
]
Words = Annotated[
    Annotated[str, Tag("column")] | Annotated[Cell, Tag("cell")] | Annotated[tuple[One, ...], Tag("first")],
    Discriminator(_kind_of_words),
]
"""A column's name (`"AGE"`, `"AGE?"` where the table may lack it), a `Cell`, or a list: the first that is not blank."""


class Coded(Part):
    """A code that the table itself gives: `code` in `system`, or a `curie` such as `HP:0001250`."""

    system: str | Cell | None = None
    """The code system: its URI (`http://loinc.org`), or where the row names it."""
    code: Words | None = None
    """The code."""
    curie: Words | None = None
    """A code with its prefix, which `[systems]` leads to the code system."""
    display: Words | None = None
    """The code system's own name of the code."""
    version: Words | None = None
    """The version of the code system."""


class When(Part):
    """A time: a date; a date and a time of day; from and to; a study day; an age; or year, month, day apart."""

    date: Words | None = None
    """A date."""
    time: Words | None = None
    """The time of day of `date`, from a column of its own."""
    start: Words | None = None
    """From when."""
    end: Words | None = None
    """Until when."""
    study_day: Words | None = None
    """A whole number of days counted from `reference`."""
    reference: Words | None = None
    """The date that study days are counted from."""
    first_day: Literal[0, 1] = 1
    """The study day of the reference date itself: 1 (CDISC: there is no day 0) or 0."""
    age: Words | None = None
    """An age: a number in `unit`, or an ISO 8601 duration (`P5Y11M`)."""
    unit: Literal["years", "months", "weeks", "days"] = "years"
    """The unit of `age`."""
    year: Words | None = None
    """The year; with it may go `month` and `day`."""
    month: Words | None = None
    """The month, 1 to 12."""
    day: Words | None = None
    """The day of the month."""
    dates: tuple["Notation", ...] | None = None
    """How dates are written here, where it is otherwise than `[reading]` says."""


Notation = Literal["iso", "dmy", "mdy", "ymd", "excel"]


def _kind_of_time(value: Any) -> str:
    if isinstance(value, list | tuple):
        whole = any(_kind_of_time(each) == "when" for each in value)
        return "several" if whole else "first"
    if isinstance(value, When):
        return "when"
    if isinstance(value, dict) and set(value) & (set(When.model_fields) - set(Cell.model_fields)):
        return "when"
    return _kind_of_words(value)


OneTime = Annotated[
    Annotated[str, Tag("column")] | Annotated[Cell, Tag("cell")] | Annotated[When, Tag("when")],
    Discriminator(_kind_of_time),
]
Time = Annotated[
    Annotated[str, Tag("column")]
    | Annotated[Cell, Tag("cell")]
    | Annotated[tuple[One, ...], Tag("first")]
    | Annotated[tuple[OneTime, ...], Tag("several")]
    | Annotated[When, Tag("when")],
    Discriminator(_kind_of_time),
]
"""A column with a date, or a `When`, or a list of them: the first that tells something."""


class Link(Part):
    """Facts that another rule makes for the same person."""

    rule: str
    """The rule's name."""
    key: tuple[Words, ...] | None = None
    """The words that are the other fact's key, in the order of its rule's `key`."""
    on: dict[str, str] = Described(default_factory=dict)
    """Instead of `key`: rows of the other rule whose column equals one of this row, `{its column = this row's}`."""
    each: str | None = None
    """The entry of the other rule's `each`, by its `name`, where it makes several facts a row."""


def _kind_of_link(value: Any) -> str:
    if isinstance(value, Link) or (isinstance(value, dict) and "rule" in value):
        return "link"
    return _kind_of_words(value)


WordsOrLink = Annotated[
    Annotated[str, Tag("column")]
    | Annotated[Cell, Tag("cell")]
    | Annotated[tuple[One, ...], Tag("first")]
    | Annotated[Link, Tag("link")],
    Discriminator(_kind_of_link),
]
"""Words, or facts that another rule makes."""
VisitLink = WordsOrLink
"""A column that holds the key of the only visit rule, or a `Link`."""


class Supplement(Part):
    """Words about rows that stand in another table of the same person, one row a word (SDTM's SUPP--): all of them."""

    table: str
    """The other table."""
    label: str
    """Its column that says what the words are (QLABEL)."""
    column: str
    """Its column with the words (QVAL)."""
    names: str
    """Its column that names a column of this rule's table (IDVAR) ..."""
    value: str
    """... and its column with what the row has there (IDVARVAL); numbers are compared as numbers."""
    where: str | None = None
    """An expression over the other table's row, which chooses among its rows."""


class Labelled(Part):
    """Words that become a note with a label before them: `Location: ARM`."""

    label: str
    """What the words are."""
    words: Words
    """The words; where they are blank there is no note."""


def _kind_of_note(value: Any) -> str:
    for kind, sign in ((Supplement, "names"), (Labelled, "words")):
        if isinstance(value, kind) or (isinstance(value, dict) and sign in value):
            return kind.__name__.lower()
    return _kind_of_words(value)


Note = Annotated[
    Annotated[str, Tag("column")]
    | Annotated[Cell, Tag("cell")]
    | Annotated[tuple[One, ...], Tag("first")]
    | Annotated[Supplement, Tag("supplement")]
    | Annotated[Labelled, Tag("labelled")],
    Discriminator(_kind_of_note),
]
"""Words that become a note, with a `label` or without, or those of a `Supplement`, each with its label."""


class Convert(Part):
    """To which unit values are converted; the value as printed stays beside."""

    to: str
    """A UCUM unit, or `catalogue`: the unit of the concept."""
    factor: str | None = None
    """Only between kinds that have no common dimension (mass to substance): the value in `of` × factor."""
    of: str | None = None
    """The UCUM unit that the factor is for. Values in units commensurable with it, or with `to`, are converted; others
    are refused."""
    reason: str | None = None
    """Where the factor comes from (molar mass); it stands in the note of every value so converted."""


class Bounds(Part):
    """A range of reference: in two columns, or as text in one."""

    low: Words | None = None
    """The lower end."""
    high: Words | None = None
    """The upper end."""
    text: Words | None = None
    """The range as printed, `4.0-10.0`, `<5`; read where low and high are not given."""
    unit: Words | None = None
    """Its unit, where that is not the value's."""


def _kind_of_bounds(value: Any) -> str:
    if isinstance(value, Bounds):
        return "bounds"
    if isinstance(value, dict) and set(value) & {"low", "high", "text", "unit"}:
        return "bounds"
    return _kind_of_words(value)


Range = Annotated[
    Annotated[str, Tag("column")]
    | Annotated[Cell, Tag("cell")]
    | Annotated[tuple[One, ...], Tag("first")]
    | Annotated[Bounds, Tag("bounds")],
    Discriminator(_kind_of_bounds),
]


class Dose(Part):
    """How a drug was given. What is understood becomes structured; all words together are the dosage's text."""

    amount: Words | None = None
    """How much at a time: `15`, `1000`."""
    unit: Words | None = None
    """Its unit: `mg`, `mg/kg`."""
    high: Words | None = None
    """The upper end, where `amount` is the lower end of a range."""
    frequency: Words | None = None
    """How often: `BID`, `once daily`, `every 4 weeks`, `Q4W`; own words by a `map` to those."""
    frequencies: str | None = None
    """A CSV file beside the mapping: the words, how many times, every how long (`2,1 day`)."""
    route: Words | None = None
    """By which route: the usual words, and CDISC's, are known."""
    method: Words | None = None
    """How it was given: infusion, pulses."""
    site: Words | None = None
    """Where it was given."""
    lasting: Words | None = None
    """For how long, with its unit: `6 months`, or an ISO 8601 duration."""
    text: Words | None = None
    """The dosage as the source says it, where it has a sentence of its own."""


class Named(Part):
    """Words with their codes: a body site, a reaction, a reason, a coded answer."""

    text: Words | None = None
    """The words."""
    codes: tuple[Coded, ...] = ()
    """Codes that the table itself gives."""


def _kind_of_named(value: Any) -> str:
    if isinstance(value, Named):
        return "named"
    if isinstance(value, dict) and set(value) & {"text", "codes"}:
        return "named"
    return _kind_of_words(value)


Phrase = Annotated[
    Annotated[str, Tag("column")]
    | Annotated[Cell, Tag("cell")]
    | Annotated[tuple[One, ...], Tag("first")]
    | Annotated[Named, Tag("named")],
    Discriminator(_kind_of_named),
]
"""Words, or words with their codes."""

for _model in (Cell, Coded, When, Link, Bounds, Dose, Named):
    _model.model_rebuild()
