"""Conversations to rows: OpenAI's messages with tools, ShareGPT's turns, and pairs of a better and a worse ending."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tunesmith.core.prepare.cells import text_of
from tunesmith.core.rows import Message, ask

_ROLE_OF = {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "observation": "tool",
    "function": "tool",
    "function_call": "assistant",
}
"""ShareGPT's names of roles, with those that LLaMA-Factory added for tools (its data/README.md, "ShareGPT format")."""
_ROLES = ("system", "developer", "user", "assistant", "tool")
_HUMAN, _ASSISTANT = "\n\nHuman:", "\n\nAssistant:"
"""How turns are marked in the texts of Anthropic's hh-rlhf (its README), where a prompt is not given apart."""


def from_chat(values: Mapping[str, Any], columns: Mapping[str, str], system: str) -> dict[str, Any] | str:
    """The parts of the row that a conversation makes, whose last turn is the answer; or why it makes none."""
    turns = turns_of(values.get(columns["messages"]))
    if isinstance(turns, str):
        return turns
    *prompt, last = turns
    if last.role != "assistant":
        from tunesmith.core.prepare.personal import told

        return f"the chat ends with {told(last.role)}, not with the assistant"
    if not last.content.strip() and not last.tool_calls:
        return "the assistant's last turn is empty"
    if not any(message.role == "user" for message in prompt):
        return "nobody asks before the assistant's last turn"
    tools = _tools(values.get(columns["tools"])) if "tools" in columns else []
    if isinstance(tools, str):
        return tools
    own = text_of(values.get(columns["system"])).strip() if "system" in columns else ""
    prompt = _with_system(prompt, own or system)
    question = next(message.content for message in reversed(prompt) if message.role == "user")
    answer = last.content if last.content.strip() else msgspec.json.encode(last.tool_calls).decode()
    return {"prompt": prompt, "answer": answer, "question": question, "calls": list(last.tool_calls), "tools": tools}


def from_preference(values: Mapping[str, Any], columns: Mapping[str, str], system: str) -> dict[str, Any] | str:
    """The parts of the row that a better and a worse answer make, or why they make none.

    Without a prompt of its own, the prompt is what both conversations, or both texts, begin with.
    """
    chosen, rejected = (_opened(values.get(columns[part])) for part in ("chosen", "rejected"))
    given = _opened(values.get(columns["prompt"])) if "prompt" in columns else None
    if isinstance(chosen, list) or isinstance(rejected, list):
        made = _from_turns(given, chosen, rejected)
    else:
        made = _from_texts(text_of(given), text_of(chosen), text_of(rejected))
    if isinstance(made, str):
        return made
    prompt, better, worse = made
    if better == worse:
        return "both answers are the same"
    question = next((message.content for message in reversed(prompt) if message.role == "user"), "")
    return {"prompt": _with_system(prompt, system), "answer": better, "rejected": worse, "question": question}


def turns_of(value: Any) -> list[Message] | str:
    """The turns of a chat (role and content, or ShareGPT's from and value), or why they can't be read."""
    value = _opened(value)
    if isinstance(value, str) and value.lstrip().startswith("["):
        return "the chat is not JSON"
    if not isinstance(value, list) or not value:
        return "there is no list of turns"
    turns = []
    for number, turn in enumerate(value, start=1):
        message = _message(turn) if isinstance(turn, Mapping) else None
        if message is None:
            return f"turn {number} has no role and text that can be read"
        turns.append(message)
    return turns


def _opened(value: Any) -> Any:
    """A list or object that stands as JSON in a cell of a table, else the value itself."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return value
    return value


def _message(turn: Mapping[str, Any]) -> Message | None:
    role, content = turn.get("role"), turn.get("content")
    if role is None and "from" in turn:
        role, content = turn["from"], turn.get("value")
    role = _ROLE_OF.get(str(role), str(role))
    if isinstance(content, list):  # OpenAI's parts: text only, a picture can't be trained on here
        parts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
        content = "".join(map(str, parts)) if len(parts) == len(content) else None
    calls = turn.get("tool_calls") or []
    if turn.get("from") == "function_call":
        call = _call(content)
        content, calls = "", [call] if call else []
        if not call:
            return None
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        return None
    if content is None and calls:
        content = ""
    if role not in _ROLES or not isinstance(content, str):
        return None
    return Message(role, content, tuple(calls), text_of(turn.get("tool_call_id")), text_of(turn.get("name")))


def _call(content: Any) -> dict[str, Any] | None:
    """ShareGPT's call of a function, `{"name": …, "arguments": …}` as text, in OpenAI's form."""
    try:
        said = msgspec.json.decode(content) if isinstance(content, str) else content
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    if not isinstance(said, Mapping) or not isinstance(said.get("name"), str):
        return None
    return {"type": "function", "function": {"name": said["name"], "arguments": said.get("arguments", {})}}


def _tools(value: Any) -> list[dict[str, Any]] | str:
    value = _opened(value)
    if value is None or value == "":
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return "its tools are no list that can be read"
    return value


def _with_system(prompt: list[Message], system: str) -> list[Message]:
    """The prompt with these instructions before it, unless it has its own."""
    return [Message("system", system), *prompt] if system and (not prompt or prompt[0].role != "system") else prompt


def _from_turns(given: Any, chosen: Any, rejected: Any) -> tuple[list[Message], str, str] | str:
    """(prompt, better, worse) of conversations that part at their last turn."""
    better, worse = turns_of(chosen), turns_of(rejected)
    if isinstance(better, str) or isinstance(worse, str):
        return "one answer is a chat and the other can't be read as one"
    before: list[Message] = []
    if given is not None and given != "":
        found = turns_of(given) if isinstance(given, list) else ask(text_of(given))
        if isinstance(found, str):
            return f"the prompt: {found}"
        before = found
    if not before and better[:-1] != worse[:-1]:
        return "the two chats part before their last turn"
    if before and len(better) > 1 and better[: len(before)] == before:
        before = []
    prompt = before + better[:-1]
    if better[-1].role != "assistant" or worse[-1].role != "assistant":
        return "the answers are not the assistant's"
    if not prompt:
        return "there is no prompt before the answers"
    return prompt, better[-1].content, worse[-1].content


def _from_texts(given: str, chosen: str, rejected: str) -> tuple[list[Message], str, str] | str:
    """(prompt, better, worse) of texts; hh-rlhf's transcripts are taken apart into their turns."""
    for name, text in (("chosen", chosen), ("rejected", rejected)):
        if not text.strip():
            return f"the {name} answer is empty"
    if given.strip():
        return (_transcript(given) or ask(given.strip())), chosen.strip(), rejected.strip()
    at, other = chosen.rfind(_ASSISTANT), rejected.rfind(_ASSISTANT)
    if at < 0 or chosen[:at] != rejected[:other]:
        return "there is no prompt, and the two answers do not begin with the same one"
    prompt = _transcript(chosen[:at])
    if not prompt:
        return "there is no prompt before the answers"
    return prompt, chosen[at + len(_ASSISTANT) :].strip(), rejected[other + len(_ASSISTANT) :].strip()


def _transcript(text: str) -> list[Message]:
    """The turns of a text that marks them with Human: and Assistant:, else none."""
    if not text.startswith((_HUMAN, _HUMAN.lstrip())):
        return []
    turns = []
    for piece in ("\n\n" + text.lstrip()).split(_HUMAN)[1:]:
        asked, *answers = piece.split(_ASSISTANT)
        turns.append(Message("user", asked.strip()))
        turns += [Message("assistant", answer.strip()) for answer in answers if answer.strip()]
    return turns
