"""What several stages must agree on about the kinds of adapters: which layers they sit on, and how wide they begin."""

from __future__ import annotations

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


def adalora_first_rank(rank: int) -> int:
    """AdaLoRA begins with half as much rank again as it ends with (Zhang et al. 2023, arXiv:2303.10512, section 3.3)."""
    return -(-3 * rank // 2)
