"""Measures training steps on this machine's GPU and keeps the peaks: `python benchmarks/gpu_measure.py [FILE]`.

Models of 0.1 to 8 B parameters with random weights, trained by the worker's own code; a few steps each in a process of
their own, several processes at once, because a peak of torch's allocator is its process's own. Steps are timed
afterwards, one after another. `benchmarks/memory_gpu.py` lays the forecast beside what this wrote.
"""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from gpu_cases import MEASURED, MODELS, Case, Measurements, Peak, cases, told

from tunesmith.core.hardware import probe_hardware
from tunesmith.core.load import Load

AT_ONCE = 8
LIBRARIES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate")
WARM_UP = 20 << 20
"""Bytes of a tensor that is made so that CUDA starts."""


def make_model(name: str, folder: Path) -> None:
    """Write a model with random weights; made on the GPU, which is quicker."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = {key: value for key, value in MODELS[name].items() if key != "model_type"}
    config = AutoConfig.for_model(MODELS[name]["model_type"], **settings)
    with torch.device("cuda"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)


def context() -> int:
    """Bytes that the driver takes of the card for a process beside what torch reserves."""
    import torch

    gpu = probe_hardware(Path(tempfile.gettempdir())).gpu
    assert gpu is not None
    made = torch.zeros(WARM_UP // 4, device="cuda")
    product = torch.randn(256, 256, device="cuda", dtype=torch.bfloat16)
    (product @ product).sum().item()
    free, _ = torch.cuda.mem_get_info()
    taken = gpu.free - free - torch.cuda.memory_reserved()
    del made
    return int(taken)


def measured(case: Case, folder: Path) -> Peak:
    """Train a few steps of `case`, then let it answer."""
    from tunesmith.core.worker.probe import measure

    with tempfile.TemporaryDirectory(prefix="tunesmith-") as scratch:
        found, model = measure(lambda changes: trainer(case, folder, Path(scratch), changes), case.load.device)
        answering = answered(model, case.load) if case.load.answer_rows else 0
    return Peak(case, found.allocated, found.reserved, answering, found.seconds)


def answered(model: Any, load: Load) -> int:
    """The peak while `model` answers as many prompts as `load` says, each of the full length."""
    import torch
    from transformers import GenerationConfig

    from tunesmith.core.worker.answers import free_memory
    from tunesmith.core.worker.generate import answering

    free_memory()
    torch.cuda.reset_peak_memory_stats()
    ids = torch.randint(10, 1000, (load.answer_rows, load.length), device="cuda")
    mask = torch.ones_like(ids)
    mask[1::2, 0] = 0  # prompts are of unequal length
    tokens = load.answer_tokens
    settings = GenerationConfig(do_sample=False, max_new_tokens=tokens, min_new_tokens=tokens, pad_token_id=0)
    with answering(model):
        model.generate(input_ids=ids, attention_mask=mask, generation_config=settings)
    torch.cuda.synchronize()
    return int(torch.cuda.max_memory_allocated())


def trainer(case: Case, folder: Path, scratch: Path, changes: dict[str, Any]) -> Any:
    """The worker's trainer for `case`, or transformers' own where the plain loss is asked for."""
    from datasets import Dataset
    from peft import get_peft_model
    from transformers import Trainer
    from trl.data_utils import pack_dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling, SFTTrainer

    from tunesmith.core.practice import MODEL_DIR
    from tunesmith.core.worker.model import load_tokenizer
    from tunesmith.core.worker.simulation.model import adapter_of

    load = case.load
    model: Any = weights(folder, load)
    uneven = 0 if load.packing else 1
    lengths = [load.length - place % 2 * uneven for place in range(12 * load.batch_size)]
    ids = [[5] * length for length in lengths]
    settings = SFTConfig(
        output_dir=str(scratch / "out"),
        per_device_train_batch_size=load.batch_size,
        optim=load.optimizer,
        activation_checkpointing=load.checkpointing,
        bf16=load.precision == "bf16",
        use_cpu=load.device == "cpu",
        max_length=None,
        packing=load.packing,
        dataset_kwargs={"skip_prepare_dataset": True},
        report_to=[],
        disable_tqdm=True,
        **changes,
    )
    rows, tokenizer = Dataset.from_dict({"input_ids": ids, "labels": ids}), load_tokenizer(MODEL_DIR)
    if load.packing:
        rows = pack_dataset(rows, load.length, "bfd")
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

    held = torch.float32 if load.method == "full" or load.precision == "fp32" else torch.bfloat16
    settings: dict[str, Any] = {"dtype": held}
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


def in_a_process(*words: str) -> tuple[bytes, str]:
    """(what a call of this script with `words` found, why it found nothing)."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [sys.executable, __file__, "--into", result.name, *words]
        environment = {**os.environ, "OMP_NUM_THREADS": "2"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return Path(result.name).read_bytes(), (lines or ["no word"])[-1][:200]


def one(into: str, what: str, *words: str) -> None:
    """What a process of its own does."""
    found: Any
    if what == "context":
        found = context()
    elif what == "make":
        make_model(words[0], Path(words[1]))
        found = True
    else:
        found = []
        for case in msgspec.json.decode(words[0], type=list[Case]):
            try:
                found.append(measured(case, Path(words[1]) / case.model))
            except Exception as error:
                if what == "peak":
                    raise
                print(f"{told(case)} {error}", file=sys.stderr)
    Path(into).write_bytes(msgspec.json.encode(found))


def peaks_of(folder: Path, failed: dict[str, str]) -> Iterator[Peak]:
    """Every case, several at once."""

    def ask(case: Case) -> tuple[Case, bytes, str]:
        return case, *in_a_process("peak", msgspec.json.encode([case]).decode(), str(folder))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: in_a_process("make", name, str(folder / name)), MODELS))
        missed = []
        for case, found, _ in pool.map(ask, cases()):
            missed += [] if found else [case]
            yield from msgspec.json.decode(found or b"[]", type=list[Peak])
    for case, found, why in map(ask, missed):  # with the whole card to itself
        if not found:
            failed[told(case)] = why
        yield from msgspec.json.decode(found or b"[]", type=list[Peak])


