"""Answers beside each other: too short, contradicting, or the same for many prompts."""

from __future__ import annotations

from typing import Any

import numpy as np

from tunesmith.core.facts import DataFinding
from tunesmith.core.figures import about_percent
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.look.check import EXAMPLES, FEW, LABEL, Bars, Noted, Places, finding
from tunesmith.core.prepare.look.duplicates import first_of_pairs, joined
from tunesmith.core.prepare.look.labels import recommended
from tunesmith.core.prepare.look.page import Ints, Page
from tunesmith.core.prepare.look.refusals import is_refusal
from tunesmith.core.prepare.look.seen import Seen
from tunesmith.core.prepare.look.tally import Tallies

MOST_SINGLE = 0.2
"""Above this share, answers of one character are what is wanted (choices A to D, digits)."""

SENTENCE = 20
"""Characters from which an answer is more than a value that several questions rightly share."""

FEWEST_COPIES, COPIES_SHARE = 10, 0.005
"""An answer is boilerplate where it is given to at least ten prompts and to one of two hundred rows."""

MOST_NAMES = 20


class ShortAnswers:
    """Answers of one character."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._places = places
        self._names = [n for n in seen.answers if not seen.is_label(n) and not seen.structured(n)]
        self._noted = {name: Noted() for name in self._names}
        self._marks = dict.fromkeys(self._names, 0)
        """Answers of one character that is neither letter nor digit."""

    def see(self, page: Page) -> None:
        """The next records."""
        for name in self._names:
            for row in np.flatnonzero(page.lengths(name) == 1).tolist():
                text = page.columns[name][row]
                self._noted[name].note(page.start + row, text)
                self._marks[name] += not text.isalnum()

    def findings(self) -> list[DataFinding]:
        """At most one for each answer column."""
        found = []
        for name, noted in self._noted.items():
            count, rows = noted.count, self._places.rows
            if not count or count > MOST_SINGLE * rows:
                continue
            sure = self._marks[name] == count and count <= FEW * rows
            text = (
                f"{shown(name)}: {counted(count, 'row')} {'has' if count == 1 else 'have'} an answer of one character"
            )
            found.append(
                finding(
                    "short",
                    name,
                    count,
                    rows,
                    text + ("." if sure else "; it may be right."),
                    "The model learns that a single sign is enough of an answer.",
                    examples=noted.examples(self._places, name),
                    severity="warning" if sure else "note",
                    repairs=({"kind": "drop-short", "column": name, "low": 2.0},),
                    recommended=sure,
                )
            )
        return found


class Contradictions:
    """Rows that answer the same prompt differently."""

    def __init__(self, seen: Seen, places: Places, tallies: Tallies) -> None:
        self._places = places
        self._tallies = tallies
        self._asked = seen.asked
        self._classified = seen.shape == "classification"
        self._answer = seen.roles["label"] if self._classified else seen.answers[0]
        self._keys: list[Ints] = []
        self._answers: list[Ints] = []

    def see(self, page: Page) -> None:
        """The next records."""
        self._keys.append(page.mixed(self._asked))
        self._answers.append(page.hashes(self._answer))

    def findings(self) -> list[DataFinding]:
        """At most one."""
        keys, answers = joined(self._keys), joined(self._answers)
        told = np.flatnonzero((keys != 0) & (answers != hash("")))
        keys, answers = keys[told], self._unified(answers[told])
        if not len(keys):
            return []
        _, inverse, sizes = np.unique(keys, return_inverse=True, return_counts=True)
        # The group of each different pair of prompt and answer: a group that stands there twice has two answers.
        pairs = inverse[first_of_pairs(inverse, answers)] if (sizes > 1).any() else np.empty(0, np.int64)
        several = np.bincount(pairs, minlength=len(sizes)) > 1
        rows_in = np.flatnonzero(several[inverse])
        if not len(rows_in):
            return []
        prompts = int(several.sum())
        examples = self._examples(told, inverse, answers, rows_in)
        text = (
            f"{counted(len(rows_in), 'row')} give {counted(prompts, 'prompt')} different answers, e.g. {examples[0][1]}"
        )
        repairs: list[dict[str, Any]] = [
            {"kind": "drop-contradictions", "column": self._answer, "keep": keep} for keep in ("most", "none", "first")
        ]
        share = len(rows_in) / max(1, self._places.rows)
        return [
            finding(
                "contradiction",
                self._answer,
                len(rows_in),
                self._places.rows,
                text + ("." if self._classified else "; several may be right."),
                "The model can't learn which answer is right, and gives either of them.",
                examples=[whole for whole, _ in examples],
                severity="serious" if self._classified and share > 0.01 else "warning",
                repairs=repairs,
                # A text has one label. A question may have several good answers.
                recommended=self._classified,
                picture=_answer_bars(pairs, several),
            )
        ]

    def _unified(self, answers: Ints) -> Ints:
        """The hashes of the answers, one label having one: in how many ways it is written is told of the labels."""
        tally = self._tallies.of(self._answer)
        for text, to in recommended(tally.labels).items() if tally else ():
            answers[answers == hash(text)] = hash(to)
        return answers

    def _examples(self, told: Ints, inverse: Ints, answers: Ints, rows_in: Ints) -> list[tuple[str, str]]:
        """For the first three prompts: two rows with their answers, and the two answers alone."""
        found: list[tuple[str, str]] = []
        done: set[int] = set()
        for at in rows_in[:200].tolist():
            group = int(inverse[at])
            if group in done:
                continue
            done.add(group)
            others = np.flatnonzero((inverse == group) & (answers != answers[at]))
            first, second = int(told[at]), int(told[int(others[0])])
            one, two = (self._told(position) for position in (first, second))
            whole = f"{self._places.place(first)}: {one}; {self._places.place(second)}: {two}"
            found.append((whole, f"{one} and {two}"))
            if len(found) == 3:
                break
        return found

    def _told(self, position: int) -> str:
        return self._places.told(self._places.text(position, self._answer), self._answer, 40)


class Boilerplate:
    """One long answer given to many different prompts."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._places = places
        self._asked = seen.asked
        self._answer = seen.answers[0]
        self._keys: list[Ints] = []
        self._answers: list[Ints] = []
        self._long: list[Ints] = []

    def see(self, page: Page) -> None:
        """The next records."""
        self._keys.append(page.mixed(self._asked))
        self._answers.append(page.hashes(self._answer))
        self._long.append((page.lengths(self._answer) >= SENTENCE).astype(np.int64))

    def findings(self) -> list[DataFinding]:
        """At most one."""
        keys, answers = joined(self._keys), joined(self._answers)
        positions = np.flatnonzero(joined(self._long))
        # Repeats of whole rows are told elsewhere: each prompt counts once.
        order = np.lexsort((keys[positions], answers[positions]))
        positions = positions[order]
        new = np.ones(len(positions), bool)
        new[1:] = (answers[positions][1:] != answers[positions][:-1]) | (keys[positions][1:] != keys[positions][:-1])
        positions = np.sort(positions[new])
        _, first, copies = np.unique(answers[positions], return_index=True, return_counts=True)
        rows = self._places.rows
        many = np.flatnonzero(copies >= max(FEWEST_COPIES, COPIES_SHARE * rows))
        many = many[np.argsort(-copies[many], kind="stable")][: MOST_NAMES * 2]
        found = [(int(positions[first[n]]), int(copies[n])) for n in many]
        told = [(at, self._places.text(at, self._answer), count) for at, count in found]
        told = [(at, text, count) for at, text, count in told if not is_refusal(text)][:MOST_NAMES]
        if not told:
            return []
        count = sum(copies for _, _, copies in told)
        names = [text for _, text, _ in told]
        sample = self._places.told(names[0], self._answer)
        text = f"{shown(self._answer)}: {counted(len(told), 'answer')} {'is' if len(told) == 1 else 'are'} given to "
        text += f"{counted(count, 'prompt')} that differ ({about_percent(count / rows)} of the rows), e.g. {sample}"
        return [
            finding(
                "repeated-answer",
                self._answer,
                count,
                rows,
                text + ("" if text.endswith((".", "…", "!", "?")) else "."),
                "The model learns to write this whatever it is asked.",
                examples=self._examples(told, positions, answers),
                severity="warning" if count > FEW * rows else "note",
                repairs=({"kind": "drop-repeated-answers", "column": self._answer, "names": names},),
                picture=tuple((self._places.told(text, self._answer, LABEL), copies) for _, text, copies in told[:12]),
            )
        ]

    def _examples(self, told: list[tuple[int, str, int]], positions: Ints, answers: Ints) -> list[str]:
        """The first row of each answer with how often it is given; of few answers more rows, with what they ask."""
        first = [
            f"{self._places.example(at, text, self._answer)} ({counted(copies, 'time')})" for at, text, copies in told
        ]
        asked = self._asked[0]
        more = [
            f"{self._places.place(row)}: the same to {self._places.told(self._places.text(row, asked), asked)}"
            for at, _, _ in told[:EXAMPLES]
            for row in positions[answers[positions] == answers[at]][1:EXAMPLES].tolist()
        ]
        return first + more


def _answer_bars(pairs: Ints, several: np.typing.NDArray[np.bool_]) -> Bars:
    """Prompts by how many different answers they have."""
    counts = np.bincount(pairs, minlength=len(several))
    bars = [(counted(n, "answer"), int((counts == n).sum())) for n in (1, 2, 3)]
    bars.append(("4 answers or more", int((counts > 3).sum())))
    return tuple(bar for bar in bars if bar[1])
