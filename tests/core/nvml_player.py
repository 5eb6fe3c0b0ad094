"""Plays recorded readings back through NVML's calls: `recordings/*.json`, each with the address of its source.

A reading that a recording does not hold is answered as NVML answers for a card that does not tell it: not supported.
What an error of the library looks like, and its numbers, are taken from nvidia-ml-py itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml

RECORDINGS = Path(__file__).parent / "recordings"
MIB = 1 << 20
ARCHITECTURES = {"Volta": 5, "Turing": 6, "Ampere": 7, "Ada Lovelace": 8, "Hopper": 9}
REASONS = {"gpu_idle": 1, "sw_power_cap": 4, "hw_slowdown": 8, "sw_thermal_slowdown": 0x20}
LEVELS = {"PIX": 10, "PXB": 20, "PHB": 30, "NODE": 40, "SYS": 50}
ENABLED = {"Enabled": 1, "Disabled": 0}


def recording(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text())
    return found


def card(name: str, place: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = recording(name)["gpus"][place]
    return found


class NvmlPlayer:
    """NVML on the machine of a recording, or on one with the cards of several."""

    NVMLError = pynvml.NVMLError
    NVML_NVLINK_MAX_LINKS = pynvml.NVML_NVLINK_MAX_LINKS
    NVML_ERROR_NOT_SUPPORTED = pynvml.NVML_ERROR_NOT_SUPPORTED
    NVML_ERROR_NO_PERMISSION = pynvml.NVML_ERROR_NO_PERMISSION
    NVML_ERROR_DRIVER_NOT_LOADED = pynvml.NVML_ERROR_DRIVER_NOT_LOADED
    NVML_ERROR_LIBRARY_NOT_FOUND = pynvml.NVML_ERROR_LIBRARY_NOT_FOUND
    NVML_ERROR_GPU_IS_LOST = pynvml.NVML_ERROR_GPU_IS_LOST
    NVML_ERROR_LIB_RM_VERSION_MISMATCH = pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH

    def __init__(self, *names: str, init_error: int = 0, lost: tuple[int, ...] = ()) -> None:
        """Args:
        names: Of recordings; the driver is the first one's.
        init_error: What `nvmlInit` fails with.
        lost: Indices of cards that no longer answer.
        """
        self.machine = recording(names[0]) if names else {"driver": "580.95.05"}
        self.gpus: list[dict[str, Any]] = [gpu for name in names for gpu in recording(name).get("gpus", [])]
        self.init_error, self.lost = init_error, lost

    # -- the machine

    def nvmlInit(self) -> None:
        if self.init_error:
            raise self.NVMLError(self.init_error)

    def nvmlShutdown(self) -> None: ...

    def nvmlSystemGetDriverVersion(self) -> str:
        return str(self.machine["driver"])

    def nvmlSystemGetCudaDriverVersion_v2(self) -> int:
        major, minor = self._read(self.machine, "cuda").split(".")
        return 1000 * int(major) + 10 * int(minor)

    def nvmlSystemGetProcessName(self, pid: int) -> str:
        everything = [one for gpu in self.gpus for one in gpu.get("processes", [])]
        names = [one["name"] for one in everything if one["pid"] == pid]
        return str(self._read({"name": names[0]} if names else {}, "name"))

    def nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> dict[str, Any]:
        if index in self.lost:
            raise self.NVMLError(self.NVML_ERROR_GPU_IS_LOST)
        return self.gpus[index]

    # -- a card, or a slice of one: the handle is its part of the recording

    def nvmlDeviceGetName(self, handle: dict[str, Any]) -> str:
        return str(self._read(handle, "name"))

    def nvmlDeviceGetUUID(self, handle: dict[str, Any]) -> str:
        return str(handle.get("uuid", "")) or str(self._read(handle, "name"))

    def nvmlDeviceGetMemoryInfo(self, handle: dict[str, Any]) -> Any:
        memory = self._read(handle, "memory_mib")
        return SimpleNamespace(total=memory["total"] * MIB, free=memory["free"] * MIB)

    def nvmlDeviceGetCudaComputeCapability(self, handle: dict[str, Any]) -> tuple[int, int]:
        major, minor = self._read(handle, "capability")
        return major, minor

    def nvmlDeviceGetArchitecture(self, handle: dict[str, Any]) -> int:
        return ARCHITECTURES[self._read(handle, "architecture")]

    def nvmlDeviceGetMigMode(self, handle: dict[str, Any]) -> list[int]:
        return [ENABLED[self._read(handle, "mig")]] * 2

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: dict[str, Any]) -> int:
        return 7 if "slices" in handle else 0

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: dict[str, Any], place: int) -> dict[str, Any]:
        slices: list[dict[str, Any]] = handle["slices"]
        if place >= len(slices):
            raise self.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return slices[place]

    def nvmlDeviceGetEccMode(self, handle: dict[str, Any]) -> list[int]:
        return [ENABLED[self._read(handle, "ecc")]] * 2

    def nvmlDeviceGetTemperature(self, handle: dict[str, Any], sensor: int) -> int:
        assert sensor == pynvml.NVML_TEMPERATURE_GPU
        return int(self._read(handle, "temperature"))

    def nvmlDeviceGetTemperatureThreshold(self, handle: dict[str, Any], threshold: int) -> int:
        assert threshold == pynvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN
        return int(self._read(handle, "slowdown_temperature"))

    def nvmlDeviceGetPowerUsage(self, handle: dict[str, Any]) -> int:
        return round(1000 * self._read(handle, "power_watts"))

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: dict[str, Any]) -> int:
        return round(1000 * self._read(handle, "power_limit_watts"))

    def nvmlDeviceGetPowerManagementLimit(self, handle: dict[str, Any]) -> int:
        return self.nvmlDeviceGetEnforcedPowerLimit(handle)

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: dict[str, Any]) -> int:
        return sum(REASONS[one] for one in self._read(handle, "event_reasons"))

    def nvmlDeviceGetCurrPcieLinkGeneration(self, handle: dict[str, Any]) -> int:
        return int(self._read(handle, "pcie")["generation"])

    def nvmlDeviceGetCurrPcieLinkWidth(self, handle: dict[str, Any]) -> int:
        return int(self._read(handle, "pcie")["width"])

    def nvmlDeviceGetMaxPcieLinkGeneration(self, handle: dict[str, Any]) -> int:
        return int(self._read(handle, "pcie")["best_generation"])

    def nvmlDeviceGetMaxPcieLinkWidth(self, handle: dict[str, Any]) -> int:
        return int(self._read(handle, "pcie")["best_width"])

    def nvmlDeviceGetComputeRunningProcesses(self, handle: dict[str, Any]) -> list[Any]:
        return self._processes(handle, "C")

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: dict[str, Any]) -> list[Any]:
        return self._processes(handle, "G")

    # -- between cards: a handle is a row of the matrix that `nvidia-smi topo -m` printed

    def rows(self) -> dict[int, Any]:
        return {index: {"row": index} for index in range(len(self.machine["topology"]))}

    def nvmlDeviceGetPciInfo(self, handle: dict[str, Any]) -> Any:
        return SimpleNamespace(busId=f"00000000:{self._read(handle, 'row') + 16:02X}:00.0".encode())

    def nvmlDeviceGetNvLinkState(self, handle: dict[str, Any], link: int) -> int:
        if link >= len(self._ends(handle)):
            raise self.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        return 1

    def nvmlDeviceGetNvLinkRemotePciInfo(self, handle: dict[str, Any], link: int) -> Any:
        end = self._ends(handle)[link]
        return SimpleNamespace(busId=b"0000:05:00.0" if end is None else f"0000:{end + 16:02x}:00.0".encode())

    def nvmlDeviceGetNvLinkRemoteDeviceType(self, handle: dict[str, Any], link: int) -> int:
        switch = self._ends(handle)[link] is None
        return pynvml.NVML_NVLINK_DEVICE_TYPE_SWITCH if switch else pynvml.NVML_NVLINK_DEVICE_TYPE_GPU

    def nvmlDeviceGetTopologyCommonAncestor(self, one: dict[str, Any], other: dict[str, Any]) -> int:
        place = self._read(one, "row")
        return LEVELS[self.machine["topology"][place][other["row"]]]

    def _ends(self, handle: dict[str, Any]) -> list[int | None]:
        """What is at the end of each NVLink of a card: another card's row, or None for a switch."""
        place = self._read(handle, "row")
        row = self.machine["topology"][place]
        if self.machine.get("nvlink_through") == "switch":
            return [None] * max(int(way[2:]) for way in row if way.startswith("NV"))
        return [other for other, way in enumerate(row) if way.startswith("NV") for _ in range(int(way[2:]))]

    def _processes(self, handle: dict[str, Any], kind: str) -> list[Any]:
        return [
            SimpleNamespace(pid=one["pid"], usedGpuMemory=one["used_mib"] * MIB)
            for one in self._read(handle, "processes")
            if one["type"] == kind
        ]

    def _read(self, part: dict[str, Any], name: str) -> Any:
        if part.get(name) is None:
            raise self.NVMLError(self.NVML_ERROR_NOT_SUPPORTED)
        return part[name]
