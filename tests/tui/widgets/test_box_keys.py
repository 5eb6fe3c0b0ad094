"""The keys at the foot of a box, in the room that there is."""

from __future__ import annotations

import pytest

from tunesmith.tui.widgets.box_keys import BoxKeys

KEYS = (
    ("Enter", "takes it"),
    ("Tab", "to what it is done with"),
    ("F2 or Ctrl+O", "takes it from the lines"),
    ("Esc", "back"),
)


@pytest.mark.parametrize("width", range(36, 101))
def test_a_key_is_never_parted_from_what_it_does(width: int) -> None:
    lines = BoxKeys(*KEYS).laid(width).plain.split("\n")
    assert all(len(line) <= width for line in lines)
    assert [told for line in lines for told in line.split("   ")] == [f"{key} {does}" for key, does in KEYS]


def test_no_more_lines_are_taken_than_are_needed() -> None:
    assert BoxKeys(*KEYS).laid(100).plain.count("\n") == 0
    assert BoxKeys(*KEYS).laid(80).plain.count("\n") == 1


def test_a_key_that_is_wider_than_the_box_is_broken_rather_than_cut() -> None:
    lines = BoxKeys(("Enter", "takes what is picked")).laid(12).plain.split("\n")
    assert " ".join(line.strip() for line in lines) == "Enter takes what is picked"
    assert all(len(line) <= 12 for line in lines)
