"""Reads a file of another trainer: finds out which tool it is for, what it means in a plan, and which data it names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.errors import PlanError
from tunesmith.core.exchange import axolotl, llamafactory, trl
from tunesmith.core.exchange.terms import Dropped, Imported, Settings, Tool
from tunesmith.core.exchange.text import parsed
from tunesmith.core.plan_yaml import read_text
from tunesmith.core.practice import MODEL_DIR, PRACTICE
from tunesmith.core.stages import STAGES

MARKS: dict[Tool, frozenset[str]] = {
    "axolotl": frozenset({"base_model", "sequence_len", "micro_batch_size", "num_epochs", "lora_target_linear"}),
    "llamafactory": frozenset({"finetuning_type", "stage", "cutoff_len", "dataset_dir", "template", "lora_rank"}),
    "trl": frozenset({"use_peft", "dataset_name", "lora_r", "max_length", "dataset_train_split", "dtype"}),
}
"""Keys by which the files differ; the model is `base_model` for Axolotl and `model_name_or_path` for both others."""

FOR_GPUS = ("adamw_8bit", "paged_adamw_8bit")
CHATS_IN_PARTS = "its prompts are chats by themselves, and a plan takes a whole chat as `messages`"
DATA_KEYS = {"trl": ("dataset_name", "datasets"), "axolotl": ("datasets",), "llamafactory": ("dataset",)}
PARTS = ("train.jsonl", "train.json", "train.csv")


def import_file(path: Path) -> Imported:
    """What the file at `path` says, as wishes; paths in it start from its own folder.

    Raises:
        PlanError: There is no such file, it is none of these tools', or it trains in a way that a plan can't say.
        AccessError: It can't be read.
    """
    if not path.exists():
        raise PlanError(f"There is no file {path}.", next_step="Check the path.")
    return import_text(read_text(path), path)


def import_text(text: str, path: Path) -> Imported:
    """The same for a text that stands at `path`."""
    settings = parsed(text, str(path))
    tool = tool_of(settings, str(path))
    stated = {key: settings.pop(key) for key in DATA_KEYS[tool] if settings.get(key)}
    folder = path.absolute().parent
    if tool == "llamafactory" and stated:
        stated["dataset_dir"] = settings.get("dataset_dir", "data")
    modules = {"trl": trl, "axolotl": axolotl, "llamafactory": llamafactory}
    found: Imported = modules[tool].import_(settings)
    data, dropped = _data(tool, stated, folder)
    wishes = {**found.wishes, **({"prepare.data": data} if data else {})}
    return replace(found, wishes=_on_this_machine(wishes, settings, folder), dropped=[*dropped, *found.dropped])


def tool_of(settings: Settings, name: str) -> Tool:
    """Which tool the settings are for.

    Raises:
        PlanError: None of the three, or a plan of Tunesmith.
    """
    if len(settings.keys() & set(STAGES)) >= 2:
        raise PlanError(
            f"{name} is a plan of Tunesmith already.", next_step=f"Check it with `tunesmith plan check {name}`."
        )
    found: dict[Tool, int] = {tool: len(marks & settings.keys()) for tool, marks in MARKS.items()}
    if "base_model" in settings:
        return "axolotl"
    best = max(found, key=lambda tool: found[tool])
    if "model_name_or_path" in settings and found[best] and best != "axolotl":
        return best
    raise PlanError(
        f"It can't be told which tool {name} is for.",
        cause="An Axolotl file names its base_model; files of TRL and LLaMA-Factory name a model_name_or_path.",
        next_step="Name a YAML file of `trl sft`, Axolotl or LLaMA-Factory.",
    )


def _data(tool: Tool, stated: Settings, folder: Path) -> tuple[str, list[Dropped]]:
    """The one file of rows that the settings name, where it is on this machine; and why not, where it is not."""
    if not stated:
        return "", []
    key, value = next(iter(stated.items()))
    if isinstance(value, list) and len(value) > 1:
        return "", [Dropped(key, f"it names {len(value)} data sets and a plan has one; name it with --data")]
    if tool == "llamafactory":
        named, why = _listed(str(value), folder / str(stated["dataset_dir"]))
    else:
        named, why = _named(value), ""
    if why:
        return "", [Dropped(key, why)]
    place = folder / Path(named).expanduser()
    for file in (place, *(place / part for part in PARTS)):
        if file.is_file() and _holds_chats_in_parts(file):
            return "", [Dropped(key, f"{CHATS_IN_PARTS}; name your data with --data")]
        if file.is_file():
            return str(file), []
    return "", [Dropped(key, f"there is no file {named} here; name your data with --data")]


def _holds_chats_in_parts(file: Path) -> bool:
    """Whether the first row's prompt is a chat by itself, as TRL has it."""
    try:
        with file.open("rb") as lines:
            row = msgspec.json.decode(next(lines, b""))
    except (OSError, msgspec.DecodeError):
        return False  # a table, or a file whose rows go over several lines
    return isinstance(row, dict) and isinstance(row.get("prompt"), list)


def _named(value: Any) -> str:
    """The path in TRL's `dataset_name`, or in a list of one data set with `path` and perhaps `data_files`."""
    one = value[0] if isinstance(value, list) else value
    if not isinstance(one, dict):
        return str(one)
    files = one.get("data_files")
    if isinstance(files, dict):
        files = files.get("train")
    files = files[0] if isinstance(files, list) and files else files
    return str(files or one.get("path", ""))


def _listed(name: str, folder: Path) -> tuple[str, str]:
    """(the file of a LLaMA-Factory data set, or why there is none), from its dataset_info.json."""
    if "," in name:
        return "", "it names several data sets and a plan has one; name it with --data"
    info = folder / llamafactory.DATASET_INFO
    try:
        listed = parsed(info.read_text(encoding="utf-8"), str(info))  # JSON is YAML
    except (OSError, UnicodeDecodeError, PlanError):
        return "", f"there is no {info} that tells the file of {name}; name your data with --data"
    entry = listed.get(name)
    file = entry.get("file_name") if isinstance(entry, dict) else None
    if not file:
        return "", f"{info} names no file for {name}; name your data with --data"
    return str(folder / str(file)), ""


def _on_this_machine(wishes: dict[str, Any], settings: Settings, folder: Path) -> dict[str, Any]:
    """The wishes with the shipped model known again, a model's folder spelled out, and the GPU that they need."""
    model = wishes.get("select.model")
    if model is not None:
        place = folder / Path(model).expanduser()
        wishes["select.model"] = PRACTICE if place == MODEL_DIR else str(place) if place.is_dir() else model
    needs_gpu = wishes.get("select.precision") == "fp16" or wishes.get("select.hyperparameters.optimizer") in FOR_GPUS
    if needs_gpu and not settings.get("use_cpu"):
        wishes["select.device"] = "cuda"
    return wishes
