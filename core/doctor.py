"""Looks over installation and machine: what is there, what is missing, how to get it. Imports nothing heavy."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tunesmith.core.errors import ModelError
from tunesmith.core.facts import Gpu, GpuProcess, Hardware
from tunesmith.core.figures import GIB, parameters, size
from tunesmith.core.gpus import has_nvidia_card
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.models import find_model, hub_cache
from tunesmith.core.practice import PRACTICE
from tunesmith.core.select.memory import CPU_PROCESS
from tunesmith.core.system import System
from tunesmith.core.torch_build import spelled

DISTRIBUTION = "tunesmith"
SERVING = ("fastapi", "uvicorn")
"""What `transformers serve` needs beside transformers (its extra `serving`)."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: fine, worth knowing, or in the way; `remedy` is empty where none is needed."""

    name: str
    state: Literal["ok", "note", "problem"]
    text: str
    remedy: str = ""


def examine(runs_root: Path) -> list[Check]:
    """Every check, in the order in which a person would ask. Never raises.

    Args:
        runs_root: Where runs are kept; it need not exist yet.
    """
    hardware = probe_hardware(runs_root, cache_at=hub_cache())
    return [
        python_version(),
        *_dependencies(),
        *_serving(),
        _processor(hardware),
        *_gpus(hardware),
        torch_build(hardware),
        _memory(hardware),
        _disk(hardware, runs_root),
        _writable(runs_root),
        _cache(hardware),
        _practice(),
    ]


def python_version(version: str | None = None) -> Check:
    """Whether this Python is new enough; `version` is looked at in place of the running one's."""
    version = version or platform.python_version()
    if tuple(int(part) for part in version.split(".")[:2]) < (3, 11):
        return Check("Python", "problem", f"{version} is too old", "Install Python 3.11 or newer.")
    return Check("Python", "ok", f"{version} in {sys.prefix}")


def _dependencies() -> list[Check]:
    """Each library that Tunesmith needs, as installed, against the range that it states."""
    from packaging.requirements import Requirement

    try:
        stated = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return [
            Check("Tunesmith", "note", "runs from its source, not installed", "Install it: `pip install -e .`."),
        ]
    needed = [Requirement(line) for line in stated]
    needed = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return [dependency(one.name, str(one.specifier), _fits(one)) for one in sorted(needed, key=lambda one: one.name)]


def _fits(requirement: object) -> bool | None:
    """Whether what is installed is in the range; None where nothing is installed."""
    from packaging.requirements import Requirement

    assert isinstance(requirement, Requirement)
    version = _version(requirement.name)
    return None if version is None else requirement.specifier.contains(version, prereleases=True)


def dependency(name: str, wanted: str, fits: bool | None) -> Check:
    """One library: `fits` says whether what is installed is in the range `wanted`; None where nothing is."""
    command = f"Install it: `pip install '{name}{wanted}'`."
    if fits is None:
        return Check(name, "problem", f"is not installed (wanted: {wanted})", command)
    if not fits:
        return Check(name, "problem", f"{_version(name)} is outside of what was tested ({wanted})", command)
    return Check(name, "ok", str(_version(name)))


def _serving() -> list[Check]:
    missing = [name for name in SERVING if _version(name) is None]
    if missing:
        text = f"{' and '.join(missing)} not installed, so no endpoint can be started"
        return [Check("serving", "problem", text, "Install it: `pip install 'transformers[serving]'`.")]
    return [Check("serving", "ok", "`transformers serve` has what it needs")]


def _processor(hardware: Hardware) -> Check:
    cpu = hardware.cpu
    bf16 = "with bf16" if cpu.bf16 else "without bf16"
    cores = f"{cpu.cores} core{'s' if cpu.cores != 1 else ''} for this process"
    of = f" (the machine has {cpu.physical_cores})" if cpu.physical_cores and cpu.physical_cores != cpu.cores else ""
    return Check("processor", "ok", f"{cpu.name}, {cores}{of}, {bf16}")


def _gpus(hardware: Hardware) -> list[Check]:
    checks = [check for gpu in hardware.gpus for check in _gpu(gpu)]
    if hardware.links:
        ways = "; ".join(f"{link.first} and {link.second} by {link.way}" for link in hardware.links)
        checks.append(Check("GPU links", "ok", ways))
    if hardware.gpus:
        knows = f", knows CUDA up to {spelled(hardware.cuda)}" if hardware.cuda else ""
        checks.append(Check("NVIDIA driver", "ok", f"{hardware.driver}{knows}"))
    if hardware.gpu_problem:
        text, _, remedy = hardware.gpu_problem.partition(": ")
        checks.append(Check("GPU", "problem", text, f"{remedy[:1].upper()}{remedy[1:]}"))
    elif not checks:
        checks.append(Check("GPU", "note", "no NVIDIA GPU: small models are trained on the processor"))
    return checks


def _gpu(gpu: Gpu) -> list[Check]:
    """One card or slice, a line for each thing that one may want to know of it."""
    name = f"GPU {gpu.index}"
    kind = f" ({gpu.architecture})" if gpu.architecture else ""
    part = f", CUDA_VISIBLE_DEVICES={gpu.uuid}" if gpu.slice else ""
    checks = [Check(name, "ok", f"{gpu.name}{kind}, {size(gpu.free)} of {size(gpu.total)} free{part}")]
    checks.append(Check(f"{name} computes", "ok", f"{_computes(gpu)} (capability {spelled(gpu.compute_capability)})"))
    if gpu.processes:
        users = ", ".join(_program(process) for process in gpu.processes)
        checks.append(Check(f"{name} is used by", "note", users))
    state = ", ".join(_state(gpu))
    if state:
        checks.append(Check(f"{name} state", "note" if gpu.slowdowns else "ok", state))
    return checks


