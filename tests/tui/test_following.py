"""What the plain lines of a run say of the scores before its training."""

from __future__ import annotations

import io
from pathlib import Path

from tunesmith.core import events as e
from tunesmith.core.run import ExitRecord, Run, create_run, write_json
from tunesmith.tui.plain.following import follow_plainly
from tunesmith.tui.plain.voice import Voice


def test_a_run_that_needs_no_training_is_told_in_sentences_with_what_can_be_done(runs_folder: Path) -> None:
    run: Run = create_run("p", runs_folder)
    writer = e.EventWriter(run.events_path)
    advice = "The untouched model with 1 example in its prompt reaches the goal already. Nothing was trained."
    for event in (
        e.StageStarted(stage="finetune"),
        e.Evidence(shots=1, rows=24, exact_match=1.0, f1=1.0),
        e.Evidence(shots=5, skipped="only 2 training rows can be shown"),
        e.JobFinished(outcome="stopped", text=advice, advised=True),
    ):
        writer.write(event)
    write_json(run.exit_path, ExitRecord("stopped", 1.0, advice))
    out = io.StringIO()
    assert follow_plainly(run, Voice(io.StringIO(), out)) == 0
    said = " ".join(out.getvalue().split())
    assert "The untouched model with 1 example in its prompt: exact match 100.0 %, F1 100.0 %; 24 rows." in said
    assert "with 5 examples in its prompt was left out: only 2 training rows can be shown." in said
    assert advice in said and "what was done is saved" not in said
    assert str(run.prompt_path) in out.getvalue().replace("\n", "")
    assert f"tunesmith run {run.name} --resume" in said
