"""From random tables to bundles: whatever a mapping makes of rows conforms."""

from hypothesis import given

from casefhir.library import convert, validate_conversion
from tests.sources.tables.test_plan_properties import mapped, tables
from tests.thorough import examples

_THE_TABLES_OWN = {"meaning.before-birth", "meaning.dose-of-nothing", "meaning.interpretation"}
"""What the tables themselves say that makes no sense: warnings that a reader has to see."""


@given(tables())
@examples(25)
def test_what_rows_become_conforms(made: dict[str, list[dict[str, str]]]) -> None:
    for found in mapped(made).values():
        if found.case is None:
            continue
        report = validate_conversion(convert(found.case))
        assert [finding for finding in report.findings if finding.rule not in _THE_TABLES_OWN] == []
