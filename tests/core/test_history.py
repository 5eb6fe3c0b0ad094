from __future__ import annotations

import os
import signal
import time
from itertools import pairwise
from math import isnan
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.small_run import make_run
from tunesmith.core import jobs
from tunesmith.core.events import (
    AnyEvent,
    Checkpoint,
    Decision,
    EventReader,
    EventWriter,
    Finding,
    JobError,
    JobFinished,
    JobStarted,
    Progress,
    Sample,
    Score,
    StageFinished,
    StageStarted,
    Step,
    Validation,
    Verdict,
    Written,
)
from tunesmith.core.history import NOTABLE_MOST, Follower, History, read_history
from tunesmith.core.run import Run
from tunesmith.core.stages import STAGES


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def told(run: Run, *events: AnyEvent) -> History:
    """Write `events` after those that are there, as a worker does, and read the whole file."""
    writer = EventWriter(run.events_path)
    for event in events:
        writer.write(event)
    writer.close()
    return read_history(run)


def started(*stages: str, resumed: bool = False, at: float = 0.0) -> JobStarted:
    return JobStarted(at=at, pid=7, stages=list(stages), resumed=resumed)


def step(number: int, loss: float = 1.0, *, at: float = 0.0, left: float = 0.0, of: int = 100) -> Step:
    return Step(at=at, step=number, steps=of, epoch=0.1, loss=loss, learning_rate=1e-4, seconds_left=left)


def scored(number: int, share: float = 0.5, f1: float = 0.5, loss: float | None = 1.0) -> Validation:
    return Validation(step=number, loss=loss, exact_match=share, f1=f1, rows=4)


def answered(number: int, answer: str, question: str = "Who?") -> Sample:
    return Sample(step=number, question=question, expected="Ada", answer=answer)


def saved(number: int) -> Checkpoint:
    return Checkpoint(step=number, path=f"checkpoints/checkpoint-{number}")


def score(model: str, share: float, kind: str = "test") -> Score:
    return Score(
        model=model,
        rows_kind=kind,
        rows=9,
        exact_match=share,
        exact_match_low=0,
        exact_match_high=1,
        f1=share,
        f1_low=0,
        f1_high=1,
        confidence=0.95,
    )


def trained(*last: AnyEvent) -> list[AnyEvent]:
    return [started("finetune", "evaluate"), StageStarted(stage="finetune"), *last]


def whole() -> list[AnyEvent]:
    """A run through its last three stages."""
    return [
        started("prepare", "finetune", "evaluate", "productionize"),
        StageStarted(stage="prepare"),
        Finding(stage="prepare", text="two rows twice", level="warning"),
        StageFinished(stage="prepare", seconds=1, summary="12 rows"),
        *trained(step(1), scored(0, 0.1), step(2), scored(2, 0.9), answered(2, "Ada"), saved(2))[1:],
        StageFinished(stage="finetune", seconds=5, summary="2 steps"),
        StageStarted(stage="evaluate"),
        score("base", 0.1),
        score("tuned", 0.9),
        Verdict(reached=True, text="The goal is reached."),
        Written(what="report", path="report.md", bytes=10),
        StageFinished(stage="evaluate", seconds=2, summary="10 % → 90 %"),
        StageStarted(stage="productionize"),
        score("merged", 0.8),
        Written(what="merged model", path="model/merged", bytes=99),
        StageFinished(stage="productionize", seconds=3, summary="written"),
        JobFinished(at=50, outcome="finished"),
    ]


def test_a_run_without_events_is_an_empty_history(run: Run) -> None:
    history = read_history(run)
    assert history == History()
    assert list(history.stages) == list(STAGES)
    assert {stage.standing for stage in history.stages.values()} == {"waiting"}
    assert (history.newest_at, history.current_stage, history.seconds_left(1.0)) == (0.0, None, None)
    assert (history.untouched, history.latest, history.best, history.training_done) == (None, None, None, False)


def test_a_whole_run_is_told_stage_by_stage(run: Run) -> None:
    history = told(run, *whole())
    assert [history.stages[name].standing for name in STAGES] == ["waiting", "done", "waiting", "done", "done", "done"]
    prepare = history.stages["prepare"]
    assert (prepare.seconds, prepare.summary) == (1, "12 rows")
    assert [(finding.level, finding.text) for finding in prepare.findings] == [("warning", "two rows twice")]
    assert history.training_done
    assert history.current_stage is None
    assert list(history.scores) == [("base", "test"), ("tuned", "test"), ("merged", "test")]
    assert history.verdict is not None and history.verdict.reached
    assert list(history.written) == ["report.md", "model/merged"]
    assert history.newest_at == 50
    assert isinstance(history.end, JobFinished) and history.jobs[-1].end is history.end
    texts = [(line.stage, line.level, line.text) for line in history.notable]
    assert texts[:3] == [
        ("prepare", "note", "begun"),
        ("prepare", "warning", "two rows twice"),
        ("prepare", "ok", "12 rows"),
    ]
    assert ("finetune", "ok", "checkpoint saved at step 2") in texts


