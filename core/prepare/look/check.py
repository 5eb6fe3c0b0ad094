"""What all checks share: how they are fed, how they keep examples, and how a finding is put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from tunesmith.core.facts import DataFinding, Severity
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.turns import Turns
from tunesmith.core.prepare.personal import people_in, told
from tunesmith.core.prepare.records import Records

EXAMPLES = 3
MOST_BARS = 12
SHOWN = 60
"""Characters of a value that stand in an example."""

LABEL = 24
"""Characters of a value beside a bar."""

FEW = 0.05
"""Above this share of the rows, something is the nature of the data rather than a fault: no repair is recommended."""

Bars = tuple[tuple[str, int], ...]


class Check(Protocol):
    """Looks for one kind of fault. It is fed every page once, in order, and asked at the end."""

    def see(self, page: Page, /) -> None:
        """The next records."""

    def findings(self) -> list[DataFinding]:
        """What was found; nothing where all is well."""


class Places:
    """Answers for single rows, by position, when the examples are put together."""

    def __init__(self, records: Records, turns: Turns) -> None:
        self._records = records
        self._turns = turns
        self._people = people_in(records.columns)
        self.rows = len(records.rows)

    def place(self, position: int) -> str:
        """Where a row stands, e.g. `line 12`."""
        return self._records.rows[position].place

    def text(self, position: int, column: str) -> str:
        """A cell."""
        return self._turns.text(self._records.rows[position].values, column)

    def told(self, text: str, column: str, most: int = SHOWN, at: int = 0) -> str:
        """A value of a column inside a sentence, from `at` on: personal data masked, cut, harmless."""
        return told(text, most, column, at, names=column in self._people)

    def example(self, position: int, text: str, column: str, at: int = 0) -> str:
        """A row as it stands among the examples, e.g. `line 12: soon`."""
        return f"{self.place(position)}: {self.told(text, column, at=at)}"

    def bars(self, counts: Iterable[tuple[str, int]], column: str) -> Bars:
        """Values of a column as bars (see `top_bars`)."""
        return top_bars(counts, lambda text: self.told(text, column, LABEL))


class Noted:
    """Counts rows and keeps the first few that differ."""

    def __init__(self, most: int = EXAMPLES) -> None:
        self.count = 0
        self.kept: dict[str, int] = {}
        """The text of each, with its position."""
        self._most = most

    def note(self, position: int, text: str) -> None:
        """One more row."""
        self.count += 1
        if len(self.kept) < self._most:
            self.kept.setdefault(text, position)

    def examples(self, places: Places, column: str) -> tuple[str, ...]:
        """The first three, with their places."""
        return tuple(places.example(position, text, column) for text, position in list(self.kept.items())[:EXAMPLES])

    @property
    def texts(self) -> list[str]:
        """The texts that were kept."""
        return list(self.kept)


def in_turn(several: Iterable[Noted]) -> list[tuple[int, str]]:
    """What was noted of each, with positions: the first of all, then the second of all, and so on."""
    lists = [list(noted.kept.items()) for noted in several]
    longest = max(map(len, lists), default=0)
    return [(kept[at][1], kept[at][0]) for at in range(longest) for kept in lists if at < len(kept)]


def finding(
    kind: str,
    column: str,
    count: int,
    rows: int,
    text: str,
    effect: str,
    *,
    examples: Iterable[str] = (),
    severity: Severity = "warning",
    repairs: Sequence[dict[str, Any]] = (),
    recommended: bool = False,
    picture: Bars = (),
    affected: int | None = None,
) -> DataFinding:
    """A finding with its share of all `rows`: of `affected` ones, where `count` counts values rather than rows."""
    return DataFinding(
        kind=kind,
        column=column,
        count=count,
        text=text,
        examples=tuple(examples)[:EXAMPLES],
        share=min(1.0, (count if affected is None else affected) / rows) if rows else 0.0,
        severity=severity,
        effect=effect,
        repairs=tuple(repairs),
        recommended=recommended and bool(repairs),
        picture=picture[:MOST_BARS],
    )


def _label(text: str) -> str:
    return shown(text, LABEL)


def top_bars(counts: Iterable[tuple[str, int]], label: Callable[[str], str] = _label) -> Bars:
    """The most frequent first; where there are too many, the last bar holds the others."""
    ordered = sorted(counts, key=lambda pair: -pair[1])
    head = ordered if len(ordered) <= MOST_BARS else ordered[: MOST_BARS - 1]
    others = sum(count for _, count in ordered[len(head) :])
    bars = tuple((label(text) or "(empty)", count) for text, count in head)
    return (*bars, ("all others", others)) if others else bars
