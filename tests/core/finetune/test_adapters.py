"""Every kind of adapter trains on the practice model, and is the same model when it is loaded from disk."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.core.small_run import make_rows, make_run
from tunesmith.core.events import Decision, EventReader, EventWriter
from tunesmith.core.models import find_model
from tunesmith.core.plan import RANKED, VIRTUAL, Peft
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.select.load import adapter_parameters
from tunesmith.core.select.memory import load_of
from tunesmith.core.worker.job import Job

pytestmark = pytest.mark.slow

KINDS: list[Peft] = [*RANKED, "ia3", "ln-tuning", *VIRTUAL]


def select_of(peft: Peft, tree: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The changes to `select` for one kind of adapter; a rate at which a few steps change the answers."""
    lora = {"rank": 4, "alpha": 8, "dropout": 0.0, "target_modules": "all-linear"} if peft in RANKED else None
    tree["select"]["hyperparameters"] |= {"learning_rate": 2e-2}
    tree["select"].pop("lora")
    found: dict[str, Any] = {"peft": peft, **more}
    return found | ({"lora": lora} if lora else {}) | ({"virtual_tokens": 6} if peft in VIRTUAL else {})


def job_of(root: Path, tree: dict[str, Any], *, steps: int = 6, save_every: int = 4, **select: Any) -> Job:
    run = make_run(root, tree, steps=steps, save_every=save_every, **select)
    return Job(run, read_plan(run.plan_path), EventWriter(run.events_path))


def train(job: Job, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, str]:
    """Runs the job; returns the model as it was before it was saved, and the summary."""
    from tunesmith.core.finetune import job as finetune

    held: list[Any] = []
    real = finetune.save
    monkeypatch.setattr(finetune, "save", lambda model, *rest: (held.append(model), real(model, *rest)))
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        summary = finetune.work(job)
    return held[0], summary


def scores_of(model: Any, tokenizer: Any) -> Any:
    """What the model makes of a few rows, as logits; the rows are of one length, so that nothing is padded."""
    import torch

    from tunesmith.core.worker.tokenize import encode

    rows = [encode(tokenizer, row).input_ids[:40] for row in make_rows(4, seed=5)]
    model.eval()
    with torch.no_grad():
        return model(input_ids=torch.tensor(rows)).logits


@pytest.mark.parametrize("peft", KINDS)
def test_an_adapter_is_the_same_model_after_it_was_saved_and_loaded(
    peft: Peft, runs_folder: Path, plan_tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from tunesmith.core.worker.generate import answer_all
    from tunesmith.core.worker.model import load_model, load_tokenizer
    from tunesmith.core.worker.tuned import load_tuned

    job = job_of(runs_folder, plan_tree, **select_of(peft, plan_tree))
    model, _ = train(job, monkeypatch)
    base = find_model("practice")
    tokenizer = load_tokenizer(base.path)
    loaded = load_tuned(job.plan, job.run, base.path)
    before, after = scores_of(model, tokenizer), scores_of(loaded, tokenizer)
    untouched = scores_of(load_model(base.path, job.plan.select, quantized=False), tokenizer)
    assert (before - untouched).abs().mean() > 1e-3, "a few steps moved nothing"
    torch.testing.assert_close(after, before, rtol=1e-3, atol=2e-3)
    with loaded.disable_adapter():
        torch.testing.assert_close(scores_of(loaded, tokenizer), untouched, rtol=1e-5, atol=1e-5)
        prompts = [row.prompt for row in make_rows(6, seed=6)]
        plain = answer_all(loaded, tokenizer, prompts, max_new_tokens=4, batch_size=6)
    answers = [answer_all(one, tokenizer, prompts, max_new_tokens=4, batch_size=6) for one in (model, loaded)]
    assert answers[0] == answers[1]
    one_by_one = answer_all(loaded, tokenizer, prompts, max_new_tokens=4, batch_size=1)
    assert one_by_one == answers[1]
    assert plain == answer_all(
        load_model(base.path, job.plan.select, quantized=False), tokenizer, prompts, max_new_tokens=4, batch_size=6
    )
    config = json.loads((job.run.adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == base.name


@pytest.mark.parametrize("peft", KINDS)
def test_what_is_trained_is_what_the_forecast_counts(
    peft: Peft, runs_folder: Path, plan_tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(runs_folder, plan_tree, steps=1, **select_of(peft, plan_tree))
    train(job, monkeypatch)
    told = [event for event in EventReader(job.run.events_path).read() if isinstance(event, Decision)]
    trained = int(next(event.value for event in told if event.name == "Trained parameters").partition(" ")[0].replace(",", ""))
    assert trained == adapter_parameters(find_model("practice"), load_of(job.plan.select, 96))
