"""Measures of an answer's text against the one that is wanted: exact match, token F1, ROUGE-L, BLEU.

Exact match and F1 compare an answer with the answer that is wanted after normalising each as SQuAD does (Rajpurkar et
al. 2016, arXiv:1606.05250, section 6.1, and the official script `evaluate-v1.1.py`), in this order:

1. lower case;
2. every ASCII punctuation mark is removed, without leaving a space (Python's `string.punctuation`);
3. the words `a`, `an` and `the` are removed;
4. runs of white space become one space, and there is none at the ends.

What follows from it, so that nobody is surprised:

- `2020-04-10` becomes `20200410`: right only with every digit in place, but `20-200410` would also be right.
- `$85,000` and `85000` are the same; `85.000` and `85000` too, and so are `1.5` and `15`.
- `The Engineering Department` and `engineering department` are the same.
- Typographic marks (`“”’–€`) are no ASCII punctuation and stay.
- An answer that is one token can only have F1 0 or 1 against another single token; F1 says more about long answers.

The official script divides by zero where an answer normalises to nothing. Here two empty answers agree (1) and one
empty answer against words does not (0), as the SQuAD 2.0 script has it for questions without an answer.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_UNSPACED = re.compile("([\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff])")
"""Signs of scripts that put no spaces between words: Thai, Lao, Japanese kana, Han."""


def normalize(text: str) -> str:
    """`text` as it is compared: the four steps of this module's description."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str, expected: str) -> float:
    """1.0 where both normalise to the same text, else 0.0. Symmetric."""
    return float(normalize(prediction) == normalize(expected))


def token_f1(prediction: str, expected: str) -> float:
    """Harmonic mean of precision and recall over normalised words, 0 to 1. Symmetric.

    Words count as often as they occur in both; two empty answers agree (1.0).
    """
    written, wanted = normalize(prediction).split(), normalize(expected).split()
    if not written or not wanted:
        return float(written == wanted)
    shared = sum((Counter(written) & Counter(wanted)).values())
    # The same number as 2·P·R / (P + R) with P = shared / len(written), R = shared / len(wanted), and exactly 1.0
    # for equal answers, which the product of rounded quotients is not always.
    return 2 * shared / (len(written) + len(wanted))


def exact_matches(predictions: Sequence[str], expected: Sequence[str]) -> list[float]:
    """`exact_match` of each pair. Raises ValueError where the lengths differ."""
    return [exact_match(p, e) for p, e in zip(predictions, expected, strict=True)]


def token_f1s(predictions: Sequence[str], expected: Sequence[str]) -> list[float]:
    """`token_f1` of each pair. Raises ValueError where the lengths differ."""
    return [token_f1(p, e) for p, e in zip(predictions, expected, strict=True)]


def rouge_l(prediction: str, expected: str) -> float:
    """F-measure of the longest common subsequence of words, 0 to 1 (Lin 2004, section 3.1, with beta 1). Symmetric.

    For text in ASCII the same as `rouge_score` 0.1.2 (`rougeL`, no stemming), but that two answers without a word
    agree (1.0) as they do by F1. That package drops every other letter; here they count (see `rouge_words`).
    """
    written, wanted = rouge_words(prediction), rouge_words(expected)
    if not written or not wanted:
        return float(written == wanted)
    return 2 * common_subsequence(written, wanted) / (len(written) + len(wanted))


def rouge_words(text: str) -> list[str]:
    """Runs of letters and digits of any script with their accents, in lower case, as `rouge_score`'s default tokenizer.

    Where a script has no spaces between words, each sign is a word, as in sacrebleu's Chinese tokenizer.
    """
    kept = (sign if sign.isalnum() or unicodedata.category(sign).startswith("M") else " " for sign in text.lower())
    return _UNSPACED.sub(r" \1 ", "".join(kept)).split()


def common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest sequence that both hold in its order, gaps allowed.

    By rows of bits, a whole row of the table in one sum (Hyyro 2004, Bit-parallel LCS-length computation revisited).
    """
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    whole = (1 << len(one)) - 1
    row = whole
    for word in other:
        matches = row & places.get(word, 0)
        row = ((row + matches) | (row - matches)) & whole
    return len(one) - row.bit_count()


def sentence_bleu(prediction: str, expected: str) -> float:
    """Sentence BLEU by sacrebleu, 0 to 1: effective order (no n-grams longer than the answer), smoothing `exp`.

    Not symmetric. Two empty answers agree (1.0).
    """
    if not prediction.strip() and not expected.strip():
        return 1.0
    # The product of rounded logarithms gives a little more than 100 for equal texts.
    return min(1.0, _bleu(sentence=True).sentence_score(prediction, [expected]).score / 100)


def corpus_bleu(predictions: Sequence[str], expected: Sequence[str]) -> str:
    """BLEU over all rows at once as sacrebleu prints it, signature first: what papers report, without an interval.

    Raises ValueError where the lengths differ or there are no rows.
    """
    if not predictions or len(predictions) != len(expected):
        raise ValueError(f"{len(predictions)} answers for {len(expected)} that are wanted")
    bleu = _bleu(sentence=False)
    score = bleu.corpus_score(list(predictions), [list(expected)])
    return str(score.format(signature=str(bleu.get_signature())))


@cache
def _bleu(*, sentence: bool) -> BLEU:
    from sacrebleu.metrics.bleu import BLEU  # only where BLEU is asked for

    return BLEU(effective_order=sentence)
