"""Which of a plan's repairs answers what was found, and what becomes of the plan when the answer changes."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.repair.recipe import answers, chosen, present


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
    ("repair", "answered"),
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
def test_a_repair_answers_a_finding_whatever_its_bounds(repair: dict[str, Any], answered: list[DataFinding]) -> None:
    assert [one.kind for one in ALL if answers(one, repair)] == [one.kind for one in answered]
    assert all(present(one, [repair]) == repair for one in answered)


def test_another_choice_takes_the_place_of_a_repair_with_other_bounds() -> None:
    own = {"kind": "drop-near-duplicates", "threshold": 0.9}
    assert chosen(ALL, [own, *SUMS.repairs], NEAR, NEAR.repair) == [NEAR.repair, SUMS.repair]
    assert chosen(ALL, [own, *SUMS.repairs], NEAR, None) == [SUMS.repair]
    assert chosen(ALL, [*NEAR.repairs, *SUMS.repairs], NEAR, own) == [own, SUMS.repair], "in its place"


def test_of_a_repair_about_several_findings_the_others_stay() -> None:
    both = {"kind": "drop-values", "column": "a", "names": ["asdf", "mine", "Total"]}
    assert chosen(ALL, [both], DUMMY, None) == [{"kind": "drop-values", "column": "a", "names": ["mine", "Total"]}]
    left = chosen(ALL, [{"kind": "mask-personal"}], EMAIL, None)
    assert "email" not in left[0]["names"] and "phone" in left[0]["names"]
    labels = found("labels", {"kind": "unify-labels", "column": "a", "values": {"eng": "Eng"}})
    own = {"kind": "unify-labels", "column": "a", "values": {"eng": "English", "de": "German"}}
    assert chosen([labels], [own], labels, labels.repair) == [labels.repair, own | {"values": {"de": "German"}}]


def test_what_is_offered_goes_before_what_is_like_it() -> None:
    own = {"kind": "drop-near-duplicates", "threshold": 0.9}
    assert present(NEAR, [own, *NEAR.repairs]) == NEAR.repair
    assert present(NEAR, []) is None
