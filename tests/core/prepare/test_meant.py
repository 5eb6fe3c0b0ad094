"""What an error asks a person to state: read off the error, offered as an answer that can be typed and shown."""

from __future__ import annotations

import shlex

import pytest

from tunesmith.core.errors import DataError, TunesmithError
from tunesmith.core.prepare.meant import PART, QUERY, Meant, meant


def test_the_words_of_an_error_play_no_part_in_it() -> None:
    spoken = DataError("x.csv holds several tables: a, b.", next_step="Name one of them as prepare.part.")
    assert meant(spoken) is None
    assert meant(TunesmithError("It has no sheet: a.", next_step="Mend prepare.query.")) is None
    assert meant(DataError("Odd.", next_step="Mend it.", asks=PART, names=["a, b", "c"])) == Meant(PART, ("a, b", "c"))


@pytest.mark.parametrize(
    ("path", "names", "example"),
    [
        (PART, ("Sheet: 1, 2 and more", "Two"), "Sheet: 1, 2 and more"),
        (QUERY, ("orders",), "SELECT * FROM orders"),
        (QUERY, ("my orders",), 'SELECT * FROM "my orders"'),
        (QUERY, ('a" b',), 'SELECT * FROM "a"" b"'),
        (PART, ("\x1b[31mred", "\u202eback", "x" * 300, "Two"), "Two"),
        (QUERY, ("\x1b[31mred",), ""),
        (QUERY, (), ""),
    ],
)
def test_the_example_is_the_first_name_that_can_be_typed(path: str, names: tuple[str, ...], example: str) -> None:
    asked = Meant(path, names)
    assert asked.example == example
    assert asked.hint.endswith(f", e.g. {example}." if example else " meant.")


@pytest.mark.parametrize("name", ["One", "it's", "$(touch x)", "`x`", 'a"; x; "', "a\\", "!!"])
def test_a_shell_takes_what_is_said_for_the_command_line_as_text(name: str) -> None:
    assert shlex.split(Meant(PART, (name,)).setting) == ["--set", f"prepare.part={name}"]
    quoted = Meant(PART, (name,)).setting.partition("=")[2]
    assert quoted[0] == "'" or set('"$`\\!').isdisjoint(name)


def test_a_plain_name_stands_in_double_quotes() -> None:
    assert Meant(PART, ("Two words",)).setting == '--set prepare.part="Two words"'
