"""The last stage on a real tiny model: merged, loaded back, described, asked over HTTP by the openai client."""

from __future__ import annotations

import json
import re
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.core.errors import JobFailed, ModelError, RunError, SpaceError
from tunesmith.core.events import AnyEvent, EventReader, Finding, Score, StageFinished, Step, Written
from tunesmith.core.plan import Plan
from tunesmith.core.results import predictions_path, read_predictions, read_results, write_predictions
from tunesmith.core.rows import Row, write_rows
from tunesmith.core.worker.job import Job, Stopped

pytestmark = pytest.mark.slow


def events(job: Job) -> list[AnyEvent]:
    return EventReader(job.run.events_path).read()


def change(job: Job, **section: object) -> None:
    """Another last section of the plan."""
    plan: Plan = job.plan
    job.plan = plan.model_copy(update={"productionize": plan.productionize.model_copy(update=section)})


@pytest.fixture
def evaluated_job(tuned_job: Callable[[str], Job]) -> Callable[[str], Job]:
    def make(method: str) -> Job:
        from tunesmith.core.evaluate.job import work

        job = tuned_job(method)
        job.emit(Step(step=75, steps=75, epoch=1.0, loss=0.0123, learning_rate=0.0))
        job.emit(StageFinished(stage="finetune", seconds=30.0, summary=""))
        work(job)
        return job

    return make


def test_lora_from_adapter_to_an_answer_over_http(evaluated_job: Callable[[str], Job], test_rows: list[Row]) -> None:
    from tunesmith.core.productionize.job import work

    job = evaluated_job("lora")
    line = work(job)
    assert re.fullmatch(
        r"adapter \(\d+ [KM]iB\) and merged model \(\d+ [KM]iB\) written; merged model gives the same answers on "
        r"12 of 12 rows; the endpoint answered over HTTP",
        line,
    )
    tuned, merged = read_results(job.run).score("tuned"), read_results(job.run).score("merged")
    assert tuned is not None and merged is not None and merged.exact_match == tuned.exact_match
    told = events(job)
    assert [e.model for e in told if isinstance(e, Score)][-1] == "merged"
    asked = next(e for e in told if isinstance(e, Finding) and e.text.startswith("Asked over HTTP: "))
    assert asked.level == "ok" and test_rows[0].question in asked.text
    assert [e.what for e in told if isinstance(e, Written)] == [
        "report",
        "adapter",
        "merged model",
        "commands for serving",
    ]
    _check_merged(job)
    _check_cards(job)
    commands = (job.run.folder / "SERVE.md").read_text("utf-8")
    for said in ("curl -s http://127.0.0.1:8000/v1", "must be `merged`", "on this machine only", "not tried by"):
        assert said in commands


