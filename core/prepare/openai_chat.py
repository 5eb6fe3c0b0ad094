"""OpenAI's format of chats for fine-tuning: a row as a line of it, and what is wrong in a file of such lines.

The format as OpenAI documents it, looked up on 27 Nov 2026:

- Supervised: `messages`, and optionally `tools` and `parallel_tool_calls`; roles system, user, assistant, tool and (out
  of use) function; `weight` 0 or 1 on an assistant's turn says whether it is trained. API specification 2.3.0, schemas
  FineTuneChatRequestInput and FineTuneChatCompletionRequestAssistantMessage.
- Preference: `input`, `preferred_output`, `non_preferred_output`, one answer each.
  https://developers.openai.com/api/docs/guides/direct-preference-optimization
- At least 10 examples. https://developers.openai.com/api/docs/guides/supervised-fine-tuning
- A file of at most 512 MB, JSON lines. API reference, files/create.
- An example of at most 65,536 tokens (gpt-4o, gpt-4o-mini, gpt-4.1); what is longer is cut at its end.
  https://developers.openai.com/api/docs/guides/fine-tuning-best-practices, "Token limits"
- The assistant's turn comes last: not documented, but a file where it does not is refused ("expects the final message
  to be from assistant", https://github.com/kohhnagata/clone-factory-v1/issues/3).
- What a turn must hold: OpenAI Cookbook, "Data preparation and analysis for chat model fine-tuning", format validation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.lengths import estimated_tokens
from tunesmith.core.meter import Meter, silent
from tunesmith.core.prepare.cells import shown
from tunesmith.core.rows import Message, Row

Line = dict[str, Any]
FEWEST = 10
LARGEST = 512 * 1000 * 1000
"""Bytes; documented as 512 MB, taken as the smaller of its two readings."""
MOST_TOKENS = 65_536
VOCABULARY = 200_000
"""Words of gpt-4o's and gpt-4.1's tokenizer (o200k_base), for the estimate of an example's length."""
MOST_FUNCTIONS = 128
TOLD = 1000
"""Faults after which a check stops: the file is then wrong as a whole."""

_ROLES = ("system", "user", "assistant", "tool", "function")
_KEYS = frozenset({"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal"})
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def line_of(row: Row) -> Line:
    """A row as a line for supervised fine-tuning; of several answers in a chat only the last is trained, as here."""
    turns = [_turn(message) for message in row.prompt]
    for turn in turns:
        if turn["role"] == "assistant":
            turn["weight"] = 0
    line: Line = {"messages": [*turns, _answer(row)]}
    return line | ({"tools": row.tools} if row.tools else {})


def preference_of(row: Row) -> Line:
    """A row with a worse answer as a line for preference fine-tuning."""
    return {
        "input": {
            "messages": [_turn(message) for message in row.prompt],
            "tools": row.tools,
            "parallel_tool_calls": True,
        },
        "preferred_output": [_answer(row)],
        "non_preferred_output": [{"role": "assistant", "content": row.rejected}],
    }


def check_file(path: Path, meter: Meter = silent) -> list[tuple[int, str]]:
    """What OpenAI would refuse in a file of its format, supervised or preference, as (line counted from 1, what).

    Line 0 is the file as a whole. Nothing is sent anywhere. At most TOLD faults are told.

    Raises:
        OSError: The file can't be read.
    """
    size = path.stat().st_size
    found: list[tuple[int, str]] = []
    if size > LARGEST:
        found.append((0, f"the file has {size:,} bytes; at most {LARGEST:,} are taken"))
    count, done, kinds = 0, 0, set()
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            done += len(raw)
            if number % 4096 == 0:
                meter("checking", done, size)
            count += 1
            found += [(number, what) for what in faults(raw)]
            kinds.add(b'"preferred_output"' in raw)
            if len(found) >= TOLD:
                return found[:TOLD]
    if count < FEWEST:
        found.append((0, f"the file has {count} examples; at least {FEWEST} are needed"))
    if len(kinds) > 1:
        found.append((0, "some lines are preferences and some are not; a file holds one kind"))
    return found


