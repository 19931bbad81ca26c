"""Facts made quickly are the very facts that their classes make."""

import dataclasses

import pytest

from casefhir.record import Cells, Course, Measurement, On, Problem, Quantity
from casefhir.record.making import maker, unfrozen

CELLS = Cells("t", 1, ("A",))


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Measurement, ("lab.1", None, None, CELLS, "CK")),
        (Problem, ("dx.1", None, CELLS, "rash")),
        (Course, ("drug.1", None, CELLS, "methotrexate")),
        (Cells, ("t", 2)),
    ],
)
def test_they_are_equal_of_the_same_class_and_as_frozen(kind: type, given: tuple[object, ...]) -> None:
    made = maker(kind)(*given)
    assert made == kind(*given)
    assert type(made) is kind
    assert hash(made) == hash(kind(*given))
    assert repr(made) == repr(kind(*given))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, dataclasses.fields(kind)[0].name, "other")


def test_a_class_that_checks_what_it_is_made_from_is_refused_unless_the_caller_has_checked() -> None:
    with pytest.raises(TypeError, match="On checks what it is made from"):
        maker(On)
    assert maker(On, checked=True)("2020", CELLS, None) == On("2020", CELLS)


def test_its_twin_has_the_same_fields() -> None:
    assert [each.name for each in dataclasses.fields(unfrozen(Quantity))] == [
        each.name for each in dataclasses.fields(Quantity)
    ]
