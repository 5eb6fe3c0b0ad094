from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.small_run import make_rows
from tunesmith.core.bootstrap import Draws
from tunesmith.core.events import Evidence
from tunesmith.core.evidence import (
    Record,
    before_training,
    best_of,
    cut_answer,
    does_not_fit,
    draw_examples,
    for_prompt_only,
    found,
    goal_scores,
    read_record,
    rule,
    score_interval,
    summary,
    with_examples,
    write_record,
)
from tunesmith.core.plan import Plan
from tunesmith.core.plan_yaml import validate
from tunesmith.core.prompt_file import write_prompt
from tunesmith.core.rows import Message, Row, ask
from tunesmith.core.run import Run, create_run, forget_before


def row(number: int, question: str = "", answer: str = "", group: str = "") -> Row:
    return Row(id=str(number), prompt=ask(question or f"Q{number}?"), answer=answer or f"A{number}", group=group)


def score(shots: int, goal: float, f1: float = 0.0, *, rows: int = 24, threshold: float = 0.9, **more: Any) -> Evidence:
    return Evidence(
        shots=shots, rows=rows, exact_match=goal, f1=f1, goal=goal, goal_low=max(0.0, goal - 0.1),
        goal_high=min(1.0, goal + 0.1), confidence=0.95, threshold=threshold, **more,
    )  # fmt: skip


def plan(tree: dict[str, Any], **brief: Any) -> Plan:
    tree = copy.deepcopy(tree)
    tree["understand"] |= brief
    return validate(tree)


# -- examples


@given(seed=st.integers(0, 99), most=st.integers(0, 8), split=st.integers(1, 30))
def test_examples_are_of_other_groups_than_the_rows_and_than_each_other(seed: int, most: int, split: int) -> None:
    rows = [*make_rows(36, seed), *make_rows(12, seed + 1)]  # some rooms come twice, with other colours
    asked, train = rows[:split], rows[split:]
    drawn = draw_examples(train, asked, most, seed)
    groups = [one.group for one in drawn]
    assert len(set(groups)) == len(groups) <= most
    assert not {one.group for one in asked} & set(groups)
    assert drawn == draw_examples(train, asked, most, seed)


def test_fewer_examples_are_the_first_of_more() -> None:
    train = make_rows(30)
    assert draw_examples(train, [], 3, 5) == draw_examples(train, [], 5, 5)[:3]
    assert draw_examples(train, [], 5, 5) != draw_examples(train, [], 5, 6)


def test_a_row_that_is_asked_word_for_word_is_no_example() -> None:
    asked = [row(1, "What is up?")]
    assert draw_examples([row(2, "What is up?", "the sky"), row(3)], asked, 5, 0) == [row(3)]


def test_short_rows_and_answers_not_shown_yet_come_first() -> None:
    labels = [row(number, answer="no") for number in range(20)] + [row(20, answer="yes"), row(21, answer="maybe")]
    assert {one.answer for one in draw_examples(labels, [], 3, 0)} == {"no", "yes", "maybe"}
    long = [row(number, question="x" * 900 + str(number)) for number in range(10, 20)]
    short = [row(number) for number in range(10)]
    assert all(one in short for one in draw_examples([*long, *short], [], 5, 0))


def test_each_kind_of_question_is_shown_before_one_is_shown_again() -> None:
    def asked(number: int, kind: str) -> Row:
        name = f"Person {number}"
        return Row(
            f"{number}", ask(f"{kind} {name}?"), f"A{number}", name, question=f"{kind} {name}?", record={"n": name}
        )

    train = [asked(number, "Hired") for number in range(30)] + [asked(30, "Paid"), asked(31, "Works")]
    for seed in range(5):
        assert {one.question.split()[0] for one in draw_examples(train, [], 3, seed)} == {"Hired", "Paid", "Works"}


# -- prompts


def test_examples_are_turns_after_the_rows_own_instructions() -> None:
    example = Row("1", ask("Who?", "Room: R1", "Be short."), "Ann")
    shown = with_examples(ask("When?", system="Be precise."), [example])
    assert [(message.role, message.content) for message in shown] == [
        ("system", "Be precise."),
        ("user", "Room: R1\n\nWho?"),
        ("assistant", "Ann"),
        ("user", "When?"),
    ]
    assert with_examples(ask("When?"), []) == ask("When?")


