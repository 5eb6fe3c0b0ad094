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
        "How wide the adapter is: its capacity, and its size. Begin at 8 and double it while the score on the "
        "validation rows still rises. AdaLoRA ends with it, on average; VeRA wants 256.",
        question="How wide is the adapter?",
        usual="8 to 64",
        source="Hu et al. 2021, arXiv:2106.09685, section 7.2: small ranks go far; Biderman et al. 2024, "
        "arXiv:2405.09673: 16 as a middle, 256 where there is much to learn",
        ge=1,
        le=1024,
    )
    alpha: int = knob(
        "Alpha",
        "The adapter's output is scaled by alpha / r; for rsLoRA by alpha / √r. VeRA does not use it.",
        usual="r to 2 r",
        ge=1,
        le=4096,
        source="Hu et al. 2021, arXiv:2106.09685, section 4.1; rsLoRA: Kalajdzievski 2023, arXiv:2312.03732",
    )
    dropout: float = knob(
        "Dropout",
        "Share of the adapter's inputs left out at each step, against learning the rows by heart.",
        usual="0 to 0.1",
        source="Dettmers et al. 2023, arXiv:2305.14314, appendix B: 0.1 up to 13 B, 0.05 above",
        ge=0,
        lt=1,
    )
    target_modules: Literal["all-linear"] | list[str] = knob(
        "Target modules",
        "Which layers get an adapter. `all-linear` adapts every linear layer but the output head; "
        "`[q_proj, k_proj, v_proj, o_proj]` only the attention: less memory, and less is learnt.",
        usual="all-linear",
        source="Dettmers et al. 2023 (QLoRA), arXiv:2305.14314: all linear layers are needed to match full "
        "fine-tuning; Biderman et al. 2024, arXiv:2405.09673, section 4.6: all before feed-forward before attention",
    )


class Quantization(Section):
    """How the frozen weights are packed for QLoRA (Dettmers et al. 2023, arXiv:2305.14314)."""

    type: Literal["nf4", "fp4", "int8"] = knob(
        "Number format",
        "NF4 suits weights that are normally distributed; FP4 is a plain 4-bit float; int8 takes twice the memory of "
        "both and loses less (Dettmers et al. 2022, LLM.int8(), arXiv:2208.07339).",
        labels={"nf4": "NF4", "fp4": "FP4"},
        meanings={"nf4": "4 bits, for normal weights", "fp4": "4 bits, a plain float", "int8": "8 bits"},
        usual="nf4",
        source="Dettmers et al. 2023, arXiv:2305.14314, table 2: NF4 loses less than FP4",
    )
    double: bool = knob(
        "Double quantization",
        "Also packs the scales of 4-bit weights: saves about 0.37 bit a parameter.",
        usual="yes",
        source="Dettmers et al. 2023, arXiv:2305.14314, section 3",
    )


SCHEDULERS = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}
"""A plan's schedule as transformers calls it; its own `constant` has no warm-up (5.23, `optimization.py`)."""


