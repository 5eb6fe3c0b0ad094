"""One card's readings by NVML: everything that a card may tell, each absent where it does not.

The library's own types are untyped, hence Any. Calls and constants are those of nvidia-ml-py 13 (`pynvml.py`).
"""

from __future__ import annotations

import pwd
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

from tunesmith.core.facts import Gpu, GpuLink, GpuProcess, Pcie
from tunesmith.core.system import System, text_of

ARCHITECTURES = {
    2: "Kepler",
    3: "Maxwell",
    4: "Pascal",
    5: "Volta",
    6: "Turing",
    7: "Ampere",
    8: "Ada",
    9: "Hopper",
    10: "Blackwell",
    13: "Rubin",
}
"""NVML_DEVICE_ARCH_*."""
SLOWDOWNS = {
    0x4: "held at its power limit",
    0x8: "slowed down by its hardware",
    0x20: "slowed down because it is hot",
    0x40: "slowed down by its hardware because it is hot",
    0x80: "slowed down because the power supply asks for it",
}
"""Bits of nvmlClocksEventReason*; idling, fixed clocks and a display are no trouble."""
WAYS = {
    0: "on one board",
    10: "one PCIe switch",
    20: "several PCIe switches",
    30: "the processor's PCIe bridge",
    40: "two PCIe bridges of one processor",
    50: "PCIe and the link between processors",
}
"""NVML_TOPOLOGY_*: the `PIX`, `PXB`, `PHB`, `NODE` and `SYS` of `nvidia-smi topo -m`."""
GPU_SENSOR = 0
SLOWDOWN_THRESHOLD = 1
REMOTE_SWITCH = 2


def optional(nvml: Any, name: str, *arguments: Any) -> Any:
    """What NVML's call `name` answers; None where this card or this version of the library does not."""
    call: Callable[..., Any] | None = getattr(nvml, name, None)
    if call is None:
        return None
    try:
        return call(*arguments)
    except nvml.NVMLError:
        return None


def read_gpu(nvml: Any, handle: Any, index: int, ram: tuple[int, int], system: System) -> Gpu:
    """The card at `handle`.

    Args:
        ram: (total, available) bytes of the machine, which is the memory of a GPU that has none of its own.

    Raises:
        NVMLError: It does not tell its name, memory or capability: the card is lost.
    """
    total, free = _memory(nvml, handle, ram)
    power, limit = optional(nvml, "nvmlDeviceGetPowerUsage", handle), _power_limit(nvml, handle)
    ecc = optional(nvml, "nvmlDeviceGetEccMode", handle)
    return Gpu(
        index=index,
        name=str(nvml.nvmlDeviceGetName(handle)),
        total=total,
        free=free,
        compute_capability=capability_of(nvml, handle),
        uuid=str(nvml.nvmlDeviceGetUUID(handle)),
        architecture=ARCHITECTURES.get(optional(nvml, "nvmlDeviceGetArchitecture", handle), ""),
        processes=_processes(nvml, handle, system),
        ecc=None if ecc is None else bool(ecc[0]),
        pcie=_pcie(nvml, handle),
        nvlinks=sum(1 for _ in _active_links(nvml, handle)),
        temperature=optional(nvml, "nvmlDeviceGetTemperature", handle, GPU_SENSOR),
        slowdown_temperature=optional(nvml, "nvmlDeviceGetTemperatureThreshold", handle, SLOWDOWN_THRESHOLD),
        power=None if power is None else power / 1000,
        power_limit=None if limit is None else limit / 1000,
        slowdowns=_slowdowns(nvml, handle),
    )


def capability_of(nvml: Any, handle: Any) -> tuple[int, int]:
    """The card's compute capability. Raises NVMLError where it does not tell."""
    major, minor = nvml.nvmlDeviceGetCudaComputeCapability(handle)
    return int(major), int(minor)


def read_slices(nvml: Any, handle: Any, card: Gpu, system: System) -> Iterator[Gpu]:
    """The MIG slices of `card` that a program can be given by their UUIDs, each with its own memory.

    A slice that does not tell its memory or UUID is left out: it is being taken down.
    """
    for place in range(optional(nvml, "nvmlDeviceGetMaxMigDeviceCount", handle) or 0):
        part = optional(nvml, "nvmlDeviceGetMigDeviceHandleByIndex", handle, place)
        memory = None if part is None else optional(nvml, "nvmlDeviceGetMemoryInfo", part)
        uuid = None if part is None else optional(nvml, "nvmlDeviceGetUUID", part)
        if memory is None or not uuid:
            continue
        name = str(optional(nvml, "nvmlDeviceGetName", part) or f"{card.name} MIG slice")
        yield Gpu(
            index=card.index,
            name=name,
            total=int(memory.total),
            free=int(memory.free),
            compute_capability=card.compute_capability,
            uuid=str(uuid),
            architecture=card.architecture,
            processes=_processes(nvml, part, system),
            slice=name.rpartition("MIG ")[2],
            parent=card.uuid,
            ecc=card.ecc,
            pcie=card.pcie,
            temperature=card.temperature,
            slowdown_temperature=card.slowdown_temperature,
            power=card.power,
            power_limit=card.power_limit,
            slowdowns=card.slowdowns,
        )


