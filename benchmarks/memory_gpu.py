"""Lays the simulated memory of training steps beside the real one on this machine's GPU: `benchmarks/memory_gpu.py`.

Models of 0.1 to 3 B parameters with random weights, trained by the worker's own code; a few steps each in a process of
their own. The peak that torch's allocator handed out is compared with the forecast, which is made from the config
before. Without a GPU it says so and does nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.figures import GIB
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.load import Load
from tunesmith.core.select.load import CodePath

FAILED = "failed: "


def llama(hidden: int, layers: int, heads: int, kv_heads: int, wide: int, words: int) -> dict[str, Any]:
    """A Llama's config."""
    return {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": wide,
        "vocab_size": words,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
    }


MODELS = {
    "0.1 B": llama(576, 30, 9, 3, 1536, 49152),
    "0.5 B": {**llama(896, 24, 14, 2, 4864, 151936), "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]},
    "1.2 B": llama(2048, 16, 32, 8, 8192, 128256),
    "3.2 B": llama(3072, 28, 24, 8, 8192, 128256),
}
"""The shapes of SmolLM2 135M, Qwen2.5 0.5B, Llama 3.2 1B and 3B."""


class Case(msgspec.Struct, frozen=True):
    """One way of training one model."""

    model: str
    load: Load
    plain: bool = False
    """Whether all logits are held (transformers' Trainer) instead of TRL's blocks."""


def cases() -> Iterator[Case]:
    """Sizes, methods, with and without checkpointing, both losses, several lengths, even and uneven rows."""
    full = Load("full", "bf16", "cuda", 4, 512)
    lora = Load("lora", "bf16", "cuda", 4, 512, rank=16, dropout=0.05)
    qlora = replace(lora, method="qlora")
    for load in (full, lora, qlora):
        yield Case("0.1 B", load)
        yield Case("0.1 B", replace(load, checkpointing=True, length=2048))
    yield Case("0.1 B", replace(full, optimizer="adamw_torch"))
    yield Case("0.5 B", lora)
    yield Case("0.5 B", lora, plain=True)
    yield Case("0.5 B", replace(qlora, optimizer="paged_adamw_8bit", batch_size=1, length=2048, checkpointing=True))
    yield Case("0.5 B", replace(full, batch_size=2, checkpointing=True))
    yield Case("0.5 B", replace(full, batch_size=2), plain=True)
    yield Case("1.2 B", replace(lora, length=1024, checkpointing=True))
    yield Case("1.2 B", replace(qlora, length=1024))
    yield Case("1.2 B", replace(qlora, length=1024, quantization="int8", dropout=0.0))
    yield Case("1.2 B", replace(full, batch_size=1, checkpointing=True, optimizer="adamw_8bit"))
    yield Case("3.2 B", replace(qlora, batch_size=2, length=2048, checkpointing=True))
    yield Case("3.2 B", replace(lora, batch_size=1, length=4096, checkpointing=True))


@dataclass(frozen=True)
class Result:
    """Bytes."""

    forecast: int
    forecast_reserved: int
    allocated: int
    reserved: int


def run(case: Case, folder: Path) -> Result:
    """Forecast `case`, then train a few steps of it."""
    from tunesmith.core.select.memory import forecast_from
    from tunesmith.core.worker.probe import measure
    from tunesmith.core.worker.simulation.simulate import simulate

    config = MODELS[case.model]
    path = CodePath("plain") if case.plain else CodePath()
    told = forecast_from(simulate(config, case.load, path), probe_hardware(folder))
    make_model(config, folder / "model")
    measured, _ = measure(lambda changes: trainer(case, folder, changes), case.load.device)
    return Result(told.allocated, told.reserved, measured.allocated, measured.reserved)


def make_model(config: dict[str, Any], folder: Path) -> None:
    """Write a model with random weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = {name: value for name, value in config.items() if name != "model_type"}
    model = AutoModelForCausalLM.from_config(
        AutoConfig.for_model(config["model_type"], **settings), dtype=torch.bfloat16
    )
    model.save_pretrained(folder)


def trainer(case: Case, folder: Path, changes: dict[str, Any]) -> Any:
    """The worker's trainer for `case`, or transformers' own where the plain loss is asked for."""
    from datasets import Dataset
    from peft import get_peft_model
    from transformers import Trainer
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling, SFTTrainer

    from tunesmith.core.practice import MODEL_DIR
    from tunesmith.core.worker.model import load_tokenizer
    from tunesmith.core.worker.simulation.model import adapter_of

    load = case.load
    model: Any = weights(folder / "model", load)
    lengths = [load.length - place % 2 for place in range(12 * load.batch_size)]
    ids = [[5] * length for length in lengths]
    settings = SFTConfig(
        output_dir=str(folder / "out"),
        per_device_train_batch_size=load.batch_size,
        optim=load.optimizer,
        activation_checkpointing=load.checkpointing,
        bf16=load.precision == "bf16",
        use_cpu=load.device == "cpu",
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        report_to=[],
        disable_tqdm=True,
        **changes,
    )
    rows, tokenizer = Dataset.from_dict({"input_ids": ids, "labels": ids}), load_tokenizer(MODEL_DIR)
    if case.plain:
        adapter = adapter_of(load)
        model = model if adapter is None else get_peft_model(model, adapter)
        collator = DataCollatorForLanguageModeling(pad_token_id=0)
        return Trainer(model=model, args=settings, train_dataset=rows, data_collator=collator)
    return SFTTrainer(
        model=model, args=settings, train_dataset=rows, processing_class=tokenizer, peft_config=adapter_of(load)
    )


def weights(folder: Path, load: Load) -> Any:
    """The model as `core/worker/model.py` loads it."""
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    settings: dict[str, Any] = {"dtype": torch.float32 if load.method == "full" else torch.bfloat16}
    if load.method == "qlora":
        settings["quantization_config"] = (
            BitsAndBytesConfig(load_in_8bit=True)
            if load.quantization == "int8"
            else BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type=load.quantization,
                bnb_4bit_use_double_quant=load.double_quantization,
                bnb_4bit_compute_dtype=torch.bfloat16,
            )
        )
        settings["device_map"] = {"": 0 if load.device == "cuda" else "cpu"}
    model = AutoModelForCausalLM.from_pretrained(folder, **settings)
    return model if load.method == "qlora" or load.device == "cpu" else model.to("cuda")


def one(words: str) -> None:
    """Run the case that `words` says, in a process of its own, and print its result as JSON."""
    with tempfile.TemporaryDirectory(prefix="tunesmith-") as scratch:
        result = run(msgspec.json.decode(words, type=Case), Path(scratch))
    print("RESULT " + json.dumps(vars(result)))


def asked(case: Case) -> Result | str:
    """The result of `case`, or in a line why there is none."""
    command = [sys.executable, __file__, msgspec.json.encode(case).decode()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if found:
        return Result(**json.loads(found[-1].removeprefix("RESULT ")))
    return FAILED + (done.stderr.strip().splitlines() or ["no word"])[-1][:100]


def main() -> int:
    if len(sys.argv) > 1:
        one(sys.argv[1])
        return 0
    hardware = probe_hardware(Path(tempfile.gettempdir()))
    if hardware.gpu is None:
        print("There is no NVIDIA GPU here that can be used, so there is nothing to compare with.")
        print(hardware.gpu_problem or "Run this on a machine with one.")
        return 0
    print(f"{hardware.gpu.name}, {hardware.gpu.total / GIB:.0f} GiB, driver {hardware.driver}; GiB\n")
    print(
        f"{'model':8}{'method':12}{'rows':>9}{'ckpt':>5}{'loss':>7}{'measured':>10}{'forecast':>10}{'':7}{'reserved':>9}"
    )
    off = []
    for case in cases():
        load, result = case.load, asked(case)
        how = f"{load.method} int8" if load.quantization == "int8" else load.method
        rows = f"{load.batch_size} x {load.length}"
        start = f"{case.model:8}{how:12}{rows:>9}{'yes' if load.checkpointing else 'no':>5}"
        start += f"{'plain' if case.plain else 'blocks':>7}"
        if isinstance(result, str):
            print(f"{start}   {result}", flush=True)
            continue
        ratio = result.forecast / result.allocated
        off.append(ratio)
        print(
            f"{start}{result.allocated / GIB:>10.2f}{result.forecast / GIB:>10.2f}{ratio:>7.3f}"
            f"{result.reserved / GIB:>9.2f}{result.forecast_reserved / GIB:>7.2f}",
            flush=True,
        )
    within = sum(abs(ratio - 1) <= 0.05 for ratio in off)
    if off:
        print(f"\n{within} of {len(off)} within 5 %; from {min(off):.3f} to {max(off):.3f} of what was measured")
    return 0


if __name__ == "__main__":
    sys.exit(main())
