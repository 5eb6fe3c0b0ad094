"""A process that stays warm and answers short questions: one JSON line in, one JSON line out."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import msgspec

from tunesmith.core.errors import DataError, TunesmithError
from tunesmith.core.facts import Simulation
from tunesmith.core.hub import Access, HubModel
from tunesmith.core.lengths import estimated_profile
from tunesmith.core.load import Load
from tunesmith.core.meter import Cancelled, Meter
from tunesmith.core.paths import is_file
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare.cells import cell, lines_shown, shown
from tunesmith.core.prepare.prepared import Prepared, WrittenSet
from tunesmith.core.proof import Proof
from tunesmith.core.survey import Counted, Page, Survey, Whole

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from tunesmith.core.prepare.records import Records

TELL_SECONDS = 0.25
"""Between two words about how far an answer is."""
COUNTED = 50_000
"""Rows that are counted for a first look; of more, a sample and the longest. The job counts every row before it trains.
A share of 1 % is then known to within a tenth of a point (95 % interval, normal approximation)."""
CELL = 200
"""Characters of a cell that a page shows."""
WHOLE = 100_000
"""Characters of one record that are shown; of each cell at least as many as on a page."""
LINES = 5_000
"""Lines of one record that are shown, of each cell at least one: ten times as many take seconds to lay out."""


class Surveyor:
    """Answers the questions; holds the rows of its last look, and the tokenizers it has loaded."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._prepared: Prepared | None = None
        self._paged: tuple[dict[str, Any], Records] | None = None
        """What was paged through last, and what it was asked for by."""

    def look(self, wishes: dict[str, Any], base: str) -> Survey:
        """Everything that can be measured without the model's tokenizer."""
        from tunesmith.core.worker.measure import measure

        seen, self._prepared = measure(wishes, Path(base), self._meter)
        return seen

    def tokens(self, model: str, max_length: int | None = None) -> Proof:
        """What the tokenizer in the folder `model` makes of the last look's rows."""
        from tunesmith.core.worker.proof import count

        assert self._prepared is not None, "a look comes first"
        return count(_tokenizer(model), self._prepared.all, max_length, self._meter, most=COUNTED)

    def estimate(self, vocabulary: int, show: int = 3) -> Counted:
        """The same without a tokenizer, from characters; rows are rendered without a chat template."""
        assert self._prepared is not None, "a look comes first"
        rendered = [
            [("\n\n".join(turn.content for turn in row.prompt) + "\n\n", False), (row.answer, True)]
            for row in islice(self._prepared.all, show)
        ]
        return Counted(estimated_profile(self._prepared.all, vocabulary), rendered)

    def prepare(self, plan: dict[str, Any], base: str) -> Prepared:
        """The rows that a plan's section makes."""
        from tunesmith.core.prepare.pipeline import prepare_rows

        return prepare_rows(Prepare.model_validate(plan), Path(base), self._meter)

    def export(
        self, plan: dict[str, Any], base: str, folder: str, form: Any, proof: dict[str, Any] | None = None
    ) -> WrittenSet:
        """Write the rows that a plan's section makes, and their data card, into a folder."""
        from tunesmith.core.prepare.written import write_set

        told = None if proof is None else msgspec.convert(proof, Proof)
        return write_set(Prepare.model_validate(plan), Path(base), Path(folder), form, self._meter, told)

    def columns(self, source: str, base: str) -> list[str]:
        """The names of the columns of a file."""
        from tunesmith.core.prepare.read.load import read_records

        return list(read_records(source, Path(base), meter=self._meter).columns)

    def page(self, data: dict[str, Any], start: int, count: int) -> Page:
        """A stretch of the records, as they were read."""
        records = self._records(data)
        rows = records.rows[start : start + count]
        texts = [[cell(row.values, name) for name in records.columns] for row in rows]
        cells = [[shown(text, CELL) for text in row] for row in texts]
        whole = [all(len(text) <= CELL and "\n" not in text for text in row) for row in texts]
        return Page(list(records.columns), len(records.rows), start, cells, [row.place for row in rows], whole)

    def whole(self, data: dict[str, Any], number: int) -> Whole:
        """One of the records, as it was read."""
        records = self._records(data)
        if number >= len(records.rows):
            raise DataError(
                f"There is no record {number + 1:,} any more: the data has {len(records.rows):,}.",
                next_step="Go back and look through it again.",
            )
        values, room, lines = records.rows[number].values, WHOLE, LINES
        cells, left_out = [], []
        for name in records.columns:
            text = cell(values, name)
            kept = text[: max(CELL, room)].split("\n", max(1, lines))[: max(1, lines)]
            room, lines = room - len(text), lines - len(kept)
            cells.append(lines_shown("\n".join(kept)))
            left_out.append(len(text) - len("\n".join(kept)))
        return Whole(list(records.columns), cells, left_out)

    def _records(self, data: dict[str, Any]) -> Records:
        """A database is asked once, a file looked at again each time."""
        from tunesmith.core.prepare.read.load import read_records

        if self._paged is None or self._paged[0] != data or is_file(data["source"]):
            how = {name: data[name] for name in ("query", "part", "encoding")}
            self._paged = data, read_records(data["source"], Path(data["base"]), meter=self._meter, **how)
        return self._paged[1]

    def simulate(self, config: dict[str, Any], load: dict[str, Any]) -> Simulation:
        """The memory of a training step of a model with these values in its config.json; each is simulated once."""
        return _simulation(msgspec.json.encode(config, order="sorted"), msgspec.convert(load, Load))

    def warm(self) -> bool:
        """Load what the next questions need, while nobody waits for it."""
        import tunesmith.core.worker.tokenize

        return bool(tunesmith.core.worker.tokenize)


