"""The simulation against peaks that were measured on a real GPU (`benchmarks/gpu_measure.py` wrote them down)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tunesmith.core.facts import Cpu, Gpu, Hardware
from tunesmith.core.load import Load
from tunesmith.core.select.load import CodePath
from tunesmith.core.select.memory import forecast_from
from tunesmith.core.worker.simulation.simulate import simulate

MEASURED = Path(__file__).parents[3] / "benchmarks" / "measured"
QUICK = {("0.1 B", "lora", "lora"), ("0.5 B", "qlora", "lora"), ("0.5 B", "lora", "dora")}
"""Some of the cases, (model, method, kind of adapter), for the quick suite; all of them are slow."""


def measured() -> list[Any]:
    found = []
    for file in sorted(MEASURED.glob("*.json")):
        machine = json.loads(file.read_text())
        for peak in machine["peaks"]:
            load = peak["case"]["load"]
            quick = (peak["case"]["model"], load["method"], load["peft"]) in QUICK
            marks = () if quick else (pytest.mark.slow,)
            name = f"{machine['card']} {peak['case']['model']} {load['method']} {load['batch_size']}x{load['length']}"
            found.append(pytest.param(machine, peak, id=name, marks=marks))
    return found


@pytest.mark.parametrize(("machine", "peak"), measured())
def test_the_forecast_is_within_5_percent_of_what_a_gpu_took(machine: dict[str, Any], peak: dict[str, Any]) -> None:
    case = peak["case"]
    gpu = Gpu(0, machine["card"], machine["total"], machine["total"], (9, 0))
    path = CodePath("plain") if case.get("plain") else CodePath()
    simulation = simulate(machine["models"][case["model"]], msgspec.convert(case["load"], Load), path)
    told = forecast_from(simulation, Hardware(Cpu("none", 1), 0, 0, 0, (gpu,)))
    assert told.step == pytest.approx(peak["allocated"], rel=0.05)
    if peak.get("answering"):
        assert told.evaluation is not None and simulation.evaluation is not None
        answering = told.evaluation.bytes - simulation.evaluation.bytes.get("optimizer", 0)
        assert answering == pytest.approx(peak["answering"], rel=0.05)


def test_at_least_twelve_ways_of_training_were_measured() -> None:
    assert len(measured()) >= 12