def test_without_a_chat_template_all_is_one_text_and_the_answer_ends_at_an_empty_line() -> None:
    shown = with_examples(ask("When?"), [row(1)], as_text=True)
    assert shown == [Message("user", "Q1?\n\nA1\n\nWhen?")]
    assert cut_answer("1999\n\nQ2?\n\nA2", [row(1)]) == "1999"
    assert cut_answer("a\n\nb", [row(1, answer="c\n\nd")]) == "a\n\nb"


def test_a_number_of_examples_is_left_out_with_its_reason() -> None:
    assert does_not_fit(3, 5, 400, 16, 512) == ""
    assert does_not_fit(5, 5, 500, 16, 512) == "516 tokens with the answer, the model has 512"
    assert does_not_fit(3, 0, 0, 16, 512) == "no training row can be shown"
    assert does_not_fit(3, 1, 0, 16, 512) == "only one training row can be shown"


# -- the goal


def test_the_goal_is_measured_in_its_own_metric() -> None:
    answers, expected = ["the red one", "blue"], ["red", "blue"]
    assert goal_scores("exact_match", answers, expected) == goal_scores("accuracy", answers, expected) == [0.0, 1.0]
    assert goal_scores("f1", answers, expected) == pytest.approx([2 / 3, 1.0])
    assert goal_scores("perplexity", answers, expected) is None


def test_no_interval_without_width_is_promised_on_a_few_rows() -> None:
    draws = Draws(0.95, 500, 1)
    right = score_interval([1.0] * 24, draws, [""] * 24)
    assert (right.value, right.high) == (1.0, 1.0)
    assert right.low == pytest.approx(0.05 ** (1 / 24))  # all of 24 independent rows right, by chance, at 5 %
    grouped = score_interval([1.0] * 24, draws, [f"P{number // 3}" for number in range(24)])
    assert grouped.low == pytest.approx(0.05 ** (1 / 8)), "three questions about one person are one draw"
    wrong = score_interval([0.0] * 24, draws, [""] * 24)
    assert (wrong.low, wrong.high) == (0.0, pytest.approx(1 - 0.05 ** (1 / 24)))
    mixed = score_interval([0.0, 1.0] * 12, draws, [""] * 24)
    assert mixed.low < mixed.value == 0.5 < mixed.high


def test_the_best_is_the_highest_score_with_the_fewest_examples() -> None:
    assert best_of([]) is None
    best = best_of([score(0, 0.1), score(1, 0.5, 0.6), score(3, 0.5, 0.6), Evidence(shots=5, skipped="too long")])
    assert best is not None and best.shots == 1


def test_a_goal_that_is_reached_is_told_with_its_rows_its_interval_and_what_that_leaves_open(
    plan_tree: dict[str, Any],
) -> None:
    ruling = rule(plan(plan_tree), [score(0, 0.2), score(3, 0.96)])
    assert ruling is not None and ruling.reason == "goal"
    assert ruling.text == (
        "The untouched model with 3 examples in its prompt reaches the goal already: exact match 96.0 % (95 % interval "
        "86.0–100.0 %) on 24 validation rows, goal 90 %. On so few rows the true score may also lie below the goal."
    )
    sure = rule(plan(plan_tree), [score(0, 0.96, threshold=0.5)])
    assert sure is not None and sure.text.startswith("The untouched model reaches the goal already")
    assert "may also lie below" not in sure.text


def test_few_rows_are_no_reason_to_stop(plan_tree: dict[str, Any]) -> None:
    assert rule(plan(plan_tree), [score(1, 1.0, rows=9)]) is None
    assert summary([score(1, 1.0, rows=9)]).endswith("9 rows are too few to stop for.")
    assert rule(plan(plan_tree), [score(1, 1.0, rows=10)]) is not None


def test_an_approach_without_training_is_told_with_what_the_prompt_reaches(plan_tree: dict[str, Any]) -> None:
    few = plan(plan_tree, approach="few-shot")
    ruling = rule(few, [score(1, 0.5)])
    assert ruling is not None and ruling.reason == "approach"
    assert "approach is few-shot" in ruling.text and "exact match 50.0 %" in ruling.text
    assert rule(few, []) is not None
    assert rule(plan(plan_tree, approach="smaller-model"), [score(1, 0.5)]) is None


