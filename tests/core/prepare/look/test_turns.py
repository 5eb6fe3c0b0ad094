"""Chats are looked at as prompts and answers."""

from __future__ import annotations

from typing import Any

from tests.core.prepare.look.tables import look, only, sentence


def chat(asked: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]}


def chats(count: int = 120) -> list[dict[str, Any]]:
    return [chat(f"What was seen at number {n}?", sentence(n)) for n in range(count)]


def test_clean_chats_raise_nothing() -> None:
    assert look(chats(), "chat") == []


def test_an_answer_in_a_chat_is_looked_at_like_any_other() -> None:
    rows = chats()
    rows[3] = chat("What now?", ".")
    found = only(look(rows, "chat", "short"))
    assert (found.column, found.count, found.examples) == ("messages", 1, ("line 5: .",))
    assert found.repairs == (), "the length of the whole chat is another thing"
    assert found.text == "the answers: 1 row has an answer of one character."


def test_chats_that_contradict_each_other_and_refusals() -> None:
    rows = chats()
    rows[7] = chat("What was seen at number 5?", "I don't know what was seen there.")
    kinds = {finding.kind: finding for finding in look(rows, "chat")}
    assert set(kinds) == {"contradiction", "refusal"}
    assert kinds["contradiction"].repairs[0] == {"kind": "drop-contradictions", "column": "messages", "keep": "most"}
    assert kinds["contradiction"].examples[0].startswith("line 7: The ")
    assert kinds["refusal"].repairs == ()


def test_conversations_in_sharegpt_form_and_what_is_no_chat() -> None:
    rows: list[dict[str, Any]] = [
        {"messages": [{"from": "human", "value": f"Say {n}"}, {"from": "gpt", "value": "." if n == 2 else sentence(n)}]}
        for n in range(120)
    ]
    assert only(look(rows, "chat", "short")).count == 1
    look([{"messages": text} for text in ("[]", "soon", "[1]", "[\ud800]", '[{"role": 1}]', "{")] * 5, "chat")


def test_a_fault_in_prompts_and_answers_is_told_once() -> None:
    rows = chats()
    rows[3] = chat("word " * 4000, "word " * 4000)
    rows[4] = chat("What is it, then?", "word " * 4000)
    found = only(look(rows, "chat", "long"))
    assert found.text.startswith("the answers: 2 texts are longer than 2,000 characters")


def test_answers_of_squad_are_looked_at_as_texts() -> None:
    rows: list[dict[str, Any]] = [
        {
            "question": f"Who is number {n}?",
            "context": f"Number {n} is Ada Byron{n} of London.",
            "answers": {"text": [f"Ada Byron{n}"], "answer_start": [5]},
        }
        for n in range(50)
    ]
    roles = {"question": "question", "answer": "answers", "context": "context"}
    found = only(look(rows, "question-answer", "copied", **roles))
    assert found.column == "answers" and found.text.startswith("the answers: 100 % of the answers stand word by word")


def test_the_last_turn_is_the_answer_where_two_conversations_are_compared() -> None:
    rows: list[dict[str, Any]] = [
        {
            "prompt": f"Say {n}.",
            "chosen": chat(f"Say {n}.", "." if n == 4 else sentence(n))["messages"],
            "rejected": "No.",
        }
        for n in range(60)
    ]
    found = only(look(rows, "preference", "short"))
    assert (found.column, found.examples) == ("chosen", ("line 6: .",))
