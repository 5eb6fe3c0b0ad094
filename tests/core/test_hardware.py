"""The machine is told as this process may use it, and each thing that is wrong with a GPU as one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import psutil
import pytest

from tunesmith.core.facts import Gpu
from tunesmith.core.hardware import System, gpu_environment, probe_hardware, visible_gpus

GIB = 1 << 30
# Replayed readings: an RTX 4090 with a desktop on it, an A100, an L4 and a T4 as nvidia-smi shows them.
RTX_4090 = ("NVIDIA GeForce RTX 4090", 25757220864, 24696061952, (8, 9), "GPU-5a2b7f1e-0001-2222-3333-444444444444")
A100 = ("NVIDIA A100-SXM4-80GB", 85899345920, 85028372480, (8, 0), "GPU-9c1d0e2f-0002-2222-3333-444444444444")
T4 = ("Tesla T4", 16106127360, 15828320256, (7, 5), "GPU-1f0e9d8c-0003-2222-3333-444444444444")
GB10 = ("NVIDIA GB10", None, None, (12, 1), "GPU-77777777-0004-2222-3333-444444444444")


class FakeNvml:
    """NVML as it answers where the hardware is; only for hardware that is not here."""

    NVML_ERROR_NOT_SUPPORTED = 3
    NVML_ERROR_NO_PERMISSION = 4
    NVML_ERROR_DRIVER_NOT_LOADED = 9
    NVML_ERROR_LIBRARY_NOT_FOUND = 12
    NVML_ERROR_GPU_IS_LOST = 15
    NVML_ERROR_LIB_RM_VERSION_MISMATCH = 18

    class NVMLError(Exception):
        def __init__(self, value: int) -> None:
            super().__init__(f"NVML error {value}")
            self.value = value

    def __init__(self, *cards: Any, init_error: int = 0, lost: tuple[int, ...] = ()) -> None:
        self.cards, self.init_error, self.lost = cards, init_error, lost

    def nvmlInit(self) -> None:
        if self.init_error:
            raise self.NVMLError(self.init_error)

    def nvmlShutdown(self) -> None: ...

    def nvmlSystemGetDriverVersion(self) -> str:
        return "580.95.05"

    def nvmlDeviceGetCount(self) -> int:
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        if index in self.lost:
            raise self.NVMLError(self.NVML_ERROR_GPU_IS_LOST)
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:
        return str(self.cards[handle][0])

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        if self.cards[handle][1] is None:
            raise self.NVMLError(self.NVML_ERROR_NOT_SUPPORTED)
        return type("Memory", (), {"total": self.cards[handle][1], "free": self.cards[handle][2]})

    def nvmlDeviceGetCudaComputeCapability(self, handle: int) -> list[int]:
        return list(self.cards[handle][3])

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return str(self.cards[handle][4])


def write(root: Path, files: dict[str, str]) -> System:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return System(root / "proc", root / "sys")


CARD = {"sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n", "sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n"}
AUDIO = {"sys/bus/pci/devices/0000:01:00.1/vendor": "0x10de\n", "sys/bus/pci/devices/0000:01:00.1/class": "0x040300\n"}


def test_this_machine_is_told_without_a_word_of_complaint(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path / "not" / "yet")
    assert hardware.cpu.cores >= 1
    assert hardware.cpu.name != ""
    assert 0 < hardware.ram_available <= hardware.ram_total <= psutil.virtual_memory().total
    assert hardware.disk_free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)


def test_a_box_without_any_gpu_is_not_a_problem(tmp_path: Path) -> None:
    for error in (FakeNvml.NVML_ERROR_LIBRARY_NOT_FOUND, FakeNvml.NVML_ERROR_DRIVER_NOT_LOADED):
        hardware = probe_hardware(tmp_path, write(tmp_path, AUDIO), FakeNvml(init_error=error), {})
        assert (hardware.gpus, hardware.gpu_problem) == ((), "")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (FakeNvml.NVML_ERROR_LIBRARY_NOT_FOUND, "There is an NVIDIA card but no driver for it: install"),
        (FakeNvml.NVML_ERROR_DRIVER_NOT_LOADED, "installed but not loaded: run `sudo modprobe nvidia`"),
        (FakeNvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "halves don't match: restart the machine."),
        (FakeNvml.NVML_ERROR_NO_PERMISSION, "You have no permission for the NVIDIA card: ask"),
        (999, "The NVIDIA driver does not start (NVML error 999): run `nvidia-smi`"),
    ],
)
def test_a_driver_that_will_not_start_is_one_sentence_with_its_remedy(tmp_path: Path, error: int, says: str) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), FakeNvml(init_error=error), {})
    assert hardware.gpu is None
    assert says in hardware.gpu_problem
    assert hardware.gpu_problem.endswith(".")
    assert "\n" not in hardware.gpu_problem


def test_a_card_without_gpus_in_the_driver_names_the_container_switch(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), FakeNvml(), {})
    assert "finds no GPU" in hardware.gpu_problem
    assert "--gpus all" in hardware.gpu_problem


def test_one_gpu_is_told_as_nvml_tells_it(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), FakeNvml(RTX_4090), {})
    assert hardware.gpu == Gpu(0, RTX_4090[0], RTX_4090[1], RTX_4090[2], (8, 9), RTX_4090[4])
    assert hardware.gpu.bf16
    assert (hardware.driver, hardware.gpu_problem) == ("580.95.05", "")


def test_of_several_gpus_the_one_with_most_free_memory_is_used(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), FakeNvml(T4, A100, RTX_4090), {})
    assert [gpu.index for gpu in hardware.gpus] == [0, 1, 2]
    assert hardware.gpu is not None
    assert hardware.gpu.name == A100[0]
    assert gpu_environment(hardware.gpu)["CUDA_VISIBLE_DEVICES"] == A100[4]


def test_a_lost_gpu_does_not_hide_the_others(tmp_path: Path) -> None:
    two = probe_hardware(tmp_path, write(tmp_path, CARD), FakeNvml(T4, A100, lost=(0,)), {})
    assert [gpu.index for gpu in two.gpus] == [1]
    alone = probe_hardware(tmp_path, write(tmp_path, CARD), FakeNvml(T4, lost=(0,)), {})
    assert "GPU 0 gives no answer" in alone.gpu_problem
    assert "restart the machine" in alone.gpu_problem


def test_a_gpu_that_shares_the_ram_is_given_the_figures_of_the_ram(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), FakeNvml(GB10), {})
    assert hardware.gpu is not None
    assert (hardware.gpu.total, hardware.gpu.free) == (hardware.ram_total, hardware.ram_available)


@pytest.mark.parametrize(
    ("stated", "indices"),
    [
        (None, [0, 1, 2]),
        ("1", [1]),
        ("2,0", [2, 0]),
        (" 0 , 2 ", [0, 2]),
        ("GPU-9c1d", [1]),
        (f"{T4[4]},{A100[4]}", [2, 1]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("0,7,1", [0]),
        ("0,0", [0]),
        ("GPU-", []),
    ],
)
def test_cuda_visible_devices_is_read_as_cuda_reads_it(stated: str | None, indices: list[int]) -> None:
    gpus = tuple(Gpu(i, *card[:3], card[3], card[4]) for i, card in enumerate((RTX_4090, A100, T4)))  # type: ignore[arg-type]
    assert [gpu.index for gpu in visible_gpus(gpus, stated)] == indices


@pytest.mark.parametrize("stated", ["", "-1", "NoDevFiles", "9"])
def test_hidden_gpus_are_told_with_the_way_to_unhide_them(tmp_path: Path, stated: str) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), FakeNvml(T4, A100), {"CUDA_VISIBLE_DEVICES": stated})
    assert hardware.gpus == ()
    assert hardware.gpu_problem == (
        f"CUDA_VISIBLE_DEVICES is `{stated}`, which hides all 2 GPUs: unset it to use a GPU."
    )


CPUINFO = "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Platinum 8481C\nflags\t\t: fpu avx512f amx_bf16 amx_tile\n"


def test_the_processor_is_named_with_its_bf16(tmp_path: Path) -> None:
    cpu = probe_hardware(tmp_path, write(tmp_path, {"proc/cpuinfo": CPUINFO}), FakeNvml(), {}).cpu
    assert (cpu.name, cpu.bf16) == ("Intel(R) Xeon(R) Platinum 8481C", True)
    old = write(tmp_path / "old", {"proc/cpuinfo": CPUINFO.replace("amx_bf16", "")})
    assert not probe_hardware(tmp_path, old, FakeNvml(), {}).cpu.bf16


@pytest.mark.parametrize(
    "files",
    [
        {  # cgroup v2, as Docker with --memory=512m --cpus=1 shows it inside
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": "536870912\n",
            "sys/fs/cgroup/memory.current": "134217728\n",
            "sys/fs/cgroup/memory.stat": "anon 33554432\ninactive_file 67108864\n",
            "sys/fs/cgroup/cpu.max": "100000 100000\n",
        },
        {  # cgroup v1 with the limit on a parent
            "proc/self/cgroup": "4:memory:/job/step\n1:cpu,cpuacct:/job/step\n",
            "sys/fs/cgroup/memory/job/step/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "536870912\n",
            "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "134217728\n",
            "sys/fs/cgroup/memory/job/memory.stat": "cache 1\ntotal_inactive_file 67108864\n",
            "sys/fs/cgroup/cpu,cpuacct/job/step/cpu.cfs_quota_us": "150000\n",
            "sys/fs/cgroup/cpu,cpuacct/job/step/cpu.cfs_period_us": "100000\n",
        },
    ],
    ids=["v2", "v1"],
)
def test_a_cgroups_limits_are_believed_over_the_hosts(tmp_path: Path, files: dict[str, str]) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, files), FakeNvml(), {})
    assert hardware.ram_total == 512 << 20
    assert hardware.ram_available == (512 - 128 + 64) << 20
    assert hardware.cpu.cores == 1


def test_a_cgroup_without_limits_changes_nothing(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/user.slice\n",
        "sys/fs/cgroup/user.slice/memory.max": "max\n",
        "sys/fs/cgroup/user.slice/cpu.max": "max 100000\n",
    }
    limited = probe_hardware(tmp_path, write(tmp_path, files), FakeNvml(), {})
    assert limited.ram_total == psutil.virtual_memory().total
