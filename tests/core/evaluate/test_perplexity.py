"""Perplexity is what the model's own loss says, of the tokens that training trains, however rows are batched."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.measures import overall
from tunesmith.core.plan_yaml import validate
from tunesmith.core.rows import Row
from tunesmith.core.worker.job import Job

pytestmark = pytest.mark.slow


@pytest.fixture
def loaded(tree: dict[str, Any], tiny_model: Path) -> tuple[Any, Any]:
    from tunesmith.core.worker.model import load_model, load_tokenizer

    return load_model(tiny_model, validate(tree).select, quantized=False), load_tokenizer(tiny_model)


def own_loss(model: Any, tokenizer: Any, row: Row, max_length: int | None = None) -> tuple[float, int]:
    """transformers' loss of one row, in nats a trained token, and how many they are."""
    import torch

    from tunesmith.core.worker.tokenize import encode

    encoded = encode(tokenizer, row, max_length)
    with torch.no_grad():
        found = model.eval()(input_ids=torch.tensor([encoded.input_ids]), labels=torch.tensor([encoded.labels]))
    return float(found.loss), encoded.trained_tokens


def mixed_lengths(rows: list[Row]) -> list[Row]:
    """Rows with short and long prompts and answers."""
    return [msgspec.structs.replace(row, answer=row.answer * (1 + n % 3)) for n, row in enumerate(rows)]


@pytest.mark.parametrize("batch_size", [1, 5, 32])
def test_each_row_has_the_loss_of_transformers(loaded: tuple[Any, Any], test_rows: list[Row], batch_size: int) -> None:
    from tunesmith.core.worker.perplexity import surprises

    model, tokenizer = loaded
    rows = mixed_lengths(test_rows)
    seen: list[tuple[int, int]] = []
    found = surprises(
        model, tokenizer, rows, batch_size=batch_size, report=lambda done, total: seen.append((done, total))
    )
    for row, surprise in zip(rows, found, strict=True):
        loss, tokens = own_loss(model, tokenizer, row)
        assert surprise.tokens == tokens
        assert surprise.nats / tokens == pytest.approx(loss, rel=1e-4)
        assert surprise.perplexity == pytest.approx(math.exp(loss), rel=1e-3)
    nats, tokens = sum(one.nats for one in found), sum(one.tokens for one in found)
    whole = overall("perplexity", [one.perplexity for one in found], [one.tokens for one in found])
    assert whole == pytest.approx(math.exp(nats / tokens))
    assert seen[-1] == (len(rows), len(rows))


def test_rows_are_cut_as_in_training_and_those_without_an_answer_left_do_not_count(
    loaded: tuple[Any, Any], test_rows: list[Row]
) -> None:
    from tunesmith.core.worker.perplexity import Surprise, surprises
    from tunesmith.core.worker.tokenize import encode

    model, tokenizer = loaded
    cut = encode(tokenizer, test_rows[0]).prompt_tokens + 2
    found = surprises(model, tokenizer, test_rows, batch_size=4, max_length=cut)
    loss, tokens = own_loss(model, tokenizer, test_rows[0], cut)
    assert found[0].tokens == tokens == 2 and found[0].nats == pytest.approx(2 * loss, rel=1e-4)
    long = msgspec.structs.replace(test_rows[0], prompt=[*test_rows[1].prompt, *test_rows[0].prompt])
    assert surprises(model, tokenizer, [test_rows[0], long], batch_size=4, max_length=cut)[1] == Surprise(0.0, 0)
    with pytest.raises(DataError, match=r"No answer begins within 5 tokens.*max_length"):
        surprises(model, tokenizer, test_rows, batch_size=4, max_length=5)


def test_a_model_that_gives_no_numbers_has_no_perplexity(loaded: tuple[Any, Any], test_rows: list[Row]) -> None:
    import torch

    from tunesmith.core.worker.perplexity import surprises

    model, tokenizer = loaded
    with torch.no_grad():
        model.get_output_embeddings().weight.fill_(float("nan"))
    with pytest.raises(ModelError, match=r"no usable probability .* row 1001.0 is nan.*smaller learning rate"):
        surprises(model, tokenizer, test_rows, batch_size=4)


