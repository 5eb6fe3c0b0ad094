"""What the machine has: GPUs as NVML reports them, processor, memory and disks as this process may use them.

Nothing here needs CUDA or torch, so it is quick and never takes memory of a GPU. Where a container or a batch system
gives this process less than the host has (cgroup limits, an affinity mask, CUDA_VISIBLE_DEVICES), the smaller figure
is believed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.core.facts import Cpu, Hardware
from tunesmith.core.gpus import probe_gpus
from tunesmith.core.system import System, number_of, text_of
from tunesmith.core.torch_build import TorchBuild, installed_torch

UNLIMITED = 1 << 60
"""cgroup v1 writes "no limit" as the largest multiple of a page, about 2^63."""


def probe_hardware(
    disk_at: Path,
    system: System | None = None,
    nvml: Any = None,
    environment: Mapping[str, str] | None = None,
    *,
    cache_at: Path | None = None,
    torch: TorchBuild | None = None,
) -> Hardware:
    """The machine as this process may use it. Never raises for what is missing: `gpu_problem` says it.

    Args:
        disk_at: Where runs are kept; it need not exist yet (its nearest existing parent is asked).
        system: Where /proc and /sys are.
        nvml: The module to ask about GPUs; pynvml where none is given. Its own types are untyped, hence Any.
        environment: Where CUDA_VISIBLE_DEVICES is looked up; the process's own where none is given.
        cache_at: Where downloaded models are kept; its disk is not looked at where none is given.
        torch: What must run on the GPUs; the installed one where none is given.

    Returns:
        Sizes in bytes.
    """
    import psutil

    system = system or System()
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    total, available = int(memory.total), int(memory.available)
    for limit, used in memory_limits(system):
        total, available = min(total, limit), min(available, max(0, limit - used))
    environment = os.environ if environment is None else environment
    found = probe_gpus(system, nvml, environment, (total, available), torch or installed_torch())
    return Hardware(
        cpu=_probe_cpu(system),
        ram_total=total,
        ram_available=available,
        disk_free=disk_free(disk_at),
        gpus=found.gpus,
        driver=found.driver,
        gpu_problem=found.problem,
        cuda=found.cuda,
        links=found.links,
        swap_total=int(swap.total),
        swap_free=int(swap.free),
        cache_free=None if cache_at is None else disk_free(cache_at),
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


# -- processor and memory ----------------------------------------------------------------------------------------------


def _probe_cpu(system: System) -> Cpu:
    name, flags = "unknown processor", set[str]()
    for line in text_of(system.proc / "cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name" and name == "unknown processor":
            name = value.strip()
        if key.strip() in ("flags", "Features") and not flags:
            flags = set(value.split())
    bf16 = bool(flags & {"avx512_bf16", "amx_bf16", "bf16"})  # `bf16` is what ARM's Features line calls it
    return Cpu(name=name, cores=usable_cores(system), bf16=bf16, physical_cores=_physical_cores(system))


def _physical_cores(system: System) -> int | None:
    """Of the whole machine: hyper-threads share a core, and two of them train little faster than one."""
    found, socket = set[tuple[str, str]](), ""
    for line in text_of(system.proc / "cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "physical id":
            socket = value.strip()
        elif key.strip() == "core id":
            found.add((socket, value.strip()))
    return len(found) or None


def usable_cores(system: System) -> int:
    """Cores this process may keep busy: its affinity mask, and no more than a cgroup's CPU quota pays for."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        cores = os.cpu_count() or 1
    for folder in _cgroup_folders(system, "cpu"):
        quota, _, period = text_of(folder / "cpu.max").strip().partition(" ")
        if not quota:
            quota = text_of(folder / "cpu.cfs_quota_us").strip()
            period = text_of(folder / "cpu.cfs_period_us").strip()
        if quota.isdigit() and period.isdigit() and int(period):
            cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def memory_limits(system: System) -> Iterator[tuple[int, int]]:
    """(limit, used) in bytes of each cgroup above this process that has a limit, v1 or v2.

    Page cache that the kernel would give back first (`inactive_file`) does not count as used.
    """
    for folder in _cgroup_folders(system, "memory"):
        limit = number_of(folder / "memory.max") or number_of(folder / "memory.limit_in_bytes")
        if limit is None or limit >= UNLIMITED:
            continue
        used = number_of(folder / "memory.current") or number_of(folder / "memory.usage_in_bytes") or 0
        stat = dict(line.split() for line in text_of(folder / "memory.stat").splitlines() if line.count(" ") == 1)
        cache = int(stat.get("total_inactive_file", stat.get("inactive_file", 0)))
        yield limit, max(0, used - cache)


def _cgroup_folders(system: System, controller: str) -> Iterator[Path]:
    """Existing folders of this process's cgroup and its ancestors that may hold `controller`'s files."""
    mount = system.sys / "fs" / "cgroup"
    for line in text_of(system.proc / "self" / "cgroup").splitlines():
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
