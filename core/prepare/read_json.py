"""JSON and JSON lines to records with their line numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.records import Format, Record, check_names, fault, name_of, no_rows

_SPACE = re.compile(r"[ \t\n\r]*")
_LONE = re.compile("[\ud800-\udfff]")
# NaN and Infinity are not JSON, but Python writes them for cells without a value.
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)
_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
_MEND = "Mend that line, e.g. with `python3 -m json.tool`, which points at the place."
_SINGLE_QUOTES = "JSON puts texts and names into double quotes, not single ones."

Items = list[tuple[int, Any]]
"""Values with the line each begins at."""


def parse_jsonl(path: Path, text: str) -> tuple[tuple[str, ...], list[Record]]:
    """The columns and records of JSON lines: one object a line, blank lines passed over.

    Raises:
        DataError: A line is not JSON, or no object; names it.
    """
    items: Items = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            value, end = _decode(path, line, _past_space(line, 0), number)
            if _past_space(line, end) < len(line):
                step = "Put one JSON object on each line, and nothing behind it."
                raise fault(path, number, f"not JSON lines: more follows at character {end + 1}", step)
            items.append((number, value))
    return _records(path, items)


def parse_json(path: Path, text: str) -> tuple[tuple[str, ...], list[Record], Format]:
    """The columns and records of JSON: a list of objects, an object that holds one, or objects one after another.

    Raises:
        DataError: It is not JSON (names the line), or holds no list of objects.
    """
    scan = _Scan(path, text)
    start = _past_space(text, 0)
    if text[start] == "[":
        items, end = scan.list_at(start)
        scan.nothing_after(end)
        return *_records(path, items), "json"
    if text[start] != "{":
        raise _no_list(path, "it is no list of objects")
    lists, end = scan.object_at(start)
    if _past_space(text, end) < len(text):  # JSON lines in a file named .json: common enough to be read
        return *_records(path, scan.all_from(start)), "jsonl"
    found = [(key, items) for key, items in lists if items and all(isinstance(item, dict) for _, item in items)]
    if len(found) == 1:
        return *_records(path, found[0][1]), "json"
    if found:
        raise _no_list(path, f"it holds several lists: {', '.join(shown(key) for key, _ in found[:5])}")
    raise _no_list(path, "the object in it holds no list of objects")


def _no_list(path: Path, why: str) -> DataError:
    step = 'Write one list of objects: [{"question": "…", "answer": "…"}, …], or one object a line as .jsonl.'
    return DataError(f"{name_of(path)} can't be read as rows: {why}.", next_step=step, file=path, line=1)


def _records(path: Path, items: Items) -> tuple[tuple[str, ...], list[Record]]:
    """Records of objects, and their keys in the order in which they first appear."""
    columns: dict[str, None] = {}
    records: list[Record] = []
    for line, value in items:
        if not isinstance(value, dict):
            what = _NAMES.get(type(value), "a number")
            step = 'Write each row as {"column": "value", …}.'
            raise fault(path, line, f"{what} stands where an object should", step)
        if not all(value):
            check_names(path, list(value), line)
        columns.update(dict.fromkeys(value))
        records.append(Record(len(records) + 1, line, value))
    if not columns:
        raise no_rows(path, "holds no rows")
    return tuple(columns), records


def _past_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _decode(path: Path, text: str, at: int, line: int) -> tuple[Any, int]:
    """The value at `at`, which stands on `line`, and where it ends."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        wrong = line + text.count("\n", at, error.pos)
        column = error.pos - text.rfind("\n", 0, error.pos)
        step = _SINGLE_QUOTES if text[error.pos : error.pos + 1] == "'" else _MEND
        told = error.msg[0].lower() + error.msg[1:]
        raise fault(path, wrong, f"not JSON: {told} at character {column}", step) from None
    except (RecursionError, ValueError):
        raise fault(path, line, "not readable: nested too deeply, or a number too long", "Mend that line.") from None
    # An escape such as \ud83d can name half a character, which no file can hold.
    if "\\u" in text[at:end] and _LONE.search(json.dumps(value, ensure_ascii=False)):
        raise fault(path, line, "half of a surrogate pair (\\ud800 to \\udfff) is no character", "Delete it.")
    return value, end


class _Scan:
    """Walks through JSON text value by value, so that every record knows its line."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self._counted = (0, 1)

    def line(self, at: int) -> int:
        """The line of a position; positions are asked for in rising order, else counting starts anew."""
        position, line = self._counted if at >= self._counted[0] else (0, 1)
        self._counted = (at, line + self.text.count("\n", position, at))
        return self._counted[1]

    def value_at(self, at: int) -> tuple[Any, int]:
        """The value that begins at `at`, and where it ends."""
        return _decode(self.path, self.text, at, self.line(at))

    def list_at(self, at: int) -> tuple[Items, int]:
        """The items of the list that begins at `at`, and where it ends."""
        items: Items = []
        at = _past_space(self.text, at + 1)
        if self.text[at : at + 1] == "]":
            return items, at + 1
        while True:
            line = self.line(at)
            value, at = self.value_at(at)
            items.append((line, value))
            at = _past_space(self.text, at)
            if self.text[at : at + 1] == "]":
                return items, at + 1
            at = self.expect(",", at)

    def object_at(self, at: int) -> tuple[list[tuple[str, Items]], int]:
        """The lists in the object that begins at `at` by key, and where the object ends."""
        lists: list[tuple[str, Items]] = []
        at = _past_space(self.text, at + 1)
        if self.text[at : at + 1] == "}":
            return lists, at + 1
        while True:
            if self.text[at : at + 1] != '"':
                self.expect('"', at)
            key, at = self.value_at(at)
            at = self.expect(":", _past_space(self.text, at))
            if self.text[at : at + 1] == "[":
                items, at = self.list_at(at)
                lists.append((str(key), items))
            else:
                _, at = self.value_at(at)
            at = _past_space(self.text, at)
            if self.text[at : at + 1] == "}":
                return lists, at + 1
            at = self.expect(",", at)

    def all_from(self, at: int) -> Items:
        """All values from `at` to the end, one after another."""
        items: Items = []
        while at < len(self.text):
            line = self.line(at)
            value, at = self.value_at(at)
            items.append((line, value))
            at = _past_space(self.text, at)
        return items

    def expect(self, character: str, at: int) -> int:
        """The place behind `character`, which must stand at `at`, and the white space after it."""
        if self.text[at : at + 1] != character:
            there = f"{shown(self.text[at])!r} stands where" if at < len(self.text) else "the file ends where"
            step = _SINGLE_QUOTES if self.text[at : at + 1] == "'" else _MEND
            raise fault(self.path, self.line(at), f"not JSON: {there} {character!r} should", step)
        return _past_space(self.text, at + 1)

    def nothing_after(self, at: int) -> None:
        """Refuse anything but white space from `at` on."""
        at = _past_space(self.text, at)
        if at < len(self.text):
            step = "Put all objects into one list, or one object a line as .jsonl."
            raise fault(self.path, self.line(at), "more follows after the end of the list", step)
