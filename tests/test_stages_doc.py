"""`docs/stages.md` speaks of the plan as it is."""

from __future__ import annotations

import re
from pathlib import Path

from tunesmith.core.schema import knobs
from tunesmith.core.stages import STAGES, TITLES

TEXT = (Path(__file__).parents[1] / "docs" / "stages.md").read_text(encoding="utf-8")


def test_every_stage_and_every_path_that_the_table_names_is_there() -> None:
    for stage in STAGES:
        assert f"**{TITLES[stage]}**" in TEXT
    paths = {knob.path for stage in STAGES for knob in knobs(stage)}
    for named in re.findall(r"`([a-z]+(?:\.[a-z_]+)*)`", TEXT):
        if named.partition(".")[0] in STAGES:
            assert any(path == named or path.startswith(f"{named}.") for path in paths), named


def test_all_seven_stages_are_answered() -> None:
    assert [int(number) for number in re.findall(r"^\| (\d) ", TEXT, re.MULTILINE)] == [1, 2, 3, 4, 5, 6, 7]
