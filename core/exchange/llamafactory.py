"""A plan as LLaMA-Factory's YAML with its dataset_info.json, and back.

The keys are those of LLaMA-Factory at commit ff6d4d12eeb035d6ce06805a5733dd7b29f2ac30: the argument classes in
src/llamafactory/hparams/, with transformers' `TrainingArguments` among them.
"""

from __future__ import annotations

from typing import Any

from tunesmith.core.errors import PlanError
from tunesmith.core.exchange.axolotl import NEEDS_MULTIPLE, stops_early
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

FILE, COMMAND = "llamafactory.yaml", "llamafactory-cli train llamafactory.yaml"
DATASET_INFO = "dataset_info.json"


def _negated(value: Any) -> Any:
    return not value if isinstance(value, bool) else value


TRAINING = (
    *(key for key in TRAINER if key.ours.startswith(KNOBS)),
    Key("warmup_ratio", KNOBS + "warmup"),
    Key("cutoff_len", KNOBS + "max_length"),
    Key("packing", KNOBS + "packing"),
    Key("disable_gradient_checkpointing", KNOBS + "gradient_checkpointing", _negated, _negated),
)
WATCHING = tuple(key for key in TRAINER if key.ours.startswith("finetune."))
LORA = (
    Key("lora_rank", "select.lora.rank"),
    Key("lora_alpha", "select.lora.alpha"),
    Key("lora_dropout", "select.lora.dropout"),
)
PACKED = (
    Key("quantization_type", "select.quantization.type"),
    Key("double_quantization", "select.quantization.double"),
)
KINDS: dict[str, Settings] = {
    "lora": {},
    "dora": {"use_dora": True},
    "rslora": {"use_rslora": True},
    "pissa": {"pissa_init": True},
}
CANT = {
    "deepspeed": "DeepSpeed is not used: the model is on one card",
    "fsdp": "FSDP is not used: the model is on one card",
    "max_steps": "a plan counts passes over the rows: see select.hyperparameters.epochs",
    "max_samples": "a plan trains on all rows of the file",
    "template": "the model's own chat template is used",
    "eval_dataset": "the validation rows are split off the data: see prepare.split.validation",
    "trust_remote_code": "a model's own Python code is not run",
    "train_on_prompt": "only the answers are trained",
    "adapter_name_or_path": "training begins with a new adapter",
    "resume_from_checkpoint": "`tunesmith run --resume` goes on with a run",
    "additional_target": "beside the adapter nothing is trained",
    "pure_bf16": "trained weights are kept in fp32",
    "quantization_method": "weights are packed by bitsandbytes",
    "lora_target": "no adapter is stated",
    "neat_packing": "rows are not packed",
}
SILENT = (
    "stage",
    "do_train",
    "output_dir",
    "overwrite_output_dir",
    "overwrite_cache",
    "plot_loss",
    "report_to",
    "run_name",
    "preprocessing_num_workers",
    "dataloader_num_workers",
    "ddp_timeout",
    "save_only_model",
    "save_strategy",
    "eval_strategy",
    "logging_first_step",
    "data_seed",
    "load_best_model_at_end",
    "metric_for_best_model",
    "greater_is_better",
    "cache_dir",
    "dataset_dir",
)
"""Keys that say where results go, that follow from others, or that change speed alone."""


def export(plan: Plan, given: Given) -> Exported:
    """The plan for `llamafactory-cli train`.

    Raises:
        PlanError: The plan's kind of adapter is none that LLaMA-Factory can train.
    """
    dropped, notes = _dropped(plan, given), _notes(plan, given)
    opening = [
        f"The plan {plan.name} for LLaMA-Factory, written by Tunesmith; its rows are in data/. Run it in this folder:"
    ]
    groups = {
        "The model": {"model_name_or_path": given.model},
        "What is trained of it": {"stage": "sft", "do_train": True, **_adapter(plan.select)},
        "The rows": _rows(plan, given),
        "How it is trained": _training(plan),
        "What is watched and saved": _watching(plan, given),
    }
    return Exported(written([*opening, f"    {COMMAND}"], dropped, notes, groups), dropped, notes)


