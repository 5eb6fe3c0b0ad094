"""JSON values out of text, each with its line, and what is wrong where there is none."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from tunesmith.core.prepare.cells import shown

_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\]"]')
_ITEM_END = re.compile(r"[,\]\n]")
_LINE_END = re.compile(r"\n")
_CHUNK = 1 << 20
_NEAR = 16
"""Characters before the end of what was read within which an error may come from its being cut there."""
_MOST_SKIPPED = 1 << 16
"""Characters that are searched for the end of a broken item by counting its brackets."""
_MOST_INDENT = 100
MEND = "Mend that line, e.g. with `python3 -m json.tool`, which points at the place."
SINGLE_QUOTES = "JSON puts texts and names into double quotes, not single ones."
TOO_DEEP = "not readable: nested too deeply, or a number too long"
HALF = "half of a surrogate pair (\\ud800 to \\udfff) is no character"


class Item(NamedTuple):
    """A value and where it begins; where there is none, `why` says why not."""

    line: int
    value: Any
    size: int
    """Characters."""
    why: str = ""
    text: str = ""
    next_step: str = ""


class NotJson(Exception):
    """What is wrong, where, and what to do about it."""

    def __init__(self, at: int, why: str, next_step: str) -> None:
        super().__init__(why)
        self.at = at
        self.why = why
        self.next_step = next_step


def _number(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text  # 1e400 is a number in JSON and none in Python


# NaN and Infinity are not JSON, but Python writes them for cells without a value.
_DECODER = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_number)


def decode(text: str, at: int = 0) -> tuple[Any, int]:
    """The value at `at` and where it ends.

    Raises:
        NotJson: There is none.
    """
    try:
        value, end = _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        column = error.pos - text.rfind("\n", 0, error.pos)
        step = SINGLE_QUOTES if text[error.pos : error.pos + 1] == "'" else MEND
        told = (error.msg[0].lower() + error.msg[1:]).removesuffix(" starting at")
        raise NotJson(error.pos, f"not JSON: {told} at character {column}", step) from None
    except (RecursionError, ValueError):
        raise NotJson(at, TOO_DEEP, "Mend that line.") from None
    # An escape such as \ud83d can name half a character, which no file can hold.
    if _SURROGATE.search(text, at, end):
        try:
            whole = json.dumps(value, ensure_ascii=False)
        except (RecursionError, ValueError):
            raise NotJson(at, TOO_DEEP, "Mend that line.") from None
        if _LONE.search(whole):
            raise NotJson(at, HALF, "Delete it.")
    return value, end


def past_space(text: str, at: int) -> int:
    """The first place from `at` on that is no white space."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


