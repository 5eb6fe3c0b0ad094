"""Texts that are tokenised together, each once: whole, or put together from words that are known already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from transformers import PreTrainedTokenizerBase

from tunesmith.core.worker.words import Fresh, Ids, Words, cut_at_spaces

REMEMBERED = 20_000
"""Texts whose tokens are remembered, of those that came twice."""


@dataclass
class Texts:
    """Texts to tokenise together, each once."""

    remembered: dict[str, list[int]]
    """Tokens of texts that come again and again, such as a system prompt."""
    words: Words | None
    """Where texts may be put together from their words."""
    place: dict[str, int] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)
    found: list[Any] = field(default_factory=list)
    known: dict[str, tuple[Ids, int]] = field(default_factory=dict)
    """Of texts of which every word is known: the tokens of the first, and how many all of them have."""
    cut: dict[str, list[str]] = field(default_factory=dict)
    """The words of texts of which some are still to be learnt."""
    fresh: Fresh = field(default_factory=Fresh)

    def ask(self, text: str) -> None:
        """Have it tokenised with the others."""
        if text in self.remembered or text in self.known or text in self.cut:
            return
        if self.words is not None:
            cut = cut_at_spaces(text)
            try:
                self.known[text] = self.words.counted(cut)
                return
            except KeyError:
                if self.words.learns(cut, self.fresh):
                    self.cut[text] = cut
                    return
        if self.place.setdefault(text, len(self.place)) != len(self.place) - 1:
            self.again.add(text)

    def tokenise(self, backend: Any) -> None:
        """All that were asked for."""
        if self.words is not None:
            self.words.learn(self.fresh)
        self.found = backend.encode_batch_fast(list(self.place), add_special_tokens=False) if self.place else []

    def parts(self, text: str) -> list[Sequence[int]]:
        """Its tokens, in the parts that they were found in."""
        place = self.place.get(text)
        if place is not None:
            return [self.found[place].ids]
        if self.words is not None and (text in self.known or text in self.cut):
            return self.words.parts(self.cut.get(text) or cut_at_spaces(text))
        return [self.remembered[text]]

    def begins_with(self, text: str, ids: list[int]) -> bool:
        """Whether its tokens begin with these."""
        if (known := self.known.get(text)) is not None and len(known[0]) >= len(ids):
            return list(known[0][: len(ids)]) == ids
        return list(islice(chain.from_iterable(self.parts(text)), len(ids))) == ids

    def ids(self, text: str) -> list[int]:
        """Its tokens."""
        return list(chain.from_iterable(self.parts(text)))

    def length(self, text: str) -> int:
        """Its tokens, counted."""
        if (known := self.known.get(text)) is not None:
            return known[1]
        place = self.place.get(text)  # counting what Rust holds is quicker than having it as a list
        return sum(map(len, self.parts(text))) if place is None else len(self.found[place])

    def remember(self) -> None:
        """Keep the tokens of those that came twice."""
        if len(self.remembered) < REMEMBERED:
            self.remembered.update({text: self.found[self.place[text]].ids for text in self.again})


class _Plain:
    """A tokenizer without a Rust backend, in the form that `Texts` needs."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer

    def encode_batch_fast(self, texts: list[str], add_special_tokens: bool) -> list[Any]:
        """Each text's tokens."""
        return [_Ids(self.tokenizer(text, add_special_tokens=add_special_tokens)["input_ids"]) for text in texts]


class _Ids:
    def __init__(self, ids: list[int]) -> None:
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)


def backend_of(tokenizer: PreTrainedTokenizerBase) -> Any:
    """The Rust tokenizer, set to cut and pad nothing as `encode` has it."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or not hasattr(backend, "encode_batch_fast"):
        return _Plain(tokenizer)
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = tokenizer.split_special_tokens
    return backend