def dataset_info(given: Given) -> Settings:
    """What its dataset_info.json says of the files: chats in OpenAI's form (data/README.md, "OpenAI Format")."""
    form: Settings = {
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "system_tag": "system",
        },
    }
    parts = ("train", "validation") if given.validation else ("train",)
    return {part: {"file_name": f"{part}.jsonl", **form} for part in parts}


def _dropped(plan: Plan, given: Given) -> list[Dropped]:
    select = plan.select
    dropped = never_said(plan, "llamafactory")
    if select.precision == "fp32":
        why = "with neither bf16 nor fp16, it takes the number format that the model's own configuration names"
        dropped.append(Dropped("select.precision", why))
    if select.hyperparameters.early_stopping is not None and not stops_early(plan, given):
        dropped.append(Dropped(KNOBS + "early_stopping", NEEDS_MULTIPLE))
    if not given.has_chat_template:
        why = "the model has no chat template: rows are written as `Human:` and `Assistant:` (template default)"
        dropped.append(Dropped("select.model", why))
    if given.skipped:
        rows = "1 row" if given.skipped == 1 else f"{given.skipped:,} rows"
        dropped.append(Dropped("prepare.data", f"it skips {rows} in which user and assistant do not speak in turn"))
    return dropped


def _notes(plan: Plan, given: Given) -> list[str]:
    notes = [
        "where a chat template writes more after the mark that ends an answer, that is trained, too",
        "a row that is too long loses a part of its prompt, too, not only the end of its answer",
    ]
    if plan.select.hyperparameters.group_by_length:
        notes.append("train_sampling_strategy is of transformers 5; with an older one write `group_by_length: true`")
    if given.has_chat_template:
        notes.append(
            "no `template` is stated: it reads the model's own chat template; where it has a template of that model's "
            "name, that may fit better"
        )
    return notes


def _adapter(select: Select) -> Settings:
    if select.method == "full":
        return {"finetuning_type": "full"}
    lora, packed = select.lora, select.quantization
    kinds = [kind for kind in KINDS if packed is None or kind != "pissa"]
    if lora is None or select.peft not in kinds:
        over = " over packed weights" if packed is not None and select.peft in KINDS else ""
        raise PlanError(
            f"LLaMA-Factory can't train an adapter of the kind {select.peft}{over}.",
            next_step=f"Set select.peft to one of {', '.join(kinds)} in the plan, or run the plan with Tunesmith.",
        )
    targets = lora.target_modules
    settings: Settings = {
        "finetuning_type": "lora",
        "lora_rank": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "lora_target": "all" if isinstance(targets, str) else ",".join(targets),
        **KINDS[select.peft],
    }
    if packed is not None:
        settings |= {"quantization_method": "bnb", "quantization_bit": 8 if packed.type == "int8" else 4}
    if packed is not None and packed.type != "int8":
        settings |= {key.theirs: getattr(packed, key.ours.rpartition(".")[2]) for key in PACKED}
    return settings


def _rows(plan: Plan, given: Given) -> Settings:
    settings: Settings = {"dataset_dir": "data", "dataset": "train"}
    if given.validation:
        settings["eval_dataset"] = "validation"
    if not given.has_chat_template:
        settings["template"] = "default"
    return {**settings, "mask_history": True}


def _training(plan: Plan) -> Settings:
    settings = stated(plan, TRAINING)
    knobs = plan.select.hyperparameters
    if knobs.packing:
        settings["neat_packing"] = True  # rows in one sequence do not see each other
    if knobs.group_by_length:
        settings["train_sampling_strategy"] = "group_by_length"
    settings["per_device_eval_batch_size"] = knobs.batch_size
    settings["data_seed"] = knobs.seed
    settings["bf16"] = plan.select.precision == "bf16"
    settings["fp16"] = plan.select.precision == "fp16"
    settings["use_cpu"] = plan.select.device == "cpu"
    return settings


