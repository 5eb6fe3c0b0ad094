"""What the machine has: GPUs as NVML reports them, processor, memory and disk as this process may use them.

Nothing here needs CUDA or torch, so it is quick and never takes memory of a GPU. Where a container or a batch system
gives this process less than the host has (cgroup limits, an affinity mask, CUDA_VISIBLE_DEVICES), the smaller figure
is believed.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.core.facts import Cpu, Gpu, Hardware

NVIDIA_PCI_VENDOR = "0x10de"
PCI_DISPLAY_CLASSES = ("0x0300", "0x0302")
"""VGA and 3D controllers (PCI Code and ID Assignment Specification, base class 03h)."""
UNLIMITED = 1 << 60
"""cgroup v1 writes "no limit" as the largest multiple of a page, about 2^63."""
HIDDEN = ("", "-1", "NoDevFiles")
"""Values of CUDA_VISIBLE_DEVICES by which people and schedulers (Slurm) hide every GPU."""


@dataclass(frozen=True)
class System:
    """Where the kernel tells about itself; tests point it at recorded copies."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")


@dataclass(frozen=True)
class _Gpus:
    """What NVML said: the visible GPUs, the driver's version, and what is wrong."""

    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    problem: str = ""


def probe_hardware(
    disk_at: Path,
    system: System | None = None,
    nvml: Any = None,
    environment: Mapping[str, str] | None = None,
) -> Hardware:
    """The machine as this process may use it. Never raises for what is missing: `gpu_problem` says it.

    Args:
        disk_at: Where runs are kept; it need not exist yet (its nearest existing parent is asked).
        system: Where /proc and /sys are.
        nvml: The module to ask about GPUs; pynvml where none is given. Its own types are untyped, hence Any.
        environment: Where CUDA_VISIBLE_DEVICES is looked up; the process's own where none is given.

    Returns:
        Sizes in bytes.
    """
    import psutil

    system = system or System()
    memory = psutil.virtual_memory()
    total, available = int(memory.total), int(memory.available)
    for limit, used in memory_limits(system):
        total, available = min(total, limit), min(available, max(0, limit - used))
    found = _probe_gpus(system, nvml, os.environ if environment is None else environment, (total, available))
    return Hardware(
        cpu=_probe_cpu(system),
        ram_total=total,
        ram_available=available,
        disk_free=disk_free(disk_at),
        gpus=found.gpus,
        driver=found.driver,
        gpu_problem=found.problem,
    )


def disk_free(at: Path) -> int:
    """Bytes that this user may still write at `at`, or at its nearest existing parent; 0 where nobody can tell."""
    at = at.absolute()
    for place in (at, *at.parents):
        if place.exists():
            try:
                return shutil.disk_usage(place).free
            except OSError:
                return 0
    return 0


