"""The section `select`: which model, which method, which settings, on which device."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from tunesmith.core.plan.section import MOST_SEED, Section, knob

Method = Literal["full", "lora", "qlora"]
Peft = Literal["lora", "dora", "rslora", "pissa", "adalora", "vera", "ia3", "ln-tuning", "prefix", "prompt", "p-tuning"]
RANKED: tuple[Peft, ...] = ("lora", "dora", "rslora", "pissa", "adalora", "vera")
"""Adapters of a rank: they have a `lora` section."""
VIRTUAL: tuple[Peft, ...] = ("prefix", "prompt", "p-tuning")
"""Adapters that are virtual tokens: they have `virtual_tokens`, and can't be merged into the weights."""


class Lora(Section):
    """The low-rank adapter that is trained beside the frozen weights (Hu et al. 2021, arXiv:2106.09685)."""

    rank: int = knob(
        "Rank (r)",
        "How wide the adapter is: its capacity, and its size.",
        question="How wide is the adapter?",
        usual="8 to 64",
        ge=1,
        le=1024,
    )
    alpha: int = knob(
        "Alpha",
        "The adapter's output is scaled by alpha / r.",
        usual="r to 2 r",
        ge=1,
        le=4096,
        source="arXiv:2106.09685",
    )
    dropout: float = knob(
        "Dropout", "Share of the adapter's inputs left out at each step.", usual="0 to 0.1", ge=0, lt=1
    )
    target_modules: Literal["all-linear"] | list[str] = knob(
        "Target modules",
        "Which layers get an adapter. `all-linear` adapts every linear layer but the output head.",
        source="Dettmers et al. 2023 (QLoRA), arXiv:2305.14314: all linear layers are needed to match full fine-tuning",
    )


class Quantization(Section):
    """How the frozen weights are packed for QLoRA (Dettmers et al. 2023, arXiv:2305.14314)."""

    type: Literal["nf4", "fp4", "int8"] = knob(
        "Number format",
        "NF4 suits weights that are normally distributed; FP4 is a plain 4-bit float; int8 takes twice the memory of "
        "both and loses less (Dettmers et al. 2022, LLM.int8(), arXiv:2208.07339).",
        meanings={"nf4": "4 bits, for normal weights", "fp4": "4 bits, a plain float", "int8": "8 bits"},
    )
    double: bool = knob("Double quantization", "Also packs the scales: saves about 0.37 bit a parameter.")


class Hyperparameters(Section):
    """How the weights are moved."""

    learning_rate: float = knob(
        "Learning rate",
        "How far each step moves the weights. Too large and the loss jumps about; too small and little is learnt.",
        question="How far does each step move?",
        usual="LoRA 1e-4 to 2e-4, full 1e-5 to 5e-5",
        gt=0,
        le=1,
    )
    schedule: Literal["cosine", "linear", "constant"] = knob("Schedule", "How the learning rate falls over the run.")
    warmup: float = knob(
        "Warm-up", "Share of the steps over which the learning rate rises from zero.", usual="0.03 to 0.1", ge=0, lt=1
    )
    epochs: float = knob(
        "Epochs",
        "How often each row is seen. More passes learn more, and in the end learn the rows by heart.",
        question="How often is each row seen?",
        unit="passes",
        usual="1 to 5",
        gt=0,
        le=1000,
    )
    batch_size: int = knob(
        "Micro-batch",
        "Rows computed at once; decides the memory.",
        question="How many rows at once?",
        unit="rows",
        ge=1,
    )
    accumulation: int = knob(
        "Accumulation", "Micro-batches added up before a step: effective batch = micro-batch × this.", ge=1
    )
    max_length: int = knob(
        "Sequence length",
        "Longer rows are cut; the longest decides the memory.",
        question="How long may a row be?",
        unit="tokens",
        ge=8,
    )
    weight_decay: float = knob("Weight decay", "Pulls weights towards zero.", usual="0 to 0.1", ge=0, le=1)
    max_grad_norm: float = knob("Gradient clipping", "The largest gradient norm let through.", usual="0.3 to 1", gt=0)
    optimizer: Literal["adamw_torch_fused", "adamw_torch", "adamw_8bit", "paged_adamw_8bit"] = knob(
        "Optimizer",
        "8-bit states take a quarter of the memory of 32-bit ones; paged ones move to RAM when it is short.",
    )
    packing: bool = knob(
        "Packing",
        "Puts several short rows into one sequence of the full length, so that nothing is computed for padding. The "
        "rows do not see each other.",
        default=False,
    )
    group_by_length: bool = knob(
        "Length grouping",
        "Puts rows of like length into the same batch: less padding, a little less chance in the order.",
        default=False,
    )
    early_stopping: int | None = knob(
        "Early stopping",
        "Evaluations without a better loss on the validation rows after which the training ends; empty for never.",
        unit="evaluations",
        usual="2 to 5",
        ge=1,
        default=None,
    )
    gradient_checkpointing: bool = knob(
        "Gradient checkpointing",
        "Recomputes activations in the backward pass: far less memory for about a third more time.",
        source="Chen et al. 2016, arXiv:1604.06174",
    )
    seed: int = knob("Seed", "Order of the rows, adapter initialisation and dropout.", ge=0, le=MOST_SEED)