def faults(raw: bytes) -> list[str]:
    """What is wrong in one line, as clauses such as `turn 2: the role is robot, …`."""
    try:
        line = msgspec.json.decode(raw.strip())
    except msgspec.DecodeError as error:
        return [f"is not JSON: {str(error)[:1].lower()}{str(error)[1:]}"]
    except UnicodeDecodeError:
        return ["is not UTF-8"]
    if not isinstance(line, dict):
        return ["is no JSON object"]
    return list(_preference(line) if "preferred_output" in line or "input" in line else _supervised(line))


def _supervised(line: Line) -> Iterator[str]:
    yield from _unknown(line, {"messages", "tools", "parallel_tool_calls", "functions"})
    yield from _tools(line)
    messages = line.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "has no list of messages"
        return
    yield from _turns(messages, _names(line))
    answers = [turn for turn in messages if isinstance(turn, dict) and turn.get("role") == "assistant"]
    if not answers:
        yield "has no turn of the assistant, so there is nothing to learn"
    elif all(turn.get("weight") == 0 for turn in answers):
        yield "every turn of the assistant has weight 0, so there is nothing to learn"
    if answers and messages[-1] is not answers[-1]:
        yield "the last turn is not the assistant's"
    yield from _length(line)


def _preference(line: Line) -> Iterator[str]:
    yield from _unknown(line, {"input", "preferred_output", "non_preferred_output"})
    asked = line.get("input")
    if not isinstance(asked, dict):
        yield "has no input"
        return
    yield from _unknown(asked, {"messages", "tools", "parallel_tool_calls"})
    yield from _tools(asked)
    messages = asked.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "its input has no list of messages"
    else:
        yield from _turns(messages, _names(asked))
    for key in ("preferred_output", "non_preferred_output"):
        output = line.get(key)
        if not isinstance(output, list) or len(output) != 1:
            yield f"{key} is no list of one turn"
        elif not isinstance(output[0], dict) or output[0].get("role") != "assistant":
            yield f"{key} is no turn of the assistant"
        else:
            yield from (f"{key}: {what}" for what in _turn_faults(output[0], _names(asked), set()))
    if line.get("preferred_output") == line.get("non_preferred_output"):
        yield "both outputs are the same, so nothing is preferred"
    yield from _length(line)


def _turns(messages: list[Any], names: set[str] | None) -> Iterator[str]:
    called: set[str] = set()
    for number, turn in enumerate(messages, start=1):
        if not isinstance(turn, dict):
            yield f"turn {number} is no JSON object"
            continue
        yield from (f"turn {number}: {what}" for what in _turn_faults(turn, names, called))
        for call in turn.get("tool_calls") or []:
            if isinstance(call, dict):
                called.add(str(call.get("id")))


def _turn_faults(turn: Line, names: set[str] | None, called: set[str]) -> Iterator[str]:
    role = turn.get("role")
    if role not in _ROLES:
        yield f"the role is {_told(role)}, not one of {', '.join(_ROLES)}"
        return
    yield from _unknown(turn, _KEYS)
    if "weight" in turn and role != "assistant":
        yield f"a turn of the {role} has a weight; only the assistant's may"
    elif "weight" in turn and (isinstance(turn["weight"], bool) or turn["weight"] not in (0, 1)):
        yield f"the weight is {_told(turn['weight'])}, not 0 or 1"
    content = turn.get("content")
    calls = role == "assistant" and bool(turn.get("tool_calls") or turn.get("function_call") or turn.get("refusal"))
    if not content and not calls:
        yield "has no content"
    elif content is not None and not _is_content(content):
        yield "the content is neither text nor a list of parts"
    if role == "tool" and turn.get("tool_call_id") not in called:
        yield "answers no call of a tool that came before it"
    if "tool_calls" in turn:
        yield from _calls(turn, names)


