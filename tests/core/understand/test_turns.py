"""Which other answers lead another way: each of them really does, and the list is short and quick."""

from __future__ import annotations

import dataclasses
import time
from statistics import median

import pytest

from tests.core.understand.situations import CASES, Case
from tunesmith.core.schema import knobs
from tunesmith.core.understand.advice import advise
from tunesmith.core.understand.situation import Situation
from tunesmith.core.understand.turns import MOST_TURNS, turns

B = 1_000_000_000
BY_QUESTION = {knob.question: knob.path.rpartition(".")[2] for knob in knobs("understand") if knob.question}
PRACTICE = next(case.situation for case in CASES if case.told == "the practice project")


def told(situation: Situation) -> dict[str, str]:
    return {one.told: one.approach for one in turns(situation)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.told)
def test_what_is_said_to_turn_the_advice_does(case: Case) -> None:
    found = turns(case.situation)
    assert len(found) <= MOST_TURNS
    assert len({one.question for one in found}) == len(found)
    for one in found:
        assert one.approach != case.best
        field = BY_QUESTION.get(one.question)
        if field in ("lacking", "knowledge_changes", "scale", "latency", "quality", "users", "privacy", "metric"):
            other = dataclasses.replace(case.situation, **{field: one.answer})
            assert advise(other).best.approach == one.approach


def test_what_turns_the_advice_of_the_practice_project_is_told_in_the_questions_own_words() -> None:
    found = told(PRACTICE)
    assert found["Do the facts come with each question? no"] == "retrieval"
    assert found["How many examples are there? fewer than 50"] == "few-shot"
    assert advise(dataclasses.replace(PRACTICE, examples=49)).best.approach == "few-shot"
    assert advise(dataclasses.replace(PRACTICE, examples=50)).best.approach == "fine-tune"


def test_of_answers_with_an_order_the_nearest_is_told() -> None:
    case = next(one for one in CASES if one.told == "a persona, nothing was tried")
    assert told(case.situation)["How often do the facts change? monthly"] == "fine-tune-retrieval"


def test_four_answers_for_one_way_are_not_told_while_another_way_is_left() -> None:
    case = next(one for one in CASES if one.told == "prices that change weekly")
    ways = [one.approach for one in turns(case.situation)]
    assert len(set(ways)) >= 2 and ways[0] != ways[1]


def test_a_model_of_unknown_size_and_limits_that_were_not_stated_are_no_numbers() -> None:
    for situation in (Situation("other"), Situation("other", budget_money=10.0, budget_hours=0.1, parameters=7 * B)):
        assert all("None" not in one.told for one in turns(situation))
    assert told(Situation("other", examples=400, tried=("prompt", "few-shot"), budget_hours=0.1, parameters=7 * B))[
        "How long may it take? 30 minutes or more"
    ]


def test_it_is_quick_enough_for_each_keystroke() -> None:
    taken = []
    for case in CASES:
        began = time.perf_counter()
        turns(case.situation)
        taken.append(time.perf_counter() - began)
    assert median(taken) < 0.02
