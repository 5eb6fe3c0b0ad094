"""The memory over one step as bars: to scale, and told apart without colour."""

from __future__ import annotations

from tunesmith.core.facts import MemoryPhase
from tunesmith.tui.glyphs import ASCII, UNICODE
from tunesmith.tui.widgets.memory_bars import memory_bars

GIB = 1 << 30
PHASES = (
    MemoryPhase("before the step", {"weights": 4 * GIB}),
    MemoryPhase("forward", {"weights": 4 * GIB, "activations": 2 * GIB}),
    MemoryPhase("loss", {"weights": 4 * GIB, "activations": 2 * GIB, "loss": 2 * GIB}),
)


def test_bars_are_to_the_scale_of_the_peak_and_their_parts_to_that_of_the_bar() -> None:
    before, forward, loss, _ = memory_bars(PHASES, UNICODE, 40).plain.splitlines()
    assert (before.count("█"), before.count("▓"), before.count("░")) == (20, 0, 0)
    assert (forward.count("█"), forward.count("▓"), forward.count("░")) == (20, 10, 0)
    assert (loss.count("█"), loss.count("▓"), loss.count("░")) == (20, 10, 10)
    assert loss.endswith("8.0 GiB  the peak") and "the peak" not in forward


def test_figures_stand_below_each_other() -> None:
    lines = memory_bars(PHASES, UNICODE, 40).plain.splitlines()[:-1]
    assert len({line.index(" GiB") for line in lines}) == 1


def test_in_ascii_the_parts_differ_as_well() -> None:
    told = memory_bars(PHASES, ASCII, 40).plain
    assert told.isascii()
    assert "#" * 20 + "=" * 10 + "-" * 10 in told
    assert "# stays   = kept for the rows   - comes and goes" in told
