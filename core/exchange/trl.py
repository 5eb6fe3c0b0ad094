"""A plan as the YAML of `trl sft --config`, and back.

The keys are those of TRL 1.16.0: `ScriptArguments` (scripts/utils.py), `SFTConfig` (trainer/sft_config.py) and
`ModelConfig` (trainer/model_config.py), which scripts/sft.py puts together.
"""

from __future__ import annotations

from tunesmith.core.errors import PlanError
from tunesmith.core.exchange.keys import (
    KNOBS,
    STEPS_COUNTED,
    TRAINER,
    never_said,
    read_kind,
    read_model,
    read_precision,
    read_targets,
    stated,
)
from tunesmith.core.exchange.terms import Dropped, Exported, Given, Imported, Key, Reading, Settings
from tunesmith.core.exchange.text import written
from tunesmith.core.plan import Plan, Select

FILE, COMMAND = "sft.yaml", "trl sft --config sft.yaml"
TEMPLATE = "chat_template.jinja"
DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}

KEYS = (
    *TRAINER,
    Key("warmup_steps", KNOBS + "warmup"),
    Key("max_length", KNOBS + "max_length"),
    Key("packing", KNOBS + "packing"),
    Key("activation_checkpointing", KNOBS + "gradient_checkpointing"),
)
LORA = (
    Key("lora_r", "select.lora.rank"),
    Key("lora_alpha", "select.lora.alpha"),
    Key("lora_dropout", "select.lora.dropout"),
)
KINDS: dict[str, Settings] = {"rslora": {"use_rslora": True}, "dora": {"use_dora": True}}
PACKED = (
    Key("bnb_4bit_quant_type", "select.quantization.type"),
    Key("use_bnb_nested_quant", "select.quantization.double"),
)
CANT = {
    "max_steps": "a plan counts passes over the rows: see select.hyperparameters.epochs",
    "deepspeed": "DeepSpeed is not used",
    "fsdp": "FSDP is not used: the model is on one card",
    "push_to_hub": "nothing is sent anywhere",
    "trust_remote_code": "a model's own Python code is not run",
    "loss_type": "the loss is the negative log-likelihood",
    "dataset_config": "the data is a file here",
    "resume_from_checkpoint": "`tunesmith run --resume` goes on with a run",
    "assistant_only_loss": "the last answer of a row is trained, nothing before it",
    "attn_implementation": "attention is computed by the kernel that the model's library picks",
}
ALIASES = {"gradient_checkpointing": "activation_checkpointing", "max_seq_length": "max_length"}
"""Names of before, and what TRL calls them now."""
SILENT = ("output_dir", "report_to", "logging_first_step", "eval_strategy", "save_strategy", "data_seed", "run_name")
"""Keys that say where results go, or that follow from others."""


def export(plan: Plan, given: Given) -> Exported:
    """The plan for `trl sft`.

    Raises:
        PlanError: The plan's kind of adapter is none that TRL's command can train.
    """
    dropped = never_said(plan, "trl")
    notes = ["where a chat template writes more after the mark that ends an answer, that is trained, too"]
    if plan.select.hyperparameters.early_stopping is not None:
        dropped.append(Dropped(KNOBS + "early_stopping", "`trl sft` has no key for it: it trains to the end"))
    opening = [
        f"The plan {plan.name} for TRL 1.16, written by Tunesmith; its rows are in data/. Run it in this folder:",
        f"    {COMMAND}",
    ]
    groups = {
        "The model": _model(plan, given),
        "What is trained of it": _adapter(plan.select),
        "The rows": _rows(given),
        "How it is trained": _training(plan),
        "What is watched and saved": _watching(plan, given),
    }
    return Exported(written(opening, dropped, notes, groups), dropped, notes)


def _model(plan: Plan, given: Given) -> Settings:
    # Full fine-tuning keeps fp32 weights and computes in the chosen precision by autocast.
    dtype = "float32" if plan.select.method == "full" else DTYPES[plan.select.precision]
    template = {} if given.has_chat_template else {"chat_template_path": TEMPLATE}
    return {"model_name_or_path": given.model, "dtype": dtype, **template}


def _adapter(select: Select) -> Settings:
    if select.lora is None:
        if select.method == "full":
            return {}
        raise _unknown_adapter(select.peft)
    if select.peft not in ("lora", "rslora", "dora"):
        raise _unknown_adapter(select.peft)
    settings: Settings = {
        "use_peft": True,
        "lora_r": select.lora.rank,
        "lora_alpha": select.lora.alpha,
        "lora_dropout": select.lora.dropout,
        "lora_target_modules": _targets(select.lora.target_modules),
    }
    if select.peft != "lora":
        settings[f"use_{select.peft}"] = True
    if select.quantization is not None and select.quantization.type == "int8":
        settings["load_in_8bit"] = True
    elif select.quantization is not None:
        settings["load_in_4bit"] = True
        settings |= {key.theirs: getattr(select.quantization, key.ours.rpartition(".")[2]) for key in PACKED}
    return settings


