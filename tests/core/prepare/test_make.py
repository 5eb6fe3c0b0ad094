"""How records become rows of prompt and answer, in each shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.errors import PlanError
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare.make import Made, make_rows, summary_of, unseen_answers
from tunesmith.core.prepare.records import Record
from tunesmith.core.prepare.templates import columns_in, draw
from tunesmith.core.records import fill, write_record
from tunesmith.core.rows import Message

ALICE = {"id": "7", "name": "Alice Smith", "department": "Design", "hire_date": "2020-04-10", "salary": "85000"}
COLUMNS = list(ALICE)
SPLIT = {"by": "name", "validation": 0.1, "test": 0.2, "seed": 7}


def table(**changes: Any) -> Prepare:
    tree = {
        "data": "x.csv",
        "shape": "table",
        "columns": {"entity": "name"},
        "fields": ["name", "department", "hire_date", "salary"],
        "questions": [
            {"ask": "When was {name} hired?", "answer": "{hire_date}"},
            {"ask": "What does {name} earn in {department}?", "answer": "{salary} a year"},
        ],
        "layouts": ["lines"],
        "split": SPLIT,
    }
    return Prepare.model_validate(tree | changes)


def other(shape: str, columns: dict[str, str], **changes: Any) -> Prepare:
    tree = {"data": "x.json", "shape": shape, "columns": columns, "split": {**SPLIT, "by": None}}
    return Prepare.model_validate(tree | changes)


def made(prepare: Prepare, *records: dict[str, Any]) -> Made:
    rows = [Record(number, number + 1, values) for number, values in enumerate(records, start=1)]
    return make_rows(rows, list(dict.fromkeys(name for record in records for name in record)), prepare)


def prompts(found: Made) -> list[str]:
    return [row.prompt[-1].content for row in found.rows]


# Templates


def test_a_template_takes_values_as_they_are() -> None:
    record = {"name": "{salary} {0.__class__} %s \\1", "salary": "1"}
    assert fill("Who is {name}?", record) == "Who is {salary} {0.__class__} %s \\1?"
    assert fill("{{{salary}}} {{name}}", record) == "{1} {name}"
    assert columns_in("{a} {{b}} {a} {c d}") == ("a", "c d")


@given(st.text(), st.text())
def test_no_text_breaks_a_template(template: str, value: str) -> None:
    fill(template, dict.fromkeys(columns_in(template), value))


def test_a_template_with_an_unknown_column_is_refused_with_the_nearest() -> None:
    prepare = table(questions=[{"ask": "When was {name} hired?", "answer": "{hiredate}"}])
    with pytest.raises(PlanError) as caught:
        made(prepare, ALICE)
    assert str(caught.value) == (
        "`prepare.questions.0.answer`: there is no column {hiredate} in the data: '{hiredate}'. "
        "Did you mean {hire_date}?"
    )
    with pytest.raises(
        PlanError, match=r"`prepare\.questions\.0\.ask`: .* There are: \{id\}, \{name\}, \{department\}"
    ):
        made(table(questions=[{"ask": "{zzz}", "answer": "x"}]), ALICE)


# Tables


def test_a_record_gives_a_row_for_each_question() -> None:
    found = made(table(system="Be brief."), ALICE)
    first, second = found.rows
    context = "Name: Alice Smith\nDepartment: Design\nHire Date: 2020-04-10\nSalary: 85000"
    question = "When was Alice Smith hired?"
    assert first.prompt == [Message("system", "Be brief."), Message("user", f"{context}\n\n{question}")]
    assert (first.context, first.question, first.answer, first.group) == (
        context,
        question,
        "2020-04-10",
        "Alice Smith",
    )
    assert (first.id, second.id) == ("1.1", "1.2")
    assert second.answer == "85000 a year"
    assert first.record == {name: value for name, value in ALICE.items() if name != "id"}


@pytest.mark.parametrize("layout", ["lines", "list", "json", "prose"])
def test_each_layout_shows_the_entity_and_every_field(layout: str) -> None:
    found = made(table(layouts=[layout], fields=["department", "salary", "hire_date"]), ALICE)
    for value in ("Alice Smith", "Design", "2020-04-10", "85000"):
        assert value in found.rows[0].context
    if layout == "json":
        assert list(json.loads(found.rows[0].context)) == ["name", "department", "salary", "hire_date"]


def test_layouts_and_orders_differ_from_row_to_row_and_stay_for_each() -> None:
    people = [ALICE | {"name": f"Person {n}", "salary": str(n)} for n in range(60)]
    prepare = table(layouts=["lines", "list", "json", "prose"], shuffle_fields=True)
    contexts = [row.context for row in made(prepare, *people).rows]
    kinds = {
        "json" if text[0] == "{" else "prose" if text[:4] == "The " else "lines" if "\n" in text else "list"
        for text in contexts
    }
    assert kinds == {"lines", "list", "json", "prose"}
    orders = {tuple(json.loads(text)) for text in contexts if text[0] == "{"}
    assert len(orders) > 10
    more = made(prepare, *people, ALICE, *people[:5])
    assert [row.context for row in more.rows][: len(contexts)] == contexts, "rows added later change none"
    assert [row.context for row in made(prepare, *people[30:]).rows] == contexts[60:], "nor do rows taken away"
    other_seed = table(layouts=["lines", "list", "json", "prose"], shuffle_fields=True, split={**SPLIT, "seed": 8})
    assert [row.context for row in made(other_seed, *people).rows] != contexts


def test_a_draw_is_the_same_on_every_machine() -> None:
    assert draw(7, "Alice Smith", 0) == 9_898_802_124_899_729_111


def test_empty_fields_are_left_out_of_the_context_and_their_questions_are_not_asked() -> None:
    found = made(table(), ALICE | {"hire_date": " "}, ALICE)
    assert "Hire Date" not in found.rows[0].context
    assert [row.id for row in found.rows] == ["1.2", "2.1", "2.2"]
    assert found.unanswered == 1
    assert "hire_date" not in found.rows[0].record


def test_a_record_without_a_name_or_without_any_answer_is_set_aside() -> None:
    found = made(table(), ALICE | {"name": ""}, ALICE | {"hire_date": "", "salary": ""}, ALICE)
    assert [(record.line, why) for record, why in found.aside] == [
        (2, "name is empty"),
        (3, "it answers none of the questions"),
    ]
    assert (found.used, found.unanswered) == (1, 0)
    assert summary_of({why: 1 for _, why in found.aside}) == (
        "2 rows set aside: 1 row because name is empty; 1 row because it answers none of the questions."
    )


def test_an_answer_that_the_context_does_not_show_is_noticed() -> None:
    assert unseen_answers(table()) == []
    hidden = unseen_answers(table(fields=["name", "department", "hire_date"]))
    assert [template.answer for template in hidden] == ["{salary} a year"]


def test_what_is_in_a_cell_stays_text() -> None:
    odd = "\x1b[31m[bold]\u202e{name}\n\n{{x}}"
    row = made(table(), ALICE | {"department": odd}).rows[0]
    assert odd in row.context
    assert write_record(row.record, ["name", "department"], "name", "list") == f"Name: Alice Smith, Department: {odd}"


# Other shapes


def test_a_question_with_its_context() -> None:
    prepare = other("question-answer", {"question": "q", "answer": "a", "context": "c"}, system="Be brief.")
    found = made(prepare, {"q": " Who? ", "a": "Bob\n", "c": "Bob did."}, {"q": "Why?", "a": 42, "c": ""})
    assert found.rows[0].prompt == [Message("system", "Be brief."), Message("user", "Bob did.\n\nWho?")]
    assert [row.answer for row in found.rows] == ["Bob", "42"]
    assert (found.rows[0].context, found.rows[0].question, found.rows[1].prompt[-1].content) == (
        "Bob did.",
        "Who?",
        "Why?",
    )


@pytest.mark.parametrize(
    "answer",
    [
        {"text": ["Bob", "he"], "answer_start": [0, 1]},
        [{"text": "Bob", "answer_start": 4}, {"text": "he", "answer_start": 9}],
        {"text": "Bob"},
        ["Bob", "x"],
        "Bob",
    ],
)
def test_answers_as_squad_writes_them(answer: Any) -> None:
    found = made(other("question-answer", {"question": "q", "answer": "a"}), {"q": "Who?", "a": answer})
    assert found.rows[0].answer == "Bob"


def test_rows_without_a_question_or_an_answer_are_set_aside() -> None:
    prepare = other("question-answer", {"question": "q", "answer": "a"})
    found = made(
        prepare, {"q": "", "a": "x"}, {"q": "x", "a": None}, {"q": "x", "a": {"text": []}}, {"q": "x", "a": "y"}
    )
    assert [why for _, why in found.aside] == ["q is empty", "a is empty", "a is empty"]
    assert found.used == 1


def test_a_prompt_with_its_completion_is_one_user_message() -> None:
    found = made(
        other("prompt-completion", {"prompt": "p", "completion": "c"}), {"p": "Say hi", "c": " Hi"}, {"p": "x"}
    )
    assert found.rows[0].prompt == [Message("user", "Say hi")]
    assert found.rows[0].answer == "Hi"
    assert found.aside[0][1] == "c is empty"


def test_alpacas_input_follows_its_instruction() -> None:
    prepare = other("prompt-completion", {"prompt": "instruction", "input": "input", "completion": "output"})
    found = made(
        prepare,
        {"instruction": "Sum up.", "input": "Long text.", "output": "Short."},
        {"instruction": "Joke.", "input": "", "output": "Ha."},
    )
    assert prompts(found) == ["Sum up.\n\nLong text.", "Joke."]


USER, BOT = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
TURNS = [{"role": "system", "content": "Be kind."}, USER, BOT, {"role": "user", "content": "Bye"}]
LAST = {"role": "assistant", "content": "Farewell"}


def test_a_chat_is_asked_up_to_the_assistants_last_turn() -> None:
    found = made(other("chat", {"messages": "m"}, system="Unused."), {"m": [*TURNS, LAST]})
    row = found.rows[0]
    assert [message.as_dict() for message in row.prompt] == TURNS
    assert (row.answer, row.question) == ("Farewell", "Bye")


def test_the_plans_system_prompt_opens_chats_that_have_none() -> None:
    found = made(other("chat", {"messages": "m"}, system="Be brief."), {"m": [USER, BOT]})
    assert found.rows[0].prompt == [Message("system", "Be brief."), Message("user", "Hi")]


@pytest.mark.parametrize(
    "chat",
    [
        [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}],
        json.dumps([USER, BOT]),
        [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, BOT],
    ],
)
def test_chats_in_other_spellings(chat: Any) -> None:
    found = made(other("chat", {"messages": "m"}), {"m": chat})
    assert (found.rows[0].prompt, found.rows[0].answer) == ([Message("user", "Hi")], "Hello")


@pytest.mark.parametrize(
    ("chat", "why"),
    [
        ([USER, BOT, USER], "the chat ends with user, not with the assistant"),
        ([USER, {"role": "assistant", "content": " "}], "the assistant's last turn is empty"),
        ([BOT], "nobody asks before the assistant's last turn"),
        ([USER, {"role": "assistant", "content": None}], "turn 2 has no role and text that can be read"),
        ([{"role": "user", "content": [{"type": "image_url"}]}, BOT], "turn 1 has no role and text that can be read"),
        ([{"role": "wizard", "content": "x"}, BOT], "turn 1 has no role and text that can be read"),
        (["Hi"], "turn 1 has no role and text that can be read"),
        ([], "there is no list of turns"),
        (None, "there is no list of turns"),
        ("hello", "there is no list of turns"),
        ("[broken", "the chat is not JSON"),
        ('["\ud800"]', "the chat is not JSON"),
    ],
)
def test_chats_that_can_not_be_trained_on_are_set_aside_with_the_reason(chat: Any, why: str) -> None:
    found = made(other("chat", {"messages": "m"}), {"m": chat})
    assert [why for _, why in found.aside] == [why]
    assert not found.rows


# Chats with tools

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
ASKS = [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}]
SAYS = [{"role": "tool", "tool_call_id": "c1", "name": "weather", "content": "sunny"}, BOT]


def test_a_chat_may_offer_tools_call_them_and_be_told_what_they_say() -> None:
    found = made(other("chat", {"messages": "m", "tools": "t"}), {"m": [*ASKS, *SAYS], "t": json.dumps(TOOLS)})
    row = found.rows[0]
    assert row.tools == TOOLS and row.answer == "Hello" and not row.calls
    assert [message.as_dict() for message in row.prompt] == [
        USER,
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        SAYS[0],
    ]


def test_the_answer_may_be_a_call_of_a_tool() -> None:
    row = made(other("chat", {"messages": "m"}), {"m": ASKS}).rows[0]
    assert row.calls == [CALL]
    assert json.loads(row.answer) == [CALL]


def test_sharegpts_calls_and_observations_are_calls_and_what_tools_say() -> None:
    turns = [
        {"from": "human", "value": "Weather?"},
        {"from": "function_call", "value": '{"name": "weather", "arguments": {"city": "Rome"}}'},
        {"from": "observation", "value": "sunny"},
        {"from": "gpt", "value": "It is sunny."},
    ]
    row = made(other("chat", {"messages": "m", "system": "s"}), {"m": turns, "s": "Be kind."}).rows[0]
    assert [message.role for message in row.prompt] == ["system", "user", "assistant", "tool"]
    assert row.prompt[2].tool_calls[0]["function"] == {"name": "weather", "arguments": {"city": "Rome"}}
    assert row.answer == "It is sunny."


# Texts, labels, preferences, ratings


def test_plain_text_is_all_answer() -> None:
    found = made(other("text", {"text": "t"}), {"t": " Once upon a time. "}, {"t": ""})
    assert (found.rows[0].prompt, found.rows[0].answer) == ([], "Once upon a time.")
    assert found.aside[0][1] == "t is empty"


def test_a_label_is_the_answer_to_its_text_and_several_are_listed() -> None:
    prepare = other("classification", {"text": "t", "label": "l"}, system="Answer with one of: late, lost.")
    found = made(prepare, {"t": "Where is it?", "l": "late"}, {"t": "Gone!", "l": ["late", "lost"]}, {"t": "x"})
    assert found.rows[0].prompt == [
        Message("system", "Answer with one of: late, lost."),
        Message("user", "Where is it?"),
    ]
    assert [row.answer for row in found.rows] == ["late", "late, lost"]
    assert found.aside[0][1] == "l is empty"


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "Hi", "chosen": "Hello", "rejected": "What?"},
        {"prompt": [USER], "chosen": [BOT], "rejected": [{"role": "assistant", "content": "What?"}]},
        {"prompt": "Hi", "chosen": [USER, BOT], "rejected": [USER, {"role": "assistant", "content": "What?"}]},
        {"chosen": [USER, BOT], "rejected": [USER, {"role": "assistant", "content": "What?"}]},
        {"chosen": "\n\nHuman: Hi\n\nAssistant: Hello", "rejected": "\n\nHuman: Hi\n\nAssistant: What?"},
    ],
)
def test_a_better_and_a_worse_answer_with_and_without_a_prompt_of_their_own(record: dict[str, Any]) -> None:
    columns = {"chosen": "chosen", "rejected": "rejected"} | ({"prompt": "prompt"} if "prompt" in record else {})
    row = made(other("preference", columns), record).rows[0]
    assert (row.prompt, row.answer, row.rejected) == ([Message("user", "Hi")], "Hello", "What?")


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({"chosen": "a", "rejected": "b"}, "there is no prompt, and the two answers do not begin with the same one"),
        ({"prompt": "p", "chosen": "a", "rejected": "a"}, "both answers are the same"),
        ({"prompt": "p", "chosen": "", "rejected": "a"}, "the chosen answer is empty"),
        ({"chosen": [USER, BOT], "rejected": [BOT, BOT]}, "the two chats part before their last turn"),
        ({"chosen": [USER, BOT], "rejected": "no"}, "one answer is a chat and the other can't be read as one"),
    ],
)
def test_pairs_that_teach_nothing_are_set_aside_with_the_reason(record: dict[str, Any], why: str) -> None:
    columns = {"chosen": "chosen", "rejected": "rejected"} | ({"prompt": "prompt"} if "prompt" in record else {})
    assert made(other("preference", columns), record).aside[0][1] == why


def test_only_answers_rated_good_are_trained_on() -> None:
    prepare = other("rated", {"prompt": "p", "completion": "c", "rating": "r"})
    rows = [{"p": "x", "c": "y", "r": rating} for rating in ("true", "false", "perhaps", "")]
    found = made(prepare, *rows)
    assert len(found.rows) == 1
    assert [why for _, why in found.aside] == [
        "it was rated bad",
        "its rating 'perhaps' says neither good nor bad",
        "it has no rating",
    ]
    (by_mail,) = made(prepare, {"p": "x", "c": "y", "r": "ask jo@example.org"}).aside
    assert by_mail[1] == "its rating 'ask [EMAIL]' says neither good nor bad", "no reason shows personal data"
    stars = other("rated", {"prompt": "p", "completion": "c", "rating": "r"}, good_from=4)
    assert made(stars, *({"p": "x", "c": "y", "r": str(n)} for n in range(6))).used == 2


def test_slices_go_with_their_row() -> None:
    found = made(table(slices=["department"]), ALICE, ALICE | {"department": ""})
    assert [row.slices for row in found.rows] == [{"department": "Design"}] * 2 + [{"department": "(none)"}]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "from", "value", "tool_calls", "text"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(ANY, ANY, ANY)
def test_whatever_stands_in_a_file_makes_a_row_or_a_reason(first: Any, second: Any, third: Any) -> None:
    record = {"a": first, "b": second, "c": third}
    for shape, columns in (
        ("chat", {"messages": "a", "system": "b", "tools": "c"}),
        ("preference", {"chosen": "a", "rejected": "b", "prompt": "c"}),
        ("preference", {"chosen": "a", "rejected": "b"}),
        ("rated", {"prompt": "a", "completion": "b", "rating": "c"}),
        ("classification", {"text": "a", "label": "b"}),
        ("text", {"text": "a"}),
        ("question-answer", {"question": "a", "answer": "b", "context": "c"}),
    ):
        found = made(other(shape, columns), record)
        assert len(found.rows) + len(found.aside) == 1
        assert all(row.answer for row in found.rows) and all(why for _, why in found.aside)
