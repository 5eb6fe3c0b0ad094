"""What is recommended mends what was found: looked at again, nothing is left to mend."""

from __future__ import annotations

from typing import Any

from tests.core.prepare.look.tables import look, pairs, people, records_of
from tunesmith.core.facts import DataFinding
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