def hub_search(text: str, most: int) -> list[HubModel]:
    """Search the Hub by name."""
    from tunesmith.core.worker import hub

    return hub.search(text, most)


def hub_access(name: str) -> Access:
    """Whether a model may be fetched."""
    from tunesmith.core.worker import hub

    return hub.access(name)


def hub_describe(name: str) -> bool:
    """Fetch what tells of a model."""
    from tunesmith.core.worker import hub

    hub.describe(name)
    return True


@lru_cache(maxsize=256)
def _simulation(config: bytes, load: Load) -> Simulation:
    from tunesmith.core.worker.simulation.simulate import simulate

    return simulate(msgspec.json.decode(config), load)


@lru_cache(maxsize=4)
def _tokenizer(model: str) -> PreTrainedTokenizerBase:
    from tunesmith.core.worker.model import load_tokenizer

    return load_tokenizer(model)


class Asked:
    """What is asked, line by line; read by a thread, so that a question can be given up while it is answered."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._questions: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._given_up = threading.Event()
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def _read(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            said = msgspec.json.decode(line)
            if "cancel" in said:
                self._given_up.set()
            else:
                self._questions.put(said)
        self._questions.put(None)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while (said := self._questions.get()) is not None:
            self._given_up.clear()
            yield said

    def check(self) -> None:
        """Raises Cancelled where the present question was given up."""
        if self._given_up.is_set():
            raise Cancelled


class Teller:
    """A meter that writes how far the present answer is, a few times a second, and ends it when it is given up."""

    def __init__(self, asked: Asked, write: Callable[[dict[str, Any]], None]) -> None:
        self._asked, self._write = asked, write
        self._doing, self._next = "", 0.0

    def __call__(self, doing: str, done: int, of: int) -> None:
        """Raises Cancelled where the present question was given up."""
        self._asked.check()
        now = time.monotonic()
        if doing != self._doing or now >= self._next:
            self._doing, self._next = doing, now + TELL_SECONDS
            self._write({"doing": doing, "done": done, "of": of})


def _logged(error: Exception) -> str:
    """Where the traceback was written, for this user alone: what a library says may quote a cell of the data."""
    from tunesmith.core.prepare.read.cache import cache_root

    path = cache_root() / "helper-error.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write("".join(traceback.format_exception(error)).encode("utf-8", "replace").decode())
    except OSError:
        return ""
    return f"The log {path} has more."


def main() -> None:
    """Answer until the asker closes the pipe."""
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints goes to the log, never between two answers

    def write(reply: dict[str, Any]) -> None:
        replies.write(msgspec.json.encode(reply) + b"\n")

    asked = Asked(sys.stdin.buffer)
    surveyor = Surveyor(Teller(asked, write))
    questions: dict[str, Callable[..., Any]] = {
        "look": surveyor.look,
        "tokens": surveyor.tokens,
        "estimate": surveyor.estimate,
        "columns": surveyor.columns,
        "page": surveyor.page,
        "whole": surveyor.whole,
        "prepare": surveyor.prepare,
        "export": surveyor.export,
        "simulate": surveyor.simulate,
        "warm": surveyor.warm,
        "hub_search": hub_search,
        "hub_access": hub_access,
        "hub_describe": hub_describe,
    }
    for said in asked:
        try:
            reply: dict[str, Any] = {"answer": questions[said["question"]](**said["details"])}
        except Cancelled:
            reply = {"cancelled": True}
        except TunesmithError as error:
            reply = {"error": error.title, "cause": error.cause, "next_step": error.next_step}
            reply |= {"kind": type(error).__name__, "carried": error.carried}
        except Exception as error:  # noqa: BLE001 - a question must not end the helper; a log has the traceback
            traceback.print_exc()
            title = f"Something unexpected went wrong: {type(error).__name__}."
            reply = {"error": title, "cause": _logged(error), "next_step": "Run `tunesmith doctor`."}
        write(reply)


if __name__ == "__main__":
    main()
