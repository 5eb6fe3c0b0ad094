"""A plan as Axolotl's YAML, and back.

The keys are those of Axolotl 0.18.0, commit 067b021c8b87a9e5e380b9173c704cf7340e30f5: `AxolotlInputConfig` and its
parents in src/axolotl/utils/schemas/; what they do is in loaders/ and core/builders/.
"""

from __future__ import annotations

from tunesmith.core.errors import PlanError
from tunesmith.core.exchange.keys import (
    KNOBS,
    STEPS_COUNTED,
    never_said,
    read_kind,
    read_model,
    read_precision,
    read_schedule,
    read_targets,
    stated,
)
from tunesmith.core.exchange.terms import Dropped, Exported, Given, Imported, Key, Reading, Settings
from tunesmith.core.exchange.text import written
from tunesmith.core.plan import SCHEDULERS, Plan, Select

FILE, COMMAND = "axolotl.yaml", "axolotl train axolotl.yaml"
TEMPLATE = "chat_template.jinja"

TRAINING = (
    Key("learning_rate", KNOBS + "learning_rate"),
    Key("lr_scheduler", KNOBS + "schedule", to=SCHEDULERS.__getitem__, back=read_schedule),
    Key("warmup_ratio", KNOBS + "warmup"),
    Key("num_epochs", KNOBS + "epochs"),
    Key("micro_batch_size", KNOBS + "batch_size"),
    Key("gradient_accumulation_steps", KNOBS + "accumulation"),
    Key("sequence_len", KNOBS + "max_length"),
    Key("weight_decay", KNOBS + "weight_decay"),
    Key("max_grad_norm", KNOBS + "max_grad_norm"),
    Key("optimizer", KNOBS + "optimizer", back=lambda name: "adamw_8bit" if name == "adamw_bnb_8bit" else name),
    Key("sample_packing", KNOBS + "packing"),
    Key("group_by_length", KNOBS + "group_by_length"),
    Key("gradient_checkpointing", KNOBS + "gradient_checkpointing"),
    Key("seed", KNOBS + "seed"),
)
WATCHING = (
    Key("logging_steps", "finetune.log_every"),
    Key("eval_steps", "finetune.evaluate_every"),
    Key("save_steps", "finetune.save_every"),
    Key("save_total_limit", "finetune.keep_checkpoints"),
    Key("early_stopping_patience", KNOBS + "early_stopping"),
)
LORA = (
    Key("lora_r", "select.lora.rank"),
    Key("lora_alpha", "select.lora.alpha"),
    Key("lora_dropout", "select.lora.dropout"),
)
PACKED = (
    Key("bnb_4bit_quant_type", "select.quantization.type"),
    Key("bnb_4bit_use_double_quant", "select.quantization.double"),
)
"""Inside `bnb_config_kwargs`."""
KINDS: dict[str, Settings] = {
    "lora": {},
    "dora": {"peft_use_dora": True},
    "rslora": {"peft_use_rslora": True},
    "pissa": {"peft_init_lora_weights": "pissa"},
}
CANT = {
    "deepspeed": "DeepSpeed is not used: the model is on one card",
    "fsdp": "FSDP is not used: the model is on one card",
    "fsdp_config": "FSDP is not used: the model is on one card",
    "max_steps": "a plan counts passes over the rows: see select.hyperparameters.epochs",
    "saves_per_epoch": "a plan counts steps: see finetune.save_every",
    "evals_per_epoch": "a plan counts steps: see finetune.evaluate_every",
    "batch_size": "a plan states the micro-batch and the accumulation",
    "chat_template": "the model's own chat template is used",
    "special_tokens": "the model's own tokens are used",
    "tokens": "the model's own tokens are used",
    "plugins": "no plugins are loaded",
    "trust_remote_code": "a model's own Python code is not run",
    "train_on_inputs": "only the answers are trained",
    "flash_attention": "attention is computed by the kernel that the model's library picks",
    "attn_implementation": "attention is computed by the kernel that the model's library picks",
    "eval_sample_packing": "validation rows are packed as the training rows are",
    "test_datasets": "the validation rows are split off the data: see prepare.split.validation",
    "lora_model_dir": "training begins with a new adapter",
    "resume_from_checkpoint": "`tunesmith run --resume` goes on with a run",
    "lora_modules_to_save": "beside the adapter nothing is trained",
    "lora_target_modules": "no adapter is stated",
    "neftune_noise_alpha": "no noise is added to the embeddings",
}
SILENT = (
    "output_dir",
    "dataset_prepared_path",
    "wandb_project",
    "wandb_entity",
    "wandb_watch",
    "wandb_name",
    "wandb_log_model",
    "model_type",
    "tokenizer_type",
    "eval_strategy",
    "save_strategy",
    "pad_to_sequence_len",
    "tf32",
    "eval_batch_size",
    "load_best_model_at_end",
    "strict",
)
"""Keys that say where results go, that follow from others, or that change speed alone."""