class Hyperparameters(Section):
    """How the weights are moved."""

    learning_rate: float = knob(
        "Learning rate",
        "How far each step moves the weights. Too large and the loss jumps about; too small and little is learnt. The "
        "fewer numbers are trained, the larger it has to be.",
        question="How far does each step move?",
        usual="LoRA 1e-4 to 2e-4, full 1e-5 to 5e-5, IA3 and VeRA 1e-3 to 1e-2, prompt tuning 1e-3 to 0.3",
        source="LoRA: Dettmers et al. 2023, arXiv:2305.14314; full: Touvron et al. 2023, arXiv:2307.09288; IA3: Liu et "
        "al. 2022, arXiv:2205.05638; prompt: Lester et al. 2021, arXiv:2104.08691",
        gt=0,
        le=1,
    )
    schedule: Literal["cosine", "linear", "constant"] = knob(
        "Schedule",
        "How the learning rate falls over the run, after the warm-up.",
        usual="cosine or linear",
        source="Loshchilov and Hutter 2016, arXiv:1608.03983; linear is the default of transformers 5.23, constant was "
        "QLoRA's (arXiv:2305.14314)",
    )
    warmup: float = knob(
        "Warm-up",
        "Share of the steps over which the learning rate rises from zero, so that the first batches do no harm.",
        usual="0.03 to 0.1",
        source="Dettmers et al. 2023, arXiv:2305.14314: 0.03; Goyal et al. 2017, arXiv:1706.02677",
        ge=0,
        lt=1,
    )
    epochs: float = knob(
        "Epochs",
        "How often each row is seen. More passes learn more, and in the end learn the rows by heart.",
        question="How often is each row seen?",
        unit="passes",
        usual="1 to 5",
        source="TRL 1.16's default is 3; Zhou et al. 2023 (LIMA), arXiv:2305.11206: the validation loss rises while "
        "answers still get better, so look at the score",
        gt=0,
        le=1000,
    )
    batch_size: int = knob(
        "Micro-batch",
        "Rows computed at once; decides the memory.",
        question="How many rows at once?",
        unit="rows",
        usual="1 to 16, as many as fit",
        source="Dettmers et al. 2023, arXiv:2305.14314, appendix B: 16 rows a step up to 13 B",
        ge=1,
    )
    accumulation: int = knob(
        "Accumulation",
        "Micro-batches added up before a step: effective batch = micro-batch × this. It costs no memory.",
        usual="so that 8 to 64 rows make a step",
        source="Dettmers et al. 2023, arXiv:2305.14314, appendix B: 16 to 64 rows a step",
        ge=1,
    )
    max_length: int = knob(
        "Sequence length",
        "Longer rows are cut; the longest decides the memory.",
        question="How long may a row be?",
        unit="tokens",
        usual="the longest row, rounded up to a multiple of 8",
        source="your rows, in the model's own tokens; TRL 1.16's default is 1024",
        ge=8,
    )
    weight_decay: float = knob(
        "Weight decay",
        "Pulls weights towards zero a little at each step.",
        usual="0 to 0.1",
        source="Loshchilov and Hutter 2017, arXiv:1711.05101; 0 for adapters in Dettmers et al. 2023, arXiv:2305.14314",
        ge=0,
        le=1,
    )
    max_grad_norm: float = knob(
        "Gradient clipping",
        "The largest gradient norm let through; one odd batch can't throw the weights far.",
        usual="0.3 to 1",
        source="Pascanu et al. 2012, arXiv:1211.5063; 1 is the default of transformers 5.23, 0.3 was QLoRA's "
        "(arXiv:2305.14314)",
        gt=0,
    )
    optimizer: Literal["adamw_torch_fused", "adamw_torch", "adamw_8bit", "paged_adamw_8bit"] = knob(
        "Optimizer",
        "8-bit states take a quarter of the memory of 32-bit ones; paged ones move to RAM when it is short.",
        labels={
            "adamw_torch_fused": "AdamW, fused",
            "adamw_torch": "AdamW",
            "adamw_8bit": "AdamW, 8-bit",
            "paged_adamw_8bit": "AdamW, 8-bit, paged",
        },
        usual="adamw_torch_fused",
        source="Loshchilov and Hutter 2017, arXiv:1711.05101; 8 bits: Dettmers et al. 2021, arXiv:2110.02861; paged: "
        "arXiv:2305.14314, section 3",
    )
    packing: bool = knob(
        "Packing",
        "Puts several short rows into one sequence of the full length, so that nothing is computed for padding. The "
        "rows do not see each other.",
        usual="on a GPU, where most rows are much shorter than the longest",
        source="Krell et al. 2021, arXiv:2107.02027; TRL 1.16, `trl/data_utils.py`: best fit decreasing",
        default=False,
    )
    group_by_length: bool = knob(
        "Length grouping",
        "Puts rows of like length into the same batch: less padding, a little less chance in the order.",
        usual="where a quarter of a batch and more would be padding",
        source="transformers 5.23, `trainer_pt_utils.py`: LengthGroupedSampler",
        default=False,
    )
    early_stopping: int | None = knob(
        "Early stopping",
        "Evaluations without a better loss on the validation rows after which the training ends; empty for never. The "
        "weights of the best evaluation are kept, so each has to be saved.",
        empty="never",
        unit="evaluations",
        usual="2 to 5",
        source="Prechelt 1998, Early Stopping - But When?; transformers 5.23, `trainer_callback.py`",
        ge=1,
        default=None,
    )
    gradient_checkpointing: bool = knob(
        "Gradient checkpointing",
        "Recomputes activations in the backward pass: far less memory for about a third more time.",
        usual="yes, where it does not fit without",
        source="Chen et al. 2016, arXiv:1604.06174",
    )
    seed: int = knob(
        "Seed",
        "Order of the rows, adapter initialisation and dropout. Another one shows how much of a result is luck.",
        usual="any; 42 is TRL's and transformers' default",
        source="transformers 5.23, `training_args.py`",
        ge=0,
        le=MOST_SEED,
    )


