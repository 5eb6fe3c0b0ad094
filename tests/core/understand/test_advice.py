"""What is advised: the table of situations, and what each piece of advice says about itself."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.understand.situations import CASES, Case
from tunesmith.core.plan import TRAINS, Approach
from tunesmith.core.schema import knob_at
from tunesmith.core.understand.advice import NAMES, Advice, advise
from tunesmith.core.understand.rules import Conflict, Rule, table
from tunesmith.core.understand.situation import ANSWERS, Situation, words

RULES = table().rules
HINTS = {"facts-change-yearly"}
"""Rules that are too weak to decide a case alone; they are among the reasons all the same."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.told)
def test_a_situation_gets_the_advice_that_it_must_get(case: Case) -> None:
    ranked = [(one.approach, one.weight) for one in advise(case.situation).ranked]
    assert ranked[0][0] == case.best, ranked


def test_the_situations_are_many_and_lead_to_every_way() -> None:
    assert len(CASES) >= 40
    assert len({case.told for case in CASES}) == len(CASES)
    assert {case.best for case in CASES} == set(get_args(Approach))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_is_hit_and_changes_what_is_advised_in_some_situation(rule: Rule) -> None:
    hit = [case for case in CASES if rule.holds(case.situation)]
    assert hit, "no situation shows it"
    without = dataclasses.replace(table(), rules=tuple(one for one in RULES if one is not rule))
    changed = [case.told for case in hit if advise(case.situation, without).best.approach != case.best]
    assert bool(changed) == (rule.id not in HINTS), changed


@pytest.mark.parametrize("conflict", table().conflicts, ids=lambda one: one.id)
def test_every_conflict_is_hit_and_its_weight_decides_some_situation(conflict: Conflict) -> None:
    hit = [case for case in CASES if conflict.id in {one.conflict for one in advise(case.situation).conflicts}]
    assert hit, "no situation shows it"
    if conflict.supports:
        without = dataclasses.replace(table(), conflicts=tuple(one for one in table().conflicts if one is not conflict))
        assert any(advise(case.situation, without).best.approach != case.best for case in hit)


def test_what_is_advised_names_the_answers_that_it_follows_from() -> None:
    for case in CASES:
        advice, said = advise(case.situation), words(case.situation)
        assert advice.best.reasons, case.told
        rules = {rule.id: rule for rule in RULES}
        for reason in advice.best.reasons:
            if reason.rule in rules:
                assert any(said[name] in reason.text for name in rules[reason.rule].fields), reason.text
            assert reason.source


def practice(**changes: object) -> Advice:
    case = next(one for one in CASES if one.told == "the practice project")
    return advise(dataclasses.replace(case.situation, **changes))  # type: ignore[arg-type]


def test_the_practice_project_is_trained_and_says_what_would_change_that() -> None:
    advice = practice()
    assert not advice.stop
    assert advice.verdict == "Fine-tuning is the way here."
    assert not advice.conflicts and not advice.first
    assert "questions that come without the text" in advice.best.would_change
    assert "a model of a few billion parameters" in advice.best.would_change
    assert practice(has_context=False).best.approach == "retrieval"


def test_stop_is_said_in_a_sentence_with_what_is_offered_instead() -> None:
    advice = advise(Situation("question-answering", knowledge_changes="weekly", examples=400))
    assert advice.stop
    assert advice.verdict == "Stop: don't fine-tune. Retrieval serves better here."
    assert "the facts change weekly" in advice.best.because
    assert "builds no index" in advice.best.offers and "writes a prompt file" in advice.best.offers
    assert "the facts change weekly" in advice.option("fine-tune").why_not
    assert len(advice.best.next_steps) >= 2


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ("pairs of better and worse", "Not fine-tuning alone. Preference optimisation serves better here."),
        ("reports of a field, 5,000 documents", "Not fine-tuning alone. Continued pretraining serves better here."),
        (
            "mails into folders, 800 labelled",
            "Not fine-tuning of a language model. A plain classifier serves better here.",
        ),
        ("three examples", "Stop: don't fine-tune. A better prompt serves better here."),
    ],
)
def test_the_verdict_does_not_advise_against_what_the_way_itself_does(told: str, verdict: str) -> None:
    advice = advise(next(case.situation for case in CASES if case.told == told))
    assert advice.stop and advice.verdict == verdict


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.told)
def test_only_where_the_run_trains_it_is_said_to_go_on_to_the_training(case: Case) -> None:
    advice = advise(case.situation)
    for one in advice.conflicts:
        assert not (advice.stop and "goes on to the training" in one.resolution)
        assert advice.stop or "stops there" not in one.resolution
        assert not any("never" in side or "unknown" in side for side in one.sides), "what was not said is no wish"