def test_a_stage_at_work_shows_what_it_decided_and_how_far_it_is(run: Run) -> None:
    begun = (started("prepare", at=5), StageStarted(stage="prepare", at=6))
    decision = Decision(stage="prepare", name="Split", value="80/20", because="usual")
    progress = Progress(stage="prepare", doing="reading", done=3, total=9, unit="rows")
    history = told(run, *begun, decision, progress)
    stage = history.stages["prepare"]
    assert history.current_stage == "prepare"
    assert (stage.started_at, stage.seconds, stage.decisions, stage.progress) == (6, None, [decision], progress)
    history = told(run, StageFinished(stage="prepare", seconds=1, summary=""))
    assert history.stages["prepare"].progress is None
    assert history.notable[-1].text == "done"


def test_half_a_last_line_waits_until_it_is_whole(run: Run) -> None:
    told(run, *trained(step(1), step(2)))
    line = msgspec.json.encode(step(3)) + b"\n"
    follower = Follower(run)
    with run.events_path.open("ab", buffering=0) as file:
        file.write(line[:30])
        assert not follower.read()
        assert list(follower.history.training.steps) == [1, 2]
        file.write(line[30:])
    assert not follower.read()
    assert list(follower.history.training.steps) == [1, 2, 3]
    assert follower.history == read_history(run)


def test_a_follower_reads_no_more_than_it_is_asked_to(run: Run) -> None:
    told(run, *trained(*(step(number) for number in range(1, 9))))  # ten events
    follower = Follower(run)
    assert [follower.read(4), follower.read(4), follower.read(4)] == [True, True, False]
    assert not follower.read(4)
    assert len(follower.history.training.steps) == 8


def test_the_curves_have_a_point_for_every_step(run: Run) -> None:
    event = Step(step=5, steps=9, epoch=1, loss=0.25, learning_rate=2e-4, gradient_norm=0.5, tokens_per_second=99)
    training = told(run, *trained(step(1, 2.0), event)).training
    assert list(training.steps) == [1, 5]
    assert list(training.losses) == [2.0, 0.25]
    assert list(training.learning_rates) == [1e-4, 2e-4]
    assert isnan(training.gradient_norms[0]) and training.gradient_norms[1] == 0.5
    assert list(training.tokens_per_second) == [0, 99]
    assert training.newest == event


def test_steps_repeated_after_a_resume_replace_the_former_ones(run: Run) -> None:
    told(run, *trained(step(10, 3.0), scored(10, 0.3), answered(10, "Bob"), saved(10), step(20, 2.0)))
    told(run, step(30, 1.5), scored(30, 0.8), answered(30, "Ada"))  # then the worker is killed
    history = told(run, started("finetune", resumed=True), StageStarted(stage="finetune"))
    assert list(history.training.steps) == [10, 20, 30]  # until the training goes on
    history = told(run, step(20, 1.9), answered(20, "Eve"))
    training = history.training
    assert (list(training.steps), list(training.losses)) == ([10, 20], [3.0, 1.9])
    assert [scores.step for scores in training.validations] == [10]
    assert [saved.step for saved in training.checkpoints] == [10]
    samples = training.samples["Who?", "Ada"]
    assert (samples.steps, samples.answers) == ([10, 20], ["Bob", "Eve"])
    assert [job.resumed for job in history.jobs] == [False, True]
    assert history.notable[-3].text == "the worker before was gone without a word"


def test_a_resume_without_a_checkpoint_begins_its_curves_anew(run: Run) -> None:
    told(run, *trained(step(1), scored(0, 0.1), step(2), scored(2)))
    resume = (started("finetune", resumed=True), StageStarted(stage="finetune"))
    history = told(run, *resume, step(1, 9.0), scored(0, 0.2))
    assert list(history.training.losses) == [9.0]
    assert [(scores.step, scores.exact_match) for scores in history.training.validations] == [(0, 0.2)]


def test_scores_of_one_step_told_twice_are_the_newer_ones(run: Run) -> None:
    history = told(run, *trained(step(5), scored(5, 0.1), scored(5, 0.2), saved(5), saved(5)))
    assert [scores.exact_match for scores in history.training.validations] == [0.2]
    assert len(history.training.checkpoints) == 1


