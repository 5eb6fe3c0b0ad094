"""Whatever a finding quotes has its personal data masked, also where only a part of a text is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.core.prepare.look.tables import look, pairs, people
from tunesmith.core.facts import DataFinding, Shape
from tunesmith.core.prepare.look.near import NearDuplicates
from tunesmith.core.prepare.personal import told
from tunesmith.core.prepare.profile import profile
from tunesmith.core.prepare.records import Record, Records

MAIL = "maria.lopez@example-corp.com"
PHONE = "+49 30 901820"
CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"
PARTS = ("maria", "lopez", "example-corp", "901820", "4111", "1111", "3704", "0532")

Rows = list[dict[str, Any]]


def _pairs(*more: tuple[str, str]) -> Rows:
    return [*pairs(), *({"question": question, "answer": answer} for question, answer in more)]


def _labels(rare: str, usual: str) -> Rows:
    return [{"text": f"text of number {n} is this", "label": rare if n < 2 else usual} for n in range(200)]


CASES: dict[str, tuple[str, Shape, Rows]] = {
    "contradiction": (
        "contradiction",
        "question-answer",
        _pairs(
            ("Whom to pay?", f"The card to be charged is {CARD} ok"), ("Whom to pay?", f"It is account {IBAN}, yes")
        ),
    ),
    "boilerplate": (
        "repeated-answer",
        "question-answer",
        _pairs(*((f"How to ask support {n * 7919}?", f"Write to {MAIL} or call {PHONE} now") for n in range(30))),
    ),
    "markup": ("markup", "question-answer", _pairs(("Who is it, then?", f"It is <br>{MAIL}<br>, {CARD} it is"))),
    "markup behind": (
        "markup",
        "question-answer",
        _pairs(("Who?", f"{'word ' * 20}{MAIL} {PHONE}<br>{CARD} {'x ' * 60}")),
    ),
    "untidy": ("untidy", "question-answer", _pairs(("Who is that?", f"{'word ' * 20}{MAIL}   {CARD} {'x ' * 60}"))),
    "lost": ("lost-characters", "question-answer", _pairs(("Who?", f"{'word ' * 20}{MAIL}\ufffd {PHONE} {'x ' * 60}"))),
    "encoding": ("encoding", "question-answer", _pairs(("Who?", f"{'word ' * 20}{MAIL} fÃ¼r {PHONE} {'x ' * 60}"))),
    "outliers": ("out-of-range", "table", people(salary=lambda n: PHONE if n == 7 else str(40_000 + 350 * n))),
    "repeated": ("repeated", "table", [*people(name=lambda n: MAIL if n < 2 else f"Person {n}")]),
    "labels": ("labels", "classification", _labels(MAIL.upper(), MAIL)),
    "balance": ("balance", "classification", _labels(MAIL, PHONE)),
}


def _said(finding: DataFinding) -> str:
    return " ".join([finding.text, finding.effect, *finding.examples, *(label for label, _ in finding.picture)])


@pytest.mark.parametrize("case", CASES)
def test_no_finding_shows_personal_data(case: str) -> None:
    kind, shape, rows = CASES[case]
    found = look(rows, shape, kind)
    assert found, "the fault is found at all"
    for finding in found:
        said = _said(finding).lower()
        assert not [part for part in PARTS if part in said], said
        assert "[" in said


def test_the_examples_of_near_duplicates_show_none() -> None:
    text = f"Where is the office of the person at {MAIL} in the large building on the main street"
    read = Records(
        "a.csv",
        Path("a.csv"),
        "csv",
        "sha256:0",
        ("question", "first_name"),
        [Record(n, n + 1, {"question": text + " now" * n, "first_name": "Ada"}) for n in (1, 2)],
    )
    check = NearDuplicates(("question", "first_name"), read, threshold=0.5)
    for batch in read.batches():
        check.see(batch)
    (example,) = check.findings()[0].examples
    assert "[EMAIL]" in example and "lopez" not in example and "Ada" not in example


def test_names_of_people_are_shown_in_no_example() -> None:
    (found,) = look(people(name=lambda n: "Ada Lovelace" if n < 2 else f"Person {n}"), kind="repeated")
    assert "Ada" not in _said(found) and "e.g. [NAME]" in found.text


def test_a_bare_name_beside_nothing_of_people_is_shown() -> None:
    rows = [{"name": "Bolt" if n < 2 else f"Part {n}", "price": str(n + 5)} for n in range(60)]
    (found,) = look(rows, kind="repeated")
    assert "e.g. Bolt" in found.text


def test_what_is_cut_is_masked_before() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + ("QUJD" * 16 + "\n") * 200
    assert told(f"my key is {key}", 60) == "my key is [SECRET]…"
    assert told("x" * 30 + f" phone: {PHONE}", 42) == "x" * 30 + " phone: [PH…"
    long = "word " * 2000 + MAIL + " and more " + "word " * 2000
    assert told(long, 60, at=long.index("lopez")).startswith("…[EMAIL] and more word")
    assert told(long[: 10_000 + 10], 20_000).count("maria") == 0, "nothing that was cut in two is shown"
    assert told("\x1b[31mred", 60).isprintable()


def test_what_is_kept_of_a_file_holds_no_personal_data_but_its_labels(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    lines = [f"is number {n} of the orders on its way?,jo{n % 2}@example.org,{MAIL},Ada" for n in range(40)]
    path.write_text("\n".join(["text,label,owner,first_name", *lines]))
    data = profile(str(path), near=False)
    told = {column.name: (column.examples, [value for value, _ in column.values]) for column in data.columns}
    assert data.roles["label"] == "label" and sorted(told["label"][1]) == ["jo0@example.org", "jo1@example.org"]
    assert told["label"][0] == ("[EMAIL]",) and told["owner"] == (("[EMAIL]",), ["[EMAIL]"])
    assert told["first_name"] == (("[NAME]",), ["[NAME]"])
