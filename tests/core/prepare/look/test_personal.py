"""Findings of personal data: counted by column and kind, never shown, and recommended where masking helps."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.facts import DataFinding
from tunesmith.core.plan import Repair
from tunesmith.core.prepare.look import personal
from tunesmith.core.prepare.look.personal import PersonalData
from tunesmith.core.prepare.look.turns import answered_in
from tunesmith.core.prepare.personal import found, suspects
from tunesmith.core.prepare.records import Batch

GITHUB = "ghp_" + "a1B2" * 9


def look(
    columns: dict[str, list[str]], beside: tuple[str, ...] = (), size: int = 7, answers: tuple[str, ...] = ()
) -> list[DataFinding]:
    check = PersonalData(tuple(columns), beside, answers=answers)
    rows = len(next(iter(columns.values())))
    for start in range(0, rows, size):
        stop = min(start + size, rows)
        numbers = range(start + 1, stop + 1)
        page = Batch(
            numbers, [number + 1 for number in numbers], {n: cells[start:stop] for n, cells in columns.items()}
        )
        check.see(page)
    return check.findings()


def test_personal_data_in_free_text_is_counted_masked_and_recommended_to_be_masked() -> None:
    notes = ["nothing here"] * 20
    notes[3] = "please write to jane.doe@example.com about it"
    notes[12] = "call +49 30 901820 or mail john@example.com, twice john@example.com"
    mail, phone = look({"notes": notes})
    assert (mail.kind, mail.column, mail.count, mail.share) == ("personal-email", "notes", 2, 0.1)
    assert mail.text == "notes holds e-mail addresses in 2 rows."
    assert mail.examples == (
        "line 5: please write to [EMAIL] about it",
        "line 14: call [PHONE] or mail [EMAIL], twice [EMAIL]",
    )
    assert all("example.com" not in example and "901820" not in example for example in mail.examples + phone.examples)
    assert mail.repair == {"kind": "mask-personal", "column": "notes", "names": ["email"]}
    assert [repair["kind"] for repair in mail.repairs] == ["mask-personal", "drop-personal"]
    assert "GDPR" in mail.effect and "HIPAA" in mail.effect
    assert (phone.kind, phone.count, phone.severity) == ("personal-phone", 1, "warning")
    assert phone.text == "notes holds a phone number in 1 row."
    assert all(Repair.model_validate(repair) for one in (mail, phone) for repair in one.repairs)


def test_where_a_column_is_about_it_nothing_is_recommended() -> None:
    contacts = [f"user{n}@example.com" if n % 2 else "+49 30 901820" for n in range(10)] + [""] * 30
    for finding in look({"contact": contacts}):
        assert finding.repair is None and finding.repairs and finding.severity in ("warning", "note")
        assert finding.text.endswith("it is what the column is about, and masking would leave nothing of it.")


def test_secrets_come_first_are_serious_and_always_to_be_masked() -> None:
    first, second = look({"text": ["a@b.com"] + ["x"] * 9, "key": [GITHUB] * 10})
    assert (first.kind, first.severity, first.count) == ("personal-secret", "serious", 10)
    assert first.repair == {"kind": "mask-personal", "column": "key", "names": ["secret"]}
    assert GITHUB not in " ".join(first.examples)
    assert second.kind == "personal-email"


@pytest.mark.parametrize(
    ("column", "beside", "found"),
    [
        ("first_name", (), True),
        ("Customer Name", (), True),
        ("name", ("name", "salary"), True),
        ("name", ("name", "price"), False),
        ("product_name", ("salary",), False),
    ],
)
def test_names_are_told_by_the_header_and_what_stands_beside_it(
    column: str, beside: tuple[str, ...], found: bool
) -> None:
    findings = look({column: ["Ada Lovelace", "", "Alan Turing"]}, beside)
    assert [finding.kind for finding in findings] == ["personal-name"] * found
    if found:
        assert findings[0].count == 2 and findings[0].repair is None and not findings[0].examples
        assert "inside other texts they are not looked for" in findings[0].text


def test_of_a_long_column_of_them_the_rest_is_estimated_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal, "SURE", 100)
    contacts = [f"user{n}@example.com" for n in range(2000)]
    (finding,) = look({"contact": contacts}, size=160)
    assert finding.count == 2000 and "in about 2,000 rows" in finding.text
    notes = ["a@b.com" if n % 4 == 0 else "none" for n in range(2000)]
    (finding,) = look({"notes": notes}, size=160)
    assert finding.count == 500 and "about" not in finding.text, "free text is counted to its end"


def test_clean_data_gives_no_finding() -> None:
    columns = {
        "id": [str(1000 + n) for n in range(50)],
        "date": [f"2020-04-{n % 28 + 1:02}" for n in range(50)],
        "text": ["on 10/04/2020 it cost 1,234,567.89"] * 50,
        "empty": [""] * 50,
    }
    assert look(columns) == []


def test_the_place_of_an_example_can_be_told_by_who_knows_the_files() -> None:
    check = PersonalData(["a"], place=lambda position: f"b.csv, line {position}")
    for start in (0, 2):
        check.see(Batch([1, 2], [1, 2], {"a": ["x", "a@b.com" if start else "y"]}))
    assert check.findings()[0].examples == ("b.csv, line 3: [EMAIL]",)


def test_what_surrounds_an_example_is_harmless() -> None:
    (finding,) = look({"a": ["\x1b[31m\u202e a@b.com \n\0[bold]"] + ["x"] * 5})
    assert finding.examples[0].isprintable()


cells = st.lists(
    st.lists(
        st.sampled_from(["a@b.com", "+49 30 901820", "8.8.8.8", GITHUB, "DE89370400440532013000", "AB 12 34 56 C"])
        | st.sampled_from(
            ["RSSMRA85T10A562S", "https://u:hunter22@h.com", "xoxb-1-a", "word", "\n", " ", "2001:4860::1"]
        )
        | st.text(max_size=4),
        max_size=5,
    ).map("".join),
    max_size=8,
)


@given(cells)
def test_every_cell_with_something_in_it_is_suspected(cells: list[str]) -> None:
    suspected = suspects(cells)
    assert suspected == sorted(set(suspected)) and set(suspected) <= set(range(len(cells)))
    assert {index for index, cell in enumerate(cells) if found(cell)} <= set(suspected)


MAIL = "maria@example.com"


def _answered(rows: int, answer: str, often: int) -> dict[str, list[str]]:
    """Questions over a context with an address in it, of which some are answered by `answer`."""
    return {
        "question": [f"Whom does one write to about number {n}?" for n in range(rows)],
        "context": [f"The desk of number {n} is reached by {MAIL} on all days but Sundays." for n in range(rows)],
        "answer": [answer if n < often else f"The desk of number {n} knows." for n in range(rows)],
    }


def _advised(columns: dict[str, list[str]], answers: tuple[str, ...] = ("answer",)) -> dict[str, tuple[str, str]]:
    """By column what is recommended for e-mail addresses, and the sentence."""
    found = look(columns, answers=answers)
    return {
        one.column: (one.repair["kind"] if one.repair else "", one.text)
        for one in found
        if one.kind == "personal-email"
    }


def test_a_text_with_an_address_in_it_is_not_about_the_address() -> None:
    mails = [f"Dear all, number {n} will be late, please write to {MAIL} about it." for n in range(40)]
    (finding,) = look({"mail": mails})
    assert finding.count == 40 and finding.repair == {"kind": "mask-personal", "column": "mail", "names": ["email"]}
    assert finding.text == "mail holds e-mail addresses in 40 rows."


def test_a_kind_is_masked_in_all_columns_that_hold_it() -> None:
    columns = _answered(40, f"Write to {MAIL}, they will know.", 3)
    columns["question"] = [f"{n}@example.com" for n in range(40)]
    advised = _advised(columns)
    assert {column: kind for column, (kind, _) in advised.items()} == dict.fromkeys(columns, "mask-personal")
    assert _advised(columns, answers=())["question"][0] == "", "where nothing answers to it, it stays what it is about"


def test_answers_that_are_nothing_else_are_kept_and_so_is_what_they_are_taken_from() -> None:
    advised = _advised(_answered(40, MAIL, 30))
    assert [kind for kind, _ in advised.values()] == ["", ""]
    assert advised["answer"][1].endswith("it is all that most of these answers say, and masked they would say nothing.")
    assert advised["context"][1].endswith("as the answers in answer consist of them, they are masked in neither.")


def test_a_few_answers_that_are_nothing_else_are_left_out_and_the_rest_is_masked() -> None:
    advised = _advised(_answered(60, MAIL, 2))
    assert advised["answer"][0] == "drop-personal" and advised["context"][0] == "mask-personal"
    assert advised["answer"][1].endswith("and a placeholder would be learned in its place.")


HOTLINE = "0800 555 0199"


def test_a_number_that_the_answers_give_out_again_and_again_is_left() -> None:
    columns = {
        "question": [f"Who helps with number {n}?" for n in range(40)],
        "answer": [f"Call {HOTLINE} between 9 and 5, it is about number {n}." if n < 17 else "Us." for n in range(40)],
    }
    (found,) = look(columns, answers=("answer",))
    assert found.kind == "personal-phone" and found.repair is None and found.repairs
    assert found.text.endswith(
        "in 17 rows: the same in all of them, as part of the answers; perhaps it is your own and given out on purpose."
    )
    columns["question"][3] = "I am at +49 30 901820, please call."
    asked, answered = look(columns, answers=("answer",))
    assert asked.column == "question" and asked.repair is not None and answered.repair is None


def test_numbers_that_differ_and_those_of_questions_are_masked() -> None:
    differ = [f"Call +49 30 9018{n:02d} between 9 and 5." for n in range(20)]
    (found,) = look({"question": ["Who?"] * 20, "answer": differ}, answers=("answer",))
    assert found.repair is not None and found.repair["kind"] == "mask-personal"
    (found,) = look({"text": [f"Call {HOTLINE} between 9 and 5, number {n}." for n in range(20)]})
    assert found.repair is not None, "a text that answers nothing may be anybody's"


def _chats(*turns: tuple[str, str]) -> list[str]:
    return [json.dumps([{"role": role, "content": f"{text} ({n})"} for role, text in turns]) for n in range(20)]


def test_of_a_chat_what_the_assistant_says_is_an_answer() -> None:
    given = _chats(("user", "Can I call?"), ("assistant", f"Yes, call {HOTLINE}."))
    asked = _chats(("user", f"I am at {HOTLINE}."), ("assistant", "Thank you, we will call."))
    for cells, left in ((given, True), (asked, False)):
        check = PersonalData(("chat",), answer_in={"chat": answered_in})
        check.see(Batch(range(20), range(20), {"chat": cells}))
        (found,) = check.findings()
        assert (found.repair is None) == left
