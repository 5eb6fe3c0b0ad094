"""Answers during evaluation must not be what runs out of memory."""

from __future__ import annotations

from dataclasses import replace

from tests.core.facts_kit import SEVEN_B, SMALL, machine
from tunesmith.core.draft import Draft
from tunesmith.core.evaluate.recommend import recommend_evaluate, usual_rows
from tunesmith.core.load import Load
from tunesmith.core.room import rows_below, rows_beside
from tunesmith.core.select.memory import forecast_load

from .facts_kit import facts

FRUGAL = Load("qlora", "bf16", "cuda", 1, 16384, rank=16, checkpointing=True, answer_rows=16, answer_tokens=64)
CARD = machine("RTX 4090")


def test_rows_that_would_not_fit_are_halved_until_they_do() -> None:
    assert not forecast_load(SEVEN_B, FRUGAL, CARD).fits
    rows = rows_beside(facts(SEVEN_B, "RTX 4090"), FRUGAL, 16, 64)
    assert 1 <= rows < 16 and rows & (rows - 1) == 0
    fine, more = (forecast_load(SEVEN_B, replace(FRUGAL, answer_rows=n), CARD) for n in (rows, 2 * rows))
    assert fine.fits and not fine.tight
    assert more.tight or not more.fits


def test_rows_that_clearly_fit_stay_and_those_below_a_step_are_told_apart() -> None:
    assert rows_beside(facts(SMALL, "RTX 4090"), FRUGAL, 16, 64) == 16
    below = rows_below(SEVEN_B, FRUGAL, CARD)
    told = forecast_load(SEVEN_B, replace(FRUGAL, answer_rows=max(1, below)), CARD)
    assert told.evaluation is not None
    assert (told.evaluation.bytes <= told.step) == (below > 0)
    assert below <= rows_beside(facts(SEVEN_B, "RTX 4090"), FRUGAL, 16, 64)


def test_without_a_card_nothing_speaks_for_fewer() -> None:
    assert rows_beside(facts(SEVEN_B), FRUGAL, 16, 64) == 16


def test_a_plan_is_recommended_the_rows_there_is_room_for_and_says_why() -> None:
    about = facts(SEVEN_B, "RTX 4090")
    draft = Draft({})
    draft.values["select.device"] = "cuda"
    recommend_evaluate(draft, about, lambda rows, tokens: rows_beside(about, FRUGAL, rows, tokens))
    rows = draft.values["evaluate.batch_size"]
    assert rows < usual_rows(SEVEN_B.parameters, "cuda")[0] == 16
    assert draft.reasons["evaluate.batch_size"].because.startswith("16 are usual, but to answer them at once")
