"""Counts a model's parameters and linear layers from its config alone, as transformers 5.23 builds it.

Nothing is loaded and nothing heavy imported, so a model can be planned with that is not on this machine. The counts are
held against models that transformers builds on the meta device (`tests/core/test_catalogue.py`).

Experts count as parameters but not as linear layers: transformers 5 keeps them in three-dimensional tensors, which
`all-linear` does not adapt and bitsandbytes does not pack.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Shapes:
    """What a config amounts to."""

    parameters: int
    active: int
    """Parameters that one token goes through; fewer than `parameters` in a mixture of experts."""
    linear: tuple[tuple[int, int, int], ...]
    """(inputs, outputs, how many) of the linear layers that an adapter can be put on, without the output head."""

    @property
    def linear_parameters(self) -> int:
        """Weights in those layers, without biases."""
        return sum(inputs * outputs * count for inputs, outputs, count in self.linear)


@dataclass(frozen=True)
class Decoder:
    """How the layers of one kind of decoder differ from Llama's."""

    qkv_bias: bool = False
    """Biases on query, key and value whatever the config says (Qwen2)."""
    normed: Literal["", "heads", "whole"] = ""
    """Norms of query and key: one for all heads (Qwen3, Gemma 3), or over their whole width (OLMo 2)."""
    norms: int = 2
    """Norms a layer."""
    fused: bool = False
    """One layer for query, key and value, and one for gate and up (Phi-3)."""
    gated_query: bool = False
    """The query layer also makes a gate of the same width (Qwen3.5)."""
    sinks: bool = False
    """One learnt number a head beside the scores (GPT-OSS)."""


DECODERS = {
    "llama": Decoder(),
    "mistral": Decoder(),
    "ministral3": Decoder(),
    "smollm3": Decoder(),
    "phi3": Decoder(fused=True),
    "qwen2": Decoder(qkv_bias=True),
    "qwen3": Decoder(normed="heads"),
    "qwen3_moe": Decoder(normed="heads"),
    "qwen3_5_text": Decoder(normed="heads", gated_query=True),
    "gemma2": Decoder(norms=4),
    "gemma3_text": Decoder(norms=4, normed="heads"),
    "gemma4_text": Decoder(norms=4, normed="heads"),
    "olmo2": Decoder(normed="whole"),
    "olmo3": Decoder(normed="whole"),
    "gpt_oss": Decoder(sinks=True),
}
"""By `model_type`; read from `transformers/models/*/modeling_*.py`, version 5.23."""
TIED = {"gemma2", "gemma3_text", "gemma4_text", "smollm3"}
"""Kinds whose config class ties head and embedding where the config does not say."""


@dataclass
class Tally:
    """Adds up what a model is made of."""

    parameters: int = 0
    idle: int = 0
    """Parameters that one token does not go through."""
    shapes: Counter[tuple[int, int]] = field(default_factory=Counter)

    def linear(self, inputs: int, outputs: int, *, bias: bool = False, count: int = 1) -> None:
        """`count` linear layers."""
        self.parameters += count * (inputs * outputs + (outputs if bias else 0))
        self.shapes[inputs, outputs] += count

    def other(self, number: int) -> None:
        """Parameters that are no linear layer: embeddings, norms, experts."""
        self.parameters += number

    def experts(self, each: int, number: int, used: int) -> None:
        """A mixture in which a token goes through `used` of `number`."""
        self.parameters += each * number
        self.idle += each * (number - used)

    def result(self) -> Shapes:
        """All of it."""
        linear = tuple((inputs, outputs, count) for (inputs, outputs), count in sorted(self.shapes.items()))
        return Shapes(self.parameters, self.parameters - self.idle, linear)


