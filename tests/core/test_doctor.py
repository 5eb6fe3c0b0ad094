"""The doctor says what is there, and for each thing that is missing how to get it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tunesmith.core import doctor, models
from tunesmith.core.doctor import Check, dependency, examine, python_version, torch_build
from tunesmith.core.facts import Hardware
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.system import System
from tunesmith.core.torch_build import TorchBuild

from .facts_kit import GIB, machine
from .nvml_player import NvmlPlayer


def seen(monkeypatch: pytest.MonkeyPatch, root: Path, hardware: Hardware | None = None) -> dict[str, Check]:
    monkeypatch.setattr(doctor, "probe_hardware", lambda _, cache_at: hardware or machine())
    return {check.name: check for check in examine(root)}


def test_every_dependency_of_this_installation_is_in_the_range_that_was_tested(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    checks = seen(monkeypatch, tmp_path)
    for name in ("Python", "torch", "trl", "peft", "bitsandbytes", "serving", "memory", "disk", "runs", "torch build"):
        assert checks[name].state == "ok", checks[name]
    assert checks["GPU"].state == "note"


def test_every_problem_has_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(models, "MODEL_DIR", tmp_path / "gone")
    problem = "The NVIDIA driver is installed but not loaded: run `sudo modprobe nvidia`, or restart the machine."
    poor = msgspec.structs.replace(machine(ram=0.5, disk=0.1), gpu_problem=problem)
    monkeypatch.setattr(doctor, "_version", lambda _: None)
    (tmp_path / "file").write_text("")
    checks = seen(monkeypatch, tmp_path / "file" / "runs", poor)
    problems = {name for name, check in checks.items() if check.state == "problem"}
    assert problems >= {"torch", "serving", "GPU", "torch build", "memory", "disk", "runs", "practice model"}
    for name in problems:
        assert checks[name].remedy.endswith("."), checks[name]
    assert checks["GPU"].text == "The NVIDIA driver is installed but not loaded"
    assert checks["GPU"].remedy == "Run `sudo modprobe nvidia`, or restart the machine."
    assert checks["torch"].remedy.startswith("Install it: `pip install 'torch")
    assert checks["runs"].text.endswith("file is not a folder")
    assert "TUNESMITH_RUNS" in checks["runs"].remedy
    assert "fastapi and uvicorn not installed" in checks["serving"].text


def test_a_version_outside_of_the_range_is_told_with_the_command_that_mends_it() -> None:
    check = dependency("trl", ">=99", fits=False)
    assert check.state == "problem"
    assert check.text.endswith("is outside of what was tested (>=99)")
    assert check.remedy == "Install it: `pip install 'trl>=99'`."


def test_an_old_python_is_a_problem() -> None:
    assert python_version("3.10.14") == Check(
        "Python", "problem", "3.10.14 is too old", "Install Python 3.11 or newer."
    )


def test_a_cpu_build_of_torch_beside_a_gpu_is_a_problem() -> None:
    check = torch_build(machine("A100"), "2.13.0+cpu")
    assert check.state == "problem"
    assert check.text == "torch 2.13.0+cpu is a CPU build and can't use the GPU"
    assert "CUDA build" in check.remedy
    assert torch_build(machine("A100"), "2.13.0+cu130").state == "ok"
    assert torch_build(machine("A100"), "2.13.0").state == "ok"
    assert torch_build(machine(), "2.13.0+cpu").state == "ok"


def test_a_gpu_is_told_with_its_memory_and_what_it_computes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = seen(monkeypatch, tmp_path, machine("T4"))
    assert told["GPU 0"].text == "Tesla T4, 14.8 GiB of 15.0 GiB free"
    assert told["GPU 0 computes"].text == "no bf16, no fp8, no FlashAttention 2; fp16 is used (capability 7.5)"
    assert told["NVIDIA driver"].text == "580.95.05"
    assert "GPU 0 state" not in told and "GPU 0 is used by" not in told


def recorded(tmp_path: Path, *names: str) -> Hardware:
    return probe_hardware(tmp_path, System(tmp_path, tmp_path), NvmlPlayer(*names), {}, torch=TorchBuild())


def test_a_card_in_use_is_told_with_its_users_its_heat_and_its_slot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = seen(monkeypatch, tmp_path, recorded(tmp_path, "tesla-t4"))
    assert told["GPU 0"].text == "Tesla T4 (Turing), 13.6 GiB of 15.0 GiB free"
    assert told["GPU 0 is used by"] == Check("GPU 0 is used by", "note", "python (1.0 GiB), Xorg (22 MiB)")
    assert told["GPU 0 state"].text == "40 °C (slows down at 93), 27 W of 70, PCIe 3 × 8 (up to 3 × 16), ECC on"
    assert told["NVIDIA driver"].text == "515.105.01, knows CUDA up to 11.7"


def test_a_card_that_is_held_back_is_worth_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = seen(monkeypatch, tmp_path, recorded(tmp_path, "a40-power-capped"))
    assert told["GPU 0 state"].state == "note"
    assert told["GPU 0 state"].text.endswith("ECC on, held at its power limit")


def test_a_slice_is_told_with_the_way_to_use_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "probe_hardware", lambda _, cache_at: recorded(tmp_path, "a100-80gb-mig"))
    slices = [check.text for check in examine(tmp_path) if check.name == "GPU 0"]
    assert len(slices) == 4
    assert slices[0].endswith(
        "19.5 GiB of 19.5 GiB free, CUDA_VISIBLE_DEVICES=MIG-feb88891-0321-5fef-9c87-d4af3b54259e"
    )


def test_a_folder_without_write_permission_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)  # the tests may run as root, whom nothing stops
    check = seen(monkeypatch, tmp_path / "runs")["runs"]
    assert check.state == "problem"
    assert "can't be written to" in check.text


def test_little_disk_is_worth_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    check = seen(monkeypatch, tmp_path, machine(disk=5))["disk"]
    assert check.state == "note"
    assert "5.0 GiB free" in check.text
    assert GIB == 1 << 30
