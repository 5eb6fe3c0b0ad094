"""Files of other tools as people have them: what is taken over, what is named as left out, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.core.facts_kit import facts
from tunesmith.core.errors import PlanError
from tunesmith.core.exchange.read import import_file, import_text, tool_of
from tunesmith.core.exchange.terms import Imported
from tunesmith.core.plan_yaml import dump_plan, validate
from tunesmith.core.practice import MODEL_DIR
from tunesmith.core.recommend import resolve

KNOBS = "select.hyperparameters."
AXOLOTL = """\
base_model: org/llama-1b
datasets:
  - path: rows.jsonl
    type: chat_template
val_set_size: 0.1
output_dir: ./out
adapter: lora
lora_r: 16
lora_alpha: 32
lora_target_linear: true
sequence_len: 2048
sample_packing: true
eval_sample_packing: true
gradient_accumulation_steps: 2
micro_batch_size: 2
num_epochs: 3
optimizer: adamw_8bit
lr_scheduler: cosine
learning_rate: 2e-4
bf16: auto
tf32: false
gradient_checkpointing: true
logging_steps: 1
attn_implementation: flash_attention_2
warmup_ratio: 0.1
evals_per_epoch: 4
weight_decay: 0.0
"""
LLAMAFACTORY = """\
model_name_or_path: org/qwen-4b
quantization_bit: 4
stage: sft
do_train: true
finetuning_type: lora
lora_rank: 8
lora_target: q_proj,v_proj
dataset: mine
template: qwen3_nothink
cutoff_len: 2048
max_samples: 1000
output_dir: saves
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 1.0e-4
num_train_epochs: 3.0
warmup_ratio: 0.1
bf16: true
"""
TRL = """\
model_name_or_path: org/qwen-1b
dataset_name: trl-lib/Capybara
use_peft: true
lora_r: 32
lora_target_modules: [q_proj, v_proj]
learning_rate: "2.0e-4"
num_train_epochs: 1
packing: true
gradient_checkpointing: true
warmup_steps: 20
load_in_8bit: true
push_to_hub: false
max_steps: 500
"""


def read(text: str, folder: Path = Path("/nowhere")) -> Imported:
    return import_text(text, folder / "file.yaml")


def why(imported: Imported, key: str) -> str:
    return next(one.why for one in imported.dropped if one.path == key)


def test_an_axolotl_file_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n")
    imported = read(AXOLOTL, tmp_path)
    assert imported.tool == "axolotl"
    wishes = imported.wishes
    assert wishes["prepare.data"] == str(tmp_path / "rows.jsonl")
    assert wishes["prepare.split.validation"] == 0.1
    assert (wishes["select.method"], wishes["select.lora.rank"]) == ("lora", 16)
    assert wishes["select.lora.target_modules"] == "all-linear"
    assert (wishes[KNOBS + "learning_rate"], wishes[KNOBS + "epochs"]) == (2e-4, 3.0)
    assert (wishes[KNOBS + "batch_size"], wishes[KNOBS + "accumulation"]) == (2, 2)
    assert wishes[KNOBS + "packing"] is True
    assert wishes["select.device"] == "cuda"  # its optimizer is for GPUs
    assert "select.precision" not in wishes  # auto: recommended for this machine
    assert {one.path for one in imported.dropped} == {"evals_per_epoch"}
    assert "finetune.evaluate_every" in why(imported, "evals_per_epoch")


def test_a_llamafactory_file_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.json").write_text("[]")
    listed = {"mine": {"file_name": "mine.json", "formatting": "sharegpt"}}
    (tmp_path / "data" / "dataset_info.json").write_text(json.dumps(listed))
    imported = read(LLAMAFACTORY, tmp_path)
    wishes = imported.wishes
    assert imported.tool == "llamafactory"
    assert wishes["prepare.data"] == str(tmp_path / "data" / "mine.json")
    assert (wishes["select.method"], wishes["select.lora.rank"]) == ("qlora", 8)
    assert wishes["select.lora.target_modules"] == ["q_proj", "v_proj"]
    assert (wishes["select.precision"], wishes[KNOBS + "warmup"]) == ("bf16", 0.1)
    assert {one.path for one in imported.dropped} == {"template", "max_samples"}
    assert "all rows" in why(imported, "max_samples")


def test_a_trl_file_is_taken_over() -> None:
    imported = read(TRL)
    wishes = imported.wishes
    assert imported.tool == "trl"
    assert (wishes["select.method"], wishes["select.quantization.type"]) == ("qlora", "int8")
    assert wishes[KNOBS + "learning_rate"] == 2e-4
    assert wishes[KNOBS + "gradient_checkpointing"] is True
    assert {one.path for one in imported.dropped} == {"dataset_name", "warmup_steps", "max_steps"}
    assert "--data" in why(imported, "dataset_name")
    assert "as a share" in why(imported, "warmup_steps")
    assert "counts passes" in why(imported, "max_steps")


def test_what_was_read_becomes_a_plan_in_which_the_rest_is_recommended() -> None:
    wishes = {**read(AXOLOTL).wishes, "prepare.data": "practice"}
    resolution = resolve(wishes, facts(card="RTX 4090"))
    assert resolution.plan.select.hyperparameters.learning_rate == 2e-4
    assert resolution.reasons[KNOBS + "learning_rate"].chosen
    assert not resolution.reasons[KNOBS + "max_grad_norm"].chosen


def test_values_that_a_plan_can_not_have_are_named_and_recommended_instead() -> None:
    imported = read(AXOLOTL.replace("cosine", "rex").replace("2e-4", "fast").replace("num_epochs: 3", "num_epochs: -1"))
    assert not {KNOBS + "schedule", KNOBS + "learning_rate", KNOBS + "epochs"} & imported.wishes.keys()
    assert "'rex' is not taken for select.hyperparameters.schedule" in why(imported, "lr_scheduler")
    assert "it is no number" in why(imported, "learning_rate")
    assert "greater than 0" in why(imported, "num_epochs")


def test_what_a_plan_has_nothing_like_is_named_with_the_reason() -> None:
    imported = read(AXOLOTL + "deepspeed: zero3.json\nlora_mlp_kernel: true\nwarmup_steps: 10\nspecial_tokens: {}\n")
    assert "one card" in why(imported, "deepspeed")
    assert "nothing like it" in why(imported, "lora_mlp_kernel")
    assert "special_tokens" not in {one.path for one in imported.dropped}  # it says nothing


def test_an_adapter_of_another_kind_is_named() -> None:
    imported = read(AXOLOTL.replace("adapter: lora", "adapter: llama-adapter"))
    assert "select.method" not in imported.wishes
    assert "llama-adapter is no kind of adapter" in why(imported, "adapter")
    galore = read(LLAMAFACTORY.replace("finetuning_type: lora", "finetuning_type: freeze"))
    assert "freeze is no method of a plan" in why(galore, "finetuning_type")
    no_peft = read(TRL.replace("use_peft: true", "use_peft: false"))
    assert no_peft.wishes["select.method"] == "full"
    assert "no adapter is trained" in why(no_peft, "lora_r")


def test_two_kinds_of_adapter_are_one_too_many() -> None:
    both = read(AXOLOTL + "peft_use_dora: true\npeft_use_rslora: true\n")
    assert both.wishes["select.peft"] == "dora"
    assert "of one kind, and dora was taken" in why(both, "peft_use_rslora")
    trl = read(TRL + "use_dora: true\nuse_rslora: true\n")
    assert trl.wishes["select.peft"] == "rslora"
    assert "rslora was taken" in why(trl, "use_dora")


def test_two_precisions_are_one_too_many() -> None:
    both = read(LLAMAFACTORY + "fp16: true\n")
    assert both.wishes["select.precision"] == "bf16"
    assert "bf16 is set as well" in why(both, "fp16")


def test_old_names_and_number_formats_of_trl_are_understood() -> None:
    named = read(TRL + "max_seq_length: 640\ndtype: float16\n")
    assert named.wishes[KNOBS + "max_length"] == 640
    assert named.wishes["select.precision"] == "fp16"
    assert "int4 is no number format" in why(read(TRL + "dtype: int4\n"), "dtype")


@pytest.mark.parametrize("name", ["constant", "constant_with_warmup"])
def test_a_constant_rate_has_two_names(name: str) -> None:
    assert read(TRL + f"lr_scheduler_type: {name}\n").wishes[KNOBS + "schedule"] == "constant"
    assert read(AXOLOTL.replace("cosine", name)).wishes[KNOBS + "schedule"] == "constant"


def test_several_data_sets_are_one_too_many() -> None:
    imported = read(AXOLOTL.replace("datasets:\n", "datasets:\n  - path: other.jsonl\n"))
    assert "names 2 data sets and a plan has one; name it with --data" in why(imported, "datasets")
    assert "several" in why(read(LLAMAFACTORY.replace("mine", "mine,theirs")), "dataset")
    assert "dataset_info.json" in why(read(LLAMAFACTORY), "dataset")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (AXOLOTL + "rl: dpo\n", r"trains by preference or reward \(dpo\).*examples with the answer"),
        (AXOLOTL + "reward_model: true\n", r"preference or reward \(reward_model\)"),
        (AXOLOTL + "pretraining_dataset: [{path: x}]\n", "trains on running text"),
        (LLAMAFACTORY.replace("stage: sft", "stage: dpo"), "trains in the stage dpo"),
        ("a: [1\n", "line 2: this is not YAML"),
        ("just words", "holds no settings"),
        ("", "holds no settings"),
        ("colour: red\n", "It can't be told which tool"),
        ("model_name_or_path: x\nlearning_rate: 1\n", "It can't be told which tool"),
    ],
)
def test_what_is_no_supervised_training_of_a_known_tool_is_refused(text: str, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        read(text)


def test_a_plan_of_ours_is_not_imported(plan_tree: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match="is a plan of Tunesmith already.*tunesmith plan check"):
        read(dump_plan(validate(plan_tree)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="There is no file .*nowhere.yaml. Check the path."):
        import_file(tmp_path / "nowhere.yaml")


def test_the_tools_are_told_apart_by_their_keys() -> None:
    assert tool_of({"base_model": "x"}, "it") == "axolotl"
    assert tool_of({"model_name_or_path": "x", "stage": "sft", "dataset": "y"}, "it") == "llamafactory"
    assert tool_of({"model_name_or_path": "x", "dataset_name": "y"}, "it") == "trl"


def test_the_shipped_model_is_known_again() -> None:
    assert read(TRL.replace("org/qwen-1b", str(MODEL_DIR))).wishes["select.model"] == "practice"
