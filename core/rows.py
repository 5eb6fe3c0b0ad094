"""Rows: what a model is trained on and asked, the same for every stage.

Prepare writes them, Fine-tune trains on them, Evaluate asks them. They meet here, and in the run's `data/` folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec

Split = Literal["train", "validation", "test"]
FIRST_WORDS = 20
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn of a chat."""

    role: str
    content: str
    tool_calls: tuple[dict[str, Any], ...] = ()
    """What an assistant's turn calls, in OpenAI's form."""
    tool_call_id: str = ""
    """Of a tool's turn: which call it answers."""
    name: str = ""
    """Of a tool's turn: which tool it is."""

    def as_dict(self) -> dict[str, Any]:
        """The form that chat templates take."""
        found: dict[str, Any] = {"role": self.role, "content": self.content}
        told = {"tool_calls": list(self.tool_calls), "tool_call_id": self.tool_call_id, "name": self.name}
        return found | {name: value for name, value in told.items() if value}


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One prompt with the answer that is wanted.

    `prompt` is what the model sees, `answer` what it must write. `context`, `question` and `record` are the parts
    the prompt was made of, where it was made of parts; probes use them to ask the same thing in another way.
    """

    id: str
    prompt: list[Message]
    """No turn where the row is plain text: all of `answer` is then trained, without a chat template."""
    answer: str
    group: str = ""
    context: str = ""
    question: str = ""
    record: dict[str, str] = {}
    """For rows made from a table: the entity's column names and values, in the table's order."""
    calls: list[dict[str, Any]] = []
    """Tool calls that are the answer, in OpenAI's form; `answer` then holds them as JSON."""
    tools: list[dict[str, Any]] = []
    """The tools that the prompt offers, in OpenAI's form."""
    rejected: str = ""
    """The worse answer, where two were compared."""
    slices: dict[str, str] = {}
    """Values by which the score is also told apart."""

    @property
    def asked(self) -> str:
        """What is asked, as people are shown it: the question, or the last turn; nothing of plain text."""
        return self.question or (self.prompt[-1].content if self.prompt else "")

    @property
    def turns(self) -> list[Message]:
        """What a server is asked with: the prompt; of plain text its first words, to be gone on from."""
        return self.prompt or [Message("user", " ".join(self.answer.split()[:FIRST_WORDS]))]


def ask(question: str, context: str = "", system: str = "") -> list[Message]:
    """The chat that asks `question` over `context`: an optional system turn and one user turn."""
    user = f"{context}\n\n{question}" if context else question
    return ([Message("system", system)] if system else []) + [Message("user", user)]


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write `rows` as JSON lines, aside and then renamed; returns how many there were."""
    count = 0
    encoder = msgspec.json.Encoder()
    aside = path.with_name(path.name + ".part")
    with aside.open("wb") as file:
        for row in rows:
            file.write(encoder.encode(row) + b"\n")
            count += 1
    aside.replace(path)
    return count


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file written by `write_rows`. Raises FileNotFoundError where Prepare has not run."""
    decoder = msgspec.json.Decoder(Row)
    with path.open("rb") as file:
        for line in file:
            yield decoder.decode(line)


class RowFiles:
    """The rows of some files, one after another: they stay on disk and can be gone through again and again."""

    def __init__(self, files: Sequence[tuple[Path, int]], places: range | None = None) -> None:
        """Those of them that are meant.

        Args:
            files: Each with the number of its rows.
            places: Which rows, counted from 0 over all files; all where it is None.
        """
        self._files = tuple(files)
        self._places = range(sum(count for _, count in files)) if places is None else places

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Row]:
        decoder = msgspec.json.Decoder(Row)
        return (decoder.decode(line) for line in self._lines())

    def stretch(self, places: range) -> RowFiles:
        """Some of these rows: another view, not a copy; those before them are skipped unread."""
        return RowFiles(self._files, self._places[places.start : places.stop])

    def sizes(self) -> Iterator[int]:
        """How long each row is as it is written, in bytes: a measure of its texts that takes no reading."""
        return map(len, self._lines())

    def drawn(self, places: Iterable[int]) -> Iterator[Row]:
        """Those at some places among these, rising."""
        decoder, lines, at = msgspec.json.Decoder(Row), self._lines(), 0
        for place in places:
            yield decoder.decode(next(islice(lines, place - at, None)))
            at = place + 1

    def _lines(self) -> Iterator[bytes]:
        first = 0
        for path, count in self._files:
            start, stop = (min(max(place - first, 0), count) for place in (self._places.start, self._places.stop))
            first += count
            if start < stop:
                with path.open("rb") as file:
                    yield from islice(file, start, stop)