def timed(peaks: list[Peak], folder: Path) -> list[Peak]:
    """The same with the steps of those that are to be timed, taken in one process one after another."""
    asked = msgspec.json.encode([peak.case for peak in peaks if peak.case.timed]).decode()
    found, _ = in_a_process("time", asked, str(folder))
    alone = {peak.case: peak.seconds for peak in msgspec.json.decode(found or b"[]", type=list[Peak])}
    return [msgspec.structs.replace(peak, seconds=alone.get(peak.case, 0.0)) for peak in peaks]


def main() -> int:
    if sys.argv[1:2] == ["--into"]:
        one(*sys.argv[2:])
        return 0
    hardware = probe_hardware(Path(tempfile.gettempdir()))
    gpu = hardware.gpu
    if gpu is None:
        print("There is no NVIDIA GPU here that can be used, so there is nothing to measure.")
        print(hardware.gpu_problem or "Run this on a machine with one.")
        return 0
    name = gpu.name.lower().replace("nvidia", "").strip().replace(" ", "-")
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else MEASURED / f"{name}.json"
    into.parent.mkdir(parents=True, exist_ok=True)
    beside, _ = in_a_process("context")
    failed: dict[str, str] = {}
    versions = {library: importlib.metadata.version(library) for library in LIBRARIES}
    context = msgspec.json.decode(beside or b"0", type=int)

    def keep(peaks: list[Peak]) -> None:
        found = Measurements(
            gpu.name, gpu.total, hardware.driver, versions, time.strftime("%Y-%m-%d"), context, MODELS, peaks, failed
        )
        into.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))

    peaks: list[Peak] = []
    with tempfile.TemporaryDirectory(prefix="tunesmith-") as scratch:
        for peak in peaks_of(Path(scratch), failed):
            peaks.append(msgspec.structs.replace(peak, seconds=0.0))
            print(told(peak.case), f"{peak.allocated / (1 << 30):.2f} GiB", flush=True)
            keep(peaks)
        keep(timed(peaks, Path(scratch)))
    print(f"{len(peaks)} measured, {len(failed)} failed: {into}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
