"""What OpenAI would refuse is told line by line before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.prepare import openai_chat
from tunesmith.core.prepare.openai_chat import check_file, faults, line_of, preference_of
from tunesmith.core.rows import Message, Row, ask

USER = {"role": "user", "content": "Rain?"}
GOOD = {"role": "assistant", "content": "No."}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"town": "Bonn"}'}}
CALLING = {"role": "assistant", "tool_calls": [CALL]}


def told(line: Any) -> list[str]:
    return faults(json.dumps(line).encode())


def chat(*turns: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(turns), **more}


def write(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize(
    "line",
    [
        chat(USER, GOOD),
        chat({"role": "system", "content": "Be brief."}, USER, GOOD),
        chat(USER, GOOD | {"weight": 0}, USER, GOOD | {"weight": 1}),
        chat(USER, CALLING, tools=[TOOL], parallel_tool_calls=False),
        chat(USER, CALLING, {"role": "tool", "tool_call_id": "c1", "content": "dry"}, GOOD, tools=[TOOL]),
        chat({"role": "user", "content": [{"type": "text", "text": "Rain?"}]}, GOOD),
        {"input": chat(USER, tools=[]), "preferred_output": [GOOD], "non_preferred_output": [GOOD | {"content": "?"}]},
    ],
)
def test_what_the_documentation_shows_is_taken(line: dict[str, Any]) -> None:
    assert told(line) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ([], "is no JSON object"),
        ({}, "has no list of messages"),
        (chat(), "has no list of messages"),
        (chat(USER), "has no turn of the assistant"),
        (chat(USER, GOOD | {"weight": 0}), "every turn of the assistant has weight 0"),
        (chat(USER, GOOD, USER), "the last turn is not the assistant's"),
        (chat(USER, CALLING, {"role": "tool", "tool_call_id": "c1", "content": "dry"}), "the last turn is not the"),
        (
            chat(USER, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "a b", "arguments": "{}"}}]}),
            "turn 2: calls a b; a name is 1 to 64 of",
        ),
        (
            chat(USER, {"role": "assistant", "tool_calls": [{**CALL, "function": {"arguments": "{}"}}]}),
            "turn 2: calls null; a name is 1 to 64 of",
        ),
        (chat(USER, GOOD | {"weight": 0.5}), "turn 2: the weight is 0.5, not 0 or 1"),
        (chat(USER, GOOD | {"weight": True}), "turn 2: the weight is true, not 0 or 1"),
        (chat(USER | {"weight": 1}, GOOD), "turn 1: a turn of the user has a weight"),
        (chat({"role": "robot", "content": "a"}, GOOD), "turn 1: the role is robot, not one of system, user"),
        (chat("hello", GOOD), "turn 1 is no JSON object"),
        (chat({"role": "user", "content": ""}, GOOD), "turn 1: has no content"),
        (chat({"role": "user", "content": 7}, GOOD), "turn 1: the content is neither text nor"),
        (chat(USER | {"mood": "good"}, GOOD), "turn 1: the key mood is not part of the format"),
        (chat(USER, GOOD, answer="x"), "the key answer is not part of the format"),
        (chat(USER, CALLING, tools=[{"type": "function", "function": {"name": "other"}}]), "turn 2: calls weather"),
        (chat(USER, {"role": "assistant", "tool_calls": [{"id": "1"}]}), "turn 2: a call needs an id"),
        (chat(USER, {"role": "assistant", "tool_calls": []}), "turn 2: tool_calls is no list"),
        (
            chat(USER, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "w", "arguments": {}}}]}),
            "turn 2: the arguments for w are no JSON written as text",
        ),
        (chat(USER | {"tool_calls": [CALL]}, GOOD), "turn 1: only the assistant may call tools"),
        (chat(USER, {"role": "tool", "tool_call_id": "c9", "content": "dry"}, GOOD), "turn 2: answers no call"),
        (chat(USER, GOOD, tools=[{"name": "weather"}]), "tool 1 needs the type function"),
        (chat(USER, GOOD, tools=[{"type": "function", "function": {"name": "a b"}}]), "tool 1: the name a b is not"),
        (chat(USER, GOOD, tools=[TOOL] * 129), "tools is no list of at most 128"),
        (
            chat(USER, GOOD, tools=[{"type": "function", "function": {"name": "a", "parameters": {"type": "array"}}}]),
            "tool 1: the parameters are no JSON schema",
        ),
        (chat(USER, GOOD, parallel_tool_calls="yes"), "parallel_tool_calls is neither"),
        (chat({"role": "user", "content": "word " * 90_000}, GOOD), "tokens; beyond 65,536 the end is cut off"),
        ({"preferred_output": [GOOD], "non_preferred_output": [GOOD]}, "has no input"),
        ({"input": chat(USER), "preferred_output": [GOOD], "non_preferred_output": [GOOD]}, "both outputs are the"),
        ({"input": chat(USER), "preferred_output": [GOOD]}, "non_preferred_output is no list of one turn"),
        ({"input": chat(USER), "preferred_output": [USER], "non_preferred_output": [GOOD]}, "no turn of the assistant"),
        ({"input": chat(USER), "preferred_output": [GOOD, GOOD], "non_preferred_output": [GOOD]}, "list of one turn"),
    ],
)
def test_what_breaks_a_rule_is_named(line: Any, what: str) -> None:
    assert any(what in one for one in told(line)), told(line)


def test_a_line_that_is_no_json_is_named() -> None:
    assert faults(b'{"messages": [')[0].startswith("is not JSON")
    assert faults(b'{"messages": "\xff"}') and faults(b"") != []


def test_each_fault_is_told_with_its_line(tmp_path: Path) -> None:
    lines = [chat(USER, GOOD)] * 12
    lines[6] = chat(USER)
    found = check_file(write(tmp_path / "train.jsonl", lines))
    assert found == [(7, "has no turn of the assistant, so there is nothing to learn")]


def test_fewer_than_ten_examples_and_two_kinds_are_faults_of_the_file(tmp_path: Path) -> None:
    preference = {"input": chat(USER), "preferred_output": [GOOD], "non_preferred_output": [GOOD | {"content": "?"}]}
    found = check_file(write(tmp_path / "train.jsonl", [chat(USER, GOOD)] * 8 + [preference]))
    assert [line for line, _ in found] == [0, 0]
    assert "9 examples; at least 10" in found[0][1] and "one kind" in found[1][1]


def test_a_file_that_is_too_large_and_one_that_is_wrong_throughout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_chat, "LARGEST", 100)
    path = write(tmp_path / "train.jsonl", [chat(USER)] * (openai_chat.TOLD + 50))
    found = check_file(path)
    assert found[0][0] == 0 and "at most 100" in found[0][1]
    assert len(found) == openai_chat.TOLD


def test_only_the_answer_is_trained_as_it_is_here() -> None:
    row = Row("1", [*ask("a"), Message("assistant", "b"), Message("user", "c")], "d")
    line = line_of(row)
    assert [turn.get("weight") for turn in line["messages"]] == [None, 0, None, None]
    assert told(line) == []


def test_calls_get_what_the_format_asks_for() -> None:
    call = {"function": {"name": "weather", "arguments": {"town": "Köln"}}}
    turns = [*ask("Rain?"), Message("assistant", "", [CALL]), Message("tool", "dry", tool_call_id="c1", name="weather")]
    line = line_of(Row("1", turns, "[]", calls=[call], tools=[TOOL]))
    assert told(line) == []
    assert line["messages"][-1]["tool_calls"][0]["function"]["arguments"] == '{"town": "Köln"}'
    assert line["tools"] == [TOOL]


def test_a_preference_has_its_own_form() -> None:
    line = preference_of(Row("1", ask("a", system="s"), "good", rejected="bad"))
    assert told(line) == []
    assert line["preferred_output"][0]["content"] == "good" and line["non_preferred_output"][0]["content"] == "bad"
    assert [turn["role"] for turn in line["input"]["messages"]] == ["system", "user"]
