from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tunesmith.core import events as e
from tunesmith.core.figures import duration, percent, size
from tunesmith.core.run import ExitRecord, Run, create_run, write_json
from tunesmith.tui.commands.runs import exit_code
from tunesmith.tui.console import Lines, follow
from tunesmith.tui.plain.following import PlainLines
from tunesmith.tui.plain.voice import Voice


def _shown(*events: e.AnyEvent) -> str:
    out = io.StringIO()
    lines = Lines(Console(file=out, width=120, markup=False, highlight=False, emoji=False))
    for event in events:
        lines.show(event)
    return out.getvalue()


def test_a_stage_is_shown_with_its_number_its_findings_and_its_result() -> None:
    text = _shown(
        e.StageStarted(stage="finetune"),
        e.Finding(stage="finetune", text="something to know", level="warning"),
        e.StageFinished(stage="finetune", seconds=33.4, summary="75 steps"),
    )
    assert text == "\n4 Fine-tune\n  ! something to know\n  ✓ 75 steps  (33 s)\n"


def test_an_error_is_shown_with_its_cause_the_next_step_and_the_log() -> None:
    text = _shown(e.JobError(title="It broke.", cause="Because.", next_step="Do this.", log="/x/worker.log"))
    assert "✗ It broke. Because. Do this." in text
    assert "log: /x/worker.log" in text


def test_answers_of_a_model_are_text_never_markup_or_commands() -> None:
    text = _shown(e.Sample(step=1, question="[red]q[/red]", expected="x", answer="\x1b[31m[b]y[/b]"))
    assert "[red]q[/red]" in text
    assert "\x1b" not in text
    assert "\\x1b[31m[b]y[/b]" in text


def by(metric: str, value: float, low: float, high: float) -> e.Score:
    return e.Score(
        model="tuned",
        rows_kind="test",
        rows=300,
        exact_match=0.02,
        exact_match_low=0.01,
        exact_match_high=0.04,
        f1=0.3,
        f1_low=0.25,
        f1_high=0.35,
        confidence=0.95,
        metric=metric,
        score=value,
        score_low=low,
        score_high=high,
    )


def test_scores_are_led_by_the_metric_of_the_plan() -> None:
    lines = _shown(by("rouge_l", 0.45, 0.4, 0.5)).splitlines()
    assert lines[0].split() == ["ROUGE-L", "95", "%", "interval", "exact", "match", "F1", "rows"]
    assert lines[1].split() == ["·", "tuned", "45.0", "%", "40.0–50.0", "2.0", "%", "30.0", "%", "300"]
    lines = _shown(by("f1", 0.3, 0.25, 0.35)).splitlines()
    assert lines[0].split() == ["exact", "match", "95", "%", "interval", "F1", "rows"]
    assert lines[1].split() == ["·", "tuned", "2.0", "%", "1.0–4.0", "30.0", "%", "300"]
    assert "1.210     1.100–1.300" in _shown(by("perplexity", 1.21, 1.1, 1.3))


def test_validation_rows_are_told_by_the_metric_of_the_plan_first() -> None:
    look = e.Validation(step=0, loss=1.0, exact_match=0.0, f1=0.2, rows=4, metric="perplexity", score=38.0)
    assert "untouched   perplexity   38.00  exact match   0.0 %  F1  20.0 %  validation loss 1.000" in _shown(look)
    old = e.Validation(step=0, loss=None, exact_match=0.0, f1=0.2, rows=4)
    assert "untouched   exact match   0.0 %  F1  20.0 %" in _shown(old)


def test_plain_lines_tell_the_metric_of_the_plan_in_a_sentence() -> None:
    out = io.StringIO()
    PlainLines(Voice(io.StringIO(), out)).take(by("perplexity", 1.21, 1.1, 1.3))
    text = " ".join(out.getvalue().split())
    assert text == (
        "The tuned model: perplexity 1.210, interval 1.100 to 1.300; exact match 2.0 %, interval 1.0 % to 4.0 %; "
        "F1 30.0 %; 300 rows."
    )


@pytest.mark.parametrize("kind", e.AnyEvent.__args__)
def test_every_kind_of_event_can_be_shown(kind: type[e.Event]) -> None:
    import msgspec

    filler = {"str": "x", "int": 1, "float": 1.0, "bool": True}
    values = {}
    for field in msgspec.structs.fields(kind):
        name = getattr(field.type, "__name__", str(field.type))
        if field.name in ("level", "outcome", "memory_kind"):
            values[field.name] = {"level": "ok", "outcome": "stopped", "memory_kind": "ram"}[field.name]
        elif name == "list" or "list" in str(field.type):
            values[field.name] = ["finetune"]
        else:
            values[field.name] = filler.get(name, 1.0)
    _shown(kind(**values))


def test_following_a_finished_run_shows_all_of_it_and_ends(runs_folder: Path) -> None:
    run: Run = create_run("p", runs_folder)
    writer = e.EventWriter(run.events_path)
    writer.write(e.StageStarted(stage="prepare"))
    writer.write(e.StageFinished(stage="prepare", seconds=1, summary="405 rows"))
    write_json(run.exit_path, ExitRecord("finished", 1.0))
    out = io.StringIO()
    state = follow(run, Console(file=out, width=100))
    assert state.status == "finished"
    assert "405 rows" in out.getvalue()


def test_numbers_are_written_as_people_write_them() -> None:
    assert percent(0.0233) == "2.3 %"
    assert size(3 << 30) == "3.0 GiB"
    assert size(512) == "512 bytes"
    assert duration(42) == "42 s"
    assert duration(700) == "12 min"
    assert duration(3 * 3600 + 300) == "3 h 05 min"


def test_what_the_untouched_model_reaches_is_a_line_each_and_the_advice_is_told_plainly() -> None:
    text = _shown(
        e.Evidence(shots=0, rows=24, exact_match=0.125, f1=0.5),
        e.Evidence(shots=5, skipped="600 tokens with the answer, the model has 512"),
        e.JobFinished(outcome="stopped", text="Nothing was trained.", advised=True),
    )
    assert "· untouched, no example    exact match  12.5 %  F1  50.0 %  24 rows" in text
    assert "· untouched, 5 examples    left out: 600 tokens with the answer, the model has 512" in text
    assert "✓ Nothing was trained.\n" in text and "saved" not in text


def test_a_stop_by_the_runs_own_advice_is_no_failure(runs_folder: Path) -> None:
    run: Run = create_run("p", runs_folder)
    write_json(run.exit_path, ExitRecord("stopped", 1.0, "Nothing was trained."))
    assert run.state().text == "stopped before the training, as advised"
    assert exit_code(run.state()) == 0
    write_json(run.exit_path, ExitRecord("stopped", 1.0))
    assert (run.state().text, exit_code(run.state())) == ("stopped and saved", 3)
