"""The simulated step against arithmetic done by hand, term by term; the line in depth against all layers.

The model: 4 layers, width 128, 4 heads of 32 (2 of keys), feed-forward 256, 2,048 words, head and embedding tied. A
layer's matrices: q and o 128 × 128, k and v 64 × 128, gate, up and down 256 × 128. One row of 1,024 tokens.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from tunesmith.core.errors import ModelError
from tunesmith.core.facts import Simulation
from tunesmith.core.load import Load
from tunesmith.core.practice import MODEL_DIR
from tunesmith.core.select.load import CodePath
from tunesmith.core.worker.simulation import cuda
from tunesmith.core.worker.simulation.simulate import read_config, simulate

TINY: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "intermediate_size": 256,
    "vocab_size": 2048,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": True,
}
LORA = Load("lora", "bf16", "cuda", 1, 1024, rank=8, target_modules=("q_proj", "v_proj"))
FULL = Load("full", "bf16", "cuda", 1, 1024)
TOKENS = 1024
LINEAR = 4 * (2 * 128 * 128 + 2 * 64 * 128 + 3 * 256 * 128)  # 589,824
EMBEDDING = 2048 * 128  # 262,144
NORMS = 9
"""Two a layer and the last, of 128 numbers: 256 bytes in bf16, rounded up to 512, or exactly 512 in fp32."""
ROTARY = 2 * 512
"""The rotary embedding's two tables of 16 numbers, each rounded up to 512 bytes."""


def phase(simulation: Simulation, name: str) -> dict[str, int]:
    return next(phase.bytes for phase in simulation.phases if phase.name == name)


def test_lora_holds_frozen_weights_in_half_precision_and_its_adapter_in_fp32() -> None:
    found = simulate(TINY, LORA)
    before, after = phase(found, "before the step"), phase(found, "optimizer")
    assert before["weights"] == 2 * (LINEAR + EMBEDDING) + NORMS * 512 + ROTARY == 1_709_568
    adapter = 4 * (8 * (128 + 128) + 8 * (128 + 64))  # q and v of four layers: 14,336 numbers
    assert before["adapter"] == after["gradients"] == 4 * adapter == 57_344
    assert before["optimizer"] == 2 * 4 * adapter + 16 * 512  # and a counter for each of 16 matrices
    assert found.load == LORA


def test_full_fine_tuning_holds_fp32_masters_gradients_and_two_states() -> None:
    found = simulate(TINY, FULL)
    before, after = phase(found, "before the step"), phase(found, "optimizer")
    masters = 4 * (LINEAR + EMBEDDING) + NORMS * 512
    assert before["weights"] == masters + ROTARY == 3_413_504
    assert after["gradients"] == masters
    assert before["optimizer"] == 2 * masters + (28 + 1 + NORMS) * 512


def test_autocast_keeps_half_precision_copies_of_the_matrices_until_the_forward_pass_is_over() -> None:
    found = simulate(TINY, FULL)
    assert phase(found, "loss")["working copies"] == 2 * LINEAR + 2 * EMBEDDING
    assert phase(found, "forward")["working copies"] == 2 * LINEAR
    assert "working copies" not in phase(simulate(TINY, LORA), "loss")


@pytest.mark.parametrize("double", [True, False])
def test_packed_weights_take_half_a_byte_and_their_scales(double: bool) -> None:
    load = replace(LORA, method="qlora", double_quantization=double)
    found = phase(simulate(TINY, load), "before the step")
    rest = 2 * EMBEDDING + NORMS * 512 + ROTARY
    # A scale for 64 numbers. Of 28 matrices: one byte each (8 of 128 bytes, 8 of 256, 12 of 512; each rounded up to
    # 512) with one fp32 for up to 256 of them and one offset, and 1,024 bytes of a table; or four bytes each.
    scales = 28 * (512 + 512 + 512) + 1024 if double else 8 * 512 + 8 * 1024 + 12 * 2048
    assert found["weights"] == LINEAR // 2 + rest + scales + 28 * 512  # and 16 numbers to unpack each matrix with
    assert found["adapter"] == 2 * 14_336, "TRL turns adapters over packed weights to bf16"


def test_eight_bit_weights_take_a_byte_and_a_scale_a_row() -> None:
    found = phase(simulate(TINY, replace(LORA, method="qlora", quantization="int8")), "before the step")
    rows = 4 * (512 + 512 + 512 + 512 + 1024 + 1024 + 512)  # q, k, v, o, gate, up, down: fp32, rounded up
    assert found["weights"] == LINEAR + 2 * EMBEDDING + NORMS * 512 + ROTARY + rows


