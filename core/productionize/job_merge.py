"""Folds the adapter into the weights and writes the whole model in Hugging Face layout, ready to be served."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers import GenerationConfig, PreTrainedTokenizerBase

from tunesmith.core.errors import ModelError, SpaceError
from tunesmith.core.figures import size
from tunesmith.core.plan import Plan
from tunesmith.core.rows import Row
from tunesmith.core.run import Run
from tunesmith.core.worker.generate import end_tokens
from tunesmith.core.worker.model import load_model, load_tokenizer
from tunesmith.core.worker.tokenize import encode_prompt
from tunesmith.core.worker.tuned import with_adapter

_SAMPLING = ("temperature", "top_k", "top_p", "min_p", "top_h", "typical_p", "epsilon_cutoff", "eta_cutoff")
_ROOM = 1.05
"""Configuration, tokenizer and the file system's own needs beside the weights."""


def merge(plan: Plan, run: Run, base_path: str) -> None:
    """Write the merged model to `run.merged`, aside and then renamed.

    The weights keep the number format in which they were held for training (a bf16 base stays bf16): rounding them
    to a smaller one could change answers. For qlora the adapter is folded into the base's own weights, not into the
    4-bit ones it was trained over, as is customary; the two are then not the same model, so both are scored.

    Raises:
        SpaceError: The disk has not enough room.
        ModelError: Base or adapter can't be loaded.
    """
    tokenizer = load_tokenizer(run.adapter)
    adapted = with_adapter(load_model(base_path, plan.select, quantized=False), run.adapter)
    model = adapted.merge_and_unload()
    check_room(run.model, model.num_parameters() * model.dtype.itemsize)
    model.generation_config = greedy_defaults(model, tokenizer)
    model.config.use_cache = True  # gradient checkpointing may have switched it off
    aside = run.merged.with_name(run.merged.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        model.save_pretrained(aside)
        tokenizer.save_pretrained(aside)
    except SafetensorError as error:  # it wraps what the file system said
        if "os error 28" in str(error) or "os error 122" in str(error):
            raise _no_room(run.model, f"{error}".strip()) from error
        raise
    shutil.rmtree(run.merged, ignore_errors=True)
    aside.rename(run.merged)


def greedy_defaults(model: Any, tokenizer: PreTrainedTokenizerBase) -> GenerationConfig:
    """The model's generation settings, made those that it was scored with: no sampling, and every end of an answer.

    A server takes them as its defaults, so that it answers as measured also when a request says nothing.
    """
    settings: GenerationConfig = model.generation_config
    settings.do_sample = False
    for name in _SAMPLING:
        setattr(settings, name, None)
    settings.eos_token_id = end_tokens(model, tokenizer)
    settings.pad_token_id = tokenizer.pad_token_id
    return settings


def write_generation_settings(folder: Path, model: Any, tokenizer: PreTrainedTokenizerBase) -> None:
    """Give the whole model in `folder` the settings of `greedy_defaults`, its file written aside and renamed."""
    aside = folder / ".generation.part"
    aside.mkdir(exist_ok=True)
    greedy_defaults(model, tokenizer).save_pretrained(aside)
    (aside / "generation_config.json").replace(folder / "generation_config.json")
    shutil.rmtree(aside)


def check_room(folder: Path, weights: int) -> None:
    """See that `weights` bytes fit on the disk of `folder`.

    Raises:
        SpaceError: They do not.
    """
    free = shutil.disk_usage(folder).free
    if free < weights * _ROOM:
        raise _no_room(folder, f"It needs {size(int(weights * _ROOM))}, and {size(free)} are free in {folder}.")


def check_same_prompts(before: Path, after: Path, rows: Sequence[Row]) -> None:
    """See that the tokenizer in `after` writes every prompt as the one in `before` does, token for token.

    Raises:
        ModelError: A prompt differs: the merged model would be asked otherwise than it was trained.
    """
    trained, saved = load_tokenizer(before), load_tokenizer(after)
    different = sum(
        encode_prompt(trained, row.prompt, row.tools) != encode_prompt(saved, row.prompt, row.tools)
        for row in rows
        if row.prompt
    )
    if different or trained.chat_template != saved.chat_template:
        raise ModelError(
            f"The tokenizer in {after} writes {different} of {len(rows)} prompts otherwise than training did.",
            next_step="Serve the adapter on its base model instead, and report this with the versions in the report.",
        )


def folder_bytes(folder: Path) -> int:
    """The size of all files in `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _no_room(folder: Path, cause: str) -> SpaceError:
    return SpaceError(
        "There is not enough room on disk for the merged model.",
        cause=cause,
        next_step=f"Free some room on the disk of {folder}, or set productionize.merge to false.",
    )
