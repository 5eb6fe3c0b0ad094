"""Which GPUs this process may use, and what is wrong where it may use none, in one sentence with the remedy.

Nothing here needs CUDA or torch, so it is quick and never takes memory of a GPU.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith.core.facts import Gpu, GpuLink
from tunesmith.core.gpu_readings import in_mig_mode, optional, read_gpu, read_links, read_slices
from tunesmith.core.system import System, text_of
from tunesmith.core.torch_build import TorchBuild, driver_too_old, for_processors_only, no_kernels

NVIDIA_PCI_VENDOR = "0x10de"
PCI_DISPLAY_CLASSES = ("0x0300", "0x0302")
"""VGA and 3D controllers (PCI Code and ID Assignment Specification, base class 03h)."""
HIDDEN = ("", "-1", "NoDevFiles")
"""Values of CUDA_VISIBLE_DEVICES by which people and schedulers (Slurm) hide every GPU."""


@dataclass(frozen=True)
class Gpus:
    """What NVML said: the GPUs that can be used, the driver, and what is wrong."""

    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    cuda: tuple[int, int] | None = None
    links: tuple[GpuLink, ...] = ()
    problem: str = ""


@dataclass
class _Read:
    """What the cards answered, and a sentence about the first one that did not."""

    gpus: list[Gpu] = field(default_factory=list)
    links: tuple[GpuLink, ...] = ()
    broken: str = ""


def probe_gpus(
    system: System, nvml: Any, environment: Mapping[str, str], ram: tuple[int, int], torch: TorchBuild
) -> Gpus:
    """Ask NVML, and turn each way in which that fails into one sentence.

    Args:
        system: Where /proc and /sys are.
        nvml: The module to ask; pynvml where none is given.
        environment: Where CUDA_VISIBLE_DEVICES is looked up.
        ram: (total, available) bytes, for GPUs that share them.
        torch: What must be able to run on them.
    """
    if nvml is None:
        try:
            nvml = importlib.import_module("pynvml")
        except ImportError:
            return Gpus(problem=_absent(system, "GPUs can't be asked without nvidia-ml-py: install it with pip."))
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return Gpus(problem=_why_no_driver(system, nvml, error))
    try:
        driver = str(nvml.nvmlSystemGetDriverVersion())
        number = optional(nvml, "nvmlSystemGetCudaDriverVersion_v2")
        read = _each_gpu(nvml, ram, system)
    except nvml.NVMLError as error:
        return Gpus(problem=f"The NVIDIA driver gives no answer ({error}): run `nvidia-smi`; restart if it fails too.")
    finally:
        nvml.nvmlShutdown()
    cuda = (number // 1000, number % 1000 // 10) if number else None
    if not read.gpus:
        nothing = "The NVIDIA driver finds no GPU: run `nvidia-smi`, and in a container start it with `--gpus all`."
        return Gpus((), driver, cuda, problem=read.broken or _absent(system, nothing))
    return _usable(read, driver, cuda, environment, torch)


def _usable(
    read: _Read, driver: str, cuda: tuple[int, int] | None, environment: Mapping[str, str], torch: TorchBuild
) -> Gpus:
    """Those that are not hidden and that torch can compute on."""
    visible = visible_gpus(tuple(read.gpus), environment.get("CUDA_VISIBLE_DEVICES"))
    if not visible:
        stated = environment["CUDA_VISIBLE_DEVICES"]
        which = "the GPU" if len(read.gpus) == 1 else f"all {len(read.gpus)} GPUs"
        return Gpus(
            (),
            driver,
            cuda,
            problem=f"CUDA_VISIBLE_DEVICES is `{stated}`, which hides {which}: unset it to use a GPU.",
        )
    unfit = for_processors_only(torch, visible[0].name) or driver_too_old(torch, driver, cuda)
    if unfit:
        return Gpus((), driver, cuda, problem=unfit)
    lacking = [no_kernels(torch, gpu.name, gpu.compute_capability) for gpu in visible]
    usable = tuple(gpu for gpu, lacks in zip(visible, lacking, strict=True) if not lacks)
    problem = "" if usable else lacking[0]
    indices = {gpu.index for gpu in usable if not gpu.slice}
    links = tuple(link for link in read.links if {link.first, link.second} <= indices)
    return Gpus(usable, driver, cuda, links, problem)


def _each_gpu(nvml: Any, ram: tuple[int, int], system: System) -> _Read:
    """Every card that answers, or its slices in its place where it is cut into them."""
    read, handles = _Read(), {}
    for index in range(nvml.nvmlDeviceGetCount()):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            gpu = read_gpu(nvml, handle, index, ram, system)
        except nvml.NVMLError as error:
            gone = f"GPU {index} gives no answer ({error}): restart the machine, or look at `dmesg`."
            read.broken = read.broken or gone
            continue
        if not in_mig_mode(nvml, handle):
            read.gpus.append(gpu)
            handles[index] = handle
            continue
        slices = list(read_slices(nvml, handle, gpu, system))
        read.gpus += slices
        if not slices:
            uncut = (
                f"GPU {index} ({gpu.name}) is in MIG mode and has no slice: make one with "
                f"`sudo nvidia-smi mig -i {index} -cgi 0 -C`, or end the mode with `sudo nvidia-smi -i {index} -mig 0`."
            )
            read.broken = read.broken or uncut
    read.links = read_links(nvml, handles)
    return read


def visible_gpus(gpus: tuple[Gpu, ...], stated: str | None) -> tuple[Gpu, ...]:
    """Those of `gpus` that CUDA_VISIBLE_DEVICES lets a program use, in its order; all where it is not set.

    Indices and (shortened) UUIDs of cards and of MIG slices are understood; as CUDA does, the list ends at the first
    entry that names no GPU, and a card that is cut into slices means its first one (NVIDIA, Multi-Instance GPU User
    Guide, "CUDA Device Enumeration").
    Indices are NVML's, by PCI bus; CUDA's own default puts the fastest card first, so on a machine with unlike cards
    set CUDA_DEVICE_ORDER=PCI_BUS_ID (`gpu_environment` does).
    """
    if stated is None:
        return gpus
    if stated.strip() in HIDDEN:
        return ()
    found: list[Gpu] = []
    for entry in (part.strip() for part in stated.split(",")):
        named = _named(gpus, entry)
        if named is None or named in found:
            break
        found.append(named)
    return tuple(found)


def _named(gpus: tuple[Gpu, ...], entry: str) -> Gpu | None:
    """The GPU that one entry of the list means; None where it means none, or more than one."""
    if len(entry) > 4 and entry.startswith("MIG-"):
        slices = [gpu for gpu in gpus if gpu.slice and gpu.uuid.startswith(entry)]
        return slices[0] if len(slices) == 1 else None
    cards: dict[str, Gpu] = {}
    for gpu in gpus:
        card = gpu.parent or gpu.uuid
        if entry == str(gpu.index) or (len(entry) > 4 and card.startswith(entry)):
            cards.setdefault(card, gpu)
    return next(iter(cards.values())) if len(cards) == 1 else None


def gpu_environment(gpu: Gpu) -> dict[str, str]:
    """The environment in which torch sees this GPU alone, as device 0; UUIDs do not depend on CUDA's own order."""
    return {"CUDA_VISIBLE_DEVICES": gpu.uuid or str(gpu.index), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


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
        is_display = text_of(device / "class").strip().startswith(PCI_DISPLAY_CLASSES)
        if is_display and text_of(device / "vendor").strip() == NVIDIA_PCI_VENDOR:
            return True
    return False