def _watching(plan: Plan, given: Given) -> Settings:
    settings = stated(plan, WATCHING)
    if not given.validation:
        settings.pop("eval_steps")
    settings["eval_strategy"] = "steps" if given.validation else "no"
    settings |= {"logging_first_step": True, "save_strategy": "steps", "report_to": "none"}
    if stops_early(plan, given):
        settings["early_stopping_steps"] = plan.select.hyperparameters.early_stopping
        settings |= {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss", "greater_is_better": False}
    return {"output_dir": "out", **settings}


def import_(settings: Settings) -> Imported:
    """What a LLaMA-Factory file says, as wishes; its data is for `read` to find.

    Raises:
        PlanError: It trains in another way than on examples with answers.
    """
    stage = settings.get("stage", "sft")
    if stage != "sft":
        raise PlanError(
            f"This LLaMA-Factory file trains in the stage {stage}, which a plan can't say.",
            cause="Tunesmith trains on examples with the answer that is wanted (stage sft).",
            next_step="Run it with LLaMA-Factory, or name a file of stage sft.",
        )
    reading = Reading(dict(settings))
    for key in SILENT:
        reading.take(key)
    read_model(reading, "model_name_or_path")
    _read_adapter(reading)
    read_precision(reading)
    if reading.take("use_cpu"):
        reading.wishes["select.device"] = "cpu"
    reading.take_all((*TRAINING, *WATCHING, Key("early_stopping_steps", KNOBS + "early_stopping")))
    if reading.take("warmup_steps") is not None and KNOBS + "warmup" not in reading.wishes:
        reading.drop("warmup_steps", STEPS_COUNTED)
    if reading.take("neat_packing"):
        reading.wishes[KNOBS + "packing"] = True
    _read_grouping(reading)
    share = reading.take("val_size")
    if share:
        reading.wish("val_size", "prepare.split.validation", share)
    system = reading.take("default_system")
    if system:
        reading.wish("default_system", "prepare.system", system)
    reading.only("mask_history", True, "the last answer of a row is trained, nothing before it")
    reading.only("per_device_eval_batch_size", settings.get("per_device_train_batch_size"), "as in training")
    return Imported("llamafactory", reading.wishes, reading.rest(CANT))


def _read_grouping(reading: Reading) -> None:
    sampling, grouped = reading.take("train_sampling_strategy"), reading.take("group_by_length")
    if sampling is not None or grouped is not None:
        reading.wishes[KNOBS + "group_by_length"] = sampling == "group_by_length" or grouped is True


def _read_adapter(reading: Reading) -> None:
    kind = reading.take("finetuning_type") or "lora"
    bits = reading.take("quantization_bit")
    if kind == "full":
        reading.wishes["select.method"] = "full"
        return
    if kind != "lora":
        reading.drop("finetuning_type", f"{kind} is no method of a plan; it is recommended instead")
        return
    reading.wishes["select.method"] = "qlora" if bits else "lora"
    read_kind(reading, KINDS)
    reading.take_all(LORA)
    targets = reading.take("lora_target")
    names = [one.strip() for one in targets.split(",")] if isinstance(targets, str) else targets
    read_targets(reading, "lora_target", "all-linear" if names == ["all"] else names)
    _read_packing(reading, bits)


def _read_packing(reading: Reading, bits: Any) -> None:
    method = reading.take("quantization_method")
    if bits is None:
        return
    if method not in (None, "bnb", "bitsandbytes"):
        reading.drop("quantization_method", f"weights are packed by bitsandbytes, not by {method}")
    if bits == 8:
        reading.wishes["select.quantization.type"] = "int8"
        return
    reading.take_all(PACKED)
    if bits != 4:
        reading.drop("quantization_bit", f"weights are packed to 4 or 8 bits, not to {bits}; 4 is taken")
