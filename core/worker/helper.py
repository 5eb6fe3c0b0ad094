"""A process that stays warm and answers short questions: one JSON line in, one JSON line out."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.errors import TunesmithError
from tunesmith.core.facts import TokenProfile
from tunesmith.core.rows import read_rows


class Pieces(msgspec.Struct, frozen=True):
    """One rendered row: runs of (text, whether it is trained)."""

    pieces: list[tuple[str, bool]]


class TokenAnswer(msgspec.Struct, frozen=True):
    """Lengths over all rows, and some rows as the model will see them."""

    profile: TokenProfile
    rendered: list[Pieces]


def tokens(model: str, rows: str, show: int = 3) -> TokenAnswer:
    """Lengths of the rows in the file `rows` with the tokenizer in the folder `model`; the first `show` rendered."""
    from tunesmith.core.worker.model import load_tokenizer
    from tunesmith.core.worker.tokenize import encode, rendered_pieces, token_profile

    tokenizer = load_tokenizer(model)
    loaded = list(read_rows(Path(rows)))
    rendered = [Pieces(rendered_pieces(tokenizer, encode(tokenizer, row))) for row in loaded[:show]]
    return TokenAnswer(token_profile(tokenizer, loaded), rendered)


QUESTIONS: dict[str, Callable[..., Any]] = {"tokens": tokens}


def main() -> None:
    """Answer until the asker closes the pipe."""
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints goes to the log, never between two answers
    for line in sys.stdin.buffer:
        asked = msgspec.json.decode(line)
        try:
            reply: dict[str, Any] = {"answer": QUESTIONS[asked["question"]](**asked["details"])}
        except TunesmithError as error:
            reply = {"error": error.title, "cause": error.cause, "next_step": error.next_step}
        except Exception as error:  # noqa: BLE001 - a question must not end the helper; the log has the traceback
            traceback.print_exc()
            title = f"Something unexpected went wrong: {type(error).__name__}."
            reply = {"error": title, "cause": str(error), "next_step": "Run `tunesmith doctor`."}
        replies.write(msgspec.json.encode(reply) + b"\n")


if __name__ == "__main__":
    main()