def test_kernels_take_memory_while_they_run() -> None:
    known = cuda.workspaces()
    query, key = torch.empty(2, 4, 100, 32, device="meta"), torch.empty(2, 2, 100, 32, device="meta")
    flash = known[torch.ops.aten._scaled_dot_product_flash_attention_backward.default]
    # 100 tokens rounded up to 128, in fp32 for each query and its softmax; keys' and values' gradients for all heads.
    assert flash(None, query, key, key) == 2 * 4 * 128 * (32 + 1) * 4 + 2 * 2 * 4 * 100 * 32 * 4
    efficient = known[torch.ops.aten._scaled_dot_product_efficient_attention_backward.default]
    assert efficient(None, query, key) == 4 * 2 * 4 * 100 * 32
    packed = known[torch.ops.bitsandbytes.gemm_4bit.default]
    half = torch.empty(7, 128, dtype=torch.bfloat16, device="meta")
    scales = torch.empty(512, dtype=torch.uint8, device="meta")
    assert packed(half, None, (256, 128)) == 2 * 256 * 128
    assert packed(half, None, (256, 128), absmax_8bit=scales) == 2 * 256 * 128 + 8 * 512
    embedding = known[torch.ops.aten.embedding_dense_backward.default]
    words = torch.empty(4, 1000, dtype=torch.long, device="meta")
    assert embedding(torch.empty(4, 1000, 64, device="meta"), words) == 4 * 8 * 4000 + 4 * 64 * 4400
    assert embedding(torch.empty(3, 1000, 64, device="meta"), words[:3]) == 0


def test_eight_bit_states_are_packed_from_4096_numbers_on_and_embeddings_stay_in_fp32() -> None:
    found = phase(simulate(TINY, replace(FULL, optimizer="adamw_8bit")), "before the step")["optimizer"]
    norms, embedding = 2 * NORMS * 512, 2 * 4 * EMBEDDING
    scales = 2 * 4 * (2 * 512 + 2 * 512 + 3 * 512)  # an fp32 for 256 numbers: 256, 128 or 512 bytes, rounded up
    assert found == norms + embedding + 2 * LINEAR + scales


def test_paged_states_lie_outside_where_a_matrix_is_large_enough() -> None:
    wide = {**TINY, "hidden_size": 512, "intermediate_size": 1024, "num_hidden_layers": 2}
    load = replace(LORA, target_modules="all-linear", rank=256)
    large = 2 * 256 * (2 * 1024 + 2 * 512)  # gate, up: 256 × 512 and 1,024 × 256; down the other way: each over 100,000
    packed, paged = (
        phase(simulate(wide, replace(load, optimizer=name)), "before the step")["optimizer"]
        for name in ("adamw_8bit", "paged_adamw_8bit")
    )
    assert packed - paged >= 2 * large


def test_adamw_in_torchs_many_tensor_way_takes_one_more_copy_while_it_steps() -> None:
    fused = phase(simulate(TINY, FULL), "optimizer")
    foreach = phase(simulate(TINY, replace(FULL, optimizer="adamw_torch")), "optimizer")
    assert foreach["temporary"] == 4 * (LINEAR + EMBEDDING) + NORMS * 512
    assert fused["temporary"] < 50 * 512, "norms of gradients, a number each"


def test_the_plain_loss_holds_fourteen_bytes_for_each_token_and_word() -> None:
    path = CodePath("plain", autocast=False, keeps_outputs=True, padded=False)
    loss = phase(simulate(TINY, LORA, path), "loss")["loss"]
    logits = (2 + 4 + 4 + 4) * TOKENS * 2048  # kept in bf16, log-softmax, its gradient twice
    assert logits <= loss <= logits + 3 * 2 * TOKENS * 128


def test_the_fused_loss_holds_one_block_of_logits_whatever_the_vocabulary() -> None:
    loss = phase(simulate(TINY, LORA), "loss")["loss"]
    block = 2 * (TOKENS - 1) * 32768
    hidden = 2 * TOKENS * 128
    assert block <= loss <= block + 2 * EMBEDDING + 8 * hidden
    many = phase(simulate({**TINY, "vocab_size": 65536}, LORA), "loss")["loss"]
    assert many - loss < 2 * 32768 * 128, "only the block of the head's rows that is cast"


