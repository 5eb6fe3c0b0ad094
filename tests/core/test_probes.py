"""What was measured is kept beside the runs, the latest of each kind, and read as facts of the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tunesmith.core.facts import StepProbe
from tunesmith.core.load import Load
from tunesmith.core.probes import Foretold, keep_probe, read_foretold, read_probes, with_probes, write_foretold
from tunesmith.core.run import create_run, list_runs

from .facts_kit import SEVEN_B, SMALL

LOAD = Load("lora", "bf16", "cuda", 4, 512, rank=16)


def probe(load: Load = LOAD, **changes: object) -> StepProbe:
    made = StepProbe(load, "NVIDIA L4", SMALL.path, 5 << 30, 6 << 30, 0.4, 1.0)
    return msgspec.structs.replace(made, **changes)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNESMITH_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_the_latest_of_each_load_is_kept(root: Path) -> None:
    assert read_probes() == ()
    keep_probe(probe())
    keep_probe(probe(replace(LOAD, batch_size=8)))
    keep_probe(probe(allocated=7 << 30))
    assert [(one.load.batch_size, one.allocated >> 30) for one in read_probes()] == [(8, 5), (4, 7)]
    assert (root / "machine" / "probes.json").exists()
    assert list_runs() == [], "the folder is no run"


def test_another_card_and_another_model_have_their_own() -> None:
    keep_probe(probe())
    keep_probe(probe(device="NVIDIA H100"))
    keep_probe(probe(model=SEVEN_B.path))
    assert len(read_probes()) == 3
    assert [one.device for one in with_probes(SMALL).probes] == ["NVIDIA L4", "NVIDIA H100"]
    assert with_probes(msgspec.structs.replace(SMALL, path="/elsewhere")).probes == ()


def test_a_damaged_file_holds_none_and_is_written_anew(root: Path) -> None:
    (root / "machine").mkdir(parents=True)
    (root / "machine" / "probes.json").write_text("[{")
    assert read_probes() == ()
    keep_probe(probe())
    assert len(read_probes()) == 1


def test_names_of_modules_come_back_as_they_were() -> None:
    keep_probe(probe(replace(LOAD, target_modules=("q_proj", "v_proj"))))
    assert read_probes()[0].load.target_modules == ("q_proj", "v_proj")


def test_a_runs_forecast_lies_in_its_folder(root: Path) -> None:
    run = create_run("a", root)
    assert read_foretold(run) is None
    write_foretold(run, Foretold(LOAD, 1, "simulated"))
    assert read_foretold(run) == Foretold(LOAD, 1, "simulated")