def _unknown_adapter(peft: str) -> PlanError:
    return PlanError(
        f"`trl sft` can't train an adapter of the kind {peft}.",
        next_step="Set select.peft to lora, rslora or dora in the plan, or run the plan with Tunesmith.",
    )


def _targets(modules: str | list[str]) -> list[str]:
    """TRL makes a text of a list of one, and PEFT matches a text against the whole name of a layer."""
    if isinstance(modules, str):
        return [modules]
    return modules if len(modules) > 1 else [rf".*\.{modules[0]}"]


def _rows(given: Given) -> Settings:
    settings: Settings = {"dataset_name": "data", "dataset_train_split": "train"}
    if given.validation:
        settings["dataset_test_split"] = "validation"
    return {**settings, "completion_only_loss": True}


def _training(plan: Plan) -> Settings:
    watched = {"logging_steps", "eval_steps", "save_steps", "save_total_limit"}
    settings = {key: value for key, value in stated(plan, KEYS).items() if key not in watched}
    settings["per_device_eval_batch_size"] = plan.select.hyperparameters.batch_size
    settings["data_seed"] = plan.select.hyperparameters.seed
    grouped = plan.select.hyperparameters.group_by_length
    settings["train_sampling_strategy"] = "group_by_length" if grouped else "random"
    settings["bf16"] = plan.select.precision == "bf16"
    settings["fp16"] = plan.select.precision == "fp16"
    settings["use_cpu"] = plan.select.device == "cpu"
    return settings


def _watching(plan: Plan, given: Given) -> Settings:
    watched = plan.finetune
    evaluation: Settings = {"eval_strategy": "no"}
    if given.validation:
        evaluation = {"eval_strategy": "steps", "eval_steps": watched.evaluate_every}
    return {
        "output_dir": "out",
        "logging_steps": watched.log_every,
        "logging_first_step": True,
        **evaluation,
        "save_strategy": "steps",
        "save_steps": watched.save_every,
        "save_total_limit": watched.keep_checkpoints,
        "report_to": "none",
    }


def import_(settings: Settings) -> Imported:
    """What a file for `trl sft` says, as wishes; its data is for `read` to find."""
    reading = Reading(dict(settings))
    for key in SILENT:
        reading.take(key)
    _read_warmup(reading)
    for old, new in ALIASES.items():
        if (value := reading.take(old)) is not None:
            reading.left.setdefault(new, value)
    reading.take_all(KEYS)
    _read_adapter(reading)
    read_precision(reading)
    dtype = reading.take("dtype")
    if (
        dtype in DTYPES.values()
        and "select.precision" not in reading.wishes
        and reading.wishes["select.method"] != "full"
    ):
        reading.wishes["select.precision"] = next(ours for ours, theirs in DTYPES.items() if theirs == dtype)
    elif dtype is not None and dtype not in (*DTYPES.values(), "auto"):
        reading.drop("dtype", f"{dtype} is no number format of a plan")
    if (sampling := reading.take("train_sampling_strategy")) is not None:
        reading.wish("train_sampling_strategy", KNOBS + "group_by_length", sampling == "group_by_length")
    if reading.take("use_cpu"):
        reading.wishes["select.device"] = "cpu"
    read_model(reading, "model_name_or_path")
    reading.only("completion_only_loss", True, "only the answers are trained")
    reading.only("per_device_eval_batch_size", settings.get("per_device_train_batch_size"), "as in training")
    for key in ("dataset_train_split", "dataset_test_split", "chat_template_path"):
        reading.take(key)
    return Imported("trl", reading.wishes, reading.rest(CANT))


def _read_warmup(reading: Reading) -> None:
    value = reading.left.get("warmup_steps")
    ratio = reading.take("warmup_ratio")
    if ratio is not None:
        reading.wish("warmup_ratio", KNOBS + "warmup", ratio)
        reading.take("warmup_steps")
    elif isinstance(value, int | float) and value >= 1:
        reading.take("warmup_steps")
        reading.drop("warmup_steps", STEPS_COUNTED)


def _read_adapter(reading: Reading) -> None:
    if not reading.take("use_peft"):
        reading.wishes["select.method"] = "full"
        for key in [key for key in reading.left if key.startswith("lora_")]:
            reading.take(key)
            reading.drop(key, "use_peft is not set, so no adapter is trained")
        return
    four, eight = reading.take("load_in_4bit"), reading.take("load_in_8bit")
    reading.wishes["select.method"] = "qlora" if four or eight else "lora"
    read_kind(reading, KINDS)
    reading.take_all(LORA)
    read_targets(reading, "lora_target_modules", reading.take("lora_target_modules"))
    if four:
        reading.take_all(PACKED)
    elif eight:
        reading.wishes["select.quantization.type"] = "int8"