class Select(Section):
    """Which model, which method, which settings, on which device."""

    model: str = knob(
        "Model",
        "`practice`, a folder with a model in Hugging Face layout, or a name on the Hub (see `tunesmith models`).",
        question="Which model is tuned?",
        min_length=1,
    )
    method: Method = knob(
        "Method",
        "full moves every weight, lora trains a small adapter, qlora does so over weights packed to 4 bits.",
        question="How is it trained?",
        labels={"lora": "LoRA", "qlora": "QLoRA"},
        meanings={
            "full": "every weight moves",
            "lora": "a small adapter beside the frozen weights",
            "qlora": "the same over weights packed to 4 bits",
        },
    )
    peft: Peft = knob(
        "Kind of adapter",
        "What is trained beside the frozen weights. LoRA is the one that is best understood; the others are for those "
        "who know why. Training fewer numbers saves little memory, for the frozen weights and the activations stay: in "
        "one comparison LoRA took 13.4 GiB, IA3 13.8, prefix tuning 13.0 and prompt tuning 16.3. LLaMA-Adapter and "
        "bottleneck adapters are not among them: the first does not work with TRL 1.16's loss, the second needs an "
        "older transformers.",
        labels={
            "lora": "LoRA",
            "dora": "DoRA",
            "rslora": "rsLoRA",
            "pissa": "PiSSA",
            "adalora": "AdaLoRA",
            "vera": "VeRA",
            "ia3": "IA3",
            "ln-tuning": "norms only",
            "prefix": "prefix tuning",
            "prompt": "prompt tuning",
            "p-tuning": "P-tuning",
        },
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
        "P-tuning 2103.10385. Memory: huggingface/peft, method_comparison/MetaMathQA (Llama-3.2-3B, L40S)",
        usual="lora",
        default="lora",
    )
    virtual_tokens: int | None = knob(
        "Virtual tokens",
        "prefix, prompt, p-tuning: how many trained tokens stand before each prompt.",
        unit="tokens",
        usual="20, prefix 10 to 200",
        source="Lester et al. 2021, arXiv:2104.08691, figure 3a: little is gained beyond 20; Li and Liang 2021, "
        "arXiv:2101.00190: 10 for tables, 200 for summaries",
        ge=1,
        le=1000,
        default=None,
    )
    gpu: str | None = knob(
        "For another GPU",
        "Plan for a card that is not here, e.g. `h100-80gb` or `2xrtx4090`; empty for this machine. The run itself "
        "measures the machine that it is on.",
        question="For which machine?",
        empty="this machine",
        default=None,
    )
    price_hour: float | None = knob(
        "Price of the machine",
        "What an hour of this machine costs, in US dollars; empty where it costs nothing or is not known.",
        empty="not known",
        unit="US dollars an hour",
        ge=0,
        default=None,
    )
    device: Literal["cuda", "cpu"] = knob(
        "Device", "Where it is computed.", labels={"cuda": "the GPU", "cpu": "the processor"}
    )
    precision: Literal["bf16", "fp16", "fp32"] = knob(
        "Precision",
        "Number format of the computation.",
        usual="bf16 from Ampere cards on, fp16 on older ones, fp32 on a processor",
        source="Kalamkar et al. 2019, arXiv:1905.12322 (bf16); Micikevicius et al. 2017, arXiv:1710.03740 (fp16)",
    )
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
        if self.lora is not None and self.lora.target_modules in ("", []):
            raise ValueError("lora.target_modules names no layer; take all-linear")
        return self

    @model_validator(mode="after")
    def _computed_there(self) -> Select:
        if self.device == "cpu" and self.precision == "fp16":
            raise ValueError("precision fp16 is for GPUs; a cpu computes in fp32 or bf16")
        if self.device == "cpu" and self.hyperparameters.optimizer.endswith("8bit"):
            raise ValueError(f"optimizer {self.hyperparameters.optimizer} is for GPUs; take adamw_torch_fused")
        return self

    @model_validator(mode="after")
    def _packed_weights(self) -> Select:
        if (self.method == "qlora") != (self.quantization is not None):
            raise ValueError("a quantization section goes with method qlora and with no other")
        if self.quantization is not None and self.quantization.type == "int8" and self.quantization.double:
            raise ValueError("quantization.double packs the scales of 4-bit weights; with type int8 it is false")
        if self.quantization is not None and self.quantization.type == "int8" and self.peft == "dora":
            # The frozen weights lose their scales when DoRA has unpacked them once (PEFT 0.21.2, bitsandbytes 0.50.2).
            raise ValueError("peft dora does not work over weights of type int8; take nf4, or peft lora")
        if self.quantization is not None and self.peft == "pissa":
            raise ValueError("peft pissa takes the weights apart, which packed ones can't be; it goes with method lora")
        return self

    @model_validator(mode="after")
    def _sequences(self) -> Select:
        knobs = self.hyperparameters
        if knobs.packing and knobs.group_by_length:
            raise ValueError("packing leaves nothing to group; take hyperparameters.packing or group_by_length")
        if knobs.packing and self.virtual_tokens is not None:
            raise ValueError(
                f"peft {self.peft} puts its tokens before a sequence, not before each row in it; take "
                "hyperparameters.group_by_length instead of packing"
            )
        if knobs.gradient_checkpointing and self.peft == "prefix":
            raise ValueError(
                "peft prefix works on the cache of keys and values, which hyperparameters.gradient_checkpointing "
                "throws away; set that to false"
            )
        return self
