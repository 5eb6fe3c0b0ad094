"""Lays the forecast beside what training steps took on real GPUs: `python benchmarks/memory_gpu.py [FILE …]`.

The files are those that `benchmarks/gpu_measure.py` wrote; those in `benchmarks/measured` where none is named. The
forecast is simulated here and now from the models' configs; a GPU is not needed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
from gpu_cases import MEASURED, Measurements, Peak, told

from tunesmith.core.facts import Cpu, Gpu, Hardware
from tunesmith.core.figures import GIB
from tunesmith.core.select.load import CodePath
from tunesmith.core.select.memory import MemoryForecast, forecast_from
from tunesmith.core.worker.simulation.simulate import simulate


def foretold(found: Measurements, peak: Peak) -> tuple[MemoryForecast, int]:
    """(the forecast of a step, that of answers without what the optimizer holds)."""
    gpu = Gpu(0, found.card, found.total, found.total, (9, 0))
    case = peak.case
    path = CodePath("plain") if case.plain else CodePath()
    simulation = simulate(found.models[case.model], case.load, path)
    told = forecast_from(simulation, Hardware(Cpu("none", 1), 0, 0, 0, (gpu,)))
    states = simulation.evaluation.bytes.get("optimizer", 0) if simulation.evaluation else 0
    return told, told.evaluation.bytes - states if told.evaluation else 0


def table(found: Measurements) -> None:
    """Print each case, and how many came within 5 %."""
    versions = ", ".join(f"{name} {number}" for name, number in found.versions.items())
    print(f"{found.card}, {found.total / GIB:.0f} GiB, driver {found.driver}, {found.date}; GiB")
    print(f"{versions}; beside what torch reserves the driver took {found.context / GIB:.2f}\n")
    print(
        f"{'model':7}{'method':11}{'rows':>9}{'ckpt':>5}  {'loss':25}{'measured':>9}{'forecast':>9}{'':6}"
        f"{'reserved':>17}"
    )
    off, kept, answers = [], [], []
    for peak in found.peaks:
        forecast, held = foretold(found, peak)
        off.append(forecast.step / peak.allocated)
        kept.append(peak.reserved / peak.allocated)
        line = f"{told(peak.case)}{peak.allocated / GIB:9.2f}{forecast.step / GIB:9.2f}{off[-1]:6.2f}"
        beyond = forecast.of("evaluation")  # answers take more than the step: then it tells nothing of the step's
        line += f"{peak.reserved / GIB:9.2f}{'-' if beyond else f'{forecast.reserved / GIB:.2f}':>8}"
        if peak.answering:
            answers.append(held / peak.answering)
            line += f"   answers {peak.answering / GIB:.2f} {held / GIB:.2f} {answers[-1]:.2f}"
        print(line, flush=True)
    for case, why in found.failed.items():
        print(f"{case} {why}")
    for what, ratios in (("allocated", off), ("answers", answers)):
        within = sum(abs(ratio - 1) <= 0.05 for ratio in ratios)
        if ratios:
            print(f"\n{what}: {within} of {len(ratios)} within 5 %; {min(ratios):.3f} to {max(ratios):.3f} of measured")
    print(f"reserved over allocated, as measured: {min(kept):.2f} to {max(kept):.2f}, mean {sum(kept) / len(kept):.2f}")


def main() -> int:
    files = [Path(name) for name in sys.argv[1:]] or sorted(MEASURED.glob("*.json"))
    for file in files:
        table(msgspec.json.decode(file.read_bytes(), type=Measurements))
    return 0


if __name__ == "__main__":
    sys.exit(main())