def export(plan: Plan, given: Given) -> Exported:
    """The plan for `axolotl train`.

    Raises:
        PlanError: The plan's kind of adapter is none that Axolotl can train.
    """
    dropped, notes = _dropped(plan, given), _notes(plan)
    opening = [
        "The plan "
        + plan.name
        + " for Axolotl 0.18, written by Tunesmith; its rows are in data/. Run it in this folder:"
    ]
    groups = {
        "The model": _model(plan.select, given),
        "What is trained of it": _adapter(plan.select),
        "The rows": _rows(given),
        "How it is trained": _training(plan),
        "What is watched and saved": _watching(plan, given),
    }
    return Exported(written([*opening, f"    {COMMAND}"], dropped, notes, groups), dropped, notes)


def _dropped(plan: Plan, given: Given) -> list[Dropped]:
    select = plan.select
    dropped = never_said(plan, "axolotl")
    if select.device == "cpu":
        dropped.append(Dropped("select.device", "it trains on a GPU; no key sends it to the processor"))
    if select.method == "full" and select.precision != "fp32":
        why = f"the weights themselves are {select.precision} there; Tunesmith keeps them in fp32 and computes so"
        dropped.append(Dropped("select.precision", why))
    if select.hyperparameters.early_stopping is not None and not stops_early(plan, given):
        dropped.append(Dropped(KNOBS + "early_stopping", NEEDS_MULTIPLE))
    return dropped


def stops_early(plan: Plan, given: Given) -> bool:
    """Whether early stopping can be said: transformers wants the best checkpoint kept, so that each save must fall on
    an evaluation (transformers 5.23.0, `training_args.py`, `load_best_model_at_end`)."""
    watched = plan.finetune
    stops = plan.select.hyperparameters.early_stopping is not None
    return stops and given.validation > 0 and watched.save_every % watched.evaluate_every == 0


NEEDS_MULTIPLE = "it needs validation rows, and a finetune.save_every that is a multiple of finetune.evaluate_every"


def _notes(plan: Plan) -> list[str]:
    notes = ["each turn says with `train` whether it is trained: the last answer is, nothing before it"]
    if plan.select.hyperparameters.warmup:
        notes.append("a share of warm-up is rounded down to whole steps there, and up here; one step becomes two")
    notes.append("the validation rows are also scored once before the first step")
    return notes


def _model(select: Select, given: Given) -> Settings:
    template: Settings = {"chat_template": "tokenizer_default"}
    if not given.has_chat_template:
        template = {"chat_template": "jinja", "chat_template_jinja": TEMPLATE}
    return {"base_model": given.model, **template}


def _adapter(select: Select) -> Settings:
    lora = select.lora
    if select.method == "full":
        return {}
    if lora is None or select.peft not in KINDS:
        raise PlanError(
            f"Axolotl can't train an adapter of the kind {select.peft}.",
            next_step=f"Set select.peft to one of {', '.join(KINDS)} in the plan, or run the plan with Tunesmith.",
        )
    packed = select.quantization
    settings: Settings = {"adapter": "qlora" if packed is not None and packed.type != "int8" else "lora"}
    settings |= {"lora_r": lora.rank, "lora_alpha": lora.alpha, "lora_dropout": lora.dropout}
    if isinstance(lora.target_modules, str):
        settings["lora_target_linear"] = True
    else:
        settings["lora_target_modules"] = lora.target_modules
    settings |= KINDS[select.peft]
    if packed is not None and packed.type == "int8":
        settings["load_in_8bit"] = True
    elif packed is not None:
        settings["load_in_4bit"] = True
        settings["bnb_config_kwargs"] = {key.theirs: getattr(packed, key.ours.rpartition(".")[2]) for key in PACKED}
    return settings


def _rows(given: Given) -> Settings:
    settings: Settings = {"datasets": [_dataset("train")]}
    if given.validation:
        settings["test_datasets"] = [{**_dataset("validation"), "split": "train"}]
    return {**settings, "val_set_size": 0.0, "dataset_prepared_path": "prepared", "excess_length_strategy": "truncate"}


def _dataset(part: str) -> Settings:
    return {
        "path": f"data/{part}.jsonl",
        "ds_type": "json",
        "type": "chat_template",
        "field_messages": "messages",
        "message_property_mappings": {"role": "role", "content": "content"},
        "message_field_training": "train",
        "roles_to_train": [],
        "train_on_eos": "turn",
    }


