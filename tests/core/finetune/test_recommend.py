"""How often a run is looked at follows from its number of steps."""

from __future__ import annotations

import pytest

from tunesmith.core.draft import Draft
from tunesmith.core.facts import Facts
from tunesmith.core.finetune.recommend import recommend_finetune
from tunesmith.core.plan import Finetune
from tunesmith.core.select.recommend import recommend_select

from ..facts_kit import facts, recommended, tokens


def both(draft: Draft, about: Facts) -> None:
    recommend_select(draft, about)
    recommend_finetune(draft, about)


def test_the_practice_run_is_looked_at_five_times() -> None:
    value = recommended(both, facts(tokens=tokens(rows=1050))).values  # 106 steps
    assert (value["finetune.log_every"], value["finetune.evaluate_every"], value["finetune.save_every"]) == (2, 22, 22)
    assert (value["finetune.validation_rows"], value["finetune.samples"]) == (24, 3)
    assert value["finetune.keep_checkpoints"] == 2


@pytest.mark.parametrize("rows", [2, 30, 1000, 300_000])
def test_it_is_valid_for_any_number_of_rows(rows: int) -> None:
    draft = recommended(both, facts(tokens=tokens(rows=rows)))
    Finetune.model_validate(draft.tree()["finetune"])
    assert all(len(reason.because) > 10 for path, reason in draft.reasons.items() if path.startswith("finetune."))


def test_a_small_validation_part_is_taken_whole() -> None:
    draft = recommended(both, facts(tokens=tokens(rows=100)))
    assert draft.values["finetune.validation_rows"] == 5
    assert draft.reasons["finetune.validation_rows"].because == "all of the 5 validation rows there are"


def test_checkpoints_follow_the_looks_that_were_wished() -> None:
    draft = Draft({"finetune.evaluate_every": 7, "prepare.split.validation": "much"})
    draft.choose("prepare.split.validation", 0.05, "")
    both(draft, facts(tokens=tokens()))
    assert draft.values["finetune.save_every"] == 7
