"""The exports for Axolotl and LLaMA-Factory, read by those tools' own code where it is installed.

They pin other versions of the libraries than Tunesmith does, so they are installed beside it only by hand.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import given, settings

from tunesmith.core.exchange import axolotl, llamafactory
from tunesmith.core.plan import Plan

from .plans import GIVEN, plans


@settings(max_examples=40, deadline=None)
@given(plan=plans(("lora", "rslora", "dora", "pissa")))
def test_axolotl_takes_it(plan: Plan) -> None:
    schema = pytest.importorskip("axolotl.utils.schemas.config")
    said = pyyaml.safe_load(axolotl.export(plan, GIVEN).text)
    config = schema.AxolotlInputConfig(**said)
    knobs = plan.select.hyperparameters
    assert config.learning_rate == knobs.learning_rate
    assert (config.micro_batch_size, config.gradient_accumulation_steps) == (knobs.batch_size, knobs.accumulation)
    assert (config.sequence_len, config.num_epochs, config.warmup_ratio) == (
        knobs.max_length,
        knobs.epochs,
        knobs.warmup,
    )
    assert config.datasets[0].message_field_training == "train"


@settings(max_examples=40, deadline=None)
@given(plan=plans())
def test_llamafactory_takes_it(plan: Plan) -> None:
    os.environ["DISABLE_VERSION_CHECK"] = "1"
    parser = pytest.importorskip("llamafactory.hparams.parser")
    omegaconf = pytest.importorskip("omegaconf")
    said: Any = omegaconf.OmegaConf.create(llamafactory.export(_here(plan), GIVEN).text)
    model, data, training, tuning, _ = parser.get_train_args(omegaconf.OmegaConf.to_container(said))
    knobs = plan.select.hyperparameters
    assert training.learning_rate == knobs.learning_rate
    assert training.get_warmup_steps(1000) == -(-1000 * knobs.warmup // 1)
    assert training.per_device_train_batch_size == knobs.batch_size
    assert data.cutoff_len == knobs.max_length - knobs.packing
    assert model.disable_gradient_checkpointing is not knobs.gradient_checkpointing
    assert tuning.finetuning_type == ("full" if plan.select.method == "full" else "lora")
    lora = plan.select.lora
    assert lora is None or (tuning.lora_rank, tuning.lora_alpha) == (lora.rank, lora.alpha)


def _here(plan: Plan) -> Plan:
    """The plan on the processor: its argument classes ask whether there is a GPU that computes bf16."""
    return plan.model_copy(update={"select": plan.select.model_copy(update={"device": "cpu"})})


def test_the_lists_of_known_keys_are_those_of_the_installed_tool() -> None:
    schema = pytest.importorskip("axolotl.utils.schemas.config")
    known = Path(__file__).with_name("known_keys.json").read_text()
    assert all(f'"{key}"' in known for key in schema.AxolotlInputConfig.model_fields)
