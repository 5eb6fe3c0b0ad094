"""The export for TRL, read by TRL's own parser and trained by its own command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.exchange import trl
from tunesmith.core.exchange.write import export_to
from tunesmith.core.plan import SCHEDULERS, Plan
from tunesmith.core.plan_yaml import validate

from .plans import GIVEN, MODEL


def loaded(text: str, folder: Path) -> Any:
    """(script, training, model and dataset arguments) as `trl sft` takes them; unknown keys are refused."""
    from trl.scripts.sft import make_parser

    path = folder / trl.FILE
    path.write_text(text)
    return make_parser().parse_args_and_config(["--config", str(path)], fail_with_unknown_args=True)


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_its_parser_yields_the_values_of_the_plan(method: str, plan_tree: dict[str, Any], tmp_path: Path) -> None:
    plan = _plan(plan_tree, method)
    script, training, model, _ = loaded(trl.export(plan, GIVEN).text, tmp_path)
    knobs, watched = plan.select.hyperparameters, plan.finetune
    assert (script.dataset_name, script.dataset_train_split, script.dataset_test_split) == (
        "data",
        "train",
        "validation",
    )
    assert training.learning_rate == knobs.learning_rate
    assert training.lr_scheduler_type == SCHEDULERS[knobs.schedule]
    assert training.get_warmup_steps(100) == 100 * knobs.warmup
    assert training.num_train_epochs == knobs.epochs
    assert training.train_batch_size * training.gradient_accumulation_steps == knobs.batch_size * knobs.accumulation
    assert (training.weight_decay, training.max_grad_norm) == (knobs.weight_decay, knobs.max_grad_norm)
    assert training.optim == knobs.optimizer
    assert (training.max_length, training.packing) == (knobs.max_length, knobs.packing)
    assert training.activation_checkpointing is knobs.gradient_checkpointing
    assert (training.seed, training.data_seed) == (knobs.seed, knobs.seed)
    assert (training.bf16, training.fp16, training.use_cpu) == (True, False, True)
    assert training.completion_only_loss is True
    assert (training.logging_steps, training.eval_steps, training.save_steps) == (
        watched.log_every,
        watched.evaluate_every,
        watched.save_every,
    )
    assert training.save_total_limit == watched.keep_checkpoints
    assert training.report_to == []
    assert model.model_name_or_path == MODEL
    assert model.dtype == ("float32" if method == "full" else "bfloat16")
    assert model.load_in_4bit is (method == "qlora")


def _plan(tree: dict[str, Any], method: str) -> Plan:
    tree["select"] |= {"method": method, "precision": "bf16"}
    tree["select"]["hyperparameters"] |= {"warmup": 0.05, "gradient_checkpointing": True, "accumulation": 3}
    if method == "full":
        tree["select"].pop("lora")
    if method == "qlora":
        tree["select"]["quantization"] = {"type": "fp4", "double": True}
    return validate(tree)


def test_the_adapter_and_the_packing_are_those_of_the_plan(plan_tree: dict[str, Any], tmp_path: Path) -> None:
    from trl import get_peft_config, get_quantization_config

    plan_tree["select"] |= {"peft": "rslora"}
    model = loaded(trl.export(_plan(plan_tree, "qlora"), GIVEN).text, tmp_path)[2]
    adapter, packing = get_peft_config(model), get_quantization_config(model)
    assert (adapter.r, adapter.lora_alpha, adapter.lora_dropout, adapter.use_rslora) == (16, 32, 0.05, True)
    assert adapter.target_modules == "all-linear"
    assert (packing.load_in_4bit, packing.bnb_4bit_quant_type, packing.bnb_4bit_use_double_quant) == (True, "fp4", True)


@pytest.mark.parametrize("names", [["q_proj"], ["q_proj", "v_proj"]])
def test_named_layers_are_those_that_get_an_adapter(
    names: list[str], plan_tree: dict[str, Any], tmp_path: Path
) -> None:
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM
    from trl import get_peft_config

    from tunesmith.core.practice import MODEL_DIR

    plan_tree["select"]["lora"]["target_modules"] = names
    adapter = get_peft_config(loaded(trl.export(validate(plan_tree), GIVEN).text, tmp_path)[2])
    adapted = get_peft_model(AutoModelForCausalLM.from_pretrained(MODEL_DIR), adapter)
    there = {name.split(".lora_A")[0].rpartition(".")[2] for name, _ in adapted.named_parameters() if "lora_A" in name}
    assert there == set(names)


@pytest.mark.slow
def test_its_command_trains_with_it(plan_tree: dict[str, Any], tmp_path: Path) -> None:
    plan_tree["select"]["hyperparameters"] |= {"batch_size": 4, "epochs": 0.03}
    plan_tree["finetune"] |= {"log_every": 1, "evaluate_every": 2, "save_every": 2}
    written = export_to(tmp_path / "there", validate(plan_tree), "trl", tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "there" / "data" / "train.jsonl").read_text().splitlines()]
    assert len(rows) == written.parts["train"]
    steps = -(-len(rows) // 4) * 0.03
    command = [str(Path(sys.executable).with_name("trl")), *written.command.split()[1:]]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "HF_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        command, cwd=written.folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    out = tmp_path / "there" / "out"
    adapter = json.loads((out / "adapter_config.json").read_text())
    assert (adapter["r"], adapter["lora_alpha"]) == (16, 32)
    assert (out / "adapter_model.safetensors").stat().st_size > 0
    saved = sorted(out.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))[-1]
    state = json.loads((saved / "trainer_state.json").read_text())
    assert state["max_steps"] == -(-steps // 1)
    assert [log["step"] for log in state["log_history"] if "loss" in log][:2] == [1, 2]
    assert any("eval_loss" in log for log in state["log_history"])
