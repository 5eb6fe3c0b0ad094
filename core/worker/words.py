"""The tokens of a text from those of its words, where that gives the same: a word is tokenised once for all rows.

Byte-pair encoding joins neighbours by its list of merges, and each merge makes a token of the vocabulary (Sennrich et
al., arXiv:1508.07909, section 3.2). Where no token holds a visible ASCII character with a space behind it, nothing is
joined over such a place, whatever lies on both sides. Texts are cut there: the space goes with the word behind it. A
tokenizer of which that is not sure is left alone, and whoever counts holds a sample against the tokenizer itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from tokenizers import models
from transformers import PreTrainedTokenizerBase

MOST = 200_000
"""Words that are remembered, at about 300 bytes each: 60 MB."""
LONGEST = 80
"""Characters of a word that is remembered. Longer ones seldom come again."""

Ids = tuple[int, ...]

_CUT = re.compile(r" (?=\S)(?<=[!-~] )")
_CROSSING = re.compile(r"[!-~][Ġ▁ ]")
"""In a vocabulary a space is written as Ġ (byte-level) or ▁ (SentencePiece)."""
_PROBES = (
    "The quick brown fox (aged 3) said: 'Don't!' 12 times, for 1,234.50 $ a.b c_d E-F ; #x",
    "für Öl über é, 北京 ist groß. naïve\nnew line. two\n\nlines  and   spaces \t tab",
    "<a href='x'>b</a> {\"k\": [1, 2]} a/b\\c 50 % @you & me ~ ^ | end.",
)


@dataclass
class Fresh:
    """Words to learn, each once."""

    heads: dict[str, None] = field(default_factory=dict)
    rest: dict[str, None] = field(default_factory=dict)


class Words:
    """Words of one tokenizer, learnt as texts ask for them."""

    def __init__(self, backend: Any) -> None:
        """Args:
        backend: The Rust tokenizer.
        """
        self._backend = backend
        self._heads: dict[str, Ids] = {}
        """Words that a text begins with."""
        self._rest: dict[str, Ids] = {}
        """Words behind a space, which is left out here."""
        self._lengths: dict[str, int] = {}
        """The tokens of each of those, counted: adding up numbers is quicker than asking each word for its length."""

    def counted(self, words: Sequence[str]) -> tuple[Ids, int]:
        """The tokens of a text's first word, and how many the text has. Raises KeyError where a word is not known."""
        each = iter(words)
        head = self._heads[next(each)]
        return head, sum(map(self._lengths.__getitem__, each), len(head))

    def parts(self, words: Sequence[str]) -> list[Sequence[int]]:
        """The tokens of each word of a text. Raises KeyError where one is not known."""
        each = iter(words)
        return [self._heads[next(each)], *map(self._rest.__getitem__, each)]

    def learns(self, words: Sequence[str], fresh: Fresh) -> bool:
        """Whether these can be known; adds to `fresh` what is to be learnt for it."""
        head, unknown = words[0], [word for word in words[1:] if word not in self._rest]
        full = len(self._heads) + len(self._rest) >= MOST
        if full or len(head) > LONGEST or any(len(word) > LONGEST for word in unknown):
            return False
        if head not in self._heads:
            fresh.heads[head] = None
        fresh.rest.update(dict.fromkeys(unknown))
        return True

    def learn(self, fresh: Fresh) -> None:
        """Tokenise these words; in a thread beside the one that asks, where that helps."""
        self._heads.update(self._tokenised(list(fresh.heads), ""))
        rest = self._tokenised(list(fresh.rest), " ")
        self._lengths.update({word: len(ids) for word, ids in rest.items()})
        self._rest.update(rest)

    def _tokenised(self, words: list[str], before: str) -> dict[str, Ids]:
        if not words:
            return {}
        found = self._backend.encode_batch_fast([before + word for word in words], add_special_tokens=False)
        return {word: tuple(one.ids) for word, one in zip(words, found, strict=True)}


def cut_at_spaces(text: str) -> list[str]:
    """The words of a text: what it begins with, then each without the space before it."""
    return _CUT.split(text)


def words_of(tokenizer: PreTrainedTokenizerBase, backend: Any) -> Words | None:
    """The words of a tokenizer; None where texts may not be put together from them."""
    if not isinstance(getattr(backend, "model", None), models.BPE):
        return None
    # Such a mark takes the space behind it along, or holds one.
    if any(mark.rstrip or " " in mark.content for mark in tokenizer.added_tokens_decoder.values()):
        return None
    if any(map(_CROSSING.search, tokenizer.get_vocab())):
        return None
    words = Words(backend)
    for probe in _PROBES:
        cut, fresh = cut_at_spaces(probe), Fresh()
        learns = words.learns(cut, fresh)
        words.learn(fresh)
        whole = backend.encode_batch_fast([probe], add_special_tokens=False)[0].ids
        if not learns or list(chain.from_iterable(words.parts(cut))) != whole:
            return None
    return words
