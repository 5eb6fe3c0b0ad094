"""What the model's own tokenizer makes of the rows, counted before anything is trained on them."""

from __future__ import annotations

import msgspec

from tunesmith.core.facts import TokenProfile
from tunesmith.core.wording import plain

NAMED = 20
"""Rows that are named where a proof names some of them."""


class Picture(msgspec.Struct, frozen=True):
    """A row as the model will see it."""

    id: str
    pieces: list[tuple[str, bool]]
    """Runs of (text, whether it is trained), up to where the row is cut."""
    tokens: int
    """Of the whole row."""
    kept: int
    """Tokens that are left at the sequence length; the row is cut where they are fewer."""


class Template(msgspec.Struct, frozen=True):
    """How rows become text for the model: what must be the same in training and wherever the model is served."""

    chat_template: str
    """The template, byte by byte; several of them as JSON."""
    special_tokens: dict[str, str]
    """By role: `eos_token`: `<|im_end|>`."""
    ids: dict[str, int]
    """The token of each control mark."""
    sha256: str
    """Of all of the above."""


class Proof(msgspec.Struct, frozen=True):
    """Counted over all rows, as they are trained on: each cut at `max_length`."""

    profile: TokenProfile
    """Lengths of the rows before they are cut."""
    max_length: int | None
    """The sequence length that the rows are cut at; None cuts nothing."""
    exact: bool
    """Whether every row was counted as it is trained on. False only where the rows could be gone through once and the
    chat template turned out, in the middle, to do something with a text that could not be foreseen."""
    cut: int
    """Rows longer than the sequence length: their answers lose tokens, since the answer stands last."""
    lost: int
    """Rows of which not one token is trained: they are cut before their answer begins."""
    lost_ids: tuple[str, ...]
    lost_need: int
    """Tokens of the longest of them, for a sequence length at which none is lost; 0 where none is."""
    tokens: int
    """All that is kept."""
    trained: int
    """Of those, what is trained: answers and their end marks."""
    trained_least: int
    """Trained tokens of the row that has the fewest."""
    trained_median: float
    marked: int
    """Rows in whose own text a control mark of the model stands."""
    marked_ids: tuple[str, ...]
    ends: dict[str, int]
    """Rows that are not cut, by the mark that is trained as the last token of their answer."""
    end_mark: str
    """The mark at which a server stops (the tokenizer's end-of-text token)."""
    pad_mark: str
    pad_is_end: bool
    """Whether padding is written with the end mark. Fine-tune masks padding by its place and not by its token, so that
    the end mark is trained all the same."""
    pictures: tuple[Picture, ...] = ()
    rows: int = 0
    """All rows that there are. Where `profile.rows` is fewer, only those were counted (a sample, and the longest rows
    by characters), and every figure above is of them."""

    @property
    def sampled(self) -> bool:
        """Whether only a sample was counted."""
        return self.profile.rows < self.rows

    @property
    def share(self) -> float:
        """Trained tokens over all tokens that are kept."""
        return self.trained / max(1, self.tokens)

    @property
    def unended(self) -> int:
        """Rows that are not cut and whose answer does not end with the mark at which a server stops."""
        return sum(count for mark, count in self.ends.items() if mark != self.end_mark)


def lost_told(proof: Proof) -> str:
    """Which rows would be trained on without their answer, and what helps; empty where there is none."""
    if not proof.lost:
        return ""
    ids = [plain(one) for one in proof.lost_ids[:3]]
    named = ", ".join(ids) + (" and more" if proof.lost > len(ids) else "")
    rows = f"1 row loses its whole answer (row {named})"
    if proof.lost > 1:
        rows = f"{proof.lost:,} rows lose their whole answer (rows {named})"
    return (
        f"{rows}: the run will refuse {'it' if proof.lost == 1 else 'them'}. A length of {proof.lost_need:,} keeps all."
    )


def differences(before: Template, other: Template) -> list[str]:
    """What is not the same in two templates, as phrases; empty where they are alike byte by byte."""
    found = []
    if before.chat_template.encode() != other.chat_template.encode():
        found.append("the chat template")
    names = sorted({*before.special_tokens, *other.special_tokens})
    roles = [name for name in names if before.special_tokens.get(name) != other.special_tokens.get(name)]
    found.extend(name.replace("_", " ") for name in roles)
    marks = [mark for mark in before.ids if before.ids[mark] != other.ids.get(mark)]
    found.extend(f"the token of {plain(mark)}" for mark in marks[:3])
    return found