def _training(plan: Plan) -> Settings:
    settings = stated(plan, TRAINING)
    if plan.select.hyperparameters.packing:
        # These backends keep packed rows from seeing each other (utils/schemas/config.py, attn_decontaminates_packing).
        settings |= {"eval_sample_packing": True, "pad_to_sequence_len": True, "attn_implementation": "sdpa"}
    settings["eval_batch_size"] = plan.select.hyperparameters.batch_size
    settings["train_on_inputs"] = False
    settings["bf16"] = plan.select.precision == "bf16"
    settings["fp16"] = plan.select.precision == "fp16"
    settings["tf32"] = False
    return settings


def _watching(plan: Plan, given: Given) -> Settings:
    settings = stated(plan, WATCHING)
    if not given.validation:
        settings.pop("eval_steps")
    if not stops_early(plan, given):
        settings.pop("early_stopping_patience", None)
    return {"output_dir": "out", **settings}


def import_(settings: Settings) -> Imported:
    """What an Axolotl file says, as wishes; its data is for `read` to find.

    Raises:
        PlanError: It trains in another way than on examples with answers.
    """
    _refuse_other_training(settings)
    reading = Reading(dict(settings))
    for key in SILENT:
        reading.take(key)
    read_model(reading, "base_model")
    _read_adapter(reading)
    read_precision(reading)
    if reading.take("bfloat16"):
        reading.wishes["select.precision"] = "bf16"
    for key in ("eval_steps", "save_steps"):
        _whole_steps(reading, key)
    reading.take_all((*TRAINING, *WATCHING))
    if reading.take("warmup_steps") is not None and KNOBS + "warmup" not in reading.wishes:
        reading.drop("warmup_steps", STEPS_COUNTED)
    share = reading.take("val_set_size")
    if share:
        reading.wish("val_set_size", "prepare.split.validation", share)
    reading.only("excess_length_strategy", "truncate", "a row that is too long is cut at its end, never left out")
    if reading.left.get("chat_template") in ("tokenizer_default", "jinja"):
        reading.take("chat_template")
        reading.take("chat_template_jinja")
    if reading.wishes.get(KNOBS + "packing"):
        for key in ("eval_sample_packing", "attn_implementation", "flash_attention"):
            reading.take(key)
    return Imported("axolotl", reading.wishes, reading.rest(CANT))


def _refuse_other_training(settings: Settings) -> None:
    other = settings.get("rl") or next(
        (key for key in ("reward_model", "process_reward_model") if settings.get(key)), 0
    )
    if other:
        raise PlanError(
            f"This Axolotl file trains by preference or reward ({other}), which a plan can't say.",
            cause="Tunesmith trains on examples with the answer that is wanted.",
            next_step="Run it with Axolotl, or name a file that trains on answers.",
        )
    if settings.get("pretraining_dataset"):
        raise PlanError(
            "This Axolotl file trains on running text (pretraining_dataset), which a plan can't say.",
            cause="Tunesmith trains on examples with the answer that is wanted.",
            next_step="Run it with Axolotl, or name a file that trains on answers.",
        )


def _whole_steps(reading: Reading, key: str) -> None:
    value = reading.left.get(key)
    if isinstance(value, float) and value < 1:
        reading.take(key)
        reading.drop(key, "a plan counts steps here, not shares of the run; it is recommended instead")


def _read_adapter(reading: Reading) -> None:
    adapter = reading.take("adapter")
    four, eight = reading.take("load_in_4bit"), reading.take("load_in_8bit")
    if not adapter:
        reading.wishes["select.method"] = "full"
        return
    if adapter not in ("lora", "qlora"):
        reading.drop("adapter", f"{adapter} is no kind of adapter that a plan knows; it is recommended instead")
        return
    reading.wishes["select.method"] = "qlora" if four or eight else "lora"
    read_kind(reading, KINDS)
    reading.take_all(LORA)
    linear, modules = reading.take("lora_target_linear"), reading.take("lora_target_modules")
    read_targets(reading, "lora_target_modules", "all-linear" if linear else modules)
    if linear and modules:
        reading.drop("lora_target_modules", "all linear layers get an adapter, which takes these in")
    if eight:
        reading.wishes["select.quantization.type"] = "int8"
    elif four:
        _read_packing(reading)


def _read_packing(reading: Reading) -> None:
    """Take how 4-bit weights are packed."""
    packing = reading.take("bnb_config_kwargs")
    inner = Reading(dict(packing) if isinstance(packing, dict) else {}, reading.wishes, reading.dropped)
    inner.take_all(PACKED)
    inner.rest({})
