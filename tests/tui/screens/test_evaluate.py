"""The step Evaluate on run folders written by the evaluation's own code: verdict, bars, probes, rows, and its keys."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.screens.results_kit import (
    HOSTILE,
    SCORES,
    SIZES,
    Host,
    evaluated,
    graded_results,
    look_at,
    new_run,
    results,
    scored,
    settled,
    tell,
)
from tunesmith.core.events import JobError, JobStarted, Progress, StageFinished, StageStarted
from tunesmith.core.jobs import own_start_time
from tunesmith.core.results import predictions_path
from tunesmith.core.run import JobRecord, Run, write_json
from tunesmith.core.stages import STAGES
from tunesmith.tui.glyphs import ASCII
from tunesmith.tui.screens.evaluate import EvaluateStep
from tunesmith.tui.screens.evaluate_found import found_in
from tunesmith.tui.widgets.answer_rows import PAGE, AnswerRows
from tunesmith.tui.widgets.next_line import NextLine


@pytest.fixture
def run(plan_tree: dict[str, Any], runs_folder: Path) -> Run:
    return new_run(plan_tree, runs_folder)


def at_work(run: Run) -> None:
    """This process is the worker, so the run is alive."""
    write_json(run.job_path, JobRecord(os.getpid(), own_start_time(), socket.gethostname(), list(STAGES)))
    run.heartbeat_path.touch()


@pytest.mark.parametrize("size", SIZES)
def test_verdict_scores_and_probes_are_told(run: Run, size: tuple[int, int]) -> None:
    told = look_at(EvaluateStep, evaluated(run, {3: "7"}), size=size)
    assert "✓ Goal of 95 % reached: exact match 96.0 % (91.0–100.0 %)." in told
    assert "exact match +94.0 (+90.0 to +98.0) points · 282 rows became right, 1 wrong" in told
    untouched = next(line for line in told.split("\n") if line.startswith("untouched model"))
    assert "2.0 %  0.0–7.0 %" in untouched and "●" in untouched
    tuned = next(line for line in told.split("\n") if line.startswith("tuned model"))
    assert "96.0 %  91.0–100.0 %" in tuned and tuned.index("█") < tuned.index("●")
    assert "it reads, nothing is remembered" in told
    assert "finds a field wherever it stands" in told
    assert "26.0 points less: new words are harder" in told
    assert "4.0 points less, maybe by chance" in told
    assert "go on to Productionize" in told


@pytest.mark.parametrize("size", SIZES)
def test_a_metric_that_is_graded_leads_and_the_other_two_stand_beside_it(run: Run, size: tuple[int, int]) -> None:
    run = evaluated(run, {3: "room 3 of 9", 5: "none"}, graded_results("rouge_l", 0.2, 0.45, 0.05))
    told = look_at(EvaluateStep, run, size=size)
    assert "✓ Goal of 40 % reached: ROUGE-L 45.0 % (40.0–50.0 %)." in told
    assert "ROUGE-L +25.0 (+20.0 to +30.0) points · 280 rows became better, 3 worse" in told
    head = next(line for line in told.split("\n") if line.startswith("300 test rows"))
    assert "0 %" in head and "100 % ROUGE-L, 95 %" in head and head.rstrip().endswith("match         F1")
    tuned = next(line for line in told.split("\n") if line.startswith("tuned model"))
    assert "45.0 %  40.0–50.0 %" in tuned and tuned.rstrip().endswith("2.0 %      2.0 %")
    assert "12 rows, worst ROUGE-L first" in told and "▸ · Which floor is R5 on?" in told
    assert "45.0 % without reading" in told


def test_a_row_is_not_called_wrong_where_answers_are_graded(run: Run) -> None:
    run = evaluated(run, {3: "room 3 of 9"}, graded_results("rouge_l", 0.2, 0.45, 0.05))

    async def act(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("down")

    told = look_at(EvaluateStep, run, act, (120, 40))
    assert "{+room+} 3 {+of 9+}  · ROUGE-L 40.0 %" in told and "wrong" not in told
    assert "ROUGE-L 40.0 % · exact match 0.0 % · F1 40.0 % · row 3.1" in told


@pytest.mark.parametrize("size", SIZES)
def test_perplexity_has_bars_of_numbers_whose_ends_are_told(run: Run, size: tuple[int, int]) -> None:
    run = evaluated(run, found=graded_results("perplexity", 38.0, 1.25, 0.05))
    told = look_at(EvaluateStep, run, size=size)
    assert "✓ Goal of at most 1.5 reached: perplexity 1.250 (1.200–1.300)." in told
    assert "perplexity -36.75 (-36.80 to -36.70) · 280 rows became better, 3 worse" in told
    lines = told.split("\n")
    head = next(line for line in lines if line.startswith("300 test rows"))
    assert " 1 " in head and " 50 perplexity, 95 %" in head
    base, tuned = (next(line for line in lines if line.startswith(f"{name} model")) for name in ("untouched", "tuned"))
    assert "38.00  37.95–38.05" in base and "1.250  1.200–1.300" in tuned
    assert base.count("█") > 6 * tuned.count("█")
    assert "1.250 on them asked plainly" in told


def test_live_scores_by_another_metric_lead_before_the_results_are_written(run: Run) -> None:
    at_work(run)
    found = graded_results("perplexity", 38.0, 1.25, 0.05)
    tell(run, JobStarted(pid=1, stages=["evaluate"]), StageStarted(stage="evaluate"), found.scores[0].event(0.95))
    told = look_at(EvaluateStep, run)
    assert "perplexity, 95 %" in told and "38.00  37.95–38.05" in told


def test_the_step_has_the_id_that_the_shell_looks_for(run: Run) -> None:
    async def act(host: Host, pilot: Pilot[None]) -> None:
        assert host.frame.step.id == "step-evaluate"
        await pilot.press("enter")
        await pilot.pause()
        assert host.frame.asked == ["go on"]

    look_at(EvaluateStep, evaluated(run), act)


def test_a_goal_that_is_missed_is_told_by_sign_and_word(run: Run) -> None:
    assert "! Goal of 95 % not reached" in look_at(EvaluateStep, evaluated(run, found=results(reached=False)))


@pytest.mark.parametrize("size", SIZES)
def test_rows_come_worst_first_with_the_difference_marked(run: Run, size: tuple[int, int]) -> None:
    run = evaluated(run, {2: "floor 2 of the house", 5: "7"})

    async def act(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("down")
        await pilot.pause()

    lines = look_at(EvaluateStep, run, act, size).split("\n")
    told = "\n".join(lines)
    assert "2 of 12 wrong" in told
    first, second = (next(at for at, line in enumerate(lines) if f"is R{n} on?" in line) for n in (5, 2))
    assert first < second and "▸ ✗" in lines[first]
    assert "expected   [-5-]" in told and "tuned      {+7+}  ✗ wrong" in told
    assert "untouched  it is red" in told and "context    Room: R5, Colour: red, Floor: 5" in told


def test_the_arrow_keys_choose_a_row_and_esc_leads_back_to_the_figures(run: Run) -> None:
    run = evaluated(run, {2: "floor 2 of the house", 5: "7"})

    async def act(host: Host, pilot: Pilot[None]) -> None:
        step = host.frame.step
        figures = step.query_one("#evaluate-figures")
        assert figures.display and isinstance(host.frame.focused, NextLine)
        await pilot.press("down")
        assert isinstance(host.frame.focused, AnswerRows) and not figures.display  # it is low: rows need the room
        await pilot.press("down")
        await pilot.pause()
        here = step.query_one(AnswerRows).here
        assert here is not None and here.tuned.answer == "floor 2 of the house"
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(host.frame.focused, NextLine) and figures.display and host.frame.asked == []
        await pilot.press("escape")
        assert host.frame.asked == ["back"]

    look_at(EvaluateStep, run, act)


def test_all_rows_right_is_said_and_they_are_shown(run: Run) -> None:
    told = look_at(EvaluateStep, evaluated(run))
    assert "all 12 right" in told and "✓ Which floor is R0 on?" in told and "✓ right" in told


def test_many_rows_come_in_pages(plan_tree: dict[str, Any], runs_folder: Path) -> None:
    run = evaluated(new_run(plan_tree, runs_folder), {450: "no"}, count=451)

    async def act(host: Host, pilot: Pilot[None]) -> None:
        rows = host.frame.step.query_one(AnswerRows)
        assert rows.virtual_size.height == PAGE and rows.page_told == "rows 1-200"
        await pilot.press("down", "right", "right", "right")
        assert rows.page_told == "rows 401-451" and rows.virtual_size.height == 51
        await pilot.press("end")
        here = rows.here
        assert here is not None and here.tuned.id == "449.1"  # the wrong one came first
        await pilot.press("left", "home")
        assert rows.page_told == "rows 201-400"

    assert "1 of 451 wrong" in look_at(EvaluateStep, run, act)


@pytest.mark.parametrize("size", [*SIZES, (20, 5), (40, 12)])
def test_hostile_text_is_shown_and_not_obeyed(run: Run, size: tuple[int, int]) -> None:
    async def act(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("down", "down", "up")

    told = look_at(EvaluateStep, evaluated(run, {1: HOSTILE * 50, 2: "", 3: "日本語の答え"}), act, size)
    assert not set("\x1b\x07\u202e") & set(told)
    if size[0] >= 80:
        assert "\\x1b[2J\\x1b]0;owned\\x07[bold red]x[/] \\u202eevil" in told


@pytest.mark.parametrize("size", [*SIZES, (20, 5)])
def test_ascii_is_enough(run: Run, size: tuple[int, int]) -> None:
    told = look_at(EvaluateStep, evaluated(run, {1: "7"}), size=size, glyphs=ASCII)
    assert told.isascii(), [sign for sign in told if not sign.isascii()]


def test_while_it_works_it_says_how_far_it_is_and_shows_what_is_there(run: Run) -> None:
    at_work(run)
    tell(
        run,
        JobStarted(pid=os.getpid(), stages=list(STAGES)),
        StageStarted(stage="finetune"),
        StageFinished(stage="finetune", seconds=1, summary=""),
        StageStarted(stage="evaluate"),
        scored("base", 0.02).event(0.95),
        Progress(stage="evaluate", doing="asking the tuned model", done=96, total=300, unit="rows"),
    )

    async def act(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        assert host.frame.asked == []

    told = look_at(EvaluateStep, run, act)
    assert "● asking the tuned model: 96 of 300 rows" in told and "█████████░" in told and "32%" in told
    assert "2.0 %  0.0–7.0 %" in told and "not asked yet" in told
    assert "Nothing to do here yet" in told


def test_before_its_turn_it_says_what_it_waits_for(run: Run) -> None:
    at_work(run)
    tell(run, JobStarted(pid=1, stages=list(STAGES)), StageStarted(stage="prepare"))
    told = look_at(EvaluateStep, run)
    assert "Evaluate begins when Fine-tune is done" in told and "Now Prepare: at work." in told
    assert "Nothing was run yet" in look_at(EvaluateStep, None)


def test_a_run_that_was_stopped_in_it_is_gone_on_with(run: Run) -> None:
    tell(
        run,
        JobStarted(pid=1, stages=list(STAGES)),
        StageFinished(stage="finetune", seconds=1, summary=""),
        StageStarted(stage="evaluate"),
    )

    async def act(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        assert host.frame.asked == ["resume"]

    told = look_at(EvaluateStep, run, act)
    assert "go on with the run where it ended" in told


def test_a_failure_is_told_in_sentences(run: Run) -> None:
    error = JobError(
        title="No room.", cause="The disk is full.", next_step="Free some.", log="/x/log", stage="evaluate"
    )
    tell(run, JobStarted(pid=1, stages=list(STAGES)), StageStarted(stage="evaluate"), error)
    told = look_at(EvaluateStep, run)
    assert "✗ Evaluate failed" in told and "No room. The disk is full. Free some. The log: /x/log" in told


def test_results_that_are_damaged_are_told_with_the_way_out(run: Run) -> None:
    evaluated(run)
    run.results_path.write_text("{")
    told = " ".join(look_at(EvaluateStep, run, size=(120, 40)).split())
    assert "is damaged" in told and "--from evaluate" in told
    predictions_path(run, "tuned").unlink()
    evaluated(run)
    predictions_path(run, "tuned").write_text("{")
    told = look_at(EvaluateStep, run, size=(120, 40))
    assert "The answers row by row can't be read" in told and "Goal of 95 % reached" in told


def test_nothing_is_done_where_nothing_changed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated(run)

    async def act(host: Host, pilot: Pilot[None]) -> None:
        step = host.frame.step
        assert isinstance(step, EvaluateStep)
        shown: list[int] = []
        monkeypatch.setattr(step, "_show", lambda: shown.append(1))
        for _ in range(5):
            host.frame.look()
        assert not shown
        tell(run, scored("merged", 0.96).event(0.95))
        await settled(host, pilot)
        assert shown

    look_at(EvaluateStep, run, act)


def test_rows_are_sorted_by_exact_match_then_f1(run: Run) -> None:
    found = found_in(evaluated(run, {1: "1 or 2", 2: "nothing", 3: "3!"}, results(scores=SCORES[:2])))
    assert [row.tuned.id for row in found.rows[:4]] == ["2.1", "1.1", "0.1", "3.1"]
