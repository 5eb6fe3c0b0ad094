"""The forecast's terms against arithmetic done by hand for one small model, and its sense of direction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from tunesmith.core.facts import MemoryPhase, ModelFacts, Simulation, StepProbe
from tunesmith.core.figures import size
from tunesmith.core.load import Load
from tunesmith.core.plan import Hyperparameters, Lora, Select
from tunesmith.core.select.load import CodePath, adapter_parameters
from tunesmith.core.select.memory import (
    CPU_LEAST_MARGIN,
    CPU_PROCESS,
    CPU_STEP_MARGIN,
    CUBLAS_WORKSPACE,
    CUDA_CONTEXT,
    MARGIN,
    forecast,
    forecast_load,
)

from ..facts_kit import GIB, SEVEN_B, SMALL, machine

# The small model: h 64, 2 layers, q 4 × 32 = 128, f 128, V 256; 98,304 linear parameters of 2,200,000.
LORA = Load("lora", "fp32", "cpu", 4, 50, rank=8, dropout=0.05)
TOKENS = 4 * 50
ADAPTER = 8 * (4 * (64 + 64) + 6 * (64 + 128) + 4 * (128 + 64))  # 19,456


def test_lora_on_a_cpu_term_by_term() -> None:
    told = forecast_load(SMALL, LORA, machine())
    assert ADAPTER == adapter_parameters(SMALL, LORA) == 19_456
    assert told.of("weights") == 2_200_000 * 4
    assert told.of("adapter") == told.of("gradients") == ADAPTER * 4
    assert told.of("optimizer") == ADAPTER * 8
    layers = 2 * (2 * 4 * 64 + 4 * 4 * 128 + 3 * 4 * 128)  # norms, attention, gate
    adapters = (4 + 4) * (4 * 64 + 6 * 64 + 4 * 128) + 4 * 8 * 14  # inputs with their mask, middles
    assert told.of("activations") == TOKENS * (layers + adapters)
    assert told.of("loss") == 12 * 64 * TOKENS + TOKENS * 256 * 4 * 9
    assert told.of("libraries") == CPU_PROCESS
    inner = sum(term.bytes for term in told.terms if term.name not in ("libraries", "margin"))
    step = told.of("activations") + told.of("loss")
    assert told.of("margin") == round(CPU_STEP_MARGIN * step + MARGIN * (inner - step))
    assert told.total == inner + CPU_PROCESS + told.of("margin")
    assert (told.available, told.fits) == (22 * GIB, True)


def test_full_under_autocast_holds_fp32_masters_and_half_copies() -> None:
    told = forecast_load(SMALL, Load("full", "bf16", "cuda", 4, 50), machine("RTX 4090"))
    assert told.of("weights") == 2_200_000 * 4
    assert told.of("gradients") == 0, "they come while activations go: this is the peak before"
    assert told.of("optimizer") == 2_200_000 * 8
    assert told.of("working copies") == 98_304 * 2
    assert told.of("adapter") == 0
    layer = 2 * 8 * 64 + 4 * 2 * 128 + 3 * 2 * 128 + 2 * (5 * 64 + 128)
    mask = 2 * 50  # a number in bf16 for each token of the row, because rows are padded
    assert told.of("activations") == TOKENS * 2 * (layer + mask)
    block = TOKENS * 32768 * 2 + 256 * 64 * 2
    assert told.of("loss") == 12 * 64 * TOKENS + block + 4 * 256 * 64
    assert told.of("CUDA context") == CUDA_CONTEXT


def test_qlora_packs_the_linear_weights_and_keeps_the_rest_in_half_precision() -> None:
    load = Load("qlora", "bf16", "cuda", 4, 50, rank=8, optimizer="paged_adamw_8bit", double_quantization=False)
    told = forecast_load(SMALL, load, machine("RTX 4090"))
    rest = (2_200_000 - 98_304) * 2
    assert told.of("weights") == round(98_304 * (0.5 + 4 / 64)) + rest
    assert told.of("adapter") == ADAPTER * 2
    assert told.of("optimizer") == round(ADAPTER * 2 * (1 + 4 / 256))
    assert told.of("unpacked weight") == 64 * 128 * 2
    double = forecast_load(SMALL, replace(load, double_quantization=True), machine("RTX 4090"))
    assert double.of("weights") == round(98_304 * (0.5 + 1 / 64 + 4 / (64 * 256))) + rest


def test_full_with_few_tokens_is_highest_when_all_gradients_are_there() -> None:
    large = forecast_load(SEVEN_B, Load("full", "bf16", "cuda", 1, 8), machine("H200"))
    assert large.of("gradients") == 4 * SEVEN_B.parameters
    assert (large.of("working copies"), large.of("activations")) == (0, 0)
    width, feed = 4096, SEVEN_B.intermediate_size
    kept = 16 * width + 8 * 32 * SEVEN_B.head_size + 6 * feed + 2 * (5 * width + feed)
    assert large.of("backward") == 8 * (kept + 6 * feed + 8 * width)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_products_in_8_bits_keep_their_inputs(checkpointing: bool) -> None:
    four = Load("qlora", "bf16", "cuda", 4, 50, rank=8, checkpointing=checkpointing)
    kept = {
        how: forecast_load(SMALL, replace(four, quantization=how), machine("A100")).of("activations")  # type: ignore[arg-type]
        for how in ("nf4", "int8")
    }
    # Of query, key and value; of gate and up; of down; the output projection's only where attention does not keep it.
    inputs = 64 + 64 + 128 + (4 * 32 if checkpointing else 0)
    assert kept["int8"] - kept["nf4"] == TOKENS * 2 * 2 * inputs


def test_checkpointing_keeps_only_the_layers_inputs() -> None:
    plain = Load("lora", "bf16", "cuda", 4, 2048, rank=16)
    card = machine("A100")
    without = forecast_load(SEVEN_B, plain, card)
    told = forecast_load(SEVEN_B, replace(plain, checkpointing=True), card)
    assert told.of("activations") == 4 * 2048 * 32 * 4096 * 2
    assert told.of("backward") > 0
    assert told.total < 0.6 * without.total


def test_the_fused_loss_needs_no_room_for_all_logits() -> None:
    load = Load("lora", "bf16", "cuda", 8, 2048, rank=16, checkpointing=True)
    fused = forecast_load(SEVEN_B, load, machine("A100"))
    plain = forecast_load(SEVEN_B, load, machine("A100"), CodePath("plain"))
    assert plain.of("loss") == 12 * 4096 * 8 * 2048 + 8 * 2048 * 32000 * 14
    assert fused.total < plain.total


def test_named_modules_are_worked_out_from_the_config() -> None:
    load = Load("lora", "bf16", "cuda", 1, 8, rank=16, target_modules=["q_proj", "v_proj", "no_such"])
    assert adapter_parameters(SEVEN_B, load) == 32 * 16 * ((4096 + 4096) + (4096 + 1024))


def test_seven_billion_parameters_fit_a_24_gib_card_only_packed_or_nearly() -> None:
    card = machine("RTX 4090")
    full = forecast_load(SEVEN_B, Load("full", "bf16", "cuda", 1, 512, checkpointing=True), card)
    packed = forecast_load(SEVEN_B, Load("qlora", "bf16", "cuda", 1, 512, rank=16, checkpointing=True), card)
    assert full.total > 100 * GIB
    assert not full.fits
    assert packed.total < 8 * GIB
    assert packed.fits


@pytest.mark.parametrize("model", [SMALL, SEVEN_B])
def test_more_rows_longer_rows_and_a_wider_adapter_never_take_less(model: ModelFacts) -> None:
    load = Load("lora", "bf16", "cuda", 2, 128, rank=8, dropout=0.05)
    base = forecast_load(model, load, machine("H200")).total
    for change in ({"batch_size": 4}, {"length": 256}, {"rank": 16}, {"precision": "fp32"}, {"method": "full"}):
        assert forecast_load(model, replace(load, **change), machine("H200")).total > base  # type: ignore[arg-type]


def test_the_plans_own_settings_give_the_same_and_rows_are_cut_at_the_sequence_length() -> None:
    knobs = Hyperparameters(
        learning_rate=2e-4,
        schedule="cosine",
        warmup=0.05,
        epochs=1,
        batch_size=4,
        accumulation=4,
        max_length=50,
        weight_decay=0,
        max_grad_norm=1,
        optimizer="adamw_torch_fused",
        gradient_checkpointing=False,
        seed=42,
    )
    lora = Lora(rank=8, alpha=16, dropout=0.05, target_modules="all-linear")
    plan = Select(model="practice", method="lora", device="cpu", precision="fp32", lora=lora, hyperparameters=knobs)
    told = forecast(SMALL, plan, machine(), longest=900)
    assert told == forecast_load(SMALL, LORA, machine())
    assert forecast(SMALL, plan, machine(), longest=20).of("activations") < told.of("activations")


def test_without_a_gpu_nothing_fits_on_it() -> None:
    told = forecast_load(SMALL, Load("lora", "bf16", "cuda", 1, 8, rank=8), machine())
    assert (told.available, told.fits) == (0, False)


def test_every_term_says_from_what_it_is_made() -> None:
    for load in (LORA, Load("full", "bf16", "cuda", 4, 50), Load("qlora", "bf16", "cuda", 4, 50, rank=8)):
        assert all(term.bytes > 0 and len(term.from_what) > 10 for term in forecast_load(SMALL, load, machine()).terms)


def test_a_forecast_that_barely_fits_is_called_tight() -> None:
    told = forecast_load(SMALL, LORA, machine(ram=0.55))
    assert told.fits
    assert told.tight
    assert not forecast_load(SMALL, LORA, machine(ram=4)).tight


def test_sizes_are_written_for_people() -> None:
    assert [size(n) for n in (5 << 20, GIB // 2, 22 * GIB)] == ["5 MiB", "0.5 GiB", "22.0 GiB"]


def simulation(load: Load, loss: int = 40 << 20, activations: int = 60 << 20, answers: int = 0) -> Simulation:
    """A simulation with round figures: weights 8 MiB and states 2 MiB throughout, the peak at the loss."""
    still = {"weights": 8 << 20, "optimizer": 2 << 20}
    phases = (
        MemoryPhase("before the step", still),
        MemoryPhase("forward", {**still, "activations": activations}),
        MemoryPhase("loss", {**still, "activations": activations, "loss": loss}),
        MemoryPhase("optimizer", {**still, "gradients": 3 << 20}),
    )
    if answers:
        phases = (*phases, MemoryPhase("evaluation", {**still, "answers": answers}))
    return Simulation(load, phases, 0.5)


def simulated(load: Load, **figures: int) -> ModelFacts:
    return msgspec.structs.replace(SMALL, simulations=(simulation(load, **figures),))


GPU_LORA = Load("lora", "bf16", "cuda", 4, 50, rank=8)


def test_a_simulation_of_this_very_load_gives_the_figures() -> None:
    told = forecast_load(simulated(GPU_LORA), GPU_LORA, machine("A100"))
    assert (told.how, told.of("loss"), told.of("activations")) == ("simulated", 40 << 20, 60 << 20)
    assert told.allocated == (110 << 20) + CUBLAS_WORKSPACE
    assert told.reserved == told.allocated + round(MARGIN * told.allocated)
    assert told.total == told.reserved + CUDA_CONTEXT
    assert told.told == "simulated: this very step, on tensors without content; the peak is at the loss"
    assert [phase.name for phase in told.phases] == ["before the step", "forward", "loss", "optimizer"]
    assert told.least == 13 << 20, "weights, gradients and states, in the optimizer's step"


def test_another_batch_is_reckoned_by_arithmetic_and_scaled_by_what_it_was_off_by() -> None:
    known = simulated(GPU_LORA)
    plain, there = (forecast_load(SMALL, load, machine("A100")) for load in (replace(GPU_LORA, batch_size=8), GPU_LORA))
    told = forecast_load(known, replace(GPU_LORA, batch_size=8), machine("A100"))
    assert told.how == "corrected"
    step = sum(there.of(name) for name in ("activations", "loss", "backward"))
    assert told.of("activations") == round(plain.of("activations") * (100 << 20) / step)
    still = sum(there.of(name) for name in ("weights", "adapter", "gradients", "optimizer"))
    assert told.of("weights") == round(plain.of("weights") * (10 << 20) / still)
    assert "× " in next(term.from_what for term in told.terms if term.name == "weights")
    assert told.phases == ()


@pytest.mark.parametrize(
    "change", [{"method": "full"}, {"precision": "fp16"}, {"checkpointing": True}, {"peft": "dora"}, {"packing": True}]
)
def test_a_simulation_of_other_code_says_nothing(change: dict[str, Any]) -> None:
    other = replace(GPU_LORA, **change)
    told = forecast_load(simulated(GPU_LORA), other, machine("A100"))
    assert told == forecast_load(SMALL, other, machine("A100"))
    assert told.how == "arithmetic"


def test_the_nearest_of_several_simulations_corrects() -> None:
    near, far = replace(GPU_LORA, batch_size=6), replace(GPU_LORA, batch_size=64)
    model = msgspec.structs.replace(SMALL, simulations=(simulation(far, loss=4 << 30), simulation(near)))
    only = msgspec.structs.replace(SMALL, simulations=(simulation(near),))
    wanted = replace(GPU_LORA, batch_size=8)
    assert forecast_load(model, wanted, machine("A100")) == forecast_load(only, wanted, machine("A100"))


def test_answers_have_a_line_of_their_own_and_count_only_where_they_are_the_higher_peak() -> None:
    load = replace(GPU_LORA, answer_rows=8, answer_tokens=16)
    low = forecast_load(simulated(load, answers=30 << 20), load, machine("A100"))
    assert low.evaluation is not None
    assert low.evaluation.bytes == (40 << 20) + CUBLAS_WORKSPACE, "products need it there, too"
    assert low.of("evaluation") == 0
    high = forecast_load(simulated(load, answers=300 << 20), load, machine("A100"))
    assert high.allocated == (310 << 20) + CUBLAS_WORKSPACE
    assert high.step == low.step == low.allocated
    assert high.of("evaluation") == high.allocated - low.allocated
    assert forecast_load(simulated(GPU_LORA), GPU_LORA, machine("A100")).evaluation is None


def test_without_a_simulation_answers_are_reckoned_from_keys_and_values() -> None:
    load = replace(GPU_LORA, answer_rows=2, answer_tokens=10)
    told = forecast_load(SMALL, load, machine("A100"))
    assert told.evaluation is not None
    cache = 2 * (50 + 10) * 2 * 2 * 2 * 32 * 2  # rows, tokens, layers, key and value, heads, width, bf16
    layer = 2 * 50 * 2 * (3 * 128 + 4 * 64)
    still = told.of("weights") + told.of("adapter") + told.of("optimizer")
    assert told.evaluation.bytes == still + cache + layer + CUBLAS_WORKSPACE


def test_a_newer_card_has_a_larger_workspace() -> None:
    old, new = (forecast_load(SMALL, GPU_LORA, machine(card)) for card in ("A100", "H200"))
    assert old.of("cuBLAS workspace") == 2 * (4096 * 2 + 16 * 8) * 1024 == 17_039_360
    assert new.of("cuBLAS workspace") == 64 << 20


def probe(load: Load, allocated: int, reserved: int, device: str = "NVIDIA A100-SXM4-80GB") -> StepProbe:
    return StepProbe(load, device, SMALL.path, allocated, reserved, 0.2, 1.0)


def test_what_was_measured_here_stands_for_itself() -> None:
    model = msgspec.structs.replace(simulated(GPU_LORA), probes=(probe(GPU_LORA, 200 << 20, 230 << 20),))
    told = forecast_load(model, GPU_LORA, machine("A100"))
    assert told.how == "measured"
    assert told.allocated == pytest.approx(200 << 20, abs=8)
    assert told.reserved == pytest.approx(230 << 20, abs=8)
    assert told.total == told.reserved + CUDA_CONTEXT
    elsewhere = forecast_load(model, GPU_LORA, machine("H200"))
    assert elsewhere.how == "simulated"


def test_what_was_measured_corrects_other_batches_by_what_the_forecast_was_off_by() -> None:
    there = forecast_load(SMALL, GPU_LORA, machine("A100")).allocated
    model = msgspec.structs.replace(SMALL, probes=(probe(GPU_LORA, round(1.2 * there), 2 * there),))
    wanted = replace(GPU_LORA, batch_size=8)
    told = forecast_load(model, wanted, machine("A100"))
    assert told.how == "corrected"
    assert told.allocated == pytest.approx(1.2 * forecast_load(SMALL, wanted, machine("A100")).allocated, rel=1e-3)


def test_a_simulated_step_on_a_cpu_has_room_for_gaps_but_not_for_what_is_never_touched() -> None:
    # 200 tokens: of TRL's block of 200 × 32,768 fp32 numbers a vocabulary of 256 touches a 128th.
    told = forecast_load(simulated(LORA), LORA, machine())
    assert told.of("margin") == round(CPU_LEAST_MARGIN * (110 << 20))
    wide = msgspec.structs.replace(simulated(LORA), vocabulary=50_000)
    assert forecast_load(wide, LORA, machine()).of("margin") == round(0.5 * (100 << 20) + 0.1 * (10 << 20))
