"""A finding is answered by a repair that it offers, also where the person gave that other values."""

from __future__ import annotations

from typing import Any

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.repair.answering import answered, mending, offered_as

NEAR = {"kind": "drop-near-duplicates", "threshold": 0.8}
EMAIL = [{"kind": f"{what}-personal", "column": "a", "names": ["email"]} for what in ("mask", "drop")]
PHONE = [{"kind": f"{what}-personal", "column": "a", "names": ["phone"]} for what in ("mask", "drop")]
OWN = {"kind": "tidy-text", "column": "q"}


def finding(kind: str, *repairs: dict[str, Any]) -> DataFinding:
    return DataFinding(kind, "", 1, f"{kind}.", repairs=repairs, recommended=True)


ALL = [finding("email", *EMAIL), finding("phone", *PHONE), finding("near-duplicate", NEAR)]


def test_a_repair_with_other_values_still_answers_its_finding() -> None:
    other = {"kind": "drop-near-duplicates", "threshold": 0.95}
    assert mending(ALL[2], [OWN, other]) == other
    assert offered_as(ALL[2], other) == 0
    assert mending(ALL[2], [OWN]) is None and offered_as(ALL[2], OWN) == -1


def test_one_kind_of_personal_data_does_not_answer_for_another() -> None:
    assert mending(ALL[0], [PHONE[0]]) is None
    both = {"kind": "mask-personal", "column": "a", "names": ["email", "phone"]}
    assert mending(ALL[0], [both]) == mending(ALL[1], [both]) == both


def test_an_answer_takes_the_place_of_the_one_before() -> None:
    other = NEAR | {"threshold": 0.9}
    now = [EMAIL[0], NEAR, OWN]
    assert answered(ALL, now, ALL[2], other, 0) == [EMAIL[0], other, OWN]
    assert answered(ALL, now, ALL[0], EMAIL[1], 1) == [EMAIL[1], NEAR, OWN]
    assert answered(ALL, [EMAIL[0], other, OWN], ALL[2], None, -1) == [EMAIL[0], OWN]


def test_a_new_answer_stands_in_the_order_of_the_findings() -> None:
    other = EMAIL[0] | {"names": ["email", "ip"]}
    assert answered(ALL, [NEAR, OWN], ALL[0], other, 0) == [other, NEAR, OWN]