def gpu_environment(gpu: Gpu) -> dict[str, str]:
    """The environment in which torch sees this GPU alone, as device 0; UUIDs do not depend on CUDA's own order."""
    return {"CUDA_VISIBLE_DEVICES": gpu.uuid or str(gpu.index), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


# -- processor and memory ----------------------------------------------------------------------------------------------


def _probe_cpu(system: System) -> Cpu:
    name, flags = "unknown processor", set[str]()
    for line in _text(system.proc / "cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name" and name == "unknown processor":
            name = value.strip()
        if key.strip() in ("flags", "Features") and not flags:
            flags = set(value.split())
    bf16 = bool(flags & {"avx512_bf16", "amx_bf16", "bf16"})  # `bf16` is what ARM's Features line calls it
    return Cpu(name=name, cores=_cores(system), bf16=bf16)


def _cores(system: System) -> int:
    """Cores this process may keep busy: its affinity mask, and no more than a cgroup's CPU quota pays for."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        cores = os.cpu_count() or 1
    for folder in _cgroup_folders(system, "cpu"):
        quota, _, period = _text(folder / "cpu.max").strip().partition(" ")
        if not quota:
            quota = _text(folder / "cpu.cfs_quota_us").strip()
            period = _text(folder / "cpu.cfs_period_us").strip()
        if quota.isdigit() and period.isdigit() and int(period):
            cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def memory_limits(system: System) -> Iterator[tuple[int, int]]:
    """(limit, used) in bytes of each cgroup above this process that has a limit, v1 or v2.

    Page cache that the kernel would give back first (`inactive_file`) does not count as used.
    """
    for folder in _cgroup_folders(system, "memory"):
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        if limit is None or limit >= UNLIMITED:
            continue
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
        stat = dict(line.split() for line in _text(folder / "memory.stat").splitlines() if line.count(" ") == 1)
        cache = int(stat.get("total_inactive_file", stat.get("inactive_file", 0)))
        yield limit, max(0, used - cache)


def _cgroup_folders(system: System, controller: str) -> Iterator[Path]:
    """Existing folders of this process's cgroup and its ancestors that may hold `controller`'s files."""
    mount = system.sys / "fs" / "cgroup"
    for line in _text(system.proc / "self" / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            root = mount
        elif controller in controllers.split(","):
            root = next((mount / name for name in (controllers, controller) if (mount / name).is_dir()), mount)
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts), -1, -1):
            folder = root.joinpath(*parts[:depth])
            if folder.is_dir():
                yield folder


def _text(path: Path) -> str:
    """The file's text, or nothing where it can't be read: a missing reading is not an error here."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


# -- GPUs --------------------------------------------------------------------------------------------------------------


def _probe_gpus(system: System, nvml: Any, environment: Mapping[str, str], ram: tuple[int, int]) -> _Gpus:
    """Ask NVML, and turn each way in which that fails into one sentence."""
    if nvml is None:
        try:
            nvml = importlib.import_module("pynvml")
        except ImportError:
            return _Gpus(problem=_absent(system, "GPUs can't be asked without nvidia-ml-py: install it with pip."))
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return _Gpus(problem=_why_no_driver(system, nvml, error))
    try:
        driver = str(nvml.nvmlSystemGetDriverVersion())
        gpus, broken = _each_gpu(nvml, ram)
    except nvml.NVMLError as error:
        return _Gpus(problem=f"The NVIDIA driver gives no answer ({error}): run `nvidia-smi`; restart if it fails too.")
    finally:
        nvml.nvmlShutdown()
    if not gpus:
        nothing = "The NVIDIA driver finds no GPU: run `nvidia-smi`, and in a container start it with `--gpus all`."
        return _Gpus((), driver, broken or _absent(system, nothing))
    visible = visible_gpus(gpus, environment.get("CUDA_VISIBLE_DEVICES"))
    hidden = ""
    if not visible:
        stated = environment["CUDA_VISIBLE_DEVICES"]
        which = "the GPU" if len(gpus) == 1 else f"all {len(gpus)} GPUs"
        hidden = f"CUDA_VISIBLE_DEVICES is `{stated}`, which hides {which}: unset it to use a GPU."
    return _Gpus(visible, driver, hidden)


def _each_gpu(nvml: Any, ram: tuple[int, int]) -> tuple[tuple[Gpu, ...], str]:
    """The GPUs that answer, and a sentence about the first one that does not."""
    gpus, broken = [], ""
    for index in range(nvml.nvmlDeviceGetCount()):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            total, free = _gpu_memory(nvml, handle, ram)
            gpus.append(
                Gpu(
                    index=index,
                    name=str(nvml.nvmlDeviceGetName(handle)),
                    total=total,
                    free=free,
                    compute_capability=tuple(nvml.nvmlDeviceGetCudaComputeCapability(handle)),
                    uuid=str(nvml.nvmlDeviceGetUUID(handle)),
                )
            )
        except nvml.NVMLError as error:
            broken = broken or f"GPU {index} gives no answer ({error}): restart the machine, or look at `dmesg`."
    return tuple(gpus), broken


def _gpu_memory(nvml: Any, handle: Any, ram: tuple[int, int]) -> tuple[int, int]:
    """(total, free) bytes; a GPU that shares the processor's memory (DGX Spark, Jetson) has no figures of its own."""
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    except nvml.NVMLError as error:
        if getattr(error, "value", None) == nvml.NVML_ERROR_NOT_SUPPORTED:
            return ram
        raise
    return int(memory.total), int(memory.free)


def visible_gpus(gpus: tuple[Gpu, ...], stated: str | None) -> tuple[Gpu, ...]:
    """Those of `gpus` that CUDA_VISIBLE_DEVICES lets a program use, in its order; all where it is not set.

    Indices and (shortened) UUIDs are understood; as CUDA does, the list ends at the first entry that names no GPU.
    Indices are NVML's, by PCI bus; CUDA's own default puts the fastest card first, so on a machine with unlike cards
    set CUDA_DEVICE_ORDER=PCI_BUS_ID (`gpu_environment` does).
    """
    if stated is None:
        return gpus
    if stated.strip() in HIDDEN:
        return ()
    found: list[Gpu] = []
    for entry in (part.strip() for part in stated.split(",")):
        match = [gpu for gpu in gpus if entry == str(gpu.index) or (len(entry) > 4 and gpu.uuid.startswith(entry))]
        if len(match) != 1 or match[0] in found:
            break
        found.append(match[0])
    return tuple(found)


def _why_no_driver(system: System, nvml: Any, error: Any) -> str:
    """NVML would not start: nothing to say without a card, else what to do about it."""
    code = getattr(error, "value", None)
    if code == nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH:
        return "The NVIDIA driver was updated while it was running, and its halves don't match: restart the machine."
    if code == nvml.NVML_ERROR_LIBRARY_NOT_FOUND:
        return _absent(
            system,
            "There is an NVIDIA card but no driver for it: install the NVIDIA driver "
            "(Debian: `apt install nvidia-driver`), or start the container with `--gpus all`.",
        )
    if code == nvml.NVML_ERROR_DRIVER_NOT_LOADED:
        return _absent(
            system, "The NVIDIA driver is installed but not loaded: run `sudo modprobe nvidia`, or restart the machine."
        )
    if code == nvml.NVML_ERROR_NO_PERMISSION:
        return "You have no permission for the NVIDIA card: ask to be let into its group (often `video` or `render`)."
    return f"The NVIDIA driver does not start ({error}): run `nvidia-smi`, and reinstall the driver if it fails too."


def _absent(system: System, sentence: str) -> str:
    """`sentence` where there is an NVIDIA card; where there is none, that is no problem and nothing is said."""
    return sentence if has_nvidia_card(system) else ""


def has_nvidia_card(system: System) -> bool:
    """Whether the PCI bus or the NVIDIA kernel module shows a card, driver or not."""
    if any((system.proc / "driver" / "nvidia" / "gpus").glob("*")):
        return True
    for device in (system.sys / "bus" / "pci" / "devices").glob("*"):
        is_display = _text(device / "class").strip().startswith(PCI_DISPLAY_CLASSES)
        if is_display and _text(device / "vendor").strip() == NVIDIA_PCI_VENDOR:
            return True
    return False
