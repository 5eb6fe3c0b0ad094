"""What the installed torch was built for, read from its version file: torch itself is too slow to import for this."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, int]

LEAST_DRIVER = {11: "450.80.02", 12: "525.60.13", 13: "580.65.06"}
"""The oldest Linux driver for each CUDA major version; within one, a newer minor version runs on it as well (NVIDIA,
CUDA Compatibility, "CUDA Minor Version Compatibility", https://docs.nvidia.com/deploy/cuda-compatibility/)."""
KERNELS: tuple[tuple[Version, Version, Version], ...] = (
    ((12, 6), (5, 0), (9, 0)),
    ((12, 8), (7, 5), (12, 1)),
    ((13, 0), (7, 5), (12, 1)),
)
"""(CUDA, oldest capability, newest capability) for which wheels of torch 2.11 to 2.14 hold code; a later CUDA is as the
last one here (PyTorch's support matrices, https://github.com/pytorch/pytorch/issues/172352 and 190385)."""


@dataclass(frozen=True)
class TorchBuild:
    """An installed torch."""

    version: str = ""
    """Empty where none is installed."""
    cuda: Version | None = None
    """The CUDA it was built for; None for a build for processors."""


def installed_torch(version_file: Path | None = None) -> TorchBuild:
    """The torch of this Python. Never raises.

    Args:
        version_file: Read in place of the installed torch's `torch/version.py`.
    """
    if version_file is None:
        found = importlib.util.find_spec("torch")
        if found is None or found.origin is None:
            return TorchBuild()
        version_file = Path(found.origin).with_name("version.py")
    try:
        text = version_file.read_text(encoding="utf-8")
    except OSError:
        return TorchBuild()
    version = re.search(r"^__version__\s*=\s*'([^']+)'", text, re.MULTILINE)
    cuda = re.search(r"^cuda\b[^=]*=\s*'(\d+)\.(\d+)[^']*'", text, re.MULTILINE)
    return TorchBuild(
        version.group(1) if version else "", (int(cuda.group(1)), int(cuda.group(2))) if cuda is not None else None
    )


def for_processors_only(build: TorchBuild, name: str) -> str:
    """One sentence with the remedy where torch was built without CUDA; empty where it can compute on the card `name`,
    and where no torch is installed."""
    if not build.version or build.cuda is not None:
        return ""
    return (
        f"torch {build.version} is a build for processors and can't use {name}: install a CUDA build of the same "
        "version, see https://pytorch.org/get-started/locally/."
    )


def driver_too_old(build: TorchBuild, driver: str, knows: Version | None) -> str:
    """One sentence with the remedy where this driver can't run what torch was built for; empty where it can.

    Args:
        driver: Its version.
        knows: The newest CUDA that it knows; None where it does not say.
    """
    if build.cuda is None or knows is None or knows[0] >= build.cuda[0]:
        return ""
    least = LEAST_DRIVER.get(build.cuda[0])
    newer = f"update the driver to {least} or newer" if least else "update the driver"
    return (
        f"The NVIDIA driver {driver} knows CUDA up to {spelled(knows)}, and this torch was built for CUDA "
        f"{spelled(build.cuda)}: {newer}, or install torch's build for CUDA {knows[0]}."
    )


def no_kernels(build: TorchBuild, name: str, capability: Version) -> str:
    """One sentence with the remedy where torch holds no code for this card; empty where it does, or is not known to."""
    if build.cuda is None or build.cuda < KERNELS[0][0]:
        return ""
    _, oldest, newest = next(row for row in reversed(KERNELS) if row[0] <= build.cuda)
    has = f"{name} has capability {spelled(capability)}, and this torch, built for CUDA {spelled(build.cuda)},"
    if capability < oldest:
        older = next((row[0] for row in reversed(KERNELS) if row[1] <= capability), None)
        remedy = f"install torch's build for CUDA {spelled(older)}" if older else "it takes a newer card"
        return f"{has} begins at {spelled(oldest)}: {remedy}."
    if capability[0] > newest[0]:
        newer = next((row[0] for row in KERNELS if row[2] >= capability), None)
        remedy = f"install torch's build for CUDA {spelled(newer)} or later" if newer else "install a newer torch"
        return f"{has} ends at {spelled(newest)}: {remedy}."
    return ""


def spelled(version: Version) -> str:
    """`12.6`."""
    return f"{version[0]}.{version[1]}"
