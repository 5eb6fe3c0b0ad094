"""How alike two texts are, for a million texts at once: MinHash signatures, and the pairs that share enough of them.

The likeness of two texts is the Jaccard index of their tokens, words and pairs of neighbouring words: common ones over
all. A signature of 64 slots estimates it with a standard error of sqrt(J (1 - J) / 64), 0.05 at 0.8 (Broder 1997,
On the resemblance and containment of documents). Only texts that agree in one of several bands of slots are compared
(Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, section 3.4), so the cost is linear in their number.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise

import numpy as np
import numpy.typing as npt
from rensa import RMinHash

from tunesmith.core.meter import Meter, silent

Signatures = npt.NDArray[np.uint32]
Indices = npt.NDArray[np.int64]

# Rows of which fewer come at a time than this are not shared out among threads: one that remembers what it has reckoned
# is as quick as two that do not (8192 texts of 70 tokens: 16 and 19 ms), and a pool of threads would be missing in a
# process that is forked from one where it was used (rensa 0.5 `rminhash/pipeline.rs`), which would wait for it forever.
os.environ.setdefault("RENSA_DOC_CHUNK_SIZE", "256")
os.environ.setdefault("RENSA_DOC_PAR_BATCH_SIZE", "2048")

PERMUTATIONS = 64
"""Slots of a signature, 256 bytes."""

SEED = 37
"""Signatures can be compared with those of the same seed only."""

CHUNK = 8192
"""Texts whose tokens are held at a time."""

RECALL = 0.99
"""A pair exactly as alike as the threshold shares a band with at least this probability."""

WHOLE_BUCKET = 32
"""In a band's bucket of up to this many texts every two are compared; in a larger one all with the first, those unlike
it with the next first, and so on for as many rounds: a bucket of a million then costs 32 million, not 5e11."""

COMPARING = "comparing rows that are nearly the same"
"""What a meter says meanwhile."""

_COMPARED = 1 << 17
"""Pairs compared at a time: 67 MB of gathered signatures."""

_NOTHING = np.uint32(0xFFFFFFFF)
"""What rensa fills the slots of a text without tokens with."""

# Scripts that put no spaces between words (Thai, Lao, Myanmar, Khmer, kana, Han) are taken character by character.
_WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_PLAIN_WORD = re.compile(r"\w+")


def tokens_of(text: str) -> list[str]:
    """What the likeness of a text is reckoned by: its words and its pairs of neighbours, without regard to case.

    Lee et al. 2022 (arXiv:2107.06499) take groups of five words of web pages. Rows have 5 to 20 words, where one
    changed word would already undo most groups of five. With words and pairs, one changed word of ten leaves a
    likeness of 0.73, of twenty 0.86, and the same words in another order are not the same text. A text of signs only
    is one token; one of nothing has none.
    """
    text = text.casefold()
    words = (_PLAIN_WORD if text.isascii() or not _UNSPACED.search(text) else _WORD).findall(text)
    if not words:
        bare = text.strip()
        return [bare] if bare else []
    # Spaces are in no word, so that a pair is never taken for a word.
    return words + [one + " " + other for one, other in pairwise(words)]


def jaccard(one: str, other: str) -> float:
    """The exact likeness of two texts, 0 to 1; 0 where one of them has no token."""
    first, second = set(tokens_of(one)), set(tokens_of(other))
    if not first or not second:
        return 0.0
    common = len(first & second)
    return common / (len(first) + len(second) - common)


def signatures(texts: Iterable[str]) -> Signatures:
    """The signature of each text, of shape (texts, PERMUTATIONS); the same on every machine and in every run."""
    return joined(list(_chunks(iter(texts))))


def joined(parts: list[Signatures]) -> Signatures:
    """The parts as one array. The list is emptied on the way, so that they are not held twice."""
    whole = np.empty((sum(map(len, parts)), PERMUTATIONS), np.uint32)
    parts.reverse()
    start = 0
    while parts:
        part = parts.pop()
        whole[start : start + len(part)] = part
        start += len(part)
    return whole


def _chunks(texts: Iterator[str]) -> Iterator[Signatures]:
    while tokens := [tokens_of(text) for text in islice(texts, CHUNK)]:
        matrix = RMinHash.digest_matrix_from_token_sets(tokens, PERMUTATIONS, SEED)
        yield np.array(matrix.to_rows(), np.uint32).reshape(len(tokens), PERMUTATIONS)


def likeness(signatures: Signatures, pairs: Indices) -> npt.NDArray[np.float64]:
    """The estimated likeness of each pair of indices (of shape (pairs, 2)): the share of equal slots."""
    share = np.empty(len(pairs))
    for start in range(0, len(pairs), _COMPARED):
        some = pairs[start : start + _COMPARED]
        equal = signatures[some[:, 0]] == signatures[some[:, 1]]
        share[start : start + len(some)] = np.count_nonzero(equal, axis=1)
    return share / PERMUTATIONS


def pairs(
    signatures: Signatures,
    threshold: float,
    meter: Meter = silent,
    *,
    apart: Indices | None = None,
    slack: float = 0.0,
) -> Indices:
    """The pairs of texts that are alike by at least `threshold`, by their signatures.

    Texts without tokens are like nothing. Of texts with the same signature each is paired with the first of them
    only, which stands for all; of very many alike texts not every pair is listed, but each with one before it.

    Args:
        signatures: Of shape (texts, PERMUTATIONS).
        threshold: Above 0, up to 1.
        meter: Told before each band; what it raises is let through.
        apart: A number for each text; those of different numbers are never a pair.
        slack: How far below the threshold a likeness may be estimated, for those who reckon the exact one afterwards.

    Returns:
        Indices of shape (pairs, 2), the smaller first, sorted, none twice. A pair exactly at the threshold is
        missed with a probability of up to 1 - RECALL, one clearly above it hardly ever.
    """
    filled = np.flatnonzero((signatures != _NOTHING).any(axis=1))
    whole = _hashes(signatures, filled, 0, PERMUTATIONS, apart)
    order = np.argsort(whole, kind="stable")
    first = _first_of_run(whole[order])
    same = np.stack([filled[order[first]], filled[order]], axis=1)[first != np.arange(len(order))]
    same = same[likeness(signatures, same) == 1.0]
    single = np.sort(filled[order[np.unique(first)]])
    n = len(signatures)
    codes = np.unique(same[:, 0] * n + same[:, 1])
    rows = rows_of_band(threshold)
    starts = range(0, PERMUTATIONS - rows + 1, rows)
    for band, start in enumerate(starts):
        meter(COMPARING, band, len(starts))
        buckets = _hashes(signatures, single, start, rows, apart)
        codes = np.union1d(codes, _alike(signatures, single, buckets, threshold, slack))
    return np.stack(np.divmod(codes, n), axis=1) if n else np.empty((0, 2), np.int64)


def rows_of_band(threshold: float) -> int:
    """Slots of a band: as many as leave a pair at the threshold a chance of RECALL, so that few others share one."""
    rows = 1
    while 1 - (1 - threshold ** (rows + 1)) ** (PERMUTATIONS // (rows + 1)) >= RECALL and rows < 16:
        rows += 1
    return rows


def earlier(signatures: Signatures, pairs: Indices, alike: Callable[[int, int], bool] | None = None) -> Indices:
    """For each text the first kept one before it that it is like, or -1: it is then kept itself.

    No two of the kept ones are a pair, and each that is left out is like one that is kept: a text is never lost to a
    chain of others that it is not like.

    Args:
        signatures: Of shape (texts, PERMUTATIONS).
        pairs: What `pairs` found in them, or those of its pairs that are to count.
        alike: Whether two texts are alike, where the estimate is not enough; asked of as few pairs as possible.
    """
    ordered = pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))]
    same = likeness(signatures, ordered) == 1.0
    left = [-1] * len(signatures)
    for (one, other), equal in zip(ordered.tolist(), same.tolist(), strict=True):
        if left[other] < 0:
            # Of a text with the same signature holds what holds of the first one with it.
            kept = one if left[one] < 0 else left[one] if equal else -1
            if kept >= 0 and (alike is None or alike(kept, other)):
                left[other] = kept
    return np.array(left, np.int64)


def _hashes(
    signatures: Signatures, rows: Indices, start: int, width: int, apart: Indices | None = None
) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of `width` slots from `start` on, for each of the rows (FNV-1a over 32-bit words, mixed).

    Where the rows have numbers in `apart`, those are part of it.
    """
    found = np.full(len(rows), 0xCBF29CE484222325, np.uint64)
    if apart is not None:
        found = (found ^ apart[rows].view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    for slot in range(start, start + width):
        found ^= signatures[rows, slot].astype(np.uint64)
        found *= np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(29)
    return found


def _first_of_run(values: npt.NDArray[np.uint64]) -> Indices:
    """For each of the sorted values the position at which its run of equal ones begins."""
    if not len(values):
        return np.empty(0, np.int64)
    begins = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return np.repeat(begins, np.diff(np.append(begins, len(values))))


def _alike(
    signatures: Signatures, rows: Indices, buckets: npt.NDArray[np.uint64], threshold: float, slack: float
) -> Indices:
    """The codes (smaller index · n + larger) of pairs within a bucket that are alike by `threshold` less `slack`."""
    order = np.argsort(buckets, kind="stable")  # rising indices within a bucket
    first = _first_of_run(buckets[order])
    sizes = np.bincount(first, minlength=len(order))[first]
    members = rows[order]
    found = [_small_buckets(signatures, members, first, (sizes > 1) & (sizes <= WHOLE_BUCKET), threshold - slack)]
    found.append(_large_buckets(signatures, members, first, sizes > WHOLE_BUCKET, threshold - slack))
    return np.concatenate(found)


def _small_buckets(
    signatures: Signatures, members: Indices, bucket: Indices, small: npt.NDArray[np.bool_], threshold: float
) -> Indices:
    """Every two of a bucket compared: each with the one `step` places on, for all steps."""
    members, bucket = members[small], bucket[small]
    found = [np.empty(0, np.int64)]
    for step in range(1, WHOLE_BUCKET):
        near = np.flatnonzero(bucket[:-step] == bucket[step:]) if step < len(bucket) else np.empty(0, np.int64)
        if not len(near):
            break
        some = np.stack([members[near], members[near + step]], axis=1)
        some = some[likeness(signatures, some) >= threshold]
        found.append(some[:, 0] * len(signatures) + some[:, 1])
    return np.concatenate(found)


def _large_buckets(
    signatures: Signatures,
    members: Indices,
    first: Indices,
    large: npt.NDArray[np.bool_],
    least: float,
) -> Indices:
    """All of a bucket compared with its first; those unlike it go on to the next round with a first of their own."""
    members, bucket = members[large], first[large].astype(np.uint64)
    found = [np.empty(0, np.int64)]
    for _ in range(WHOLE_BUCKET):
        leader = _first_of_run(bucket)
        others = np.flatnonzero(leader != np.arange(len(leader)))
        if not len(others):
            break
        some = np.stack([members[leader[others]], members[others]], axis=1)
        like = likeness(signatures, some) >= least
        found.append(some[like, 0] * len(signatures) + some[like, 1])
        members, bucket = members[others[~like]], bucket[others[~like]]
    return np.concatenate(found)
