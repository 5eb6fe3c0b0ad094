"""Which of a plan's repairs answers what was found, and what becomes of the plan when the answer changes."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.repair.recipe import answered, answers, mending, offered_as


def found(kind: str, *repairs: dict[str, Any], column: str = "a") -> DataFinding:
    return DataFinding(kind, column, 3, "It is so.", repairs=repairs, recommended=True)


NEAR = found("near-duplicate", {"kind": "drop-near-duplicates", "threshold": 0.8})
RANGE = found("out-of-range", {"kind": "drop-out-of-range", "column": "a", "low": 0.0})
DUMMY = found("placeholder", {"kind": "drop-values", "column": "a", "names": ["asdf", "todo"]})
SUMS = found("total-row", {"kind": "drop-values", "column": "a", "names": ["Total"]})
PHONE, EMAIL = (
    found(f"personal-{name}", {"kind": "mask-personal", "column": "a", "names": [name]}) for name in ("phone", "email")
)
ALL = [NEAR, RANGE, DUMMY, SUMS, PHONE, EMAIL]


@pytest.mark.parametrize(
    ("repair", "about"),
    [
        ({"kind": "drop-near-duplicates", "threshold": 0.9}, [NEAR]),
        ({"kind": "drop-near-duplicates", "column": "b"}, [NEAR]),
        ({"kind": "drop-out-of-range", "column": "a", "high": 9.0}, [RANGE]),
        ({"kind": "drop-out-of-range", "column": "b", "low": 0.0}, []),
        ({"kind": "drop-values", "column": "a", "names": ["todo", "mine"]}, [DUMMY]),
        ({"kind": "drop-values", "column": "a", "names": ["mine"]}, []),
        ({"kind": "drop-values", "column": "a"}, []),
        ({"kind": "mask-personal"}, [PHONE, EMAIL]),
        ({"kind": "mask-personal", "names": ["email", "iban"]}, [EMAIL]),
        ({"kind": "drop-empty", "column": "a"}, []),
    ],
)
def test_a_repair_answers_a_finding_whatever_its_bounds(repair: dict[str, Any], about: list[DataFinding]) -> None:
    assert [one.kind for one in ALL if answers(one, repair)] == [one.kind for one in about]
    assert all(mending(one, [repair]) == repair for one in about)


def test_another_choice_takes_the_place_of_a_repair_with_other_bounds() -> None:
    own = {"kind": "drop-near-duplicates", "threshold": 0.9}
    assert answered(ALL, [own, *SUMS.repairs], NEAR, NEAR.repair) == [NEAR.repair, SUMS.repair]
    assert answered(ALL, [own, *SUMS.repairs], NEAR, None) == [SUMS.repair]
    assert answered(ALL, [*NEAR.repairs, *SUMS.repairs], NEAR, own) == [own, SUMS.repair], "in its place"


def test_of_a_repair_about_several_findings_the_others_stay() -> None:
    both = {"kind": "drop-values", "column": "a", "names": ["asdf", "mine", "Total"]}
    assert answered(ALL, [both], DUMMY, None) == [{"kind": "drop-values", "column": "a", "names": ["mine", "Total"]}]
    left = answered(ALL, [{"kind": "mask-personal"}], EMAIL, None)
    assert "email" not in left[0]["names"] and "phone" in left[0]["names"]
    labels = found("labels", {"kind": "unify-labels", "column": "a", "values": {"eng": "Eng"}})
    own = {"kind": "unify-labels", "column": "a", "values": {"eng": "English", "de": "German"}}
    assert answered([labels], [own], labels, labels.repair) == [labels.repair, own | {"values": {"de": "German"}}]


def test_what_is_offered_goes_before_what_is_like_it() -> None:
    own = {"kind": "drop-near-duplicates", "threshold": 0.9}
    assert mending(NEAR, [own, *NEAR.repairs]) == NEAR.repair
    assert mending(NEAR, []) is None


def test_a_repair_with_other_bounds_is_told_as_what_was_offered() -> None:
    ways = found(
        "email", *({"kind": f"{what}-personal", "column": "a", "names": ["email"]} for what in ("mask", "drop"))
    )
    assert [offered_as(ways, one) for one in ways.repairs] == [0, 1]
    assert offered_as(ways, {"kind": "drop-personal", "column": "a", "names": ["email", "ip"]}) == 1
    assert offered_as(ways, {"kind": "tidy-text", "column": "a"}) == -1


def test_a_new_answer_stands_in_the_order_of_the_findings_and_the_rest_as_it_stood() -> None:
    own = {"kind": "tidy-text", "column": "q"}
    written = [own, EMAIL.repair, SUMS.repair]
    assert answered(ALL, written, RANGE, RANGE.repair) == [own, RANGE.repair, EMAIL.repair, SUMS.repair]
    assert answered(ALL, [NEAR.repair, own], RANGE, RANGE.repair) == [NEAR.repair, RANGE.repair, own]
    assert answered(ALL, [own], RANGE, RANGE.repair) == [own, RANGE.repair]
    assert answered(ALL, written, SUMS, None) == [own, EMAIL.repair]


def test_an_answer_whose_words_are_all_new_still_takes_the_place_of_the_one_before() -> None:
    typed = {"kind": "drop-values", "column": "a", "names": ["mine"]}
    assert answered(ALL, [NEAR.repair, DUMMY.repair, SUMS.repair], DUMMY, typed) == [NEAR.repair, typed, SUMS.repair]