def shapes_of(config: Config) -> Shapes | None:
    """What a model of this config is made of; None where its kind is not known here.

    Raises:
        KeyError: The config lacks a value that its kind needs.
    """
    kind, tally = str(config.get("model_type", "")), Tally()
    if kind in DECODERS:
        _decoder(tally, config)
    elif kind in BUILDERS:
        BUILDERS[kind](tally, config)
    else:
        return None
    return tally.result()


def tied(config: Config) -> bool:
    """Whether the output head is the embedding."""
    return bool(config.get("tie_word_embeddings", config.get("model_type") in TIED))


def _decoder(tally: Tally, config: Config) -> None:
    hidden, kind = config["hidden_size"], DECODERS[config["model_type"]]
    tally.other(config["vocab_size"] * hidden * (1 if tied(config) else 2) + hidden)
    for place in range(config["num_hidden_layers"]):
        if _layer_type(config, place) == "linear_attention":
            _delta_net(tally, config)
        else:
            _attention(tally, config, kind, place)
        tally.other(kind.norms * hidden)
        _feed_forward(tally, config, kind)


def _layer_type(config: Config, place: int) -> str:
    """What kind of attention the layer at `place` has, where the config tells them apart."""
    types, every = config.get("layer_types"), config.get("full_attention_interval")
    if types:
        return str(types[place])
    if every:
        return "full_attention" if (place + 1) % every == 0 else "linear_attention"
    return ""


def _attention(tally: Tally, config: Config, kind: Decoder, place: int) -> None:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads") or heads
    size = config.get("head_dim") or hidden // heads
    shared = False  # whether the values are the keys
    if _layer_type(config, place) == "full_attention" and config.get("global_head_dim"):
        size, shared = config["global_head_dim"], bool(config.get("attention_k_eq_v"))
        kv_heads = config.get("num_global_key_value_heads") or kv_heads
    query, key = heads * size, kv_heads * size
    bias = bool(config.get("attention_bias")) or kind.qkv_bias
    if kind.fused:
        tally.linear(hidden, query + 2 * key)
    else:
        tally.linear(hidden, 2 * query if kind.gated_query else query, bias=bias)
        tally.linear(hidden, key, bias=bias, count=1 if shared else 2)
    tally.linear(query, hidden, bias=bool(config.get("attention_bias")) and not kind.qkv_bias)
    tally.other({"heads": 2 * size, "whole": query + key, "": 0}[kind.normed])
    tally.other(heads if kind.sinks else 0)


def _delta_net(tally: Tally, config: Config) -> None:
    """A Gated DeltaNet layer (Yang et al. 2024, arXiv:2412.06464) as Qwen3.5 builds it."""
    hidden, values = config["hidden_size"], config["linear_num_value_heads"]
    keys = config["linear_num_key_heads"] * config["linear_key_head_dim"]
    width = values * config["linear_value_head_dim"]
    tally.linear(hidden, 2 * keys + width)
    tally.linear(hidden, width)
    tally.linear(hidden, values, count=2)
    tally.linear(width, hidden)
    tally.other((2 * keys + width) * config["linear_conv_kernel_dim"] + 2 * values + config["linear_value_head_dim"])


def _feed_forward(tally: Tally, config: Config, kind: Decoder) -> None:
    hidden, width = config["hidden_size"], config["intermediate_size"]
    number = config.get("num_experts") or config.get("num_local_experts") or 0
    both = config["model_type"] == "gemma4_text"  # there the experts stand beside the dense part, not in its place
    if not number or both:
        bias = bool(config.get("mlp_bias"))
        if kind.fused:
            tally.linear(hidden, 2 * width)
        else:
            tally.linear(hidden, width, bias=bias, count=2)
        tally.linear(width, hidden, bias=bias)
    if not number:
        return
    each_width = config.get("moe_intermediate_size") or width
    each = 3 * hidden * each_width
    used = config.get("num_experts_per_tok") or config["top_k_experts"]
    if kind.sinks:  # GPT-OSS: biases in the experts and the router
        each += 2 * each_width + hidden
        tally.other(hidden * number + number)
    elif both:
        tally.other(3 * hidden + hidden + number)  # three more norms, the router's two scales
        tally.linear(hidden, number)
    else:
        tally.other(hidden * number)
    tally.experts(each, number, used)


