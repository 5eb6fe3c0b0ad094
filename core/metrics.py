"""Exact match and token F1, with the normalisation of SQuAD, written down.

Both compare an answer with the answer that is wanted after normalising each (Rajpurkar et al. 2016,
arXiv:1606.05250, section 6.1, and the official script `evaluate-v1.1.py`), in this order:

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
from collections import Counter
from collections.abc import Sequence

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


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
