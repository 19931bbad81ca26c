"""The sums: they add up, come back from JSON as they were, and do not grow without bound."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from casefhir.sources.tables import counts
from casefhir.sources.tables.load import load_mapping
from casefhir.tables import Tally
from casefhir.tables.run import told

KEY = st.tuples(st.text(max_size=3), st.text(max_size=3), st.text(max_size=3))


@given(st.dictionaries(KEY, st.integers(1, 9)), st.dictionaries(KEY, st.integers(1, 9)))
def test_adding_two_and_reading_back_loses_nothing(one, other):
    whole = Tally(persons=1, unmapped=Counter(one))
    whole.of("t").update(read=3, converted=2, filtered=1)
    whole.add(Tally(persons=2, unmapped=Counter(other), rejected=Counter(other), defaults=Counter(other)))
    assert whole.unmapped == Counter(one) + Counter(other)
    assert Tally.from_json(whole.to_json()) == whole
    assert not whole.unaccounted()


def test_what_does_not_add_up_is_told():
    found = Tally()
    found.of("t").update(read=3, converted=1, rejected=1)
    assert found.unaccounted() == {"t": 1}


def test_kinds_beyond_the_bound_are_counted_together(monkeypatch):
    monkeypatch.setattr(counts, "MOST_KINDS", 2)
    found = Tally()
    found.add(Tally(unmapped=Counter({("r", "c", str(each)): 1 for each in range(5)})))
    assert found.unmapped == {("r", "c", "0"): 1, ("r", "c", "1"): 1, ("r", "c", counts.OTHERS): 3}


def test_a_value_without_a_code_comes_with_the_nearest_names():
    sums = told(Tally(unmapped=Counter({("treatment", "drug", "rituximap"): 1})), load_mapping("registry"))
    assert sums["unmapped"] == [
        {"rule": "treatment", "column": "drug", "value": "rituximap", "count": 1, "near": ["rituximab"]}
    ]
