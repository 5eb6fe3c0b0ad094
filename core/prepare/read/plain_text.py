"""Text and Markdown, to go on reading: a document is a record, a long one several, cut at blank lines."""

from __future__ import annotations

from collections.abc import Iterator

from tunesmith.core.errors import DataError
from tunesmith.core.prepare.read.encoding import as_utf8
from tunesmith.core.prepare.read.opened import Opened
from tunesmith.core.prepare.read.sink import MOST_CHARACTERS, Sink
from tunesmith.core.prepare.records import BATCH, Format, name_of

DOCUMENT = 20_000
"""Characters up to which a file beside others is one record: about 5,000 tokens."""
PIECE = 1_000
"""Characters from which a piece of a file that is alone ends at the next blank line: some 250 tokens, so that even one
file gives enough records to keep some of them for the test."""
_LONGEST = 100_000
"""Characters at which a piece without a blank line is cut at the end of a line."""


def read_text(opened: Opened, sink: Sink) -> Format:
    """Read the file as records with one column, `text`; lines are where they begin.

    Raises:
        DataError: It is empty, or no text.
    """
    opened.refuse_binary()
    as_utf8(opened, sink)
    lines: list[int] = []
    values: list[dict[str, str]] = []
    size, any_text = 0, False
    for line, text in _pieces(opened, DOCUMENT if sink.several else PIECE):
        any_text = True
        lines.append(line)
        values.append({"text": text})
        size += len(text)
        if len(lines) >= BATCH or size >= MOST_CHARACTERS:
            sink.objects(lines, values)
            opened.told(opened.file.tell())
            lines, values, size = [], [], 0
    if not any_text:
        raise DataError(f"{name_of(opened.path)} is empty.", next_step="Name a file with text in it.", file=opened.path)
    sink.objects(lines, values)
    return "text"


def _pieces(opened: Opened, enough: int) -> Iterator[tuple[int, str]]:
    """Pieces of at least `enough` characters that end at a blank line outside fenced code, each with its line."""
    held: list[str] = []
    begins, size, fenced = 1, 0, False
    for number, raw in enumerate(opened.file, start=1):
        line = raw.decode("utf-8", "replace")
        blank = not line.strip()
        if not held:
            if blank:
                continue
            begins = number
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        held.append(line)
        size += len(line)
        if size > _LONGEST or (blank and not fenced and size >= enough):
            yield begins, "".join(held).rstrip()
            held, size, fenced = [], 0, False
    if rest := "".join(held).rstrip():
        yield begins, rest
