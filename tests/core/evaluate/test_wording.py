"""Figures as sentences, the results on disk, and the report."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tunesmith.core.bootstrap import Draws, Interval
from tunesmith.core.errors import RunError
from tunesmith.core.evaluate.report import report
from tunesmith.core.events import Evidence
from tunesmith.core.figures import percent
from tunesmith.core.plan import Plan
from tunesmith.core.plan_yaml import validate
from tunesmith.core.results import (
    Prediction,
    Results,
    Scored,
    predictions_path,
    read_predictions,
    read_results,
    results_path,
    write_predictions,
    write_results,
)
from tunesmith.core.run import Run, create_run
from tunesmith.core.wording import certainty_note, code, headline, plain, points, span, verdict


def scored(model: str, match: float, f1: float, low: float = 0.9, high: float = 1.0, *, kind: str = "test") -> Scored:
    return Scored(model, kind, 300, 100, Interval(match, low, high), Interval(f1, low, high))


@pytest.fixture
def plan(tree: dict[str, Any]) -> Plan:
    return validate(tree)


@pytest.fixture
def results() -> Results:
    probe = msgspec.structs.replace(
        scored("tuned", 0.0, 0.1, 0.0, 0.0, kind="context-withheld"), plain_exact_match=0.99, meaning="It reads."
    )
    return Results(
        goal="Answer questions about employees.",
        metric="exact_match",
        threshold=0.95,
        reached=True,
        verdict="Goal of 95 % reached: exact match 99.0 % (97.3–99.7 %)",
        headline="Exact match 2.3 % → 99.0 %, F1 27.1 % → 99.0 % on 300 unseen questions",
        scores=[scored("base", 7 / 300, 0.271, 0.01, 0.04), scored("tuned", 0.99, 0.99, 0.973, 0.997), probe],
        gain_exact_match=Interval(0.967, 0.95, 0.983),
        gain_f1=Interval(0.719, 0.7, 0.74),
        became_right=290,
        became_wrong=0,
        draws=Draws(0.95, 1000, 7),
        max_new_tokens=16,
        versions={"torch": "2.13.0"},
    )


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.987, "98.7 %"), (1.0, "100.0 %"), (0.9999, "99.9 %"), (0.0, "0.0 %"), (0.0001, "0.1 %"), (0.5, "50.0 %")],
)
def test_a_share_is_never_rounded_to_all_or_none(share: float, text: str) -> None:
    assert percent(share) == text


def test_the_headline_has_the_form_that_scripts_look_for() -> None:
    line = headline(scored("base", 7 / 300, 0.271), scored("tuned", 0.99, 0.99), "questions")
    assert line == "Exact match 2.3 % → 99.0 %, F1 27.1 % → 99.0 % on 300 unseen questions"
    one = msgspec.structs.replace(scored("tuned", 1.0, 1.0), rows=1)
    assert headline(one, one, "questions").endswith("on 1 unseen question")


@pytest.mark.parametrize(
    ("value", "low", "high", "reached", "text"),
    [
        (0.987, 0.973, 0.997, True, "Goal of 95 % reached: exact match 98.7 % (97.3–99.7 %)"),
        (
            0.96,
            0.933,
            0.983,
            True,
            "Goal of 95 % reached: exact match 96.0 % (93.3–98.3 %), but the interval reaches below the goal",
        ),
        (0.9, 0.86, 0.93, False, "Goal of 95 % not reached: exact match 90.0 % (86.0–93.0 %)"),
        (
            0.94,
            0.91,
            0.963,
            False,
            "Goal of 95 % not reached: exact match 94.0 % (91.0–96.3 %), though the interval reaches the goal",
        ),
    ],
)
def test_the_verdict_names_the_interval(
    plan: Plan, value: float, low: float, high: float, *, reached: bool, text: str
) -> None:
    assert verdict(plan.understand, scored("tuned", value, value, low, high)) == (reached, text)


def test_the_verdict_goes_by_the_metric_of_the_plan(tree: dict[str, Any]) -> None:
    tree["understand"] |= {"metric": "f1", "threshold": 0.875}
    reached, text = verdict(validate(tree).understand, scored("tuned", 0.1, 0.9, 0.88, 0.92))
    assert reached and text == "Goal of 87.5 % reached: F1 90.0 % (88.0–92.0 %)"


def test_an_interval_without_width_says_what_it_leaves_open() -> None:
    assert "may still be up to 3.0 %" in certainty_note(scored("tuned", 1.0, 1.0), 0.95)
    assert "no right answer" in certainty_note(scored("base", 0.0, 0.2), 0.95)
    assert certainty_note(scored("tuned", 0.99, 0.99), 0.95) == ""


def test_points_and_span() -> None:
    assert points(Interval(0.967, 0.95, 0.983)) == "+96.7 (+95.0 to +98.3)"
    assert span(Interval(0.5, 0.4, 0.6)) == "40.0–60.0 %"


def test_text_from_a_model_is_never_markup_nor_a_command_to_the_terminal() -> None:
    assert plain("a\x1b[31m\nb\u202ec") == "a\ufffd[31m b\ufffdc"
    assert plain("x" * 300, 10) == "x" * 9 + "…"
    assert code("a|b") == "`a\\|b`"
    assert code("`` tick") == "``` `` tick ```"
    assert code(" ") == "*(empty)*"


def test_the_report_says_what_was_asked_found_and_how(plan: Plan, results: Results) -> None:
    wrong = [Prediction(f"{n}", "Whose | is <b>it</b>?", "Engineering", "\x1b[2Jor", 0.0, n / 100) for n in range(25)]
    text = report(plan, results, wrong)
    for said in (
        "> Answer questions about employees.",
        "**Goal of 95 % reached: exact match 99.0 % (97.3–99.7 %).**",
        "| base | 300 | 2.3 % | 1.0–4.0 % | 27.1 % | 1.0–4.0 % |",
        "| context-withheld | 300 | 0.0 % | 0.0–0.0 % | 99.0 % |",
        "- **context-withheld**: It reads.",
        "+96.7 (+95.0 to +98.3)",
        "25 of 300, the worst F1 first; the first 20 here, all in `predictions/still-wrong.jsonl`.",
        "| `Whose \\| is <b>it</b>?` | `Engineering` | `\ufffd[2Jor` | 0.0 % |",
        "`2020-04-10` is compared as `20200410`",
        "all rows of one `name` stay in one part",
        "torch 2.13.0",
    ):
        assert said in text
    assert "\x1b" not in text
    assert "None." in report(plan, results, [])
    assert "What a prompt alone reaches" not in text


def test_the_report_tells_what_a_prompt_alone_reached(plan: Plan, results: Results) -> None:
    asked = [Evidence(shots=3, rows=24, exact_match=1 / 3, f1=0.5), Evidence(shots=5, skipped="too | long")]
    text = report(plan, results, [], asked)
    assert "## What a prompt alone reaches" in text and "Other rows than above" in text
    assert "| 3 | 24 | 33.3 % | 50.0 % |" in text
    assert "| 5 | | left out: `too \\| long` | |" in text


def test_results_come_back_as_they_were_written(runs_folder: Any, results: Results) -> None:
    run = create_run("employees", runs_folder)
    write_results(run, results)
    assert read_results(run) == results
    event = results.scores[1].event(0.95)
    assert (event.model, event.exact_match_low, event.confidence) == ("tuned", 0.973, 0.95)


def test_a_run_without_results_says_what_to_run(runs_folder: Any) -> None:
    run: Run = create_run("employees", runs_folder)
    with pytest.raises(RunError, match=rf"{run.name} was not evaluated yet. .*--from evaluate"):
        read_results(run)
    results_path(run).write_text('{"goal": 3}')
    with pytest.raises(RunError, match=r"results.json is damaged. Expected `str`, got `int`"):
        read_results(run)


def test_answers_come_back_as_they_were_written(runs_folder: Any) -> None:
    run = create_run("employees", runs_folder)
    answers = [Prediction("1", "q\u2028", "e", "a\n\r", 0.0, 0.5, context="c")]
    write_predictions(predictions_path(run, "tuned"), answers)
    assert read_predictions(predictions_path(run, "tuned")) == answers
