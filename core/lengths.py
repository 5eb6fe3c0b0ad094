"""Lengths of rows in tokens: their distribution, and an estimate from characters where no tokenizer is at hand."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from tunesmith.core.facts import Lengths, TokenProfile
from tunesmith.core.rows import Row

LARGE_VOCABULARY = 64_000
BYTES_A_TOKEN = {False: 3.17, True: 3.94}
"""UTF-8 bytes a token (in English, characters), by whether the vocabulary is large: what Llama's tokenizers of 32 k and
of 128 k words need on English (Grattafiori et al. 2024, arXiv:2407.21783, section 3.2). Other languages need more
tokens for a character, and more bytes, too."""
TURN_TOKENS = 5
"""What a chat template writes around a turn: in ChatML a begin mark, the role, an end mark and two line breaks."""


Counts = Sequence[int] | npt.NDArray[np.int64]
"""Lengths, one a row. An array holds a million of them in 8 MB."""


def lengths(values: Counts) -> Lengths:
    """The distribution of `values`; percentiles are the next value that occurs, so that a share is never overstated."""
    p50, p95, p99 = (int(v) for v in np.percentile(values, [50, 95, 99], method="higher"))
    return Lengths(p50=p50, p95=p95, p99=p99, longest=int(np.max(values)), mean=float(np.mean(values)))


def histogram(values: Counts, most: int = 24) -> tuple[tuple[int, int], ...]:
    """(longest length in the bin, how many) in at most `most` bins of equal whole width, shortest to longest."""
    array = np.asarray(values, dtype=np.int64)
    low, high = int(array.min()), int(array.max())
    width = max(1, -(-(high - low + 1) // most))
    counts = np.bincount((array - low) // width)
    return tuple((low + (index + 1) * width - 1, int(count)) for index, count in enumerate(counts))


def profile_of(prompts: Counts, answers: Counts, *, estimated: bool = False) -> TokenProfile:
    """The profile of rows with these lengths of prompt and answer, in tokens. Needs at least one row."""
    asked, answered = np.asarray(prompts, dtype=np.int64), np.asarray(answers, dtype=np.int64)
    whole = asked + answered
    return TokenProfile(
        rows=len(whole),
        whole=lengths(whole),
        prompt=lengths(asked),
        answer=lengths(answered),
        trained_share=int(answered.sum()) / max(1, int(whole.sum())),
        bins=histogram(whole),
        estimated=estimated,
        prompt_bins=histogram(asked),
        answer_bins=histogram(answered),
    )


def estimated_tokens(text: str, vocabulary: int) -> int:
    """About how many tokens `text` is, for a byte-pair encoding of `vocabulary` words.

    Each digit counts as a token, as Qwen and Gemma split numbers (arXiv:2309.16609, section 2.2; arXiv:2403.08295).
    """
    digits = sum(char.isdigit() for char in text)
    rest = len(text.encode("utf-8", errors="replace")) - digits
    return digits + math.ceil(rest / BYTES_A_TOKEN[vocabulary >= LARGE_VOCABULARY])


def estimated_profile(rows: Iterable[Row], vocabulary: int) -> TokenProfile:
    """The rows' lengths by `estimated_tokens`, with what a chat template adds. Needs at least one row.

    The rows are gone through once, and none is held: of each, 16 bytes are kept.
    """
    prompts, answers = array("q"), array("q")
    for row in rows:
        turns = sum(estimated_tokens(turn.content, vocabulary) + TURN_TOKENS for turn in row.prompt)
        prompts.append(turns + TURN_TOKENS - 2 if row.prompt else 0)  # plain text has no template
        answers.append(estimated_tokens(row.answer, vocabulary) + 1)
    return profile_of(np.frombuffer(prompts, np.int64), np.frombuffer(answers, np.int64), estimated=True)