@pytest.mark.parametrize(
    ("told", "conflict"),
    [
        ("a persona, nothing was tried", "last-resort-but-suited"),
        ("the form of a style is lacking", "suited-but-the-prompt-comes-first"),
        ("mails into folders, 800 labelled", "last-resort-but-a-classifier"),
        ("values out of texts that change daily", "current-facts-and-a-training"),
        ("a tone, with 15 examples, prompts tried", "too-few-to-train"),
        ("pairs of better and worse, nothing was tried", "suited-but-the-prompt-comes-first"),
    ],
)
def test_a_rule_that_was_overruled_is_told_in_the_open(told: str, conflict: str) -> None:
    advice = advise(next(case.situation for case in CASES if case.told == told))
    assert conflict in {one.conflict for one in advice.conflicts}


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_questions_without_a_text_are_looked_up_before_they_are_trained(data: st.DataObject) -> None:
    one = data.draw(situations)
    tried = tuple(way for way in one.tried if way != "retrieval")
    closed = dataclasses.replace(one, use_case="question-answering", has_context=False, tried=tried)
    assert advise(closed).best.approach != "fine-tune"


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_without_examples_nothing_is_fine_tuned_whatever_was_counted(data: st.DataObject) -> None:
    nothing = dataclasses.replace(data.draw(situations), example_form="none")
    assert advise(nothing).best.approach != "fine-tune"
    assert advise(nothing) == advise(dataclasses.replace(nothing, examples=0))


def test_little_money_and_little_time_are_said_as_people_say_them() -> None:
    told = words(Situation("other", budget_hours=1.0, budget_money=0.0))
    assert (told["budget_hours"], told["budget_money"]) == ("1 hour", "$0")
    assert words(Situation("other", budget_hours=0.1))["budget_hours"] == "6 minutes"
    assert words(Situation("other", budget_hours=2.5))["budget_hours"] == "2.5 hours"
    broke = advise(Situation("style", budget_money=0.0))
    assert "nothing can be rented for that" in broke.option("prompt").because


def test_what_pulls_apart_is_shown_with_both_sides_and_why() -> None:
    advice = advise(Situation("question-answering", knowledge_changes="daily", lacking="tone", examples=1000))
    found = next(one for one in advice.conflicts if one.conflict == "current-facts-in-one-manner")
    assert found.sides == ("facts that are better looked up than trained in", "one manner in every answer")
    assert found.resolution.startswith("both:") and found.why and found.source
    assert found.resolution in advice.best.because


def test_what_comes_first_is_said_whichever_way_is_taken() -> None:
    advice = advise(Situation("extraction", quality="noisy", error_cost="high", examples=400))
    assert any("Clean the examples" in text for text in advice.first)
    assert any("person in the loop" in text for text in advice.first)


def test_a_way_that_nobody_knows_is_not_found() -> None:
    with pytest.raises(KeyError):
        practice().option("magic")


def _any(name: str) -> st.SearchStrategy[object]:
    knob = knob_at(f"understand.{name}")
    if knob.kind == "choice":
        return st.sampled_from(knob.options)
    if knob.kind == "choices":
        return st.lists(st.sampled_from(knob.options), unique=True).map(tuple)
    if knob.kind == "whole":
        return st.integers(0, 10**9)
    return st.none() | st.floats(0, 1e9)


situations = st.fixed_dictionaries(
    {name: _any(name) for name in ANSWERS}
    | {"has_context": st.booleans(), "parameters": st.none() | st.integers(0, 10**12)}
).map(lambda answers: Situation(**answers))


@settings(max_examples=300, deadline=None)
@given(situation=situations)
def test_any_answers_give_a_ranking_of_all_ten_ways(situation: Situation) -> None:
    advice = advise(situation)
    assert sorted(one.approach for one in advice.ranked) == sorted(get_args(Approach))
    weights = [one.weight for one in advice.ranked]
    assert weights == sorted(weights, reverse=True)
    for option in advice.ranked:
        assert option.weight == sum(one.weight for one in option.reasons) - sum(one.weight for one in option.against)
        assert option.offers and option.next_steps and option.because and option.why_not
        assert "{" not in option.because + option.why_not
    assert advice.stop == (advice.best.approach not in TRAINS)
    assert NAMES[advice.best.approach] in advice.verdict
    assert advise(situation) == advice