def _check_merged(job: Job) -> None:
    """Plain weights in Hugging Face layout, with the settings and the template of the training."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = job.run.merged
    assert not (folder / "adapter_config.json").exists() and not list(job.run.model.glob("*.part"))
    settings = json.loads((folder / "generation_config.json").read_text())
    assert settings["do_sample"] is False and "temperature" not in settings
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert settings["eos_token_id"] == [tokenizer.eos_token_id] and settings["pad_token_id"] == tokenizer.pad_token_id
    template = "chat_template.jinja"
    assert (folder / template).read_bytes() == (job.run.adapter / template).read_bytes()
    assert type(AutoModelForCausalLM.from_pretrained(folder)).__name__ == "LlamaForCausalLM"


def _check_cards(job: Job) -> None:
    from huggingface_hub import ModelCard

    tuned = read_results(job.run).score("tuned")
    assert tuned is not None
    for folder, library in ((job.run.adapter, "peft"), (job.run.merged, "transformers")):
        card = ModelCard.load(folder / "README.md")
        assert card.data.library_name == library and card.data.pipeline_tag == "text-generation"
        assert card.data.get("base_model") is None and card.data.get("license") is None
        figures = {result.metric_type: result.metric_value for result in card.data.eval_results}
        assert figures == {
            "exact_match": round(tuned.exact_match.value, 4),
            "f1": round(tuned.f1.value, 4),
        }
        for said in (
            "Answer questions about employees.",
            "12 for testing",
            "| rank | 16 |",
            "| steps | 75 |",
            "| last training loss | 0.0123 |",
            "context-withheld: exact match",
            "The licence of the base model is not known",
            "bias and safety were not measured",
        ):
            assert said in card.text
        code = card.text.partition("```python\n")[2].partition("```")[0]
        compile(code, "card", "exec")
        assert str(job.run.folder.parent) not in card.content


def test_qlora_says_that_the_merged_model_is_another_one(evaluated_job: Callable[[str], Job]) -> None:
    from tunesmith.core.productionize.job import work

    job = evaluated_job("qlora")
    change(job, ask_once=False)
    line = work(job)
    assert re.search(r"merged model gives the same answers on \d+ of 12 rows$", line)
    told = next(e.text for e in events(job) if isinstance(e, Finding) and "4-bit ones" in e.text)
    assert re.search(r"exact match \d+\.\d % before and \d+\.\d % after merging, the same answers on \d+ of 12", told)


def test_full_is_served_as_it_was_trained(evaluated_job: Callable[[str], Job]) -> None:
    from tunesmith.core.productionize.job import work

    job = evaluated_job("full")
    line = work(job)
    assert re.fullmatch(r"model \(\d+ [KM]iB\) written; the endpoint answered over HTTP", line)
    settings = json.loads((job.run.merged / "generation_config.json").read_text())
    assert settings["do_sample"] is False
    assert not list(job.run.merged.glob(".*"))


def test_without_merging_only_the_adapter_is_described(evaluated_job: Callable[[str], Job]) -> None:
    from tunesmith.core.productionize.job import work

    job = evaluated_job("lora")
    change(job, merge=False)
    assert re.fullmatch(r"adapter \(\d+ [KM]iB\) written", work(job))
    assert not job.run.merged.exists() and (job.run.adapter / "README.md").exists()
    assert any(isinstance(e, Finding) and "no whole model to serve" in e.text for e in events(job))


def test_it_can_be_run_again_over_its_own_result(evaluated_job: Callable[[str], Job]) -> None:
    from tunesmith.core.productionize.job import work

    job = evaluated_job("lora")
    change(job, ask_once=False)
    assert work(job) == work(job)
    assert [s.model for s in read_results(job.run).scores].count("merged") == 1


def test_an_open_host_is_said_to_have_no_password(evaluated_job: Callable[[str], Job]) -> None:
    from tunesmith.core.productionize.job import work

    job = evaluated_job("full")
    change(job, ask_once=False, host="0.0.0.0", port=0)
    work(job)
    assert "has no password" in (job.run.folder / "SERVE.md").read_text("utf-8")


def test_before_evaluation(tuned_job: Callable[[str], Job]) -> None:
    from tunesmith.core.productionize.job import work

    with pytest.raises(RunError, match=r"was not evaluated yet\. .*--from evaluate"):
        work(tuned_job("lora"))


def test_missing_answers(evaluated_job: Callable[[str], Job]) -> None:
    from tunesmith.core.productionize.job import work

    job = evaluated_job("lora")
    predictions_path(job.run, "tuned").unlink()
    with pytest.raises(RunError, match=r"The tuned model's answers in .*tuned-test\.jsonl are missing or damaged"):
        work(job)


def test_test_rows_that_changed(evaluated_job: Callable[[str], Job], test_rows: list[Row]) -> None:
    from tunesmith.core.productionize.job import work

    job = evaluated_job("lora")
    write_rows(job.run.rows_path("test"), test_rows[:5])
    with pytest.raises(RunError, match=r"The test rows have changed since the evaluation\. .*--from evaluate"):
        work(job)


def test_no_room_on_disk(evaluated_job: Callable[[str], Job], monkeypatch: pytest.MonkeyPatch) -> None:
    from tunesmith.core.productionize.job import work

    job = evaluated_job("lora")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(SpaceError, match=r"not enough room on disk .* It needs \d+ [KM]iB, and 1000 bytes are free in"):
        work(job)
    assert not job.run.merged.exists()


def test_a_tokenizer_that_writes_other_prompts(tiny_model: Path, tmp_path: Path, test_rows: list[Row]) -> None:
    from tunesmith.core.productionize.job_merge import check_same_prompts

    other = tmp_path / "merged"
    shutil.copytree(tiny_model, other)
    check_same_prompts(tiny_model, other, test_rows)
    template = other / "chat_template.jinja"
    template.write_text(template.read_text().replace("assistant", "bot"))
    with pytest.raises(ModelError, match=r"writes 12 of 12 prompts otherwise than training did"):
        check_same_prompts(tiny_model, other, test_rows)


def test_answers_that_differ_are_told_with_both_figures(evaluated_job: Callable[[str], Job]) -> None:
    import msgspec

    from tunesmith.core.productionize.job import work

    job = evaluated_job("lora")
    change(job, ask_once=False)
    path = predictions_path(job.run, "tuned")
    first, *rest = read_predictions(path)
    write_predictions(path, [msgspec.structs.replace(first, answer="something else"), *rest])
    assert "the same answers on 11 of 12 rows" in work(job)
    told = [e.text for e in events(job) if isinstance(e, Finding)]
    assert any(text.startswith("The merged model answers 1 of 12 rows otherwise, by rounding: exact") for text in told)


def test_an_endpoint_that_refuses(tiny_model: Path, tmp_path: Path, test_rows: list[Row]) -> None:
    from tunesmith.core.productionize.job import ask
    from tunesmith.core.productionize.serve import Manner, start_server

    server = start_server(tiny_model, "127.0.0.1", 0, tmp_path / "log", Manner(device="cpu", detached=False))
    try:
        server.model_id = "another"
        with pytest.raises(JobFailed, match=r"did not answer the question\. .*pinned to 'base'.*in .*log\."):
            ask(server, test_rows[0], 4)
    finally:
        server.stop()


def test_a_wish_to_stop_is_honoured(evaluated_job: Callable[[str], Job]) -> None:
    from tunesmith.core.productionize.job import work

    job = evaluated_job("lora")
    job.run.stop_path.touch()
    with pytest.raises(Stopped):
        work(job)
