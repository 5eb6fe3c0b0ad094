"""The evaluation job on a real tiny model, by each method, and the messages of what can be missing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.core.errors import DataError, ModelError, RunError
from tunesmith.core.events import AnyEvent, EventReader, Finding, Progress, Score, Verdict
from tunesmith.core.results import read_predictions, read_results
from tunesmith.core.rows import Row, write_rows
from tunesmith.core.worker.job import Job, Stopped

pytestmark = pytest.mark.slow


def events(job: Job) -> list[AnyEvent]:
    return EventReader(job.run.events_path).read()


@pytest.mark.parametrize("method", ["lora", "qlora", "full"])
def test_from_a_tuned_model_to_the_report(method: str, tuned_job: Callable[[str], Job], test_rows: list[Row]) -> None:
    from tunesmith.core.evaluate.job import work

    job = tuned_job(method)
    line = work(job)
    assert line.startswith("Exact match 0.0 % → 0.0 %, F1 ") and line.endswith(" on 12 unseen questions")
    results = read_results(job.run)
    assert results.headline == line
    kinds = ["test", "context-withheld", "fields-reordered", "values-invented", "as-prose"]
    assert [(s.model, s.rows_kind) for s in results.scores] == [("base", "test"), *(("tuned", kind) for kind in kinds)]
    told = events(job)
    assert [(e.model, e.rows_kind) for e in told if isinstance(e, Score)] == [
        (s.model, s.rows_kind) for s in results.scores
    ]
    assert [e.reached for e in told if isinstance(e, Verdict)] == [False]
    assert any(isinstance(e, Progress) and e.doing == "asking the untouched model" for e in told)
    for name in ("base-test", *(f"tuned-{kind}" for kind in kinds)):
        answers = read_predictions(job.run.predictions / f"{name}.jsonl")
        assert [p.id for p in answers] == [row.id for row in test_rows]
    base, tuned = (read_predictions(job.run.predictions / f"{name}-test.jsonl") for name in ("base", "tuned"))
    assert [p.answer for p in base] != [p.answer for p in tuned]
    wrong = read_predictions(job.run.predictions / "still-wrong.jsonl")
    assert len(wrong) == 12 and [p.f1 for p in wrong] == sorted(p.f1 for p in wrong)
    report = job.run.report_path.read_text("utf-8")
    assert results.verdict in report and "## Rows still wrong" in report
    assert ("with its own weights, not packed" in report) == (method == "qlora")


def test_the_base_scored_beside_the_adapter_is_the_untouched_model(
    tuned_job: Callable[[str], Job], tiny_model: Path, test_rows: list[Row]
) -> None:
    from tunesmith.core.evaluate.job import work
    from tunesmith.core.worker.generate import answer_all
    from tunesmith.core.worker.model import load_model, load_tokenizer

    job = tuned_job("lora")
    work(job)
    alone = answer_all(
        load_model(tiny_model, job.plan.select, quantized=False),
        load_tokenizer(tiny_model),
        [row.prompt for row in test_rows],
        max_new_tokens=8,
        batch_size=32,
    )
    assert [p.answer for p in read_predictions(job.run.predictions / "base-test.jsonl")] == alone


def test_the_metric_is_the_evaluate_librarys_own_and_needs_no_hub(tmp_path: Path) -> None:
    import evaluate

    from tunesmith.core.worker.metrics import ExactMatchAndF1

    metric = ExactMatchAndF1(keep_in_memory=True, cache_dir=str(tmp_path))
    assert isinstance(metric, evaluate.Metric)
    metric.add_batch(predictions=["the Sales", "x y"], references=["sales", "x"])
    metric.add(prediction="no", reference="yes")
    assert metric.compute() == pytest.approx({"exact_match": 1 / 3, "f1": (1 + 2 / 3) / 3})
    combined = evaluate.combine([ExactMatchAndF1(keep_in_memory=True, cache_dir=str(tmp_path))])
    assert combined.compute(predictions=["a b"], references=["b"])["exact_match"] == 1.0


def test_no_prepared_data(make_job: Callable[..., Job]) -> None:
    from tunesmith.core.evaluate.job import work

    job = make_job()
    job.run.rows_path("test").unlink()
    with pytest.raises(DataError, match=r"The data of this run was not prepared yet\. .*--from prepare"):
        work(job)


def test_no_test_rows(make_job: Callable[..., Job]) -> None:
    from tunesmith.core.evaluate.job import work

    job = make_job()
    write_rows(job.run.rows_path("test"), [])
    with pytest.raises(DataError, match=r"No row was kept for the final score\. .*larger test share"):
        work(job)


@pytest.mark.parametrize(("method", "proof"), [("lora", "adapter_config.json"), ("full", "config.json")])
def test_no_tuned_model(method: str, proof: str, make_job: Callable[..., Job]) -> None:
    from tunesmith.core.evaluate.job import work

    job = make_job(method=method)
    with pytest.raises(RunError, match=rf"holds no tuned model yet\. There is no {proof} in .*--from finetune"):
        work(job)


def test_a_damaged_adapter(tuned_job: Callable[[str], Job]) -> None:
    from tunesmith.core.evaluate.job import work

    job = tuned_job("lora")
    (job.run.adapter / "adapter_model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match=r"The adapter in .* can't be loaded\. .*--from finetune"):
        work(job)


def test_an_adapter_of_another_model(tuned_job: Callable[[str], Job], tiny_model: Path, tmp_path: Path) -> None:
    from tunesmith.core.worker.model import load_model
    from tunesmith.core.worker.tuned import with_adapter

    job = tuned_job("lora")
    other = tmp_path / "other"
    shutil.copytree(tiny_model, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"hidden_size": 32, "head_dim": 16}))
    (other / "model.safetensors").unlink()
    from transformers import AutoConfig, LlamaForCausalLM

    LlamaForCausalLM(AutoConfig.from_pretrained(other)).save_pretrained(other)
    with pytest.raises(ModelError, match="can't be loaded"):
        with_adapter(load_model(other, job.plan.select, quantized=False), job.run.adapter)


def test_a_wish_to_stop_is_honoured_and_leaves_no_half_result(tuned_job: Callable[[str], Job]) -> None:
    from tunesmith.core.evaluate.job import work

    job = tuned_job("lora")
    job.run.stop_path.touch()
    with pytest.raises(Stopped):
        work(job)
    assert not job.run.report_path.exists() and list(job.run.predictions.iterdir()) == []


def test_a_probe_that_fits_no_row_is_said_to_be_left_out(tuned_job: Callable[[str], Job], test_rows: list[Row]) -> None:
    from tunesmith.core.evaluate.job import work

    job = tuned_job("lora")
    write_rows(job.run.rows_path("test"), [Row(row.id, row.prompt, row.answer) for row in test_rows])
    assert work(job).endswith("on 12 unseen rows")
    told = [e.text for e in events(job) if isinstance(e, Finding)]
    assert "The probe as-prose fits none of these rows and was left out." in told