def test_checkpointing_keeps_the_input_of_each_layer() -> None:
    kept = phase(simulate(TINY, replace(LORA, checkpointing=True)), "loss")["activations"]
    hidden = 2 * TOKENS * 128
    inputs = 4 * hidden
    tables = 2 * 2 * TOKENS * 32 + 3 * 8 * TOKENS  # cosines and sines in bf16; ids, labels and mask
    assert inputs <= kept <= inputs + tables + 2 * 8 * TOKENS


def test_without_it_each_layer_keeps_what_arithmetic_says() -> None:
    shallow, deep = (phase(simulate({**TINY, "num_hidden_layers": n}, LORA), "loss")["activations"] for n in (4, 6))
    width, keys, feed, heads = 128, 64, 256, 4
    norms = 2 * (4 * width + 4)  # the input in fp32, and what it is divided by
    attention = 2 * (2 * width + 2 * keys) + 4 * heads  # query, output, key, value; a number a head in fp32
    gate = 2 * 3 * feed  # gate, its activation, up
    adapters = 2 * (2 * width + 2 * 8)  # of q and of v, their input cast to bf16, and the middle
    casts = 2 * (2 * 8 * width + 8 * width + 8 * keys)  # the adapters' matrices in bf16, for their products
    random = 2 * 512  # where attention's random numbers began
    assert (deep - shallow) // 2 == TOKENS * (norms + attention + gate + adapters) + casts + random


def test_a_padded_batch_keeps_a_mask_for_each_layer() -> None:
    load = replace(LORA, batch_size=2, length=512)
    padded, even = (
        phase(simulate(TINY, load, CodePath(padded=padded)), "loss")["activations"] for padded in (True, False)
    )
    masks = 4 * 2 * 512 * 512 * 2  # layers × rows × tokens² in bf16
    repeated = 4 * 2 * TOKENS * 64 * 2  # keys and values, for all heads where there is a mask
    assert padded - even == masks + repeated


def test_packed_rows_keep_a_mask_of_the_whole_batch() -> None:
    load = replace(LORA, batch_size=2, length=512)
    packing = phase(simulate(TINY, replace(load, packing=True)), "loss")["activations"]
    even = phase(simulate(TINY, load, CodePath(padded=False)), "loss")["activations"]
    assert packing - even > 4 * TOKENS * TOKENS * 2


def test_eight_bit_products_keep_their_inputs_even_with_checkpointing() -> None:
    load = replace(LORA, method="qlora", checkpointing=True)
    four, eight = (
        phase(simulate(TINY, replace(load, quantization=how)), "loss")["activations"] for how in ("nf4", "int8")
    )
    inputs = 4 * 2 * TOKENS * (128 + 128 + 128 + 256)  # of q k v, of o, of gate and up, of down
    assert eight - four == pytest.approx(inputs, rel=0.01)


def test_answers_take_a_cache_of_keys_and_values_that_grows() -> None:
    load = replace(LORA, answer_rows=8, answer_tokens=8192)
    found = simulate(TINY, load).evaluation
    assert found is not None
    cache = 8 * (1024 + 8192) * 2 * 64 * 4 * 2  # rows × tokens × key and value × their width × layers × bf16
    assert found.bytes["answers"] == pytest.approx(cache * (1 + 1 / 8), rel=0.01), "one layer's keys twice"
    assert simulate(TINY, LORA).evaluation is None


@pytest.mark.parametrize("kind", ["dora", "rslora", "vera", "adalora", "ia3", "ln-tuning"])
def test_other_adapters_are_put_on_as_peft_does(kind: Any) -> None:
    found = simulate(TINY, replace(LORA, peft=kind))
    assert phase(found, "before the step").get("adapter", 0) > 0
    assert found.peak.total > 10_000_000


@pytest.mark.parametrize("kind", ["prefix", "prompt", "p-tuning"])
def test_virtual_tokens_are_put_before_the_rows(kind: Any) -> None:
    found = simulate(TINY, replace(LORA, peft=kind, rank=0, virtual_tokens=16))
    numbers = {"prefix": 16 * 4 * 2 * 64, "prompt": 16 * 128}.get(kind, 16 * 128 + 3 * 128 * 128 + 3 * 128)
    held = sum(phase(found, "before the step")[what] for what in ("adapter",))
    assert held == pytest.approx(4 * numbers, rel=0.05)


