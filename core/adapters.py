"""The kinds of adapters: what each trains, how large it is, what it was measured to need, and when it is right.

The figures are of one comparison that others ran: Llama-3.2-3B in bf16 on MetaMathQA, 5,000 steps of 4 rows without
checkpointing on one L40S, exact answers on GSM8K (huggingface/peft, `method_comparison/MetaMathQA/results`, as of
August 2026, torch 2.13). LoRA and its kin sat on queries and values there. Where several rates were tried, the best is
told.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.core.plan.select import Peft, Select

COMPARISON = "huggingface/peft, method_comparison/MetaMathQA: Llama-3.2-3B, 5,000 steps, L40S"
"""Whose figures `Measured` holds."""

IA3_TARGETS, IA3_FEEDFORWARD = ("k_proj", "v_proj", "down_proj"), ("down_proj",)
"""Keys, values and what goes into the last feed-forward product (Liu et al. 2022, arXiv:2205.05638, section 3.3)."""
NORMS = (
    "input_layernorm",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
    "final_layernorm",
    "norm",
)
"""What the norms of decoders are called; a model has some of them."""
P_TUNING_WIDTH = 128
"""Width of the network that makes the virtual tokens of P-tuning."""


@dataclass(frozen=True)
class Measured:
    """One run of the comparison."""

    setting: str
    """Rank or virtual tokens, and learning rate."""
    parameters: int
    reserved: float
    """GiB that torch had reserved on the GPU, mean over the steps."""
    seconds: int
    accuracy: float
    """Share of exact answers on GSM8K."""

    def told(self) -> str:
        """The run as part of a sentence."""
        return f"{100 * self.accuracy:.1f} % right with {self.reserved:.1f} GiB ({self.setting})"


@dataclass(frozen=True)
class Kind:
    """One kind of adapter, in words for somebody who has to choose."""

    name: str
    trains: str
    size: str
    """Trained parameters: r the rank, i and o the inputs and outputs of a layer adapted, n layers, d the model's
    width, k that of the keys, f that of the feed-forward part, v virtual tokens."""
    right_when: str
    paper: str
    measured: Measured | None = None


FULL = Measured("every weight, 1e-5", 3_212_749_824, 31.98, 2147, 0.472)
"""Full fine-tuning in the same comparison."""

KINDS: dict[Peft, Kind] = {
    "lora": Kind(
        "LoRA",
        "two thin matrices beside each layer",
        "r (i + o) a layer",
        "nearly always; the kind that every tool knows",
        "Hu et al. 2021, arXiv:2106.09685",
        Measured("rank 32, 1e-4", 9_175_040, 13.41, 942, 0.478),
    ),
    "dora": Kind(
        "DoRA",
        "LoRA's matrices, and the length of each output apart",
        "r (i + o) + o a layer",
        "where a low rank learns too little and time does not matter",
        "Liu et al. 2024, arXiv:2402.09353",
        Measured("rank 32, 1e-4", 9_289_728, 14.36, 1191, 0.469),
    ),
    "rslora": Kind(
        "rsLoRA",
        "LoRA's matrices, scaled by alpha / √r",
        "r (i + o) a layer",
        "at ranks of 64 and more, where plain LoRA's scale holds it back",
        "Kalajdzievski 2023, arXiv:2312.03732",
        Measured("rank 64, 1e-4", 18_350_080, 13.64, 966, 0.513),
    ),
    "pissa": Kind(
        "PiSSA",
        "LoRA's matrices, begun at the main directions of the weights",
        "r (i + o) a layer; the file has twice that",
        "where few steps are to go far; it changes the frozen weights while it trains",
        "Meng et al. 2024, arXiv:2404.02948",
    ),
    "adalora": Kind(
        "AdaLoRA",
        "LoRA in three parts, whose rank goes where it is needed",
        "1.5 r (i + o + 1) a layer at first, r at the end",
        "where the file must be small and there are many steps to find out where",
        "Zhang et al. 2023, arXiv:2303.10512",
        Measured("rank 32, 1e-4", 18_353_664, 13.89, 1169, 0.373),
    ),
    "vera": Kind(
        "VeRA",
        "two vectors a layer; the matrices between are random and shared",
        "r + o a layer",
        "where very many adapters are kept side by side",
        "Kopiczko et al. 2023, arXiv:2310.11454",
        Measured("rank 256, 1e-3", 129_024, 13.03, 1011, 0.354),
    ),
    "ia3": Kind(
        "IA3",
        "scales on keys, values and the feed-forward part",
        "n (2 k + f)",
        "for a change of form with few rows, and very many adapters side by side",
        "Liu et al. 2022, arXiv:2205.05638",
        Measured("1e-3", 286_720, 13.77, 944, 0.398),
    ),
    "ln-tuning": Kind(
        "LN tuning",
        "the scales of the norms, and nothing else",
        "(2 n + 1) d",
        "to see how little it takes; for a change of form",
        "Zhao et al. 2023, arXiv:2312.11420",
        Measured("1e-4, in bf16, where the norms could hardly move", 175_104, 12.87, 918, 0.0),
    ),
    "prefix": Kind(
        "Prefix tuning",
        "keys and values that stand before the prompt in every layer",
        "2 v n k",
        "where the weights must not be touched; can't be merged",
        "Li and Liang 2021, arXiv:2101.00190",
        Measured("200 tokens begun at zero, 5e-3", 11_468_800, 13.01, 1013, 0.358),
    ),
    "prompt": Kind(
        "Prompt tuning",
        "words that stand before the prompt and mean nothing to people",
        "v d",
        "for models of 10 B and more, where it catches up with the others; can't be merged",
        "Lester et al. 2021, arXiv:2104.08691",
        Measured("200 tokens of the vocabulary, 1e-3", 614_400, 16.33, 1429, 0.343),
    ),
    "p-tuning": Kind(
        "P-tuning",
        "words before the prompt, made by a small network",
        "v d and the network, some 260 d + 33,000",
        "where prompt tuning learns too slowly; can't be merged",
        "Liu et al. 2021, arXiv:2103.10385",
        Measured("20 tokens, 1e-4", 28_382_208, 13.06, 914, 0.350),
    ),
}

LITTLE_SAVED = (
    "Fewer trained numbers save little memory: the frozen weights and the activations stay. In one comparison LoRA "
    "took 13.4 GiB, IA3 13.8, prefix tuning 13.0 and prompt tuning 16.3, since its tokens lengthen every row"
)
"""What has to be said before somebody takes prefix, prompt or IA3 to save memory."""


def adalora_first_rank(rank: int) -> int:
    """AdaLoRA begins with half as much rank again as it ends with (Zhang et al. 2023, arXiv:2303.10512)."""
    return -(-3 * rank // 2)


def told_method(select: Select) -> str:
    """How a plan trains, in a few words: `LoRA r 16`, `QLoRA r 16`, `Prefix tuning, 50 tokens, 8-bit weights`."""
    if select.method == "full":
        return "full fine-tuning"
    name = KINDS[select.peft].name
    quantized = select.method == "qlora"
    if quantized and select.peft == "lora":
        name, quantized = "QLoRA", select.quantization is not None and select.quantization.type == "int8"
    if select.lora is not None:
        name += f" r {select.lora.rank}"
    if select.virtual_tokens is not None:
        name += f", {select.virtual_tokens} tokens"
    return name + (f", {told_bits(select)} weights" if quantized else "")


def told_bits(select: Select) -> str:
    """`4-bit` or `8-bit`: how the frozen weights of a plan with packed weights are held."""
    return "8-bit" if select.quantization is not None and select.quantization.type == "int8" else "4-bit"