def test_the_untouched_model_comes_first_even_where_it_was_scored_late(run: Run) -> None:
    history = told(run, *trained(step(1), step(2), scored(2, 0.6), answered(2, "Ada"), scored(0, 0.1)))
    assert history.untouched is not None and history.untouched.exact_match == 0.1
    assert history.latest is not None and history.latest.step == 2
    history = told(run, answered(0, "Bob"), step(3))
    assert [scores.step for scores in history.training.validations] == [0, 2]
    assert list(history.training.steps) == [1, 2, 3]
    assert history.training.samples["Who?", "Ada"].answers == ["Bob", "Ada"]


def test_the_untouched_model_is_neither_the_latest_nor_the_best(run: Run) -> None:
    history = told(run, *trained(scored(0, 0.9)))
    assert (history.latest, history.best) == (None, None)
    history = told(run, scored(5, 0.5, 0.6), scored(10, 0.5, 0.7, 0.3), scored(15, 0.5, 0.7, None), scored(20, 0.4))
    assert history.best is not None and history.best.step == 10
    assert history.latest is not None and history.latest.step == 20


def test_training_anew_forgets_the_former_training_and_what_followed_from_it(run: Run) -> None:
    told(run, *whole())
    history = told(run, started("finetune", "evaluate"))
    assert [history.stages[name].standing for name in STAGES[1:]] == [
        "done",
        "waiting",
        "waiting",
        "waiting",
        "waiting",
    ]
    assert (len(history.training.steps), history.scores, history.verdict, history.written) == (0, {}, None, {})
    history = told(run, StageStarted(stage="finetune"), step(1, 7.0))
    assert list(history.training.losses) == [7.0]
    assert (history.untouched, history.training.samples, history.training.checkpoints) == (None, {}, [])


def test_evaluating_anew_keeps_the_training(run: Run) -> None:
    told(run, *whole())
    history = told(run, started("evaluate"), StageStarted(stage="evaluate"), score("base", 0.2))
    assert list(history.training.steps) == [1, 2]
    assert list(history.scores) == [("base", "test")]
    assert (history.verdict, history.written, history.training_done) == (None, {}, True)
    assert history.stages["productionize"].standing == "waiting"


def test_looking_again_makes_nothing_untrue(run: Run) -> None:
    before = told(run, *whole())
    history = told(run, started("understand", "select"), StageStarted(stage="select"))
    assert history.training == before.training
    assert (history.scores, history.written) == (before.scores, before.written)
    assert history.stages["evaluate"].standing == "done"


def test_a_stop_leaves_the_stage_waiting(run: Run) -> None:
    history = told(run, *trained(step(1)), JobFinished(outcome="stopped", text="stopped in finetune"))
    assert history.stages["finetune"].standing == "waiting"
    assert history.stages["finetune"].started_at is not None
    assert (history.current_stage, history.training_done) == (None, False)
    assert (history.notable[-1].stage, history.notable[-1].text) == ("finetune", "stopped in finetune")
    assert told(run, started("finetune", resumed=True)).notable[-1].text == "resumed"


def test_an_error_fails_its_stage_until_it_is_begun_again(run: Run) -> None:
    error = JobError(title="The disk is full.", cause="", next_step="", log="worker.log", stage="finetune")
    history = told(run, *trained(step(1)), error)
    assert history.stages["finetune"].standing == "failed"
    assert history.end == history.jobs[-1].end == error
    assert (history.notable[-1].level, history.notable[-1].text) == ("error", "The disk is full.")
    history = told(run, started("finetune", resumed=True), StageStarted(stage="finetune"))
    assert (history.end, history.current_stage) == (None, "finetune")


def test_an_error_before_the_first_stage_belongs_to_none(run: Run) -> None:
    history = told(run, started("prepare"), JobError(title="No plan.", cause="", next_step="", log=""))
    assert history.notable[-1].stage == ""
    assert {stage.standing for stage in history.stages.values()} == {"waiting"}


def test_the_time_left_runs_on_between_two_steps(run: Run) -> None:
    assert told(run, *trained()).seconds_left(100) is None
    history = told(run, step(10, at=100, left=60))
    assert [history.seconds_left(now) for now in (90, 100, 130, 200)] == [60, 60, 30, 0]
    # A step from before the resume says nothing: the libraries are being loaded.
    history = told(run, started("finetune", resumed=True), StageStarted(stage="finetune", at=500))
    assert history.seconds_left(501) is None
    assert told(run, step(20, at=510, left=40)).seconds_left(520) == 30
    assert told(run, step(100, at=550, left=0)).seconds_left(551) == 0
    assert told(run, StageFinished(stage="finetune", seconds=1, summary="")).seconds_left(551) is None


def test_the_figure_of_a_run_is_the_newest_of_its_last_stage(run: Run) -> None:
    assert told(run, *trained(step(5), scored(0))).figure == step(5)
    assert isinstance(told(run, scored(5)).figure, Validation)
    assert told(run, StageStarted(stage="evaluate"), score("base", 0.1)).figure is None
    tuned = score("tuned", 0.9)
    history = told(run, tuned, score("tuned", 0.2, "as-prose"), StageStarted(stage="productionize"))
    assert (history.last_stage, history.figure) == ("productionize", tuned)


