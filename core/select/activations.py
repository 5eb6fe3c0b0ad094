"""What a training step keeps for its backward pass, in bytes a token, and what the loss takes.

After Korthikanti et al. 2022 (arXiv:2205.05198, section 4), who count what each operation of a layer saves. Adapted
here to what transformers' Llama does: RMS norms computed in fp32, attention by `scaled_dot_product_attention`, which
saves its inputs and output but no score matrix (Dao et al. 2022, arXiv:2205.14135), keys and values repeated for all
heads, a gated feed-forward part; and to LoRA, where a frozen weight needs no saved input but each adapter saves its
own. With h the width of the model, q that of all heads, f that of the feed-forward part, c the bytes of the products:

    norms       2 × 4 h frozen (the input in fp32), 2 × 8 h trained (and the normalised value); of queries and keys
                the same of their width, where they are normed
    attention   4 c q (query, key, value, output)
    gate        3 c f (gate, its activation, up)
    linears     full: c (5 h + f) under autocast, which copies the input for each product; 4 (2 h + f) in fp32
                LoRA: (c + mask) × the inputs of each adapted layer, + c r of the adapter's middle
    scores      (2 c + 4) × heads × the row's length where they are capped (Gemma 2)
    mask        c × the row's length on a GPU where rows are padded, the batch's where they are packed: made anew for
                each layer, and kept (`core/worker/simulation/cuda.py`)
    8-bit       c (2 h + f) more: bitsandbytes' product keeps its input (of query, key and value; of gate and up; of
                down), and that of the output projection, which attention keeps already. With gradient checkpointing
                c (2 h + q + f): they are kept where checkpointing can't drop them (bitsandbytes 0.50,
                `autograd/_functions.py`, MatMul8bitLt)
"""

from __future__ import annotations

from tunesmith.core.facts import ModelFacts
from tunesmith.core.load import Load
from tunesmith.core.select.load import CodePath, adapted_shapes

TOKEN_BLOCK, WORD_BLOCK = 4096, 32768
"""TRL 1.16 takes the logits in blocks of this many tokens and words (`trl/kernels/chunked_logprob.py`,
`trl/trainer/utils.py`)."""
NORMED_HEADS = ("Qwen3", "Gemma3", "Gemma4", "Olmo2", "Olmo3")
"""Beginnings of the architectures that norm queries and keys (transformers 5, their `modeling_*.py`)."""
FOUR_NORMS = ("Gemma2", "Gemma3")
"""Those with a norm after each part as well."""
CAPPED = "Gemma2"
"""The architecture that caps attention's scores (`attn_logit_softcapping`), and so holds them."""
CPU_LOSS_COPIES = 9
"""fp32 blocks that live at once in TRL's `_backward_tile`, which stands in for its Triton kernel on a CPU."""


def saved_bytes(model: ModelFacts, load: Load, path: CodePath) -> float:
    """Bytes a token that all layers keep between forward and backward, without checkpointing."""
    hidden, width = model.hidden_size, model.heads * model.head_size
    compute = load.compute_bytes
    middle = 4 if path.fp32_preparation else compute
    norms = 2 * (8 if load.method == "full" else 4) * hidden
    layer = norms + 4 * compute * width + 3 * middle * model.intermediate_size
    layer += _mask_bytes(load, path) + norms // (2 * hidden) * _normed_heads(model)
    layer += norms if model.architecture.startswith(FOUR_NORMS) else 0
    layer += _score_bytes(model, load)
    if load.method == "full":
        copies = 5 if load.precision != "fp32" else 2
        return model.layers * (layer + compute * (copies * hidden + model.intermediate_size))
    return model.layers * (layer + _product_bytes(model, load)) + _adapter_bytes(model, load)


def _normed_heads(model: ModelFacts) -> int:
    """Width of the queries and keys where they are normed as well."""
    if not model.architecture.startswith(NORMED_HEADS):
        return 0
    return (model.heads + model.kv_heads) * model.head_size


def _score_bytes(model: ModelFacts, load: Load) -> int:
    """Bytes a token and layer of attention's scores, where they are capped and no kernel does without them."""
    if not model.architecture.startswith(CAPPED):
        return 0
    # Their tanh, the softmax in fp32, and that cast for its product.
    return (2 * load.compute_bytes + 4) * model.heads * load.length


