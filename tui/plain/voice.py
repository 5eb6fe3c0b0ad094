"""Says lines and reads answers: text alone, wrapped, nothing redrawn, nothing coloured."""

from __future__ import annotations

import io
from typing import TextIO

from rich.console import Console
from rich.text import Text

from tunesmith.core.errors import TunesmithError
from tunesmith.tui.plain_text import harmless, shortened

WIDTH = 78
FEW_LINES = 220
"""Characters of a reason that are said unasked, about three lines; `?` says all of it."""

WITHOUT_UNICODE = str.maketrans(
    {
        "…": "...",
        "→": "->",
        "–": "-",
        "⟦": "[[",
        "⟧": "]]",
        "×": "x",
        "·": "-",
        "⏎": "\\n",
        "²": "2",
        "“": '"',
        "”": '"',
    }
)


class Quit(Exception):
    """The person leaves."""


class Back(Exception):
    """The person wants the question before this one."""


class InputEnded(Exception):
    """Nothing more can be read: a pipe ran out."""


class Voice:
    """What is said and heard."""

    def __init__(self, stdin: TextIO, stdout: TextIO) -> None:
        for stream in (stdin, stdout):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        self._in, self._out = stdin, stdout
        self._ruler = Console(file=io.StringIO(), width=WIDTH, color_system=None, legacy_windows=False)
        encoding = (getattr(stdout, "encoding", None) or "utf-8").lower()
        self._encoding = "" if encoding.replace("-", "").replace("_", "") == "utf8" else encoding

    def say(self, text: str = "", indent: int = 0) -> None:
        """One thing: a line, or as many as it takes, those after the first indented by two more."""
        text = self._sayable(text)
        first, *rest = Text(text).wrap(self._ruler, WIDTH - indent) or [Text()]
        lines = [" " * indent + first.plain.rstrip()]
        if rest:  # what does not fit is wrapped anew, narrower, so that it can be indented
            left = text[len(first.plain) :].lstrip()
            lines += [
                " " * (indent + 2) + line.plain.rstrip() for line in Text(left).wrap(self._ruler, WIDTH - 2 - indent)
            ]
        for line in lines:
            self._out.write(line + "\n")
        self._out.flush()

    def command(self, text: str) -> None:
        """A line to copy: on a line of its own and whole, however long it is."""
        self._out.write(f"  {self._sayable(text)}\n")
        self._out.flush()

    def complain(self, error: TunesmithError) -> None:
        """What is wrong, why, and what to do: each a sentence of its own."""
        for sentence in filter(None, (error.title, error.cause, error.next_step)):
            self.say(sentence)

    def ask(self, prompt: str) -> str:
        """What the person typed, without white space around it.

        Raises:
            Quit: They typed `q`.
            Back: They typed `b`.
            InputEnded: There is nothing more to read.
        """
        self._out.write(self._sayable(prompt) + " ")
        self._out.flush()
        line = self._in.readline()
        if not line:
            self._out.write("\n")
            raise InputEnded
        text = line.strip()
        if not self._in.isatty():  # nobody sees what comes from a pipe
            self._out.write(self._sayable(shortened(text, WIDTH)) + "\n")
        if text.lower() in ("q", "quit"):
            raise Quit
        if text.lower() in ("b", "back"):
            raise Back
        return text

    def _sayable(self, text: str) -> str:
        text = harmless(text)
        if self._encoding:
            text = text.translate(WITHOUT_UNICODE).encode(self._encoding, "replace").decode(self._encoding)
        return text


def sentence(text: str) -> str:
    """`text` with a full stop, as a sentence of its own."""
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def in_short(text: str) -> str:
    """About three lines of a reason; says where the rest is."""
    return sentence(text) if len(text) <= FEW_LINES else f"{shortened(text, FEW_LINES)} (? tells the rest.)"