def test_a_metric_that_is_not_known_before_the_training_rules_nothing(plan_tree: dict[str, Any]) -> None:
    told = Evidence(shots=0, rows=24, exact_match=1.0, f1=1.0, metric="perplexity", threshold=1.5)
    assert rule(plan(plan_tree, metric="perplexity", threshold=1.5), [told]) is None
    assert "is not known before the training" in found(told)


# -- on disk


def record(*scored: Evidence) -> Record:
    return Record("practice", "", ["1"], "exact_match", 0.9, list(scored))


def test_the_record_is_read_as_it_was_written_and_forgotten_with_the_training(tmp_path: Path) -> None:
    run = create_run("r", tmp_path)
    assert read_record(run) is None
    written = record(score(1, 0.5))
    write_record(run, written)
    assert read_record(run) == written
    assert not record().about(Record("other", "", ["1"], "exact_match", 0.9))
    for path in (run.prompt_path, run.messages_path):
        path.write_text("x")
    forget_before(run, ["evaluate"])
    assert run.evidence_path.exists()
    forget_before(run, ["finetune"])
    assert not any(path.exists() for path in (run.evidence_path, run.prompt_path, run.messages_path))
    run.evidence_path.write_text("{")
    assert read_record(run) is None


def test_the_prompt_file_can_be_read_copied_and_is_never_markup(tmp_path: Path, plan_tree: dict[str, Any]) -> None:
    run = Run(tmp_path)
    nasty = Row("1", ask("# Is this\n```a``` heading?", system="Be ```short```."), "no | yes")
    scored = [score(0, 0.25), score(1, 0.5, 0.6), Evidence(shots=5, skipped="prompt | too long")]
    write_prompt(run, plan(plan_tree), record(*scored), [nasty], 1, as_text=False)
    text = run.prompt_path.read_text()
    assert "# A prompt for employees\n\n> Answer questions about employees." in text
    assert "| 1 (this prompt) | 24 | 50.0 % | 60.0 % | 40.0–60.0 % |" in text
    assert "Goal: exact match of 90 %" in text and "flattered by chance" in text
    assert "````text\n# Is this\n```a``` heading?\n````" in text
    assert "## Instructions\n\n````text\nBe ```short```.\n````" in text
    assert text.rstrip().endswith("user:\n\n```text\n{question}\n```")


def test_a_prompt_without_instructions_says_that_they_are_worth_trying(
    tmp_path: Path, plan_tree: dict[str, Any]
) -> None:
    run = Run(tmp_path)
    write_prompt(run, plan(plan_tree), record(), make_rows(2), 2, as_text=True)
    text = run.prompt_path.read_text()
    assert "It was not scored. The model it was made for: `practice`." in text
    assert "None: your rows have no system prompt" in text and "the answer ends at the first empty line" in text
    assert "{context}\n\n{question}" in text


# -- what a review says


def test_a_review_says_what_is_done_before_the_training_and_what_may_end_it(plan_tree: dict[str, Any]) -> None:
    assert before_training(plan(plan_tree).understand) == [
        "The untouched model is scored first, with 0, 1, 3 and 5 examples in its prompt.",
        "Where that reaches the goal already, nothing is trained.",
    ]
    assert before_training(plan(plan_tree, evidence={"shots": []}).understand) == []
    stops = plan(plan_tree, approach="retrieval", evidence={"shots": [1]}).understand
    assert before_training(stops) == [
        "The untouched model is scored first, with 1 example in its prompt.",
        "The approach is retrieval, so it stops before the training and writes a prompt file from your examples.",
    ]
    goes_on = plan(plan_tree, approach="retrieval", evidence={"shots": [], "stop": False}).understand
    assert before_training(goes_on) == ["The approach is retrieval; it is trained all the same, to compare."]


def test_a_plan_for_a_prompt_only_is_scored_and_stops_whatever_it_said(plan_tree: dict[str, Any]) -> None:
    only = for_prompt_only(plan(plan_tree, evidence={"shots": [], "stop": False})).understand
    assert (only.approach, only.evidence.shots, only.evidence.stop) == ("few-shot", [0, 1, 3, 5], True)
    own = for_prompt_only(plan(plan_tree, approach="retrieval", evidence={"shots": [2]})).understand
    assert (own.approach, own.evidence.shots) == ("retrieval", [2])
