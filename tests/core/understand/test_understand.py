"""The brief is made of the data's shape; the advice names the answers it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from tunesmith.core.draft import Draft
from tunesmith.core.events import Decision, EventReader, EventWriter, Finding
from tunesmith.core.facts import Column, DataProfile
from tunesmith.core.plan import Understand, UseCase
from tunesmith.core.plan_yaml import validate
from tunesmith.core.run import create_run
from tunesmith.core.understand.advice import RULES, advise
from tunesmith.core.understand.job import work
from tunesmith.core.understand.recommend import recommend_understand
from tunesmith.core.worker.job import Job

from ..facts_kit import facts, recommended, tokens


def data(**changes: Any) -> DataProfile:
    return facts(**changes).data


def test_the_practice_project_is_a_case_for_fine_tuning_that_names_the_prompt_to_try() -> None:
    draft = recommended(recommend_understand, facts(tokens=tokens(answer=6)))
    assert draft.values["understand.approach"] == "fine-tune"
    reason = draft.reasons["understand.approach"]
    assert "read from a context" in reason.because
    assert "must be short" in reason.because
    prompt = next(other for other in reason.instead_of if other.value == "prompt")
    assert "no prompt with a few examples was tried yet" in prompt.because
    assert "Evaluate scores the untouched model" in prompt.because
    assert (draft.values["understand.metric"], draft.values["understand.threshold"]) == ("exact_match", 0.95)
    assert draft.values["understand.use_case"] == "question-answering"
    assert draft.values["understand.goal"].startswith("Answer questions about an employee")


def test_facts_that_change_often_are_looked_up() -> None:
    advice = advise("question-answering", [], data(tokens=tokens()), has_context=False, facts_change=True)
    assert advice.best.approach == "retrieval"
    assert any("change often" in reason for reason in advice.best.reasons)


def test_questions_without_a_context_are_a_case_for_retrieval() -> None:
    about = facts(shape="question-answer", roles={"question": "q", "answer": "a"}, source="faq.csv")
    draft = recommended(recommend_understand, about)
    assert draft.values["understand.approach"] == "retrieval"
    assert draft.values["understand.threshold"] == 0.9


def test_a_handful_of_rows_belongs_into_a_prompt() -> None:
    assert advise("other", [], data(tokens=tokens(rows=20)), has_context=False).best.approach == "prompt"


def test_prompting_that_was_not_enough_speaks_for_fine_tuning() -> None:
    advice = advise("other", ["few-shot"], data(tokens=tokens(answer=200)), has_context=False)
    assert advice.best.approach == "fine-tune"
    assert advice.best.reasons == ("prompting was tried and was not enough",)
    assert advice.reasons_for("prompt") == ()


def test_every_rule_says_why_and_from_where() -> None:
    assert all(len(rule.reason) > 20 and len(rule.source) > 5 and rule.weight > 0 for rule in RULES)


def test_long_answers_are_measured_by_shared_words() -> None:
    draft = recommended(recommend_understand, facts(tokens=tokens(answer=90)))
    assert draft.values["understand.metric"] == "f1"


@pytest.mark.parametrize(
    ("changes", "use_case", "goal"),
    [
        ({"source": "staff_list.csv"}, "question-answering", "about a record of staff list"),
        ({"shape": "chat", "roles": {"messages": "messages"}, "source": "x.jsonl"}, "style", "as the examples in x do"),
        (
            {
                "shape": "prompt-completion",
                "roles": {"prompt": "p", "completion": "c"},
                "columns": (Column("c", "text", 350, 4),),
                "source": "mails.csv",
            },
            "classification",
            "its label",
        ),
        (
            {"shape": "prompt-completion", "roles": {"prompt": "p", "completion": "c"}, "source": "a.csv"},
            "other",
            "do.",
        ),
    ],
)
def test_use_case_and_goal_follow_from_the_shape(changes: dict[str, Any], use_case: str, goal: str) -> None:
    draft = recommended(recommend_understand, facts(**changes))
    section = Understand.model_validate(draft.tree()["understand"])
    assert section.use_case == use_case
    assert goal in section.goal
    assert all(len(reason.because) > 10 for path, reason in draft.reasons.items() if path.startswith("understand."))


@pytest.mark.parametrize("value", ["nonsense", 3, None])
def test_a_wish_of_the_wrong_kind_is_kept_for_the_schema_to_refuse(value: Any) -> None:
    draft = Draft({"understand.use_case": value, "understand.tried": value, "prepare.columns": value})
    recommend_understand(draft, facts())
    assert draft.values["understand.tried"] == value


def test_in_a_run_the_brief_is_told_with_its_reasons(plan_tree: dict[str, Any], tmp_path: Path) -> None:
    run = create_run("employees", tmp_path)
    summary = work(Job(run, validate(plan_tree), EventWriter(run.events_path)))
    assert summary == "fine-tune for question-answering, to reach 95 % exact match"
    told = {event.name: event for event in EventReader(run.events_path).read() if isinstance(event, Decision)}
    assert list(told) == ["Goal", "Metric", "Goal to reach", "Approach"]
    assert "read from a context" in told["Approach"].because


@pytest.mark.parametrize("use_case", get_args(UseCase))
def test_another_approach_is_compared_all_the_same_and_said_so(
    plan_tree: dict[str, Any], tmp_path: Path, use_case: str
) -> None:
    plan_tree["understand"].update(approach="retrieval", use_case=use_case, tried=["prompt"])
    run = create_run("employees", tmp_path)
    assert work(Job(run, validate(plan_tree), EventWriter(run.events_path))).endswith("tried before: prompt")
    assert any(isinstance(event, Finding) for event in EventReader(run.events_path).read())