def _mask_bytes(load: Load, path: CodePath) -> int:
    """Bytes a token and layer of attention's mask: a number for each token that it may look at."""
    if load.device == "cpu":
        return 0
    if load.packing:
        return load.compute_bytes * load.tokens
    padded = path.padded if path.padded is not None else load.batch_size > 1
    return load.compute_bytes * load.length if padded else 0


def _product_bytes(model: ModelFacts, load: Load) -> int:
    """Bytes a token and layer that products with 8-bit weights keep of their inputs."""
    if load.method != "qlora" or load.quantization != "int8":
        return 0
    # The output projection's input is what attention put out, which is kept without checkpointing anyhow.
    of_output = model.heads * model.head_size if load.checkpointing else 0
    return load.compute_bytes * (2 * model.hidden_size + of_output + model.intermediate_size)


def _adapter_bytes(model: ModelFacts, load: Load) -> float:
    """Bytes a token that the adapters of all layers keep: their inputs after dropout, its mask, their middles."""
    mask = 0
    if load.dropout:
        # One bool on a GPU; on a CPU torch multiplies with a tensor of zeros and scales in the adapter's format.
        mask = 1 if load.device == "cuda" else (2 if load.method == "qlora" else 4)
    shapes = list(adapted_shapes(model, load))
    inputs = sum(inputs * count for inputs, _, count in shapes)
    middles = sum(load.rank * count for _, _, count in shapes)
    return (load.compute_bytes + mask) * inputs + load.compute_bytes * middles


def layer_input_bytes(model: ModelFacts, load: Load, path: CodePath) -> float:
    """Bytes a token of what checkpointing keeps of a layer: its input (Chen et al. 2016, arXiv:1604.06174), and those
    of products in 8 bits."""
    return model.hidden_size * _residual_bytes(load, path) + _product_bytes(model, load)


def layer_gradient_bytes(model: ModelFacts, load: Load, path: CodePath) -> float:
    """Bytes a token of the gradients that are alive at once in the backward pass of one layer's feed-forward part."""
    middle = 4 if path.fp32_preparation else load.compute_bytes
    return 3 * middle * model.intermediate_size + 2 * _residual_bytes(load, path) * model.hidden_size


def _residual_bytes(load: Load, path: CodePath) -> int:
    """The stream between layers has the format of the embedding: fp32 where that is trained or was prepared so."""
    return 4 if load.method == "full" or path.fp32_preparation else load.compute_bytes


def loss_bytes(model: ModelFacts, load: Load, path: CodePath) -> int:
    """Bytes at the end of the forward pass and the beginning of the backward: last norm, logits, their gradients."""
    tokens = load.batch_size * load.length
    hidden, vocabulary = model.hidden_size, model.vocabulary
    last = 12 * hidden * tokens  # last norm in fp32, its product, and the gradient of it
    if path.loss == "plain":
        # In the head's format, then three times in fp32: upcast, log-softmax, gradient. On measured runs with an fp32
        # head that came to 16 bytes a token and word (shared/memory-points.md, A).
        head = 4 if path.fp32_preparation else load.compute_bytes
        return last + tokens * vocabulary * (head + 12)
    words = min(vocabulary, WORD_BLOCK)
    if load.device == "cuda":
        # The buffer is as wide as a block whatever the vocabulary; the head's block is cast where formats differ.
        block = min(tokens, TOKEN_BLOCK) * WORD_BLOCK * load.compute_bytes + words * hidden * load.compute_bytes
    else:
        block = min(tokens, TOKEN_BLOCK) * words * 4 * CPU_LOSS_COPIES
    head_gradient = 4 * vocabulary * hidden if load.method == "full" else 0
    return last + block + head_gradient


def answer_bytes(model: ModelFacts, load: Load) -> int:
    """Bytes for answers to be written: keys and values of prompts and answers, and one layer's work on the prompts."""
    cache = 2 * model.layers * model.kv_heads * model.head_size * load.compute_bytes
    prompts, all_tokens = load.answer_rows * load.length, load.answer_rows * (load.length + load.answer_tokens)
    layer = load.compute_bytes * (3 * model.intermediate_size + 4 * model.hidden_size)
    return cache * all_tokens + layer * prompts
