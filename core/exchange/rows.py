"""The prepared rows in the forms that other trainers read: JSON lines, a file for each part."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.exchange.terms import Tool
from tunesmith.core.rows import Row

Line = dict[str, Any]


def write_lines(path: Path, rows: Iterable[Row], tool: Tool) -> None:
    """Write `rows` for `tool`. Raises OSError where the disk refuses."""
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        file.writelines(encoder.encode(line_of(row, tool)) + b"\n" for row in rows)


def line_of(row: Row, tool: Tool) -> Line:
    """One row as a line of the file that `tool` reads.

    TRL: a prompt and a completion, both chats. Axolotl: a chat whose turns say whether they are trained.
    LLaMA-Factory: a chat in OpenAI's form.
    """
    prompt = [turn.as_dict() for turn in row.prompt]
    answer = {"role": "assistant", "content": row.answer}
    if tool == "trl":
        return {"prompt": prompt, "completion": [answer]}
    if tool == "axolotl":
        return {"messages": [*({**turn, "train": False} for turn in prompt), {**answer, "train": True}]}
    return {"messages": [*prompt, answer]}


def takes_turns(row: Row) -> bool:
    """Whether user and assistant speak in turn, after an optional system turn: LLaMA-Factory skips other rows
    (src/llamafactory/data/converter.py, `SharegptDatasetConverter`)."""
    roles = [turn.role for turn in row.prompt]
    roles = roles[1:] if roles[:1] == ["system"] else roles
    return len(roles) % 2 == 1 and all(role == ("user", "assistant")[n % 2] for n, role in enumerate(roles))
