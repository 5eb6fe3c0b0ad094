"""All checks together: the order of what they find, the practice table, checks from elsewhere, and the way out."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.core.prepare.look.tables import look, people, records_of, seen_in
from tunesmith.core.facts import DataFinding
from tunesmith.core.meter import Cancelled
from tunesmith.core.plan import Repair
from tunesmith.core.practice.employees import FLAWS
from tunesmith.core.prepare.look import Page, find
from tunesmith.core.prepare.profile import profile


def test_repairs_come_in_the_order_in_which_they_must_run() -> None:
    rows = people(200, note=lambda n: f"Note <b>{n}</b>" if n == 5 else f"Cafe number {n}")
    rows[7] |= {"city": "rome", "salary": "8900000"}
    rows[9] |= {"note": "cafÃ© number 9", "hired": "03/11/2019"}
    rows[12]["note"] = "zero\u200bwidth"
    rows += [rows[20], {**rows[21], "city": "Lima"}]
    found = look(rows)
    kinds = [finding.kind for finding in found]
    assert kinds == ["encoding", "markup", "untidy", "labels", "date-form", "out-of-range", "duplicate", "repeated"]


def test_the_practice_table_shows_its_planted_flaws_and_nothing_else() -> None:
    found = [one for one in profile("practice").findings if one.kind != "personal-name"]
    assert all(finding.recommended for finding in found)
    counts = Counter[str]()
    for finding in found:
        counts[str(finding.repairs[0]["kind"])] += finding.count
    assert counts == {
        "drop-duplicates": FLAWS["exact duplicate row"],
        "drop-empty": FLAWS["missing cell"],
        "dates-to-iso": FLAWS["date in another format"],
        "drop-out-of-range": FLAWS["salary out of range"],
    }
    salary = next(finding for finding in found if finding.kind == "out-of-range")
    assert salary.text.startswith("salary: 3 values of 409 lie outside 17,000 to 480,000, unlike the others: ")
    assert salary.repair == {"kind": "drop-out-of-range", "column": "salary", "low": 17_000.0, "high": 480_000.0}
    for finding in found:
        assert Repair.model_validate(finding.repair)


class Odd:
    """A check made elsewhere: counts rows whose number ends in 7."""

    def __init__(self) -> None:
        self.count = 0

    def see(self, page: Page) -> None:
        self.count += sum(number % 10 == 7 for number in page.numbers)

    def findings(self) -> list[DataFinding]:
        return [DataFinding("near-duplicate", "", self.count, "x", repairs=({"kind": "drop-near-duplicates"},))]


def test_a_check_made_elsewhere_is_fed_and_its_findings_are_sorted_in() -> None:
    records = records_of(people(20_000))
    found = find(records, seen_in(records, "table", {"entity": "name"}), more=[lambda meter: Odd()])
    assert [(finding.kind, finding.count) for finding in found] == [("near-duplicate", 2000)]


def test_the_meter_is_told_of_all_rows_and_may_end_it() -> None:
    records = records_of(people(20_000))
    seen = seen_in(records, "table", {"entity": "name"})
    told: list[int] = []
    find(records, seen, lambda doing, done, of: told.append(done))
    assert told[0] < told[1] < told[2] == 20_000 == told[-1]

    def no(doing: str, done: int, of: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        find(records, seen, no)


def test_personal_data_is_masked_in_what_is_shown() -> None:
    rows = people(100, note=lambda n: f"<b>Write to jane.roe{n}@example.org</b>" if n < 3 else f"Note {n}")
    found = next(finding for finding in look(rows) if finding.kind == "markup")
    assert found.examples[0] == "line 2: <b>Write to [EMAIL]</b>"
    assert "jane" not in found.text