def test_the_model_is_left_in_the_mode_it_was_in(loaded: tuple[Any, Any], test_rows: list[Row]) -> None:
    from tunesmith.core.worker.perplexity import surprises

    model, tokenizer = loaded
    for training in (True, False):
        model.train(training)
        surprises(model, tokenizer, test_rows[:1], batch_size=1)
        assert model.training == training


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
def test_virtual_tokens_of_an_adapter_do_not_shift_what_is_counted(
    loaded: tuple[Any, Any], test_rows: list[Row], kind: str
) -> None:
    import torch
    from peft import PrefixTuningConfig, PromptTuningConfig, get_peft_model

    from tunesmith.core.worker.perplexity import surprises

    model, tokenizer = loaded
    config = {"prompt": PromptTuningConfig, "prefix": PrefixTuningConfig}[kind]
    torch.manual_seed(3)
    adapted = get_peft_model(model, config(task_type="CAUSAL_LM", num_virtual_tokens=6))
    rows = mixed_lengths(test_rows)[:5]
    found = surprises(adapted, tokenizer, rows, batch_size=5)
    for row, surprise in zip(rows, found, strict=True):
        loss, tokens = own_loss(adapted, tokenizer, row)
        assert surprise.nats / tokens == pytest.approx(loss, rel=1e-3)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_an_evaluation_by_perplexity_holds_both_models_against_each_other(
    method: str, tuned_job: Callable[[str], Job], tiny_model: Path, test_rows: list[Row]
) -> None:
    from tunesmith.core.evaluate.job import work
    from tunesmith.core.results import predictions_path, read_predictions, read_results
    from tunesmith.core.worker.model import load_model, load_tokenizer
    from tunesmith.core.worker.perplexity import surprises

    job = by_metric(tuned_job(method), "perplexity", 1.5)
    line = work(job)
    results = read_results(job.run)
    base, tuned = results.score("base"), results.score("tuned")
    assert base is not None and tuned is not None and base.score is not None and tuned.score is not None
    untouched = surprises(
        load_model(tiny_model, job.plan.select, quantized=False), load_tokenizer(tiny_model), test_rows, batch_size=16
    )
    whole = overall("perplexity", [one.perplexity for one in untouched], [one.tokens for one in untouched])
    assert base.score.value == pytest.approx(whole, rel=1e-3)
    assert tuned.score.value != pytest.approx(whole, rel=1e-2)
    assert results.gain is not None and results.gain.value == pytest.approx(tuned.score.value - base.score.value)
    assert f"perplexity {base.score.value:,.0f}"[:13] in line and not results.reached
    assert results.verdict.startswith("Goal of at most 1.5 not reached: perplexity")
    answers = read_predictions(predictions_path(job.run, "tuned"))
    assert all(one.tokens and one.score for one in answers)
    withheld = results.score("tuned", "context-withheld")
    assert withheld is not None and withheld.score is not None
    assert withheld.plainly("perplexity") == pytest.approx(tuned.score.value)


def by_metric(job: Job, metric: str, threshold: float) -> Job:
    brief = job.plan.understand.model_copy(update={"metric": metric, "threshold": threshold})
    job.plan = job.plan.model_copy(update={"understand": brief})
    return job


@pytest.mark.parametrize("metric", ["accuracy", "rouge_l", "bleu"])
def test_an_evaluation_by_another_metric_of_texts_is_judged_by_it(metric: str, tuned_job: Callable[[str], Job]) -> None:
    from tunesmith.core.evaluate.job import work
    from tunesmith.core.events import EventReader, Score
    from tunesmith.core.measures import MEASURES, per_row
    from tunesmith.core.results import predictions_path, read_predictions, read_results

    job = by_metric(tuned_job("lora"), metric, 0.5)
    assert f", {MEASURES[metric].name} " in work(job)
    results = read_results(job.run)
    for one in results.scores:
        rows = read_predictions(predictions_path(job.run, one.model, one.rows_kind))
        value = one.by(metric)
        mean = sum(per_row(metric, row.answer, row.expected) for row in rows) / len(rows)
        assert value is not None and value.value == pytest.approx(mean)
        assert bool(one.corpus) == (metric == "bleu")
    scores = [one for one in EventReader(job.run.events_path).read() if isinstance(one, Score)]
    assert [one.metric for one in scores] == [metric] * len(results.scores)
    assert f"reached: {MEASURES[metric].name} " in results.verdict
    assert MEASURES[metric].how in job.run.report_path.read_text("utf-8")
