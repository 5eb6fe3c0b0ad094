"""Packing, length grouping and early stopping are recommended from the lengths and the number of the rows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tunesmith.core.draft import Draft
from tunesmith.core.facts import Facts, Lengths, TokenProfile
from tunesmith.core.outlook import outlook
from tunesmith.core.recommend import resolve
from tunesmith.core.select.batch import padding
from tunesmith.core.select.recommend import recommend_select

from ..facts_kit import SEVEN_B, facts, recommended, tokens

KNOBS = "select.hyperparameters."


def profile(bins: tuple[tuple[int, int], ...]) -> TokenProfile:
    rows = sum(count for _, count in bins)
    mean = sum(length * count for length, count in bins) / rows
    longest = bins[-1][0]
    whole = Lengths(p50=bins[0][0], p95=longest, p99=longest, longest=longest, mean=mean)
    return msgspec.structs.replace(tokens(rows), whole=whole, bins=bins)


EVEN = profile(((96, 1000), (104, 1000)))
MIXED = profile(((100, 2000), (200, 1000)))
FEW_LONG = profile(((100, 2700), (1000, 300)))


def draft_of(about: Facts, **wishes: Any) -> Draft:
    return recommended(recommend_select, about, **wishes)


def test_the_share_of_padding_by_hand() -> None:
    # Two rows: both short with a chance of 4/9, else padded to 200; on average 100 × 4/9 + 200 × 5/9 = 155.6 long.
    assert padding(facts(tokens=MIXED), 2) == pytest.approx(1 - (400 / 3) / (1400 / 9))
    assert padding(facts(tokens=MIXED), 1) == 0
    assert padding(facts(), 8) == 0


@pytest.mark.parametrize(
    ("lengths", "card", "packing", "grouping"),
    [
        (EVEN, "A100", False, False),
        (MIXED, "A100", False, True),
        (FEW_LONG, "A100", True, False),
        (FEW_LONG, "", False, True),
    ],
)
def test_padding_is_saved_where_there_is_much_of_it(
    lengths: TokenProfile, card: str, packing: bool, grouping: bool
) -> None:
    draft = draft_of(facts(SEVEN_B, card, ram=120, tokens=lengths))
    assert (draft.values[KNOBS + "packing"], draft.values[KNOBS + "group_by_length"]) == (packing, grouping)


def test_the_reason_states_the_share() -> None:
    draft = draft_of(facts(SEVEN_B, "A100", tokens=FEW_LONG))
    assert (
        "% of a batch would be padding; packed, the rows fill whole sequences"
        in draft.reasons[KNOBS + "packing"].because
    )


def test_rows_before_which_virtual_tokens_stand_are_not_packed() -> None:
    draft = draft_of(facts(SEVEN_B, "A100", tokens=FEW_LONG), select__peft="prompt")
    assert draft.values[KNOBS + "packing"] is False
    assert "not before each row in it" in draft.reasons[KNOBS + "packing"].because


def test_packed_or_not_about_as_many_rows_make_a_step() -> None:
    about = facts(SEVEN_B, "A100", tokens=FEW_LONG)
    plan = resolve({}, about).plan
    knobs = plan.select.hyperparameters
    assert knobs.packing
    rows_a_step = knobs.batch_size * knobs.accumulation * knobs.max_length / FEW_LONG.whole.mean
    assert 8 <= rows_a_step <= 24
    unpacked = resolve({KNOBS + "packing": False}, about).plan
    assert outlook(plan, about).steps == pytest.approx(outlook(unpacked, about).steps, rel=0.4)


def test_who_wants_length_grouping_is_not_given_packing() -> None:
    draft = draft_of(facts(SEVEN_B, "A100", tokens=FEW_LONG), select__hyperparameters__group_by_length=True)
    assert draft.values[KNOBS + "packing"] is False


@pytest.mark.parametrize(
    ("rows", "patience", "why"),
    [(300, None, "too few to tell by"), (2000, 3, "3 looks without a better loss"), (20_000, None, "2 passes")],
)
def test_early_stopping_where_rows_are_seen_often_and_enough_are_watched(
    rows: int, patience: int | None, why: str
) -> None:
    draft = draft_of(facts(SEVEN_B, "A100", tokens=tokens(rows=rows)))
    assert draft.values[KNOBS + "early_stopping"] == patience
    assert why in draft.reasons[KNOBS + "early_stopping"].because


def test_early_stopping_saves_what_it_may_have_to_keep() -> None:
    plan = resolve({"finetune.evaluate_every": 7}, facts(SEVEN_B, "A100", tokens=tokens(rows=2000))).plan
    assert plan.select.hyperparameters.early_stopping == 3
    assert plan.finetune.save_every == 7
