"""Every kind of adapter trains on the practice model, and is the same model when it is loaded from disk."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.core.small_run import make_rows, make_run
from tunesmith.core.errors import PlanError
from tunesmith.core.events import Decision, EventReader, EventWriter, Step, Validation
from tunesmith.core.models import find_model
from tunesmith.core.plan import RANKED, VIRTUAL, Peft
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.rows import Message
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
    tree["productionize"]["merge"] = peft not in VIRTUAL
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
        return model(input_ids=torch.tensor(rows)).logits[:, -40:]  # those of virtual tokens come before


def prompts_of_many_lengths() -> list[list[Message]]:
    whole = [row.prompt[-1].content for row in make_rows(8, seed=6)]
    return [[Message("user", text[5 * place :])] for place, text in enumerate(whole)]


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
        prompts = prompts_of_many_lengths()
        plain = answer_all(loaded, tokenizer, prompts, max_new_tokens=8, batch_size=8)
    answers = [answer_all(one, tokenizer, prompts, max_new_tokens=8, batch_size=8) for one in (model, loaded)]
    assert answers[0] == answers[1]
    one_by_one = answer_all(loaded, tokenizer, prompts, max_new_tokens=8, batch_size=1)
    assert one_by_one == answers[1]
    assert plain == answer_all(
        load_model(base.path, job.plan.select, quantized=False), tokenizer, prompts, max_new_tokens=8, batch_size=8
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
    value = next(event.value for event in told if event.name == "Trained parameters")
    trained = int(value.partition(" ")[0].replace(",", ""))
    assert trained == adapter_parameters(find_model("practice"), load_of(job.plan.select, 96))


@pytest.mark.parametrize("peft", ["adalora", "pissa", "prefix", "p-tuning", "ia3"])
def test_a_training_that_was_stopped_goes_on_as_if_it_never_had(
    peft: Peft, runs_folder: Path, plan_tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from tunesmith.core.worker.job import Stopped
    from tunesmith.core.worker.model import load_tokenizer

    tokenizer = load_tokenizer(find_model("practice").path)
    select = select_of(peft, plan_tree)
    whole, _ = train(job_of(runs_folder, plan_tree, steps=8, **select), monkeypatch)
    job = job_of(runs_folder, plan_tree, steps=8, **select)
    real = job.emit

    def stop_at_five(event: Any) -> None:
        real(event)
        job.asked = job.asked or (isinstance(event, Step) and event.step == 5)

    job.emit = stop_at_five  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        train(job, monkeypatch)
    assert job.run.last_checkpoint() is not None
    resumed, _ = train(Job(job.run, job.plan, job.events, resume=True), monkeypatch)
    torch.testing.assert_close(scores_of(resumed, tokenizer), scores_of(whole, tokenizer), rtol=1e-3, atol=5e-3)


def test_adalora_has_taken_ranks_away_at_the_end_and_leaves_them_out(
    runs_folder: Path, plan_tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(runs_folder, plan_tree, steps=10, **select_of("adalora", plan_tree))
    train(job, monkeypatch)
    pattern = json.loads((job.run.adapter / "adapter_config.json").read_text())["rank_pattern"]
    kept, layers = sum(sum(ranks) for ranks in pattern.values()), len(pattern)
    assert layers == 28
    assert kept == 4 * layers  # of 6 each that it began with


def test_adalora_is_held_to_its_penalty_in_training_and_not_when_it_is_evaluated(
    runs_folder: Path, plan_tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_losses(peft: Peft) -> tuple[float, float]:
        tree = copy.deepcopy(plan_tree)
        job = job_of(runs_folder, tree, steps=2, **select_of(peft, tree))
        train(job, monkeypatch)
        events = EventReader(job.run.events_path).read()
        untouched = next(event for event in events if isinstance(event, Validation) and event.step == 0)
        assert untouched.loss is not None
        return next(event for event in events if isinstance(event, Step)).loss, untouched.loss

    plain, penalised = first_losses("lora"), first_losses("adalora")
    # The matrices begin as numbers of deviation 0.02 at rank 6: A Aᵀ is near 0.0004 i times the unit matrix, for i
    # inputs of 192 or 512, so the norms are near 6^0.5 (1 - 0.0004 i); half of their mean is the penalty.
    shares = [0.0004 * size for size in [192] * 8 + [192, 512] * 4 + [512, 192] * 2]
    expected = 0.5 * 6**0.5 * (1 - sum(shares) / len(shares))
    assert penalised[0] - plain[0] == pytest.approx(expected, rel=0.05)
    assert penalised[1] == pytest.approx(plain[1], rel=1e-4)


@pytest.mark.parametrize("peft", [kind for kind in KINDS if kind not in VIRTUAL])
def test_what_can_be_merged_answers_the_same_when_it_is(
    peft: Peft, runs_folder: Path, plan_tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from tunesmith.core.productionize.job_merge import merge
    from tunesmith.core.worker.model import load_model, load_tokenizer

    job = job_of(runs_folder, plan_tree, steps=4, **select_of(peft, plan_tree))
    model, _ = train(job, monkeypatch)
    base = find_model("practice")
    merge(job.plan, job.run, base.path)
    merged = load_model(job.run.merged, job.plan.select, quantized=False)
    tokenizer = load_tokenizer(job.run.merged)
    torch.testing.assert_close(scores_of(merged, tokenizer), scores_of(model, tokenizer), rtol=1e-3, atol=5e-3)


@pytest.mark.parametrize(
    ("peft", "packed"),
    [
        *((kind, "nf4") for kind in KINDS if kind != "pissa"),
        *((kind, "int8") for kind in KINDS if kind not in ("pissa", "dora")),
        ("lora", "fp4"),
    ],
)
def test_adapters_train_over_packed_weights_of_every_format(
    peft: Peft, packed: str, runs_folder: Path, plan_tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tunesmith.core.worker.model import load_tokenizer
    from tunesmith.core.worker.tuned import load_tuned

    quantization = {"type": packed, "double": packed != "int8"}
    select = select_of(peft, plan_tree, method="qlora", quantization=quantization)
    job = job_of(runs_folder, plan_tree, steps=6, **select)
    model, _ = train(job, monkeypatch)
    losses = [event.loss for event in EventReader(job.run.events_path).read() if isinstance(event, Step)]
    assert losses[-1] < losses[0]
    base = find_model("practice")
    loaded, tokenizer = load_tuned(job.plan, job.run, base.path), load_tokenizer(base.path)
    before, after = scores_of(model, tokenizer), scores_of(loaded, tokenizer)
    assert (after - before).abs().mean() < 0.02 * before.abs().mean()  # in training the adapter is held in bf16


def test_norms_move_in_bf16_because_they_are_held_in_fp32(
    runs_folder: Path, plan_tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    select = select_of("ln-tuning", plan_tree, precision="bf16")
    plan_tree["select"]["hyperparameters"]["learning_rate"] = 2e-4  # far below what bf16 can add to a number near one
    model, _ = train(job_of(runs_folder, plan_tree, steps=4, **select), monkeypatch)
    moved = [p for name, p in model.named_parameters() if "ln_tuning_layers" in name]
    still = [p for name, p in model.named_parameters() if "norm.base_layer" in name]
    assert {p.dtype for p in moved} == {torch.float32}
    assert all((one != other.float()).any() for one, other in zip(moved, still, strict=True))


def test_an_adapter_for_layers_that_the_model_has_not_is_refused_with_the_names_of_those_it_has(
    runs_folder: Path, plan_tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lora = {"rank": 4, "alpha": 8, "dropout": 0.0, "target_modules": ["q_proj", "gate_up_proj"]}
    with pytest.raises(PlanError) as error:
        train(job_of(runs_folder, plan_tree, lora=lora), monkeypatch)
    assert error.value.title == "This model has no layer gate_up_proj to put an adapter on."
    assert "all-linear, or to some of: down_proj, gate_proj, k_proj" in error.value.next_step
