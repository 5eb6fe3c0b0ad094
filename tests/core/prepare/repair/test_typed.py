"""A repair's values as a person types them: what was written is read back, what can't be is said."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.errors import PlanError
from tunesmith.core.plan import Repair, RepairKind
from tunesmith.core.prepare.repair.typed import VALUES, changed, values_of, written

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def test_each_value_is_told_in_words_of_its_own_kind() -> None:
    told = {kind: {knob.path: knob.text for knob in values_of(kind)} for kind in get_args(RepairKind)}
    assert told["drop-short"] == {"prepare.repairs.low": "the fewest characters"}
    assert told["drop-personal"]["prepare.repairs.names"].startswith("kinds of personal data, of email, phone")
    assert told["tidy-text"] == {}
    assert all(not text.startswith("drop-") for one in told.values() for text in one.values())


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_names_of_any_kind_are_read_back_as_they_were(names: list[str]) -> None:
    repair = {"kind": "drop-values", "column": "a", "names": names}
    assert "\n" not in written(names)
    assert changed(repair, {"names": written(names)}) == repair


@given(st.dictionaries(WORDS, WORDS | st.just(""), min_size=1, max_size=5))
def test_mappings_of_any_kind_are_read_back_as_they_were(values: dict[str, str]) -> None:
    repair = {"kind": "unify-labels", "column": "a", "values": values}
    assert changed(repair, {"values": written(values)}) == repair


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_back_as_they_were(low: float) -> None:
    repair = {"kind": "drop-out-of-range", "column": "a", "low": low}
    assert changed(repair, {"low": written(low), "high": ""}) == repair


def test_what_is_typed_as_people_type_it() -> None:
    near = {"kind": "drop-near-duplicates", "threshold": 0.8}
    assert changed(near, {"threshold": " 0.95 "}) == near | {"threshold": 0.95}
    drop = {"kind": "drop-values", "column": "a", "names": ["x"]}
    assert changed(drop, {"names": 'n/a,  unknown , "yes, of course",'})["names"] == [
        "n/a",
        "unknown",
        "yes, of course",
    ]
    labels = {"kind": "unify-labels", "column": "a", "values": {"x": "y"}}
    assert changed(labels, {"values": "IT Dept.=IT\n\n  - =\n"})["values"] == {"IT Dept.": "IT", "-": ""}
    assert set(VALUES) <= set(get_args(RepairKind))
    assert all(name in Repair.model_fields for names in VALUES.values() for name in names)


@pytest.mark.parametrize(
    ("repair", "texts", "told"),
    [
        ({"kind": "drop-near-duplicates"}, {"threshold": "1.5"}, "Likeness: this is out of bounds. Give more than 0"),
        ({"kind": "drop-near-duplicates"}, {"threshold": "much"}, "Likeness: 'much' is no number"),
        ({"kind": "drop-out-of-range", "column": "a"}, {"low": "", "high": ""}, "Lowest or Highest: something must"),
        ({"kind": "drop-out-of-range", "column": "a"}, {"low": "9", "high": "1"}, "has a low above its high"),
        ({"kind": "fill-empty", "column": "a"}, {"value": " "}, "Value: something must stand here"),
        ({"kind": "mask-personal"}, {"names": "mail"}, "knows no kind 'mail'. Name some of email, phone"),
        ({"kind": "drop-values", "column": "a"}, {"names": ' , "" '}, "Names: something must stand here"),
        ({"kind": "drop-values", "column": "a"}, {"names": '"a'}, "Names: a quote has no end"),
        ({"kind": "drop-values", "column": "a"}, {"names": '"a" b'}, "'b' stands behind a quote"),
        ({"kind": "unify-labels", "column": "a"}, {"values": "a = b\nc"}, "Values: line 2 can't be read"),
        ({"kind": "unify-labels", "column": "a"}, {"values": "a = b = c"}, "in quotes"),
        ({"kind": "unify-labels", "column": "a"}, {"values": "a = b\na = c"}, "'a' stands twice"),
        ({"kind": "drop-contradictions", "column": "a"}, {"keep": "last"}, "Keep: 'last' can't be chosen"),
    ],
)
def test_what_can_not_be_read_is_said(repair: dict[str, Any], texts: dict[str, str], told: str) -> None:
    with pytest.raises(PlanError) as caught:
        changed(repair, texts)
    assert told in f"{caught.value.title} {caught.value.next_step}"