class Select(Section):
    """Which model, which method, which settings, on which device."""

    model: str = knob(
        "Model",
        "`practice`, a folder with a model in Hugging Face layout, or a name on the Hub (`tunesmith models` lists many).",
        question="Which model is tuned?",
        min_length=1,
    )
    method: Method = knob(
        "Method",
        "full moves every weight, lora trains a small adapter, qlora does so over weights packed to 4 bits.",
        question="How is it trained?",
        meanings={
            "full": "every weight moves",
            "lora": "a small adapter beside the frozen weights",
            "qlora": "the same over weights packed to 4 bits",
        },
    )
    peft: Peft = knob(
        "Kind of adapter",
        "What is trained beside the frozen weights. LoRA is the one that is best understood; the others are for those "
        "who know why.",
        meanings={
            "lora": "two thin matrices beside each layer",
            "dora": "LoRA with the length of each column trained apart",
            "rslora": "LoRA scaled by alpha / √r, for high ranks",
            "pissa": "LoRA begun at the main directions of the weights",
            "adalora": "LoRA whose rank goes where it is needed",
            "vera": "shared random matrices, only scales are trained",
            "ia3": "scales on keys, values and feed-forward",
            "ln-tuning": "only the norms move",
            "prefix": "trained keys and values before the prompt",
            "prompt": "trained words before the prompt",
            "p-tuning": "trained words, made by a small network",
        },
        source="Hu et al. 2021 arXiv:2106.09685; DoRA 2402.09353; rsLoRA 2312.03732; PiSSA 2404.02948; AdaLoRA "
        "2303.10512; VeRA 2310.11454; IA3 2205.05638; LN 2312.11420; prefix 2101.00190; prompt 2104.08691; "
        "P-tuning 2103.10385",
        default="lora",
    )
    virtual_tokens: int | None = knob(
        "Virtual tokens",
        "prefix, prompt, p-tuning: how many trained tokens stand before each prompt.",
        unit="tokens",
        usual="8 to 100",
        ge=1,
        le=1000,
        default=None,
    )
    gpu: str | None = knob(
        "For another GPU",
        "Plan for a card that is not here, e.g. `h100-80gb` or `2xrtx4090`; empty for this machine. The run itself "
        "measures the machine that it is on.",
        default=None,
    )
    price_hour: float | None = knob(
        "Price of the machine",
        "What an hour of this machine costs, in US dollars; empty where it costs nothing or is not known.",
        unit="US dollars an hour",
        ge=0,
        default=None,
    )
    device: Literal["cuda", "cpu"] = knob("Device", "Where it is computed.")
    precision: Literal["bf16", "fp16", "fp32"] = knob("Precision", "Number format of the computation.")
    lora: Lora | None = knob("Adapter", "Settings of the adapter; none for full.", default=None)
    quantization: Quantization | None = knob("Quantization", "Settings of the 4-bit weights; only qlora.", default=None)
    hyperparameters: Hyperparameters

    @model_validator(mode="after")
    def _method_complete(self) -> Select:
        ranked = self.method != "full" and self.peft in RANKED
        if ranked and self.lora is None:
            raise ValueError(f"method {self.method} with {self.peft} needs a lora section")
        if not ranked and self.lora is not None:
            what = "method full" if self.method == "full" else f"peft {self.peft}"
            raise ValueError(f"{what} takes no lora section")
        if self.method == "full" and self.peft != "lora":
            raise ValueError(f"method full trains no adapter; peft {self.peft} goes with lora or qlora")
        if (self.method != "full" and self.peft in VIRTUAL) != (self.virtual_tokens is not None):
            raise ValueError("virtual_tokens goes with peft prefix, prompt and p-tuning and with no other")
        if self.device == "cpu" and self.precision == "fp16":
            raise ValueError("precision fp16 is for GPUs; a cpu computes in fp32 or bf16")
        if self.device == "cpu" and self.hyperparameters.optimizer.endswith("8bit"):
            raise ValueError(f"optimizer {self.hyperparameters.optimizer} is for GPUs; take adamw_torch_fused")
        if self.lora is not None and self.lora.target_modules in ("", []):
            raise ValueError("lora.target_modules names no layer; take all-linear")
        if (self.method == "qlora") != (self.quantization is not None):
            raise ValueError("a quantization section goes with method qlora and with no other")
        return self