def _computes(gpu: Gpu) -> str:
    named = (("bf16", gpu.bf16), ("fp8", gpu.fp8), ("FlashAttention 2", gpu.flash_attention))
    can, lacks = ([name for name, has in named if has is wanted] for wanted in (True, False))
    return ", ".join([*can, *(f"no {name}" for name in lacks)]) + ("" if gpu.bf16 else "; fp16 is used")


def _program(process: GpuProcess) -> str:
    """`python of anna (1.0 GiB)`; what another container or user keeps to itself is left out."""
    whose = f" of {process.user}" if process.user else ""
    used = f" ({size(process.used)})" if process.used is not None else ""
    return f"{process.name or f'process {process.pid}'}{whose}{used}"


def _state(gpu: Gpu) -> list[str]:
    """What the card feels: heat, power, its slot."""
    told = []
    if gpu.temperature is not None:
        most = f" (slows down at {gpu.slowdown_temperature})" if gpu.slowdown_temperature is not None else ""
        told.append(f"{gpu.temperature} °C{most}")
    if gpu.power is not None:
        told.append(f"{gpu.power:.0f} W" + (f" of {gpu.power_limit:.0f}" if gpu.power_limit is not None else ""))
    if gpu.pcie is not None and gpu.pcie.width is not None:
        told.append(f"PCIe {gpu.pcie.generation} × {gpu.pcie.width}")
        best = (gpu.pcie.best_generation, gpu.pcie.best_width)
        if best != (gpu.pcie.generation, gpu.pcie.width):
            told[-1] += f" (up to {best[0]} × {best[1]})"
    if gpu.nvlinks:
        told.append(f"{gpu.nvlinks} NVLinks")
    if gpu.ecc is not None:
        told.append("ECC on" if gpu.ecc else "ECC off")
    return told + list(gpu.slowdowns)


def torch_build(hardware: Hardware, version: str | None = None) -> Check:
    """Whether the installed torch can use the GPU, by the local part of its version (+cpu, +cu130); not imported.

    Args:
        version: Taken in place of the installed one's.
    """
    version = version or _version("torch")
    if version is None:
        return Check("torch build", "problem", "torch is not installed", "Install Tunesmith again: `make demo` does.")
    local = version.partition("+")[2]
    card = bool(hardware.gpus) or has_nvidia_card(System())
    if local == "cpu" and card:
        command = "Install a CUDA build of the same version: see https://pytorch.org/get-started/locally/."
        return Check("torch build", "problem", f"torch {version} is a CPU build and can't use the GPU", command)
    if local == "cpu":
        return Check("torch build", "ok", f"torch {version}, for processors")
    cuda = "for CUDA" if local.startswith("cu") else "PyPI's build, on Linux for CUDA"
    return Check("torch build", "ok", f"torch {version}, {cuda}")


def _memory(hardware: Hardware) -> Check:
    text = f"{size(hardware.ram_available)} of {size(hardware.ram_total)} free"
    text += f", swap {size(hardware.swap_free)} of {size(hardware.swap_total)} free" if hardware.swap_total else ""
    if hardware.ram_available < 2 * CPU_PROCESS:
        return Check("memory", "problem", text, "End other programs: the libraries alone take over 0.6 GiB.")
    return Check("memory", "ok", text)


def _disk(hardware: Hardware, runs_root: Path) -> Check:
    text = f"{size(hardware.disk_free)} free for {runs_root}"
    if hardware.disk_free < GIB // 2:
        return Check("disk", "problem", text, "Free some room, or set TUNESMITH_RUNS to a folder on a larger disk.")
    if hardware.disk_free < 20 * GIB:
        return Check("disk", "note", f"{text}: enough for small models; a 7 B model takes about 15 GiB each time")
    return Check("disk", "ok", text)


def _writable(runs_root: Path) -> Check:
    """Whether runs can be kept there; asked of the nearest parent that exists, and nothing is written."""
    nearest = next(place for place in (runs_root.absolute(), *runs_root.absolute().parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return Check("runs", "ok", f"kept in {runs_root}")
    what = "can't be written to" if nearest.is_dir() else "is not a folder"
    return Check("runs", "problem", f"{nearest} {what}", "Set TUNESMITH_RUNS to a folder that you may write to.")


def _cache(hardware: Hardware) -> Check:
    cache = hub_cache()
    count = sum(1 for _ in cache.glob("models--*"))
    there = f"{count} model{'s' if count != 1 else ''}" if cache.is_dir() else "not there yet"
    free = f", {size(hardware.cache_free)} free on its disk" if hardware.cache_free is not None else ""
    return Check("Hugging Face cache", "ok", f"{cache}: {there}{free}")


def _practice() -> Check:
    try:
        model = find_model(PRACTICE)
    except ModelError as error:
        return Check("practice model", "problem", error.title.rstrip("."), "Reinstall Tunesmith.")
    return Check("practice model", "ok", f"{parameters(model.parameters)} parameters in {model.path}")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
