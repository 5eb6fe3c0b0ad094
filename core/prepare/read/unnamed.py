"""Columns without a name in the header, such as the index that pandas writes: called by their letter, in any table."""

from __future__ import annotations

from collections.abc import Iterable


def name_by_letter(names: list[str], at: Iterable[int]) -> list[str]:
    """Name the unnamed ones of the columns `at` (counted from 0) in place; returns a note to the person for each."""
    notes = []
    for place in at:
        if not names[place]:
            letter = name = letter_of(place)
            while name in names:
                name += "_"
            names[place] = name
            notes.append(f"Column {letter} has no name in its header; it is called {name}.")
    return notes


def letter_of(place: int) -> str:
    """What a spreadsheet calls the column, counted from 0: A to Z, AA …"""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
