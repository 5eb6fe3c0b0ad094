"""What is recommended mends what was found: looked at again, nothing is left to mend."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.core.prepare.look.tables import look, pairs, people, records_of
from tunesmith.core.facts import DataFinding, Shape
from tunesmith.core.plan import Repair
from tunesmith.core.prepare.repair.apply import apply


def mended(rows: list[dict[str, Any]], found: list[DataFinding], used: list[str]) -> list[dict[str, Any]]:
    recipe = [Repair.model_validate(finding.repair) for finding in found if finding.repair]
    answers = [name for name in used if name == "answer"]
    done = apply(records_of(rows), recipe, used=used, prompts=used[:1] if answers else (), answers=answers)
    return [dict(record.values) for record in done.view.records()]


def test_a_table_with_a_fault_of_each_kind() -> None:
    rows = people(300, note=lambda n: f"Note number {n}", pay=lambda n: f"{n + 5000}")
    rows[3] |= {"city": "oslo ", "note": "cafÃ© number 3"}
    rows[4] |= {"note": "a <b>bold</b> note", "salary": "-5"}
    rows[5] |= {"note": "zero\u200bwidth  and spaces", "hired": "25 March 2019"}
    rows[6] |= {"pay": "$5,006.00", "hired": "03/11/2019"}
    rows[7] |= {"city": "n/a"}
    rows[8] |= {"note": ""}
    rows[9] |= {"name": "asdf"}
    rows += [rows[20], {name: name for name in rows[0]}]
    found = look(rows)
    assert {finding.kind for finding in found if finding.recommended} == {
        "encoding", "markup", "untidy", "labels", "number-form", "repeated-header", "placeholder", "disguised-empty",
        "date-form", "empty", "out-of-range", "duplicate",
    }  # fmt: skip
    after = mended(rows, found, list(rows[0]))
    assert [finding.kind for finding in look(after) if finding.recommended] == []
    assert len(after) == 302 - len({4, 6, 7, 8, 9}) - 2


def test_questions_with_faults() -> None:
    rows = pairs(200)
    rows[3]["answer"] = "."
    rows[4]["answer"] = ""
    rows[5]["answer"] = "Fish &amp; chips were sold near the old bridge."
    rows[6]["answer"] = "TODO"
    rows.append(rows[10])
    found = look(rows, "question-answer")
    after = mended(rows, found, ["question", "answer"])
    assert [finding.kind for finding in look(after, "question-answer") if finding.recommended] == []
    assert len(after) == 197
    assert after[3]["answer"] == "Fish & chips were sold near the old bridge."


signs = st.sampled_from("\x00\x1b\x7f\x85\xad\u200b\u200c\u200d\u200e\u2028\u202e\u2060\u2067\ufeff\ufff9\ufffa\ufffb")
blanks = st.sampled_from(" \t\n\r\u00a0\u2007\u202f\u3000")
untidy = st.lists(signs | blanks | st.sampled_from("abö1.,"), max_size=12).map("".join)


@given(st.lists(untidy, min_size=1, max_size=8))
def test_nothing_is_untidy_once_it_was_tidied(texts: list[str]) -> None:
    rows = [{"text": f"Text {n} {text} end"} for n, text in enumerate(texts)]
    chats = [{"messages": [{"role": "user", "content": row["text"]}]} for row in rows]
    tidy = Repair(kind="tidy-text")
    tables: list[tuple[list[dict[str, Any]], Shape]] = [(rows, "text"), (chats, "chat")]
    for table, shape in tables:
        done = apply(records_of(table), [tidy], used=tuple(table[0]))
        after = [dict(record.values) for record in done.view.records()]
        assert look(after, shape, "untidy") == []
