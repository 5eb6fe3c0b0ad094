"""What all tests share: runs and what was read are kept in folders of the test's own, and nothing asks a hub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all tests: before any fixture of a module, and what one has read another need not read again."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["TUNESMITH_CACHE"] = str(folder)
    return folder


@pytest.fixture(autouse=True)
def runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runs"
    monkeypatch.setenv("TUNESMITH_RUNS", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    return folder


@pytest.fixture
def plan_tree() -> dict[str, Any]:
    """A small valid plan that tests change one thing of."""
    return {
        "version": 1,
        "name": "employees",
        "understand": {
            "goal": "Answer questions about employees.",
            "use_case": "question-answering",
            "metric": "exact_match",
            "threshold": 0.95,
            "tried": [],
            "approach": "fine-tune",
        },
        "prepare": {
            "data": "practice",
            "shape": "table",
            "columns": {"entity": "name"},
            "fields": ["name", "department", "hire_date", "salary"],
            "questions": [{"ask": "When was {name} hired?", "answer": "{hire_date}"}],
            "layouts": ["lines"],
            "shuffle_fields": True,
            "repairs": [{"kind": "drop-duplicates"}],
            "split": {"by": "name", "validation": 0.05, "test": 0.25, "seed": 7},
        },
        "select": {
            "model": "practice",
            "method": "lora",
            "device": "cpu",
            "precision": "fp32",
            "lora": {"rank": 16, "alpha": 32, "dropout": 0.05, "target_modules": "all-linear"},
            "hyperparameters": {
                "learning_rate": 0.002,
                "schedule": "cosine",
                "warmup": 0.1,
                "epochs": 2,
                "batch_size": 16,
                "accumulation": 1,
                "max_length": 128,
                "weight_decay": 0,
                "max_grad_norm": 1,
                "optimizer": "adamw_torch_fused",
                "gradient_checkpointing": False,
                "seed": 42,
            },
        },
        "finetune": {
            "log_every": 2,
            "evaluate_every": 20,
            "validation_rows": 16,
            "samples": 2,
            "save_every": 20,
            "keep_checkpoints": 2,
        },
        "evaluate": {
            "max_new_tokens": 16,
            "batch_size": 32,
            "confidence": 0.95,
            "resamples": 1000,
            "probes": ["context-withheld"],
            "probe_rows": 30,
        },
        "productionize": {"merge": True, "host": "127.0.0.1", "port": 8000, "ask_once": True},
    }
