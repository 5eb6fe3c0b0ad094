"""Lengths of rows in tokens: their distribution, and an estimate from characters where no tokenizer is at hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tunesmith.core.facts import Lengths, TokenProfile
from tunesmith.core.rows import Row

LARGE_VOCABULARY = 64_000
BYTES_A_TOKEN = {False: 3.17, True: 3.94}
"""UTF-8 bytes a token (in English, characters), by whether the vocabulary is large: what Llama's tokenizers of 32 k and
of 128 k words need on English (Grattafiori et al. 2024, arXiv:2407.21783, section 3.2). Other languages need more
tokens for a character, and more bytes, too."""
TURN_TOKENS = 5
"""What a chat template writes around a turn: in ChatML a begin mark, the role, an end mark and two line breaks."""


def lengths(values: Sequence[int]) -> Lengths:
    """The distribution of `values`; percentiles are the next value that occurs, so that a share is never overstated."""
    p50, p95, p99 = (int(v) for v in np.percentile(values, [50, 95, 99], method="higher"))
    return Lengths(p50=p50, p95=p95, p99=p99, longest=max(values), mean=float(np.mean(values)))


def histogram(values: Sequence[int], most: int = 24) -> tuple[tuple[int, int], ...]:
    """(longest length in the bin, how many) in at most `most` bins of equal whole width, shortest to longest."""
    low, high = min(values), max(values)
    width = max(1, -(-(high - low + 1) // most))
    counts = np.bincount((np.asarray(values) - low) // width)
    return tuple((low + (index + 1) * width - 1, int(count)) for index, count in enumerate(counts))


def profile_of(prompts: Sequence[int], answers: Sequence[int], *, estimated: bool = False) -> TokenProfile:
    """The profile of rows with these lengths of prompt and answer, in tokens. Needs at least one row."""
    whole = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    return TokenProfile(
        rows=len(whole),
        whole=lengths(whole),
        prompt=lengths(prompts),
        answer=lengths(answers),
        trained_share=sum(answers) / max(1, sum(whole)),
        bins=histogram(whole),
        estimated=estimated,
    )


def estimated_tokens(text: str, vocabulary: int) -> int:
    """About how many tokens `text` is, for a byte-pair encoding of `vocabulary` words.

    Each digit counts as a token, as Qwen and Gemma split numbers (arXiv:2309.16609, section 2.2; arXiv:2403.08295).
    """
    digits = sum(char.isdigit() for char in text)
    rest = len(text.encode("utf-8", errors="replace")) - digits
    return digits + math.ceil(rest / BYTES_A_TOKEN[vocabulary >= LARGE_VOCABULARY])


def estimated_profile(rows: Sequence[Row], vocabulary: int) -> TokenProfile:
    """The rows' lengths by `estimated_tokens`, with what a chat template adds. Needs at least one row."""
    prompts = [
        sum(estimated_tokens(turn.content, vocabulary) + TURN_TOKENS for turn in row.prompt) + TURN_TOKENS - 2
        for row in rows
    ]
    answers = [estimated_tokens(row.answer, vocabulary) + 1 for row in rows]
    return profile_of(prompts, answers, estimated=True)
