"""The table in docs/exchange.md names what the code converts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.core.exchange import axolotl, llamafactory, trl
from tunesmith.core.exchange.terms import Key

TABLE = (Path(__file__).parents[3] / "docs" / "exchange.md").read_text()
COLUMNS: dict[str, tuple[int, tuple[Key, ...]]] = {
    "trl": (2, (*trl.KEYS, *trl.LORA, *trl.PACKED)),
    "axolotl": (3, (*axolotl.TRAINING, *axolotl.WATCHING, *axolotl.LORA, *axolotl.PACKED)),
    "llamafactory": (
        4,
        (*llamafactory.TRAINING, *llamafactory.WATCHING, *llamafactory.LORA, *llamafactory.PACKED),
    ),
}


@pytest.mark.parametrize("tool", COLUMNS)
def test_every_key_stands_in_the_row_of_the_value_that_it_means(tool: str) -> None:
    column, keys = COLUMNS[tool]
    rows = [line.split("|") for line in TABLE.splitlines() if line.startswith("| `")]
    for key in keys:
        name = key.ours.removeprefix("select.hyperparameters.")
        row = next((cells for cells in rows if f"`{name}`" in cells[1]), None)
        assert row is not None, key.ours
        assert f"{key.theirs}`" in row[column] or f"`{key.theirs}" in row[column], key.theirs
