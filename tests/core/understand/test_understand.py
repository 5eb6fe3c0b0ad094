"""The brief is made of what was measured, and says where nothing was; a run tells it with its reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from tunesmith.core.draft import Draft
from tunesmith.core.events import Decision, EventReader, EventWriter, Finding
from tunesmith.core.facts import Column
from tunesmith.core.plan import Metric, Understand, UseCase
from tunesmith.core.plan_yaml import validate
from tunesmith.core.recommend import resolve
from tunesmith.core.run import create_run
from tunesmith.core.schema import knob_at, knobs
from tunesmith.core.understand.groups import grouped
from tunesmith.core.understand.job import work
from tunesmith.core.understand.recommend import THRESHOLDS, recommend_understand
from tunesmith.core.worker.job import Job

from ..facts_kit import SEVEN_B, SMALL, facts, recommended, tokens

QA = {"shape": "question-answer", "source": "faq.csv"}


def test_the_practice_project_is_a_case_for_fine_tuning() -> None:
    draft = recommended(recommend_understand, facts(answer_characters=24))
    assert draft.values["understand.approach"] == "fine-tune"
    reason = draft.reasons["understand.approach"]
    assert "come with their context" in reason.because
    assert "always of the same form; 350 examples" in reason.because
    assert "hardly follows instructions or examples in its prompt" in reason.because
    assert (draft.values["understand.metric"], draft.values["understand.threshold"]) == ("exact_match", 0.95)
    assert draft.values["understand.use_case"] == "question-answering"
    assert draft.values["understand.goal"].startswith("Answer questions about an employee")


@pytest.mark.parametrize("model", ["small", "seven"])
def test_an_own_file_with_context_is_a_case_for_fine_tuning(model: str) -> None:
    about = facts(**QA, roles={"question": "q", "answer": "a", "context": "c"})
    if model == "seven":
        about = facts(SEVEN_B, **QA, roles={"question": "q", "answer": "a", "context": "c"}, answer_characters=360)
    assert recommended(recommend_understand, about).values["understand.approach"] == "fine-tune"


def test_questions_without_a_context_are_a_case_for_retrieval_and_say_why_fine_tuning_lost() -> None:
    draft = recommended(recommend_understand, facts(**QA, roles={"question": "q", "answer": "a"}))
    assert draft.values["understand.approach"] == "retrieval"
    assert draft.values["understand.threshold"] == 0.9
    lost = next(one for one in draft.reasons["understand.approach"].instead_of if one.value == "fine-tune")
    assert "looking them up" in lost.because


def test_an_answer_changes_the_advice_at_once() -> None:
    about = facts(answer_characters=24)
    assert resolve({}, about).plan.understand.approach == "fine-tune"
    assert resolve({"understand.examples": 20}, about).plan.understand.approach == "few-shot"
    assert resolve({"understand.example_form": "none"}, about).plan.understand.approach == "prompt"


def test_the_number_of_examples_is_counted_and_does_not_change_once_tokens_are() -> None:
    assert resolve({}, facts(rows=410)).plan.understand.examples == 410
    assert resolve({}, facts(rows=410, tokens=tokens(rows=1200))).plan.understand.examples == 410


def test_every_value_of_the_brief_has_a_reason() -> None:
    draft = recommended(recommend_understand, facts(tokens=tokens()))
    for knob in knobs("understand"):
        assert len(draft.reasons[knob.path].because) > 10, knob.path
    assert draft.values["understand.evidence.shots"] == [0, 1, 3, 5]
    assert draft.values["understand.evidence.stop"] is True


def test_every_question_stands_in_one_group() -> None:
    asked = [knob.path for knob in knobs("understand") if knob.question]
    assert sorted(knob.path for _, group in grouped() for knob in group) == sorted(asked)


def test_every_measure_has_a_goal_that_the_schema_takes() -> None:
    assert set(THRESHOLDS) == set(get_args(Metric))
    for metric, (threshold, because) in THRESHOLDS.items():
        draft = recommended(recommend_understand, facts(source="x.csv"), understand__metric=metric)
        assert Understand.model_validate(draft.tree()["understand"]).threshold == threshold
        assert because


@pytest.mark.parametrize(
    ("use_case", "answer", "metric"),
    [
        ("classification", 3, "accuracy"),
        ("translation", 40, "bleu"),
        ("summarisation", 90, "rouge_l"),
        ("domain-language", 90, "perplexity"),
        ("extraction", 8, "exact_match"),
        ("question-answering", 90, "f1"),
    ],
)
def test_the_measure_suits_the_use_case_and_the_length_of_the_answers(use_case: str, answer: int, metric: str) -> None:
    about = facts(source="x.csv", answer_characters=4 * answer)
    assert recommended(recommend_understand, about, understand__use_case=use_case).values["understand.metric"] == metric


def test_the_measure_stays_when_the_tokens_are_counted_whatever_the_model() -> None:
    before = facts(source="x.csv", answer_characters=50)
    for model in (SMALL, SEVEN_B):
        after = facts(model, source="x.csv", answer_characters=50, tokens=tokens(answer=30))
        reasons = [recommended(recommend_understand, about).reasons["understand.metric"] for about in (before, after)]
        assert reasons[0] == reasons[1]


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


@pytest.mark.parametrize("value", ["nonsense", 3, None, ["nonsense"], True])
def test_a_wish_of_the_wrong_kind_is_kept_for_the_schema_to_refuse(value: Any) -> None:
    wishes = {knob.path: value for knob in knobs("understand")} | {"prepare.columns": value}
    draft = Draft(wishes)
    recommend_understand(draft, facts())
    assert {path: draft.values[path] for path in wishes if path.startswith("understand.")} == {
        path: value for path in wishes if path.startswith("understand.")
    }


def told_by(plan_tree: dict[str, Any], tmp_path: Path) -> tuple[str, dict[str, Decision], list[str]]:
    run = create_run("employees", tmp_path)
    summary = work(Job(run, validate(plan_tree), EventWriter(run.events_path)))
    events = list(EventReader(run.events_path).read())
    decisions = {event.name: event for event in events if isinstance(event, Decision)}
    return summary, decisions, [event.text for event in events if isinstance(event, Finding)]


def test_in_a_run_the_whole_brief_is_told_with_its_reasons(plan_tree: dict[str, Any], tmp_path: Path) -> None:
    plan_tree["understand"].update(examples=410, budget_hours=5.0)
    summary, told, findings = told_by(plan_tree, tmp_path)
    assert summary == "fine-tuning for question answering, to reach 95 % exact match"
    assert len(told) == sum(bool(knob.question) for knob in knobs("understand"))
    assert next(iter(told)) == "Goal" and list(told)[-1] == "Approach"
    assert told["Metric"].value == "exact match" and told["Goal to reach"].value == "95 %"
    assert told["Examples"].value == "410" and told["Budget, money"].value == "no limit"
    assert told["Knowledge changes"].because == "or they come with each question"
    assert "come with their context" in told["Approach"].because
    assert not findings


def test_in_a_run_another_way_than_the_advised_one_is_said_so(plan_tree: dict[str, Any], tmp_path: Path) -> None:
    plan_tree["understand"].update(approach="retrieval", examples=410, tried=["prompt"], error_cost="high")
    summary, _, findings = told_by(plan_tree, tmp_path)
    assert summary.endswith("tried before: prompt")
    assert any(text.startswith("Advised was fine-tuning: ") for text in findings)
    assert any("Keep a person in the loop" in text for text in findings)
    assert any("scores the untouched model and stops before the training" in text for text in findings)
    assert any("Split your documents into passages" in text for text in findings)
    plan_tree["understand"]["evidence"] = {"stop": False}
    assert any("fine-tuned all the same" in text for text in told_by(plan_tree, tmp_path / "again")[2])


def test_in_a_run_what_pulls_apart_is_told(plan_tree: dict[str, Any], tmp_path: Path) -> None:
    plan_tree["understand"].update(examples=410, knowledge_changes="weekly")
    found = told_by(plan_tree, tmp_path)[2]
    assert any(
        "Pulling apart: facts that change weekly, and questions that come with their context" in one for one in found
    )


@pytest.mark.parametrize("use_case", get_args(UseCase))
@pytest.mark.parametrize("metric", ["f1", "perplexity"])
def test_any_brief_is_told_even_where_its_model_is_gone(
    plan_tree: dict[str, Any], tmp_path: Path, use_case: str, metric: str
) -> None:
    plan_tree["understand"].update(use_case=use_case, metric=metric, threshold=1.0 if metric == "f1" else 4.0)
    plan_tree["select"]["model"] = "no/such-model"
    summary, _, _ = told_by(plan_tree, tmp_path)
    assert (
        knob_at("understand.use_case").label(use_case) in summary
        and ("at most 4" if metric == "perplexity" else "100 % F1") in summary
    )
