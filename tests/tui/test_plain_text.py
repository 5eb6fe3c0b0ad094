from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.tui.plain_text import harmless, shortened


def test_a_terminal_escape_is_shown_instead_of_obeyed() -> None:
    assert harmless("\x1b[2Jgone\x07") == "\\x1b[2Jgone\\x07"


def test_a_direction_override_is_shown() -> None:
    assert harmless("txt.\u202eexe") == "txt.\\u202eexe"


def test_line_breaks_and_tabs_stay_on_one_line() -> None:
    assert harmless("a\nb\tc") == "a⏎b c"


def test_other_writings_and_emoji_stay_as_they_are() -> None:
    for text in ("Zoë Müller", "日本語", "👩\u200d💻", "[bold]not markup[/bold]"):
        assert harmless(text) == text


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = harmless(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in shown)


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"
