"""How the score is taken follows from the answers' lengths and the data's shape."""

from __future__ import annotations

from tunesmith.core.evaluate.recommend import PROBES, recommend_evaluate
from tunesmith.core.plan import Evaluate

from ..facts_kit import SEVEN_B, facts, recommended, tokens


def test_the_practice_table_is_probed_in_every_way() -> None:
    draft = recommended(recommend_evaluate, facts(tokens=tokens(answer=20)))
    assert draft.values["evaluate.probes"] == PROBES
    assert draft.values["evaluate.max_new_tokens"] == 38
    assert (draft.values["evaluate.batch_size"], draft.values["evaluate.probe_rows"]) == (32, 90)
    assert (draft.values["evaluate.confidence"], draft.values["evaluate.resamples"]) == (0.95, 1000)
    Evaluate.model_validate(draft.tree()["evaluate"])


def test_questions_with_a_context_can_only_have_it_withheld() -> None:
    roles = {"question": "q", "answer": "a", "context": "c"}
    about = facts(shape="question-answer", roles=roles)
    assert recommended(recommend_evaluate, about).values["evaluate.probes"] == ["context-withheld"]
    del roles["context"]
    draft = recommended(recommend_evaluate, about)
    assert draft.values["evaluate.probes"] == []
    assert "these rows have none" in draft.reasons["evaluate.probes"].because


def test_short_answers_have_some_room_and_uncounted_ones_a_guess_that_says_so() -> None:
    assert recommended(recommend_evaluate, facts(tokens=tokens(answer=3))).values["evaluate.max_new_tokens"] == 16
    guess = recommended(recommend_evaluate, facts())
    assert guess.values["evaluate.max_new_tokens"] == 64
    assert "until the answers are counted" in guess.reasons["evaluate.max_new_tokens"].because


def test_a_large_model_answers_fewer_rows_at_once() -> None:
    assert recommended(recommend_evaluate, facts(SEVEN_B)).values["evaluate.batch_size"] == 4
