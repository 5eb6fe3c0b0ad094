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
from tunesmith.core.wording import certainty_note, code, headline, plain, verdict


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


@pytest.mark.parametrize(
    ("value", "low", "high", "reached", "text"),
    [
        (1.2, 1.1, 1.3, True, "Goal of at most 1.5 reached: perplexity 1.200 (1.100–1.300)"),
        (
            1.45,
            1.4,
            1.6,
            True,
            "Goal of at most 1.5 reached: perplexity 1.450 (1.400–1.600), but the interval reaches above the goal",
        ),
        (2.0, 1.8, 2.2, False, "Goal of at most 1.5 not reached: perplexity 2.000 (1.800–2.200)"),
        (
            1.6,
            1.45,
            1.7,
            False,
            "Goal of at most 1.5 not reached: perplexity 1.600 (1.450–1.700), though the interval reaches the goal",
        ),
    ],
)
def test_for_perplexity_the_goal_is_the_highest_that_will_do(
    tree: dict[str, Any], value: float, low: float, high: float, *, reached: bool, text: str
) -> None:
    tree["understand"] |= {"metric": "perplexity", "threshold": 1.5}
    tuned = by_metric("tuned", "perplexity", Interval(value, low, high))
    assert verdict(validate(tree).understand, tuned) == (reached, text)


def by_metric(model: str, metric: str, score: Interval) -> Scored:
    return msgspec.structs.replace(scored(model, 0.02, 0.3), metric=metric, score=score)


@pytest.mark.parametrize("metric", ["rouge_l", "bleu", "accuracy"])
def test_every_metric_of_the_plan_can_be_judged(tree: dict[str, Any], metric: str) -> None:
    tree["understand"] |= {"metric": metric, "threshold": 0.4}
    tuned = by_metric("tuned", metric, Interval(0.45, 0.42, 0.5))
    if metric == "accuracy":  # exact match on labels, so it is what exact match is
        tuned = scored("tuned", 0.45, 0.5, 0.42, 0.5)
    reached, text = verdict(validate(tree).understand, tuned)
    name = {"rouge_l": "ROUGE-L", "bleu": "BLEU", "accuracy": "accuracy"}[metric]
    assert reached and text == f"Goal of 40 % reached: {name} 45.0 % (42.0–50.0 %)"


def test_a_score_without_the_metric_of_the_plan_can_not_be_judged(tree: dict[str, Any]) -> None:
    tree["understand"] |= {"metric": "rouge_l", "threshold": 0.4}
    with pytest.raises(ValueError, match="the score of the tuned model holds no ROUGE-L"):
        verdict(validate(tree).understand, scored("tuned", 1.0, 1.0))


def test_the_headline_adds_the_metric_that_was_chosen() -> None:
    pair = (by_metric(m, "rouge_l", Interval(s, s, s)) for m, s in (("base", 0.2), ("tuned", 0.45)))
    assert headline(*pair, "rows", "rouge_l") == (
        "Exact match 2.0 % → 2.0 %, F1 30.0 % → 30.0 %, ROUGE-L 20.0 % → 45.0 % on 300 unseen rows"
    )
    pair = (by_metric(m, "perplexity", Interval(s, s, s)) for m, s in (("base", 41.2), ("tuned", 1.21)))
    assert "perplexity 41.20 → 1.210 on" in headline(*pair, "rows", "perplexity")


def test_an_interval_without_width_says_what_it_leaves_open() -> None:
    assert "may still be up to 3.0 %" in certainty_note(scored("tuned", 1.0, 1.0), 0.95)
    assert "no right answer" in certainty_note(scored("base", 0.0, 0.2), 0.95)
    assert certainty_note(scored("tuned", 0.99, 0.99), 0.95) == ""


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


def graded(results: Results, metric: str, before: Interval, after: Interval, gain: Interval) -> Results:
    """The same run, had its plan measured by `metric`."""
    scores = [
        msgspec.structs.replace(
            one, metric=metric, score=before if one.model == "base" else after, plain_score=after.value
        )
        for one in results.scores
    ]
    return msgspec.structs.replace(
        results, metric=metric, scores=scores, gain_score=gain, became_better=250, became_worse=4
    )


def test_the_report_tells_a_graded_metric_beside_the_others(plan: Plan, results: Results) -> None:
    found = graded(results, "rouge_l", Interval(0.2, 0.18, 0.22), Interval(0.45, 0.4, 0.5), Interval(0.25, 0.2, 0.3))
    wrong = [Prediction("1", "q", "long text", "text", 0.0, 0.5, score=2 / 3)]
    text = report(plan, found, wrong)
    for said in (
        "| ROUGE-L | 95 % interval |",
        "| base | 300 | 2.3 % | 1.0–4.0 % | 27.1 % | 1.0–4.0 % | 20.0 % | 18.0–22.0 % |",
        "F1 +71.9 (+70.0 to +74.0), ROUGE-L +25.0 (+20.0 to +30.0).",
        "By ROUGE-L 250 rows became better, 4 worse.",
        "| Probe | Rows | ROUGE-L | interval |",
        "| context-withheld | 300 | 45.0 % | 40.0–50.0 % | 45.0 % |",
        "## Rows that are not right to the letter",
        "| `q` | `long text` | `text` | 66.7 % |",
        "- ROUGE-L: the F-measure of the longest common subsequence of words (Lin 2004",
    ):
        assert said in text


def test_the_report_tells_a_perplexity_as_a_number_that_should_fall(plan: Plan, results: Results) -> None:
    found = graded(results, "perplexity", Interval(41.2, 39, 44), Interval(1.21, 1.2, 1.3), Interval(-40, -43, -38))
    text = report(plan, found, [])
    assert "| 41.20 | 39.00–44.00 |" in text
    assert "perplexity (a plain number) -40.00 (-43.00 to -38.00). For perplexity lower is better." in text
    assert "Rows are cut at 128 tokens, as in training." in text


def test_the_report_has_the_line_of_sacrebleu(plan: Plan, results: Results) -> None:
    line = "BLEU|nrefs:1|version:2.6.0 = 48.99 77.8/53.3 (BP = 1.000)"
    found = graded(results, "bleu", Interval(0.2, 0.1, 0.3), Interval(0.4, 0.3, 0.5), Interval(0.2, 0.1, 0.3))
    found.scores[1] = msgspec.structs.replace(found.scores[1], corpus=line)
    assert f"```\ntuned: {line}\n```" in report(plan, found, [])


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