def _gemma3(tally: Tally, config: Config) -> None:
    """Gemma 3 with its SigLIP tower for pictures (Zhai et al. 2023, arXiv:2303.15343)."""
    text, seen = config["text_config"], config["vision_config"]
    _decoder(tally, text)
    hidden, width, patch = seen["hidden_size"], seen["intermediate_size"], seen["patch_size"]
    tally.other(3 * patch * patch * hidden + hidden + (seen["image_size"] // patch) ** 2 * hidden)
    layers = seen["num_hidden_layers"]
    tally.linear(hidden, hidden, bias=True, count=4 * layers)
    tally.linear(hidden, width, bias=True, count=layers)
    tally.linear(width, hidden, bias=True, count=layers)
    tally.other(4 * hidden * layers + 2 * hidden)
    tally.other(hidden * text["hidden_size"] + hidden)


def _gemma4(tally: Tally, config: Config) -> None:
    text, seen = config["text_config"], config["vision_config"]
    _decoder(tally, text)
    hidden, width, layers = seen["hidden_size"], seen["intermediate_size"], seen["num_hidden_layers"]
    heads = seen["num_attention_heads"] * seen["head_dim"]
    tally.other(2 * seen["position_embedding_size"] * hidden)
    tally.linear(3 * seen["patch_size"] ** 2, hidden)
    tally.linear(hidden, heads, count=3 * layers)
    tally.linear(heads, hidden, count=layers)
    tally.linear(hidden, width, count=2 * layers)
    tally.linear(width, hidden, count=layers)
    tally.other((4 * hidden + 2 * seen["head_dim"]) * layers)
    tally.linear(hidden, text["hidden_size"])


def _qwen3_5(tally: Tally, config: Config) -> None:
    """Only the text part: that is what transformers loads for a model that writes."""
    _decoder(tally, {"tie_word_embeddings": config.get("tie_word_embeddings", False), **config["text_config"]})


def _bert(tally: Tally, config: Config) -> None:
    """The encoder with its pooler, without a head."""
    hidden, width, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    tally.other((config["vocab_size"] + config["max_position_embeddings"] + config["type_vocab_size"] + 2) * hidden)
    tally.linear(hidden, hidden, bias=True, count=4 * layers + 1)
    tally.linear(hidden, width, bias=True, count=layers)
    tally.linear(width, hidden, bias=True, count=layers)
    tally.other(4 * hidden * layers)


def _distilbert(tally: Tally, config: Config) -> None:
    hidden, width, layers = config["dim"], config["hidden_dim"], config["n_layers"]
    tally.other((config["vocab_size"] + config["max_position_embeddings"] + 2) * hidden)
    tally.linear(hidden, hidden, bias=True, count=4 * layers)
    tally.linear(hidden, width, bias=True, count=layers)
    tally.linear(width, hidden, bias=True, count=layers)
    tally.other(4 * hidden * layers)


def _modernbert(tally: Tally, config: Config) -> None:
    hidden, width, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    tally.other((config["vocab_size"] + 2) * hidden)
    tally.linear(hidden, 3 * hidden, count=layers)
    tally.linear(hidden, hidden, count=layers)
    tally.linear(hidden, 2 * width, count=layers)
    tally.linear(width, hidden, count=layers)
    tally.other((2 * layers - 1) * hidden)  # the first layer has no norm before its attention


BUILDERS: dict[str, Callable[[Tally, Config], None]] = {
    "gemma3": _gemma3,
    "gemma4": _gemma4,
    "qwen3_5": _qwen3_5,
    "bert": _bert,
    "distilbert": _distilbert,
    "modernbert": _modernbert,
}
"""Kinds that are no plain decoder, by `model_type`."""