def in_mig_mode(nvml: Any, handle: Any) -> bool:
    """Whether the card is cut into slices; it can then not be used as a whole."""
    mode = optional(nvml, "nvmlDeviceGetMigMode", handle)
    return mode is not None and bool(mode[0])


def read_links(nvml: Any, handles: dict[int, Any]) -> tuple[GpuLink, ...]:
    """How each two of the cards, by index, reach each other; pairs that the driver says nothing about are absent."""
    buses = {index: _bus(optional(nvml, "nvmlDeviceGetPciInfo", handle)) for index, handle in handles.items()}
    links = {index: list(_active_links(nvml, handle)) for index, handle in handles.items()}
    found = []
    for first, second in combinations(handles, 2):
        direct = sum(1 for bus, _ in links[first] if bus and bus == buses[second])
        switched = min(sum(1 for _, kind in links[index] if kind == REMOTE_SWITCH) for index in (first, second))
        if direct:
            found.append(GpuLink(first, second, direct, f"{direct} NVLink{'s' if direct > 1 else ''}"))
        elif switched:
            found.append(GpuLink(first, second, switched, f"{switched} NVLinks through a switch"))
        else:
            level = optional(nvml, "nvmlDeviceGetTopologyCommonAncestor", handles[first], handles[second])
            if level in WAYS:
                found.append(GpuLink(first, second, way=WAYS[level]))
    return tuple(found)


def _memory(nvml: Any, handle: Any, ram: tuple[int, int]) -> tuple[int, int]:
    """(total, free) bytes; a GPU that shares the processor's memory (DGX Spark, Jetson) has no figures of its own."""
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    except nvml.NVMLError as error:
        if getattr(error, "value", None) == nvml.NVML_ERROR_NOT_SUPPORTED:
            return ram
        raise
    return int(memory.total), int(memory.free)


def _power_limit(nvml: Any, handle: Any) -> Any:
    """Milliwatts; the limit in force, which may be below the one that was set."""
    enforced = optional(nvml, "nvmlDeviceGetEnforcedPowerLimit", handle)
    return optional(nvml, "nvmlDeviceGetPowerManagementLimit", handle) if enforced is None else enforced


def _slowdowns(nvml: Any, handle: Any) -> tuple[str, ...]:
    bits = optional(nvml, "nvmlDeviceGetCurrentClocksEventReasons", handle)
    if bits is None:
        bits = optional(nvml, "nvmlDeviceGetCurrentClocksThrottleReasons", handle)
    return tuple(words for bit, words in SLOWDOWNS.items() if (bits or 0) & bit)


def _pcie(nvml: Any, handle: Any) -> Pcie | None:
    found = Pcie(
        generation=optional(nvml, "nvmlDeviceGetCurrPcieLinkGeneration", handle),
        width=optional(nvml, "nvmlDeviceGetCurrPcieLinkWidth", handle),
        best_generation=optional(nvml, "nvmlDeviceGetMaxPcieLinkGeneration", handle),
        best_width=optional(nvml, "nvmlDeviceGetMaxPcieLinkWidth", handle),
    )
    return None if found == Pcie() else found


def _active_links(nvml: Any, handle: Any) -> Iterator[tuple[str, int]]:
    """(bus of what is at the other end, what kind of thing that is) for each NVLink that is up."""
    for link in range(getattr(nvml, "NVML_NVLINK_MAX_LINKS", 0)):
        state = optional(nvml, "nvmlDeviceGetNvLinkState", handle, link)
        if state is None:
            return  # no NVLink at all, or no more of them
        if state:
            bus = _bus(optional(nvml, "nvmlDeviceGetNvLinkRemotePciInfo", handle, link))
            kind = optional(nvml, "nvmlDeviceGetNvLinkRemoteDeviceType", handle, link)
            yield bus, -1 if kind is None else int(kind)


def _bus(pci: Any) -> str:
    """A PCI address in lower case, without a domain's leading zeros: the two ways in which NVML writes it."""
    text = getattr(pci, "busId", "")
    text = text.decode() if isinstance(text, bytes) else str(text)
    domain, sign, rest = text.lower().partition(":")
    return f"{domain.lstrip('0')}{sign}{rest}"


def _processes(nvml: Any, handle: Any, system: System) -> tuple[GpuProcess, ...]:
    """Who uses it, the largest first; a program that computes and draws is told once."""
    found: dict[int, GpuProcess] = {}
    for call in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
        for one in optional(nvml, call, handle) or ():
            pid = int(one.pid)
            if pid not in found:
                name = str(optional(nvml, "nvmlSystemGetProcessName", pid) or "").rpartition("/")[2]
                found[pid] = GpuProcess(pid, name or _command(system, pid), _user(system, pid), one.usedGpuMemory)
    return tuple(sorted(found.values(), key=lambda one: -(one.used or 0)))


def _command(system: System, pid: int) -> str:
    return text_of(system.proc / str(pid) / "comm").strip()


def _user(system: System, pid: int) -> str:
    """Whose process it is; empty where the kernel does not show it here (another container's)."""
    for line in text_of(system.proc / str(pid) / "status").splitlines():
        if line.startswith("Uid:"):
            number = line.split()[1]
            try:
                return pwd.getpwuid(int(number)).pw_name
            except (KeyError, ValueError):
                return number
    return ""
