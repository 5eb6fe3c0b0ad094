"""The practice model's shape and its start: a Llama whose first heads look one, two and three tokens back.

Looking a value up needs "what stood before this token", which small models take long to find by chance. Query and key
biases on the fastest rotary pairs give it to three heads of the first layer and one of the second from the first step.
"""

from __future__ import annotations

import math

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tunesmith.core.practice.pretrain.tokenizer import MAX_POSITIONS

HIDDEN, FEED_FORWARD, LAYERS, HEADS = 192, 512, 4, 4
ROPE_THETA = 10_000.0


def build_model(vocabulary: int, pad_id: int, end_id: int, seed: int) -> LlamaForCausalLM:
    """A fresh model of about 2.2 million parameters in float32; all widths divide by 64 so that 4-bit loading works."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=HIDDEN,
        intermediate_size=FEED_FORWARD,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=MAX_POSITIONS,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        attention_bias=True,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end_id,
        pad_token_id=pad_id,
        initializer_range=0.02,
    )
    config._attn_implementation = "eager"
    model = LlamaForCausalLM(config)
    for head, distance in enumerate((1, 2, 3)):
        look_back(model, layer=0, head=head, distance=distance)
    look_back(model, layer=1, head=0, distance=1)
    return model


@torch.no_grad()
def look_back(model: LlamaForCausalLM, layer: int, head: int, distance: int, strength: float = 6.5) -> None:
    """Set one head's biases so that it attends ``distance`` tokens back.

    With rotary frequencies f_i, a key bias (s, 0) and a query bias s * (cos d f_i, -sin d f_i) on pair i give a score
    proportional to the sum of cos((n - m - d) f_i), which is largest where the key stands d tokens before the query.
    """
    width = HIDDEN // HEADS
    half = width // 2
    attention = model.model.layers[layer].self_attn
    key, query = attention.k_proj.bias, attention.q_proj.bias
    for pair in range(7):
        frequency = ROPE_THETA ** (-2 * pair / width)
        first = head * width + pair
        key[first] = strength
        query[first] = strength * math.cos(distance * frequency)
        query[first + half] = -strength * math.sin(distance * frequency)
