"""The machine is told as this process may use it, and each thing that is wrong with a GPU as one sentence."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import psutil
import pytest

from tunesmith.core.facts import Gpu, GpuProcess, Pcie
from tunesmith.core.gpu_readings import read_links
from tunesmith.core.gpus import gpu_environment, visible_gpus
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.system import System
from tunesmith.core.torch_build import TorchBuild, installed_torch

from .nvml_player import MIB, RECORDINGS, NvmlPlayer, card, recording

CPU_BUILD = TorchBuild("2.13.0+cpu")
ANY_BUILD = TorchBuild()
"""No torch at all, so that no card is turned down for it."""
CU126 = TorchBuild("2.13.0+cu126", (12, 6))
CU130 = TorchBuild("2.13.0", (13, 0))
MIG = "MIG-feb88891-0321-5fef-9c87-d4af3b54259e"


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
    for error in (NvmlPlayer.NVML_ERROR_LIBRARY_NOT_FOUND, NvmlPlayer.NVML_ERROR_DRIVER_NOT_LOADED):
        hardware = probe_hardware(tmp_path, write(tmp_path, AUDIO), NvmlPlayer(init_error=error), {}, torch=ANY_BUILD)
        assert (hardware.gpus, hardware.gpu_problem) == ((), "")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NvmlPlayer.NVML_ERROR_LIBRARY_NOT_FOUND, "There is an NVIDIA card but no driver for it: install"),
        (NvmlPlayer.NVML_ERROR_DRIVER_NOT_LOADED, "installed but not loaded: run `sudo modprobe nvidia`"),
        (NvmlPlayer.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "halves don't match: restart the machine."),
        (NvmlPlayer.NVML_ERROR_NO_PERMISSION, "You have no permission for the NVIDIA card: ask"),
        (999, "The NVIDIA driver does not start (Unknown Error): run `nvidia-smi`"),
    ],
)
def test_a_driver_that_will_not_start_is_one_sentence_with_its_remedy(tmp_path: Path, error: int, says: str) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer(init_error=error), {}, torch=ANY_BUILD)
    assert hardware.gpu is None
    assert says in hardware.gpu_problem
    assert hardware.gpu_problem.endswith(".")
    assert "\n" not in hardware.gpu_problem


def test_a_card_without_gpus_in_the_driver_names_the_container_switch(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer(), {}, torch=ANY_BUILD)
    assert "finds no GPU" in hardware.gpu_problem
    assert "--gpus all" in hardware.gpu_problem


def test_a_torch_for_processors_beside_a_card_is_one_sentence_with_its_remedy(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer("l40s"), {}, torch=CPU_BUILD)
    assert hardware.gpu is None
    assert hardware.gpu_problem == (
        "torch 2.13.0+cpu is a build for processors and can't use NVIDIA L40S: install a CUDA build of the same "
        "version, see https://pytorch.org/get-started/locally/."
    )
    assert probe_hardware(tmp_path, write(tmp_path, AUDIO), NvmlPlayer(init_error=9), {}, torch=CPU_BUILD).gpu is None


def test_a_card_is_told_with_everything_that_it_tells(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer("l40s"), {}, torch=CU130)
    assert hardware.gpus == (
        Gpu(
            index=0,
            name="NVIDIA L40S",
            total=46068 * MIB,
            free=45460 * MIB,
            compute_capability=(8, 9),
            uuid="GPU-63dc4b76-8d8c-7f8d-206f-dcc5c9f71dd1",
            architecture="Ada",
            ecc=True,
            pcie=Pcie(1, 8, 4, 16),
            temperature=26,
            power=23.47,
            power_limit=350.0,
        ),
    )
    assert (hardware.driver, hardware.cuda, hardware.gpu_problem) == ("590.48.01", (13, 1), "")


ONE_MACHINE = [path.stem for path in sorted(RECORDINGS.glob("*.json")) if not path.stem.startswith("topology")]


@pytest.mark.parametrize("name", ONE_MACHINE)
def test_every_recorded_machine_is_read_without_an_error(tmp_path: Path, name: str) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer(name), {}, torch=ANY_BUILD)
    assert hardware.gpu_problem == ""
    first = hardware.gpus[0]
    assert first.name.startswith(card(name)["name"])
    assert first.free <= first.total
    assert msgspec.json.decode(msgspec.json.encode(hardware), type=type(hardware)) == hardware


@pytest.mark.parametrize("name", [path.stem for path in sorted(RECORDINGS.glob("*.json"))])
def test_every_recording_names_its_source(name: str) -> None:
    assert all(source.startswith("https://") for source in recording(name)["sources"])
    assert recording(name)["note"].endswith(".")


@pytest.mark.parametrize(
    ("name", "architecture", "bf16", "fp8", "flash"),
    [
        ("v100-16gb", "Volta", False, False, False),
        ("tesla-t4", "Turing", False, False, False),
        ("rtx-3090", "Ampere", True, False, True),
        ("rtx-4090", "Ada", True, True, True),
        ("h100-80gb", "Hopper", True, True, True),
    ],
)
def test_what_a_card_computes_follows_from_its_capability(
    tmp_path: Path, name: str, architecture: str, bf16: bool, fp8: bool, flash: bool
) -> None:
    gpu = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer(name), {}, torch=ANY_BUILD).gpus[0]
    assert (gpu.architecture, gpu.bf16, gpu.fp8, gpu.flash_attention) == (architecture, bf16, fp8, flash)


def test_who_uses_a_card_is_named_the_largest_first(tmp_path: Path) -> None:
    user = str(os.getuid()) + "000017"  # nobody has this number: it is told as it stands
    system = write(tmp_path, {**CARD, "proc/5762/status": f"Name:\tpython\nUid:\t{user}\t{user}\t{user}\t{user}\n"})
    gpu = probe_hardware(tmp_path, system, NvmlPlayer("tesla-t4"), {}, torch=ANY_BUILD).gpus[0]
    assert gpu.processes == (
        GpuProcess(5762, "python", user, 1005 * MIB),
        GpuProcess(675, "Xorg", "", 22 * MIB),
    )


def test_a_card_that_is_held_back_says_why_and_one_that_idles_does_not(tmp_path: Path) -> None:
    capped = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer("a40-power-capped"), {}, torch=ANY_BUILD).gpus[
        0
    ]
    assert capped.slowdowns == ("held at its power limit",)
    idle = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer("rtx-4090"), {}, torch=ANY_BUILD).gpus[0]
    assert card("rtx-4090")["event_reasons"] == ["gpu_idle"]
    assert idle.slowdowns == ()


def test_a_card_that_is_cut_is_told_as_its_slices_with_their_own_memory(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer("a100-80gb-mig"), {}, torch=CU126)
    assert len(hardware.gpus) == 4
    for gpu in hardware.gpus:
        assert (gpu.total, gpu.free, gpu.index) == (19968 * MIB, 19955 * MIB, 0)
        assert gpu.parent == card("a100-80gb-mig")["uuid"]
        assert gpu.slice and gpu.name == "NVIDIA A100-SXM4-80GB MIG slice"
        assert gpu_environment(gpu)["CUDA_VISIBLE_DEVICES"] == gpu.uuid
    assert hardware.gpus[0].uuid == MIG


def test_a_card_in_mig_mode_without_slices_says_how_to_go_on(tmp_path: Path) -> None:
    player = NvmlPlayer("a100-80gb-mig")
    player.gpus[0] = {key: one for key, one in player.gpus[0].items() if key != "slices"}
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), player, {}, torch=ANY_BUILD)
    assert hardware.gpus == ()
    assert "is in MIG mode and has no slice: make one with `sudo nvidia-smi mig -i 0 -cgi 0 -C`" in hardware.gpu_problem


@pytest.mark.parametrize(("stated", "slices"), [("0", 1), (MIG, 1), ("MIG-feb8", 1), ("GPU-513536b6", 1), ("MIG-", 0)])
def test_a_slice_can_be_named_in_cuda_visible_devices(tmp_path: Path, stated: str, slices: int) -> None:
    environment = {"CUDA_VISIBLE_DEVICES": stated}
    hardware = probe_hardware(
        tmp_path, write(tmp_path, CARD), NvmlPlayer("a100-80gb-mig"), environment, torch=ANY_BUILD
    )
    assert [gpu.uuid for gpu in hardware.gpus] == [MIG] * slices
    assert ("which hides all 4 GPUs" in hardware.gpu_problem) == (slices == 0)


def test_what_joins_the_cards_is_told() -> None:
    def ways(name: str) -> dict[tuple[int, int], tuple[int, str]]:
        player = NvmlPlayer(name)
        return {(link.first, link.second): (link.nvlinks, link.way) for link in read_links(player, player.rows())}

    direct = ways("topology-h100-x4-direct")
    assert set(direct.values()) == {(6, "6 NVLinks")} and len(direct) == 6
    switched = ways("topology-h100-x8-switched")
    assert set(switched.values()) == {(18, "18 NVLinks through a switch")} and len(switched) == 28
    plain = ways("topology-rtx-4090-x5")
    assert plain[0, 1] == (0, "PCIe and the link between processors")
    assert plain[1, 2] == (0, "the processor's PCIe bridge")
    assert plain[2, 3] == (0, "two PCIe bridges of one processor")


def test_a_driver_too_old_for_this_torch_is_one_sentence_with_its_remedy(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer("rtx-4090"), {}, torch=CU130)
    assert hardware.gpus == ()
    assert hardware.gpu_problem == (
        "The NVIDIA driver 550.127.05 knows CUDA up to 12.4, and this torch was built for CUDA 13.0: "
        "update the driver to 580.65.06 or newer, or install torch's build for CUDA 12."
    )
    assert probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer("rtx-4090"), {}, torch=CU126).gpus


def test_a_card_that_this_torch_has_no_code_for_is_one_sentence_with_its_remedy(tmp_path: Path) -> None:
    player = NvmlPlayer("l40s", "v100-16gb")  # the newer driver is in charge
    both = probe_hardware(tmp_path, write(tmp_path, CARD), player, {}, torch=CU130)
    assert [gpu.name for gpu in both.gpus] == ["NVIDIA L40S"]
    alone = probe_hardware(tmp_path, write(tmp_path, CARD), player, {"CUDA_VISIBLE_DEVICES": "1"}, torch=CU130)
    assert alone.gpus == ()
    assert alone.gpu_problem == (
        "Tesla V100-SXM2-16GB has capability 7.0, and this torch, built for CUDA 13.0, begins at 7.5: "
        "install torch's build for CUDA 12.6."
    )
    new = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer("gb10"), {}, torch=CU126)
    assert new.gpu_problem.endswith("ends at 9.0: install torch's build for CUDA 12.8 or later.")


def test_what_torch_was_built_for_is_read_without_importing_it(tmp_path: Path) -> None:
    file = tmp_path / "version.py"
    file.write_text("from typing import Optional\n__version__ = '2.13.0+cu130'\ncuda: Optional[str] = '13.0'\n")
    assert installed_torch(file) == TorchBuild("2.13.0+cu130", (13, 0))
    file.write_text("__version__ = '2.13.0+cpu'\ndebug = False\ncuda: Optional[str] = None\n")
    assert installed_torch(file) == TorchBuild("2.13.0+cpu", None)
    assert installed_torch(tmp_path / "gone.py") == TorchBuild()
    assert installed_torch().version


def test_of_several_gpus_the_one_with_most_free_memory_is_used(tmp_path: Path) -> None:
    hardware = probe_hardware(
        tmp_path, write(tmp_path, CARD), NvmlPlayer("tesla-t4", "h100-80gb", "rtx-4090"), {}, torch=ANY_BUILD
    )
    assert [gpu.index for gpu in hardware.gpus] == [0, 1, 2, 3]
    assert hardware.gpu is not None
    assert hardware.gpu.name == "NVIDIA H100 80GB HBM3"
    assert gpu_environment(hardware.gpu)["CUDA_VISIBLE_DEVICES"] == card("h100-80gb")["uuid"]


def test_a_lost_gpu_does_not_hide_the_others(tmp_path: Path) -> None:
    two = probe_hardware(
        tmp_path, write(tmp_path, CARD), NvmlPlayer("tesla-t4", "h100-80gb", lost=(0,)), {}, torch=ANY_BUILD
    )
    assert [gpu.index for gpu in two.gpus] == [1]
    alone = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer("tesla-t4", lost=(0,)), {}, torch=ANY_BUILD)
    assert "GPU 0 gives no answer" in alone.gpu_problem
    assert "restart the machine" in alone.gpu_problem


def test_a_gpu_that_shares_the_ram_is_given_the_figures_of_the_ram(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path, write(tmp_path, CARD), NvmlPlayer("gb10"), {}, torch=ANY_BUILD)
    assert hardware.gpu is not None
    assert (hardware.gpu.total, hardware.gpu.free) == (hardware.ram_total, hardware.ram_available)


@pytest.mark.parametrize(
    ("stated", "indices"),
    [
        (None, [0, 1, 2]),
        ("1", [1]),
        ("2,0", [2, 0]),
        (" 0 , 2 ", [0, 2]),
        ("GPU-b42d", [1]),
        (f"{card('tesla-t4')['uuid']},{card('h100-80gb')['uuid']}", [2, 1]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("0,7,1", [0]),
        ("0,0", [0]),
        ("GPU-", []),
    ],
)
def test_cuda_visible_devices_is_read_as_cuda_reads_it(stated: str | None, indices: list[int]) -> None:
    cards = [card(name) for name in ("rtx-4090", "h100-80gb", "tesla-t4")]
    gpus = tuple(Gpu(place, one["name"], 0, 0, (8, 0), one["uuid"]) for place, one in enumerate(cards))
    assert [gpu.index for gpu in visible_gpus(gpus, stated)] == indices


@pytest.mark.parametrize("stated", ["", "-1", "NoDevFiles", "9"])
def test_hidden_gpus_are_told_with_the_way_to_unhide_them(tmp_path: Path, stated: str) -> None:
    hardware = probe_hardware(
        tmp_path, write(tmp_path, CARD), NvmlPlayer("tesla-t4", "h100-80gb"), {"CUDA_VISIBLE_DEVICES": stated}
    )
    assert hardware.gpus == ()
    assert hardware.gpu_problem == (
        f"CUDA_VISIBLE_DEVICES is `{stated}`, which hides all 2 GPUs: unset it to use a GPU."
    )


CPUINFO = "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Platinum 8481C\nflags\t\t: fpu avx512f amx_bf16 amx_tile\n"


def test_the_processor_is_named_with_its_bf16(tmp_path: Path) -> None:
    cpu = probe_hardware(tmp_path, write(tmp_path, {"proc/cpuinfo": CPUINFO}), NvmlPlayer(), {}, torch=ANY_BUILD).cpu
    assert (cpu.name, cpu.bf16) == ("Intel(R) Xeon(R) Platinum 8481C", True)
    old = write(tmp_path / "old", {"proc/cpuinfo": CPUINFO.replace("amx_bf16", "")})
    assert not probe_hardware(tmp_path, old, NvmlPlayer(), {}, torch=ANY_BUILD).cpu.bf16


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
    hardware = probe_hardware(tmp_path, write(tmp_path, files), NvmlPlayer(), {}, torch=ANY_BUILD)
    assert hardware.ram_total == 512 << 20
    assert hardware.ram_available == (512 - 128 + 64) << 20
    assert hardware.cpu.cores == 1


def test_a_cgroup_without_limits_changes_nothing(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/user.slice\n",
        "sys/fs/cgroup/user.slice/memory.max": "max\n",
        "sys/fs/cgroup/user.slice/cpu.max": "max 100000\n",
    }
    limited = probe_hardware(tmp_path, write(tmp_path, files), NvmlPlayer(), {}, torch=ANY_BUILD)
    assert limited.ram_total == psutil.virtual_memory().total


def test_cores_are_told_as_the_machine_has_them_and_as_this_process_may_use_them(tmp_path: Path) -> None:
    thread = "processor\t: {0}\nphysical id\t: 0\ncore id\t\t: {1}\n\n"
    info = "".join(thread.format(number, number % 4) for number in range(8))
    cpu = probe_hardware(tmp_path, write(tmp_path, {"proc/cpuinfo": info}), NvmlPlayer(), {}, torch=ANY_BUILD).cpu
    assert cpu.physical_cores == 4
    assert cpu.cores == len(os.sched_getaffinity(0))
    assert (
        probe_hardware(
            tmp_path, write(tmp_path / "arm", {"proc/cpuinfo": ""}), NvmlPlayer(), {}, torch=ANY_BUILD
        ).cpu.physical_cores
        is None
    )


def test_the_disk_of_the_models_and_the_swap_are_told(tmp_path: Path) -> None:
    hardware = probe_hardware(tmp_path, None, NvmlPlayer(), {}, torch=ANY_BUILD, cache_at=Path("/dev/shm/not/yet"))
    assert hardware.cache_free == pytest.approx(shutil.disk_usage("/dev/shm").free, rel=0.05)
    assert hardware.swap_total == psutil.swap_memory().total
    assert probe_hardware(tmp_path, None, NvmlPlayer(), {}, torch=ANY_BUILD).cache_free is None