def _calls(turn: Line, names: set[str] | None) -> Iterator[str]:
    if turn["role"] != "assistant":
        yield "only the assistant may call tools"
    calls = turn["tool_calls"]
    if not isinstance(calls, list) or not calls:
        yield "tool_calls is no list of calls"
        return
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or call.get("type") != "function" or not isinstance(call.get("id"), str):
            yield "a call needs an id, the type function, and a function"
            continue
        name = function.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            yield f"calls {_told(name)}; a name is 1 to 64 of a-z, A-Z, 0-9, _ and -"
        elif names is not None and name not in names:
            yield f"calls {_told(name)}, which is not among the tools"
        if not isinstance(function.get("arguments"), str) or not _is_json(function["arguments"]):
            yield f"the arguments for {_told(name)} are no JSON written as text"


def _tools(line: Line) -> Iterator[str]:
    for key, unwrap in _OFFERS.items():
        offered = line.get(key)
        if offered is None:
            continue
        if not isinstance(offered, list) or len(offered) > MOST_FUNCTIONS:
            yield f"{key} is no list of at most {MOST_FUNCTIONS}"
            continue
        for number, tool in enumerate(offered, start=1):
            function = unwrap(tool) if isinstance(tool, dict) else None
            if not isinstance(function, dict):
                yield f"tool {number} needs the type function, and a function"
                continue
            name = function.get("name")
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                yield f"tool {number}: the name {_told(name)} is not 1 to 64 of a-z, A-Z, 0-9, _ and -"
            parameters = function.get("parameters", {})
            if not isinstance(parameters, dict) or parameters.get("type", "object") != "object":
                yield f"tool {number}: the parameters are no JSON schema of an object"
    if not isinstance(line.get("parallel_tool_calls", True), bool):
        yield "parallel_tool_calls is neither true nor false"


_OFFERS: dict[str, Callable[[Line], Any]] = {
    "tools": lambda tool: tool.get("function") if tool.get("type") == "function" else None,
    "functions": lambda tool: tool,
}


def _names(line: Line) -> set[str] | None:
    """The names of the tools that are offered; None where none are, which the format allows in past turns."""
    if not isinstance(line.get("tools"), list) or not line["tools"]:
        return None
    functions = [tool.get("function") for tool in line["tools"] if isinstance(tool, dict)]
    return {str(function.get("name")) for function in functions if isinstance(function, dict)}


def _length(line: Line) -> Iterator[str]:
    text = json.dumps(line, ensure_ascii=False)
    if len(text) < MOST_TOKENS:
        return  # a token has at least one character, nearly always more
    tokens = estimated_tokens(text, VOCABULARY)
    if tokens > MOST_TOKENS:
        yield f"has about {tokens:,} tokens; beyond {MOST_TOKENS:,} the end is cut off"


def _unknown(line: Line, known: frozenset[str] | set[str]) -> Iterator[str]:
    for key in line:
        if key not in known:
            yield f"the key {_told(key)} is not part of the format"


def _is_content(content: Any) -> bool:
    return isinstance(content, str) or (
        isinstance(content, list) and all(isinstance(part, dict) and "type" in part for part in content)
    )


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text.encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _told(value: Any) -> str:
    return shown(value if isinstance(value, str) else json.dumps(value, default=str), 40)


def _turn(message: Message) -> Line:
    turn = message.as_dict()
    if message.role == "tool":
        turn.pop("name", None)  # the call that it answers says which tool it was
    if message.tool_calls:
        turn["tool_calls"] = [_call(call, number) for number, call in enumerate(message.tool_calls, start=1)]
    return turn


def _answer(row: Row) -> Line:
    if row.calls:
        calls = [_call(call, number) for number, call in enumerate(row.calls, start=1)]
        return {"role": "assistant", "tool_calls": calls}
    return {"role": "assistant", "content": row.answer}


def _call(call: Line, number: int) -> Line:
    """A call with everything that the format asks for: an id, the type, and the arguments as JSON text."""
    function = call.get("function", call)
    arguments = function.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    named = {"name": function.get("name", ""), "arguments": text}
    return {"id": call.get("id") or f"call_{number}", "type": "function", "function": named}
