"""What became of every row: read = used + set aside + rejected, step by step. It is what the data card tells."""

from __future__ import annotations

import msgspec


class StepCount(msgspec.Struct, frozen=True):
    """One step and what it did."""

    name: str
    """The repair's kind, `make-rows` or `overlap`."""
    column: str
    before: int
    after: int
    """Records before and after it."""
    changed: int
    """Records that were mended and kept."""
    text: str
    """The same as a sentence."""
    examples: list[tuple[str, str, str]] = []
    """Up to three changed cells: where, before and after; of `overlap`, rows in two parts: which two, and the texts of
    both. Harmless, personal data masked."""


class OwnTest(msgspec.Struct, frozen=True):
    """A test file of the person's own: it is in none of the other counts, but in those of the parts."""

    source: str
    fingerprint: str
    read: int
    rejected: int
    aside: int
    rows: int


class Account(msgspec.Struct, frozen=True):
    """The way of the data in numbers."""

    source: str
    files: list[str]
    fingerprint: str
    format: str
    read: int
    """Records that were read, without what was rejected."""
    rejected: int
    """What stood in the files and was no row."""
    steps: list[StepCount]
    used: int
    """Records that gave at least one row."""
    aside: int
    """Records that were set aside by a step: read = used + aside."""
    parts: dict[str, int]
    """Rows by part."""
    fingerprints: dict[str, str] = {}
    """`sha256:` and the digest of each part's file."""
    slices: dict[str, dict[str, int]] = {}
    """Rows by the value of each column that a slice was asked for."""
    own_test: OwnTest | None = None
    beside: list[str] = []
    """Personal data in columns that rows are grouped or told apart by and that are not trained on, as sentences."""
    answer_characters: int = 0
    """95 % of the answers have at most so many characters."""
