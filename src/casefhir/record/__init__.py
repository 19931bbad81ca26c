"""The clinical record: typed, frozen models of what a source says of a person, and where it says so."""

from casefhir.record.case import Article, Case, Extract, LeftOut, Section, parts, places, tables_of
from casefhir.record.checks import check
from casefhir.record.codes import AbsentReason, Code, Identifier
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
    Problem,
    Procedure,
    Report,
    Suspect,
    Visit,
)
from casefhir.record.moments import Between, Moment, On, Relative, check_date, precedes
from casefhir.record.person import Address, Person
from casefhir.record.quantities import TITRE, Quantity, Range, Value, Words, parse_value
from casefhir.record.spans import Cells, Source, Span, Text, Told, at, cells_of, spans_of

__all__ = [
    "TITRE",
    "AbsentReason",
    "Address",
    "AdverseEvent",
    "Age",
    "Article",
    "Between",
    "Case",
    "Cells",
    "Code",
    "Component",
    "Course",
    "Dosage",
    "Extract",
    "Fact",
    "Identifier",
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
    "cells_of",
    "check",
    "check_date",
    "parse_value",
    "parts",
    "places",
    "precedes",
    "spans_of",
    "tables_of",
]
