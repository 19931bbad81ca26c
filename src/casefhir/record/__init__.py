"""The clinical record: typed, frozen models of what a source says of a person, and where it says so."""

from casefhir.record.case import Article, Case, LeftOut, Section, parts, places
from casefhir.record.checks import check
from casefhir.record.errors import RecordError
from casefhir.record.facts import (
    AdverseEvent,
    Age,
    Component,
    Course,
    Dosage,
    Fact,
    Intolerance,
    Measurement,
    Person,
    Problem,
    Procedure,
    Report,
    Suspect,
    Text,
    Visit,
)
from casefhir.record.moments import Between, Moment, On, Relative, precedes
from casefhir.record.quantities import TITRE, Quantity, Range, Value, Words, parse_value
from casefhir.record.spans import Source, Span, Told, at, spans_of

__all__ = [
    "TITRE",
    "AdverseEvent",
    "Age",
    "Article",
    "Between",
    "Case",
    "Component",
    "Course",
    "Dosage",
    "Fact",
    "Intolerance",
    "LeftOut",
    "Measurement",
    "Moment",
    "On",
    "Person",
    "Problem",
    "Procedure",
    "Quantity",
    "Range",
    "RecordError",
    "Relative",
    "Report",
    "Section",
    "Source",
    "Span",
    "Suspect",
    "Text",
    "Told",
    "Value",
    "Visit",
    "Words",
    "at",
    "check",
    "parse_value",
    "parts",
    "places",
    "precedes",
    "spans_of",
]
