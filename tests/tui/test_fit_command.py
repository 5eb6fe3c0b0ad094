"""`tunesmith fit`: what a model takes, simulated, as a table and as JSON; and what is said where it can't be told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("tunesmith"))


def fit(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, "fit", *words], capture_output=True, text=True, timeout=240, check=False)


def test_a_model_that_is_not_here_on_a_card_that_is_not_here() -> None:
    done = fit("Qwen/Qwen2.5-0.5B-Instruct", "--gpu", "rtx4090", "--seq", "1024", "--method", "lora", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["here"] is False and told["machine"] == "rtx4090"
    memory = told["memory"]
    assert memory["how"] == "simulated" and memory["fits"]
    assert memory["allocated"] < memory["reserved"] < memory["total"]
    assert {phase["name"] for phase in memory["phases"]} >= {"forward", "loss", "backward", "optimizer"}
    assert [way["way"] for way in told["ways"]] == ["full", "LoRA", "QLoRA 8-bit", "QLoRA 4-bit"]


def test_the_table_says_what_fits_and_what_would_need_less() -> None:
    done = fit("practice", "--method", "full", "--seq", "256", "--batch", "8")
    assert done.returncode == 0, done.stderr
    for text in ("2.2 M parameters", "8 rows of 256 tokens at once, full fine-tuning", "Over one step", "the peak"):
        assert text in done.stdout
    assert "What would need less" in done.stdout and "gradient checkpointing" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("practice", "--seq", "100000"), "practice model reads no more than 1,024 tokens."),
        (("practice", "--gpu", "h1000"), "No card is known as 'h1000'."),
        (("no/such-model",), "no/such-model"),
        (("practice", "--method", "magic"), "magic"),
    ],
)
def test_what_can_not_be_told_is_said_at_once(words: tuple[str, ...], said: str) -> None:
    done = fit(*words)
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr


def test_what_fits_as_simulated_is_taken_where_no_method_is_named() -> None:
    done = fit("meta-llama/Llama-3.1-8B-Instruct", "--gpu", "rtx4090", "--seq", "2048", "--batch", "6", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["memory"]["fits"] and told["memory"]["how"] == "simulated"
    assert told["evaluation"]["rows"] == 16 and told["evaluation"]["tokens"] == 64
    assert {way["checkpointed_how"] for way in told["ways"]} & {"arithmetic", "corrected"}


def test_the_table_holds_at_80_columns_and_names_each_total() -> None:
    done = fit("practice", "--gpu", "2xrtx4090", "--method", "qlora-fp4", "--seq", "256")
    assert done.returncode == 0, done.stderr
    assert "training uses one of them" in done.stdout and "QLoRA 4-bit FP4" in done.stdout
    assert "~ by arithmetic; without it, simulated. FP4 takes what NF4 does." in done.stdout
    table = [line for line in done.stdout.splitlines() if line.startswith("  ") and "largest model" not in line]
    for name in ("allocated", "reserved", "total"):
        assert any(line.split()[:1] == [name] for line in table)
    assert all(len(line) <= 80 for line in table if line.split()[:1] in (["full"], ["LoRA"], ["QLoRA"], ["reserved"]))
