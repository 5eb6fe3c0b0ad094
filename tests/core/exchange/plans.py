"""Plans of every kind that the other tools are asked to say, as a strategy for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tunesmith.core.exchange.terms import Given
from tunesmith.core.plan import Plan
from tunesmith.core.plan_yaml import validate

MODEL = "org/model-1b"
GIVEN = Given(MODEL, validation=12)

TREE: dict[str, Any] = {
    "name": "employees",
    "understand": {
        "goal": "Answer.",
        "use_case": "question-answering",
        "metric": "f1",
        "threshold": 0.9,
        "tried": [],
        "approach": "fine-tune",
    },
    "prepare": {
        "data": "rows.jsonl",
        "shape": "chat",
        "columns": {"messages": "messages"},
        "split": {"validation": 0.05, "test": 0.25, "seed": 7},
    },
    "evaluate": {"max_new_tokens": 16, "batch_size": 32, "confidence": 0.95, "resamples": 1000, "probe_rows": 30},
    "productionize": {"merge": True, "host": "127.0.0.1", "port": 8000, "ask_once": True},
}

SHARES = st.floats(0, 0.5).map(lambda value: round(value, 6))
HYPERPARAMETERS = st.fixed_dictionaries(
    {
        "learning_rate": st.floats(1e-7, 1),
        "schedule": st.sampled_from(["cosine", "linear", "constant"]),
        "warmup": SHARES,
        "epochs": st.floats(0.1, 50),
        "batch_size": st.integers(1, 64),
        "accumulation": st.integers(1, 64),
        "max_length": st.integers(8, 8192),
        "weight_decay": SHARES,
        "max_grad_norm": st.floats(0.01, 10),
        "optimizer": st.sampled_from(["adamw_torch_fused", "adamw_torch", "adamw_8bit", "paged_adamw_8bit"]),
        "packing": st.booleans(),
        "group_by_length": st.booleans(),
        "gradient_checkpointing": st.booleans(),
        "seed": st.integers(0, 2**32 - 1),
    },
    optional={"early_stopping": st.integers(1, 9)},
)
LORA = st.fixed_dictionaries(
    {
        "rank": st.integers(1, 1024),
        "alpha": st.integers(1, 4096),
        "dropout": SHARES,
        "target_modules": st.just("all-linear")
        | st.lists(st.sampled_from(["q_proj", "k_proj", "v_proj", "down_proj"]), min_size=1, max_size=4, unique=True),
    }
)
WATCHED = st.fixed_dictionaries(
    {
        "log_every": st.integers(1, 500),
        "evaluate_every": st.integers(1, 50),
        "validation_rows": st.integers(0, 50),
        "samples": st.integers(0, 5),
        "save_every": st.integers(1, 500),
        "keep_checkpoints": st.integers(1, 10),
    }
)


@st.composite
def plans(draw: st.DrawFn, peft: tuple[str, ...] = ("lora", "rslora", "dora")) -> Plan:
    """Any plan on a GPU, or on a processor where its settings allow that."""
    method = draw(st.sampled_from(["full", "lora", "qlora"]))
    select: dict[str, Any] = {
        "model": MODEL,
        "method": method,
        "precision": draw(st.sampled_from(["bf16", "fp16", "fp32"])),
        "hyperparameters": draw(HYPERPARAMETERS),
    }
    on_gpu = select["precision"] == "fp16" or select["hyperparameters"]["optimizer"].endswith("8bit")
    select["device"] = "cuda" if on_gpu else draw(st.sampled_from(["cuda", "cpu"]))
    if method != "full":
        select |= {"peft": draw(st.sampled_from(peft)), "lora": draw(LORA)}
    if method == "qlora":
        kind = draw(st.sampled_from(["nf4", "fp4", "int8"]))
        select["quantization"] = {"type": kind, "double": draw(st.booleans())}
    knobs, watched = select["hyperparameters"], draw(WATCHED)
    if knobs["packing"]:
        knobs["group_by_length"] = False
    if knobs.get("early_stopping"):  # each evaluation is saved
        watched["save_every"] = watched["evaluate_every"]
    if select.get("quantization", {}).get("type") == "int8":
        select["quantization"]["double"] = False
        select["peft"] = "lora"
    if method == "qlora" and select["peft"] == "pissa":
        select["peft"] = "lora"
    return validate({**TREE, "select": select, "finetune": watched})
