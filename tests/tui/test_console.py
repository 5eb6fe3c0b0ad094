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