def test_the_list_of_happenings_does_not_grow_for_ever(run: Run) -> None:
    history = told(run, *trained(*(saved(number) for number in range(1, NOTABLE_MOST + 100))))
    assert len(history.notable) == NOTABLE_MOST
    assert history.notable[-1].text == f"checkpoint saved at step {NOTABLE_MOST + 99}"


def test_a_stage_that_is_not_known_is_shown_after_the_others(run: Run) -> None:
    history = told(run, started("distil"), StageStarted(stage="distil"))
    assert (list(history.stages)[-1], history.current_stage) == ("distil", "distil")


_small = st.integers(0, 6)
_stages = st.sampled_from(STAGES)
_times = st.floats(0, 1e9)
_events = st.lists(
    st.one_of(
        st.builds(started, st.just("finetune"), _stages, resumed=st.booleans(), at=_times),
        st.builds(StageStarted, at=_times, stage=_stages),
        st.builds(StageFinished, at=_times, stage=_stages, seconds=_times, summary=st.text(max_size=3)),
        st.builds(Progress, at=_times, stage=_stages, doing=st.just("rows"), done=_small, total=_small),
        st.builds(Finding, at=_times, stage=_stages, text=st.text(max_size=3)),
        st.builds(step, st.integers(1, 9), st.floats(0, 9), at=_times),
        st.builds(scored, _small, st.floats(0, 1)),
        st.builds(answered, _small, st.text(max_size=3), st.sampled_from(["a", "b"])),
        st.builds(saved, st.integers(1, 9)),
        st.builds(score, st.sampled_from(["base", "tuned"]), st.floats(0, 1)),
        st.builds(Written, at=_times, what=st.just("report"), path=st.sampled_from(["a", "b"]), bytes=_small),
        st.builds(Verdict, at=_times, reached=st.booleans(), text=st.just("so")),
        st.builds(JobFinished, at=_times, outcome=st.sampled_from(["finished", "stopped"])),
        st.builds(
            JobError, at=_times, title=st.just("!"), cause=st.just(""), next_step=st.just(""), log=st.just("l"),
            stage=st.sampled_from(["", *STAGES]),
        ),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(events=_events, cuts=st.lists(st.integers(0, 9_999), max_size=8), most=st.integers(1, 9))
def test_events_read_in_any_portions_give_the_same_history(
    tmp_path_factory: pytest.TempPathFactory, events: list[AnyEvent], cuts: list[int], most: int
) -> None:
    run = Run(tmp_path_factory.mktemp("run"))
    text = b"".join(msgspec.json.encode(event) + b"\n" for event in events)
    ends = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    follower = Follower(run)
    with run.events_path.open("ab", buffering=0) as file:
        for begin, end in pairwise(ends):
            file.write(text[begin:end])
            while follower.read(most):
                pass
    at_once = History()
    assert at_once.take(EventReader(run.events_path).read()) == len(events)
    assert follower.history == at_once
    training = at_once.training
    lines = [training.steps, [v.step for v in training.validations], [c.step for c in training.checkpoints]]
    for steps in (*lines, *(asked.steps for asked in training.samples.values())):
        assert all(before < after for before, after in pairwise(steps))


@pytest.mark.slow
def test_a_real_training_killed_and_resumed_is_one_curve_that_counts_on(
    runs_folder: Path, plan_tree: dict[str, Any]
) -> None:
    run = make_run(runs_folder, plan_tree)
    pid = jobs.start(run, ["finetune"])
    follower, deadline = Follower(run), time.monotonic() + 120
    while not follower.history.training.checkpoints:
        assert time.monotonic() < deadline, run.log_path.read_text()[-3000:]
        follower.read()
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    jobs.start(run, ["finetune"], resume=True)
    assert jobs.wait(run, 180).status == "finished", run.log_path.read_text()[-3000:]
    while follower.read():
        pass
    history = follower.history
    assert history == read_history(run)
    assert list(history.training.steps) == list(range(1, 13))
    assert history.training_done and [job.resumed for job in history.jobs] == [False, True]
    assert [scores.step for scores in history.training.validations] == [0, 12]
    told = [event for event in EventReader(run.events_path).read() if isinstance(event, Step)]
    seen = {event.step: event.tokens_seen for event in told}  # of a step told twice, the one after the resume
    assert all(seen[number] > seen[number - 1] > 0 for number in range(2, 13))
    first = {event.step: event.tokens_seen for event in reversed(told)}
    assert first == seen  # the same rows come in the same order, so both counted the same
