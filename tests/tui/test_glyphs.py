"""The symbols tell the statuses apart, fit their cells, and are ASCII where nothing else can be shown."""

from __future__ import annotations

import dataclasses
import unicodedata

import pytest
from rich.cells import cell_len

from tunesmith.tui.glyphs import ASCII, UNICODE, Glyphs, glyphs_for

WIDER_IN_ASCII = {"arrow", "ellipsis", "trained_open", "trained_close"}

both = pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])


def signs(glyphs: Glyphs) -> dict[str, str]:
    """Every symbol by its name."""
    fields = {field.name: getattr(glyphs, field.name) for field in dataclasses.fields(glyphs)}
    singles = {name: value for name, value in fields.items() if isinstance(value, str)}
    return {**singles, **{f"bar_parts_{i}": part for i, part in enumerate(glyphs.bar_parts, start=1)}}


@both
def test_no_two_statuses_share_a_symbol(glyphs: Glyphs) -> None:
    assert len(set(glyphs.status())) == len(glyphs.status()) == 9


@both
def test_what_stands_side_by_side_differs(glyphs: Glyphs) -> None:
    assert glyphs.bar_full != glyphs.bar_empty
    assert glyphs.chooser_left != glyphs.chooser_right
    assert glyphs.trained_open != glyphs.trained_close
    assert glyphs.interval_point not in (glyphs.interval_line, glyphs.interval_left, glyphs.interval_right)
    assert glyphs.interval_line not in (glyphs.interval_left, glyphs.interval_right)


@both
def test_a_symbol_fills_one_cell(glyphs: Glyphs) -> None:
    for name, sign in signs(glyphs).items():
        if glyphs is ASCII and name in WIDER_IN_ASCII:
            continue
        assert len(sign) == cell_len(sign) == 1, name


def test_ascii_is_ascii() -> None:
    assert all(sign.isascii() and sign.isprintable() for sign in signs(ASCII).values())
    assert not ASCII.braille
    assert ASCII.bar_parts == ()


def test_no_symbol_turns_into_an_emoji_or_takes_two_cells() -> None:
    for name, sign in signs(UNICODE).items():
        assert unicodedata.east_asian_width(sign) not in ("W", "F"), name
        assert unicodedata.category(sign) not in ("Cn", "Co"), name
        assert sign not in "▶◀⏸⏹⚠✔✖☑★⭐", name  # terminals draw these as emoji, two cells wide


def test_a_bar_grows_by_eighths() -> None:
    assert [unicodedata.name(part).split(" BLOCK")[0] for part in UNICODE.bar_parts] == [
        "LEFT ONE EIGHTH",
        "LEFT ONE QUARTER",
        "LEFT THREE EIGHTHS",
        "LEFT HALF",
        "LEFT FIVE EIGHTHS",
        "LEFT THREE QUARTERS",
        "LEFT SEVEN EIGHTHS",
    ]


@pytest.mark.parametrize(
    ("environment", "encoding", "wanted", "glyphs"),
    [
        ({"TERM": "xterm-256color"}, "utf-8", False, UNICODE),
        ({}, "UTF8", False, UNICODE),
        ({}, "UTF_8", False, UNICODE),
        ({"TUNESMITH_ASCII": ""}, "utf-8", False, UNICODE),
        ({"TUNESMITH_ASCII": "1"}, "utf-8", False, ASCII),
        ({}, "utf-8", True, ASCII),
        ({"TERM": "linux"}, "utf-8", False, ASCII),
        ({}, "ISO-8859-1", False, ASCII),
        ({}, "ANSI_X3.4-1968", False, ASCII),
        ({}, "", False, ASCII),
        ({}, "no-such-encoding", False, ASCII),
    ],
)
def test_the_set_that_a_terminal_can_show(
    environment: dict[str, str], encoding: str, wanted: bool, glyphs: Glyphs
) -> None:
    assert glyphs_for(environment, encoding, wanted) is glyphs