def test_what_the_adapter_library_refuses_is_said() -> None:
    experts = {
        **TINY,
        "model_type": "qwen3_moe",
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 64,
    }
    with pytest.raises(ModelError) as refused:
        simulate(
            {**TINY, "model_type": "qwen3_moe", **experts}, replace(LORA, target_modules="all-linear", dropout=0.1)
        )
    assert refused.value.title == "A training step of this model can't be simulated."
    assert "lora_dropout" in refused.value.cause
    assert "arithmetic" in refused.value.next_step


def test_a_kind_of_model_that_transformers_does_not_know_is_named() -> None:
    with pytest.raises(ModelError) as refused:
        simulate({**TINY, "model_type": "no_such_kind"}, LORA)
    assert refused.value.title == "transformers can't build a model of the kind no_such_kind."


def test_a_folder_without_a_readable_config_is_named(tmp_path: Any) -> None:
    with pytest.raises(ModelError) as refused:
        read_config(tmp_path)
    assert str(tmp_path / "config.json") in refused.value.title


LINES = [
    LORA,
    replace(LORA, checkpointing=True, answer_rows=4, answer_tokens=32),
    FULL,
    replace(FULL, checkpointing=True, optimizer="adamw_torch"),
    replace(LORA, method="qlora", target_modules="all-linear", dropout=0.05),
    replace(LORA, method="qlora", quantization="int8", checkpointing=True),
    Load("lora", "fp32", "cpu", 4, 96, rank=8, dropout=0.05),
    Load("full", "fp32", "cpu", 4, 96),
]


@pytest.mark.parametrize("load", LINES, ids=lambda load: f"{load.method}-{load.device}-{load.checkpointing}")
def test_a_few_layers_and_a_straight_line_give_what_all_layers_give(load: Load) -> None:
    deep = {**TINY, "num_hidden_layers": 9}
    line, whole = simulate(deep, load), simulate(deep, load, every_layer=True)
    for one, other in zip(line.phases, whole.phases, strict=True):
        assert one.name == other.name
        assert one.total == pytest.approx(other.total, abs=4096)


def test_layers_of_two_kinds_are_each_counted() -> None:
    kinds = 2 * (["sliding_attention"] * 5 + ["full_attention"])
    mixed = {
        **TINY,
        "model_type": "gemma3_text",
        "num_hidden_layers": 12,
        "layer_types": kinds,
        "sliding_window": 256,
        "query_pre_attn_scalar": 32,
    }
    line, whole = simulate(mixed, LORA), simulate(mixed, LORA, every_layer=True)
    assert [one.total for one in line.phases] == pytest.approx([one.total for one in whole.phases], abs=4096)


def test_the_part_that_sees_pictures_is_held_and_not_run() -> None:
    seeing = {
        "model_type": "gemma3",
        "text_config": {**TINY, "model_type": "gemma3_text", "num_hidden_layers": 3},
        "vision_config": {
            "hidden_size": 64,
            "num_hidden_layers": 5,
            "num_attention_heads": 2,
            "intermediate_size": 128,
            "image_size": 64,
            "patch_size": 16,
        },
    }
    # Rounded up to 512 bytes: 4 matrices of 64 × 64 and 2 of 64 × 128, 6 biases and 2 norms with biases, in bf16.
    layer = 4 * 8192 + 2 * 16384 + 6 * 512 + 4 * 512
    bare = {**seeing, "vision_config": {**seeing["vision_config"], "num_hidden_layers": 1}}  # type: ignore[dict-item]
    five, one = (phase(simulate(config, LORA), "before the step")["weights"] for config in (seeing, bare))
    assert five - one == 4 * layer
    adapted = replace(LORA, target_modules="all-linear")
    found = simulate(seeing, adapted)
    gradients, adapters = (phase(found, "optimizer")[kind] for kind in ("gradients", "adapter"))
    assert gradients < adapters, "adapters in that part get no gradient, and no states"
    assert phase(found, "before the step")["optimizer"] < 2 * adapters


@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_it_gives_what_torch_hands_out_in_a_real_step_on_a_cpu(method: Any, checkpointing: bool, tmp_path: Any) -> None:
    from .real_step import allocated_in_a_step

    rank = 0 if method == "full" else 16
    load = Load(method, "fp32", "cpu", 8, 128, rank=rank, checkpointing=checkpointing)
    simulated = simulate(read_config(MODEL_DIR), load, CodePath(padded=False)).peak.total
    assert simulated == pytest.approx(allocated_in_a_step(load, tmp_path), rel=0.03)