class Scan:
    """Walks through a JSON file value by value, holding only a stretch of it.

    `at` is the place in `text`, the stretch; both change when more is read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        self._counted = (0, 1)
        self._indent: str | None = None
        self._in_lines = False
        self.text = ""
        self.at = 0
        self.ended = False
        """Whether the stretch goes to the end of the file."""

    def more(self) -> bool:
        """Read on, and forget what lies before `at`; False at the end of the file."""
        if self.ended:
            return False
        line = self.line(self.at)
        chunk = self._file.read(max(_CHUNK, len(self.text) - self.at))
        self.ended = not chunk
        start = self.at - len(self._before())
        self.text = self.text[start:] + self._decoder.decode(chunk, final=self.ended)
        self.at -= start
        self._counted = (self.at, line)
        return not self.ended

    def _before(self) -> str:
        """What stands before `at` on its line, as far as it is white space only."""
        start = self.text.rfind("\n", max(0, self.at - _MOST_INDENT), self.at)
        before = self.text[start : self.at] if start >= 0 else ""
        return before if not before.strip() else ""

    def line(self, at: int) -> int:
        """The line of a place; places are asked for in rising order, else counting starts anew at `at` of `more`."""
        position, line = self._counted
        if at < position:
            return line - self.text.count("\n", at, position)
        self._counted = (at, line + self.text.count("\n", position, at))
        return self._counted[1]

    def peek(self) -> str:
        """The next character that is no white space, where `at` then is; nothing at the end of the file."""
        while True:
            self.at = past_space(self.text, self.at)
            if self.at < len(self.text):
                return self.text[self.at]
            if self.ended:
                return ""
            self.more()

    def value(self) -> tuple[Any, int]:
        """The value at `at`, behind which `at` then is, and how many characters it took.

        Raises:
            NotJson: There is none.
        """
        self.peek()
        while True:
            try:
                value, end = decode(self.text, self.at)
            except NotJson as error:
                cut = "unterminated string" in error.why or error.at >= len(self.text) - _NEAR
                if not self.ended and cut:
                    self.more()
                    continue
                raise
            if end >= len(self.text) - 1 and not self.ended:
                self.more()
                continue
            start, self.at = self.at, end
            return value, end - start

    def expect(self, character: str) -> None:
        """Go behind `character`, which must come next.

        Raises:
            NotJson: It does not.
        """
        found = self.peek()
        if found != character:
            there = f"{shown(found)!r} stands where" if found else "the file ends where"
            step = SINGLE_QUOTES if found == "'" else MEND
            raise NotJson(self.at, f"not JSON: {there} {character!r} should", step)
        self.at += 1

    def items(self) -> Iterator[Item]:
        """The items of the list that begins at `at`, behind which `at` then is; broken ones are passed over."""
        self.at += 1
        first = True
        while True:
            found = self.peek()
            if found == "]":
                self.at += 1
                return
            if not first and found == ",":
                self.at += 1
                if self.peek() == "]":
                    continue
            elif not first and found != "{":  # between objects, a comma is not missed
                yield from self._no_comma()
                if not self.peek():
                    return
                continue
            item = self.item()
            yield item
            if item.why and not self.peek():
                return
            first = False

    def values(self) -> Iterator[Item]:
        """All values to the end of the file, one after another; broken ones are passed over."""
        self._indent, self._in_lines = "", True
        while self.peek():
            yield self.item()

    def item(self) -> Item:
        """The value at `at`, or what stands there instead of one; `at` is behind it then."""
        self.peek()
        before = self._before()
        if before:
            self._indent = before.rpartition("\n")[2]
        line = self.line(self.at)
        try:
            value, size = self.value()
        except NotJson as error:
            at, why = error.at, error.why
            wrong = self.line(at)
            text = self._skip()
            return Item(wrong if wrong >= line else line, None, len(text), why, text, error.next_step)
        return Item(line, value, size)

    def _no_comma(self) -> Iterator[Item]:
        try:
            self.expect(",")
        except NotJson as error:
            line = self.line(self.at)
            text = self._skip() if self.peek() else ""
            yield Item(line, None, len(text), error.why, text, error.next_step)

    def _skip(self) -> str:
        """Go behind what is broken at `at`: to where its brackets close, else to the next line that begins alike.

        Returns:
            What was passed over, its beginning at least.
        """
        end = self._closed()
        if end is None and self._indent is not None:
            begins = "\n" + self._indent + "{"
            look = 1
            while (found := self.text.find(begins, self.at + look)) < 0:
                look = max(1, len(self.text) - self.at - len(begins))
                if not self.more():
                    break
            end = found + 1 if found >= 0 else None
        if end is None:
            text = self.text[self.at : self.at + _MOST_SKIPPED]
            while not self.ended:
                self.at = len(self.text)
                self.more()
            self.at = len(self.text)
            return text
        text = self.text[self.at : end]
        self.at = end
        return text.strip()

    def _closed(self) -> int | None:
        """Where the brackets that open at `at` close, if a comma or the end of a list or a line follows."""
        while len(self.text) - self.at < _MOST_SKIPPED and self.more():
            pass
        if self.at < len(self.text) and self.text[self.at] not in "{[":
            ends = (_LINE_END if self._in_lines else _ITEM_END).search(self.text, self.at + 1)
            return ends.start() if ends and ends.start() <= self.at + _MOST_SKIPPED else None
        open_: list[str] = []
        for token in _TOKEN.finditer(self.text, self.at, min(len(self.text), self.at + _MOST_SKIPPED)):
            if token[0] in ("{", "["):
                open_.append(token[0])
            elif token[0] == '"':  # opened and not closed on its line
                return None
            elif token[0] in ("}", "]"):
                if not open_ or open_.pop() + token[0] not in ("{}", "[]"):
                    return None
                if not open_:
                    after = past_space(self.text, token.end())
                    follows = self.text[after : after + 1]
                    begins_line = "\n" in self.text[token.end() : after]
                    fits = begins_line if self._in_lines else follows in (",", "]") or (follows == "{" and begins_line)
                    return token.end() if fits or not follows else None
        return None
