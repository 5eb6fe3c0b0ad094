"""The data card tells what is known, says plainly what is not, and nothing from the data is markup in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.facts import Column, DataFinding, DataProfile, Lengths, TokenProfile
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare.account import Account, StepCount
from tunesmith.core.prepare.card import card, prose
from tunesmith.core.proof import Proof

HOSTILE = "a|b `x` <img src=x onerror=alert(1)> [click](http://evil.example) ![p](x) \x1b[31m\n# Big\n| c | d |"
AT = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)


def account(**changes: Any) -> Account:
    made = Account(
        source="/data/people.csv",
        files=["/data/people.csv"],
        fingerprint="sha256:abc",
        format="csv",
        read=98,
        rejected=2,
        steps=[StepCount("drop-duplicates", "", 98, 95, 0, "3 rows stood twice.")],
        used=95,
        aside=3,
        parts={"train": 80, "validation": 5, "test": 10},
        fingerprints={"train": "sha256:t", "validation": "sha256:v", "test": "sha256:e"},
        slices={"department": {"Sales": 60, "Legal": 35}},
    )
    return msgspec.structs.replace(made, **changes)


def plan(repairs: list[dict[str, Any]] | None = None, **changes: Any) -> Prepare:
    tree: dict[str, Any] = {
        "data": "/data/people.csv",
        "shape": "question-answer",
        "columns": {"question": "q", "answer": "a"},
        "repairs": repairs or [],
        "split": {"validation": 0.05, "test": 0.1, "seed": 7},
    }
    return Prepare.model_validate(tree | changes)


def profile(*findings: DataFinding) -> DataProfile:
    return DataProfile(
        source="/data/people.csv",
        fingerprint="sha256:abc",
        format="csv",
        rows=98,
        columns=(Column("q", "text", 98, 98),),
        shape="question-answer",
        shape_because="",
        roles={"question": "q", "answer": "a"},
        findings=findings,
    )


def personal(kind: str, column: str = "q") -> DataFinding:
    offered = tuple({"kind": of, "column": column, "names": [kind]} for of in ("mask-personal", "drop-personal"))
    return DataFinding(f"personal-{kind}", column, 4, f"It holds {kind}.", share=0.04, repairs=offered)


def proof() -> Proof:
    lengths = Lengths(p50=10, p95=20, p99=30, longest=1400, mean=11.0)
    return Proof(
        profile=TokenProfile(95, lengths, lengths, lengths, 0.1),
        max_length=512,
        exact=True,
        cut=2,
        lost=0,
        lost_ids=(),
        lost_need=0,
        tokens=9000,
        trained=1000,
        trained_least=1,
        trained_median=9.0,
        marked=0,
        marked_ids=(),
        ends={"<e>": 93},
        end_mark="<e>",
        pad_mark="<p>",
        pad_is_end=False,
    )


def test_all_that_is_known_is_told() -> None:
    text = card(account(), plan(source="The HR office", licence="CC BY 4.0"), profile(), proof(), AT)
    for told in (
        "- Source: The HR office",
        "- Licence: CC BY 4.0",
        "2026-11-27 20:00 UTC",
        "`sha256:abc`",
        "100 rows stood in the data: 2 could not be read, 3 were set aside, 95 are used.",
        "| `drop-duplicates` | whole row | 98 | 95 | 0 | 3 rows stood twice. |",
        "| `train` | 80 | `sha256:t` |",
        "| `test` | 10 | `sha256:e` |",
        "`Sales` 60, `Legal` 35",
        "| whole row | 10 | 20 | 30 | 1,400 |",
        "1,000 of 9,000 tokens are trained",
        "2 rows cut at 512 tokens, 0 without any answer left.",
        "seed 7",
    ):
        assert told in text, told


def test_what_is_not_known_is_said_plainly() -> None:
    text = card(account(fingerprints={}), plan(), None, None, AT)
    for told in (
        "Licence: **not given.**",
        "Source: not given.",
        "The data was not looked at.",
        "Nobody looked for personal data.",
        "not taken",
        "not counted in a model's tokens",
    ):
        assert told in text, told
    assert "has changed" not in text


def test_data_that_changed_since_the_plan_was_made_is_told() -> None:
    assert "**The data has changed**" in card(account(), plan(fingerprint="sha256:old"), None, None, AT)


def test_each_finding_stands_with_what_was_decided() -> None:
    repair = {"kind": "dates-to-iso", "column": "hired"}
    mended = DataFinding("dates", "hired", 9, "9 dates are mixed.", share=0.1, repairs=(repair,))
    left = DataFinding("empty", "q", 2, "2 are empty.", repairs=({"kind": "drop-empty", "column": "q"},))
    known = DataFinding("languages", "q", 5, "5 are German.", severity="note")
    text = card(account(), plan([repair]), profile(mended, left, known), None, AT)
    assert "| 9 dates are mixed. | `hired` | 9 (10.0 %) | warning | mended: `dates-to-iso` |" in text
    assert "| 2 are empty. | `q` | 2 | warning | **left as it is** |" in text
    assert "| 5 are German. | `q` | 5 | note | nothing to mend: to be known |" in text


def test_how_a_finding_was_mended_stands_with_its_values() -> None:
    repair = {"kind": "unify-labels", "column": "q", "values": {"yes|": "Yes"}}
    finding = DataFinding("labels", "q", 9, "x", repairs=(repair,))
    text = card(account(), plan([repair]), profile(finding), None, AT)
    assert "mended: `unify-labels` (values `yes\\| → Yes`)" in text


def test_values_of_repairs_and_slices_show_no_personal_data() -> None:
    repairs = [
        {"kind": "drop-values", "column": "q", "names": ["jo@example.org", "x"]},
        {"kind": "drop-repeated-answers", "column": "q", "names": ["Ask Maria Lopez of the second floor."]},
        {"kind": "fill-empty", "column": "q", "value": "jo@example.org"},
        {"kind": "unify-labels", "column": "q", "values": {"Jo@example.org": "jo@example.org"}},
        {"kind": "drop-values", "column": "hired", "names": ["1900-01-01", "n/a"]},
    ]
    findings = [DataFinding("labels", one["column"], 9, "x", repairs=(one,)) for one in repairs]
    slices = {"desk": {"jo@example.org": 3, "sales": 2}}
    text = card(account(slices=slices), plan(repairs), profile(*findings), None, AT)
    assert "example.org" not in text and "Lopez" not in text and "`sales` 2" in text
    assert "names `one of 2 texts`" in text and "names `a text of 36 characters`" in text
    assert "names `1900-01-01 or n/a`" in text


def test_privacy_names_each_kind_with_its_decision_and_both_laws() -> None:
    repairs = [
        {"kind": "mask-personal", "column": "q", "names": ["email"]},
        {"kind": "drop-personal", "column": "q", "names": ["iban"]},
    ]
    found = profile(*map(personal, ("email", "phone", "iban", "secret")), personal("email", "other"))
    text = card(account(), plan(repairs), found, None, AT)
    assert "| e-mail addresses | `q` | 4 | masked |" in text
    assert "| e-mail addresses | `other` | 4 | **kept** |" in text  # masked in one column is not masked in all
    assert "| bank accounts | `q` | 4 | rows that hold it were dropped |" in text
    assert "| phone numbers | `q` | 4 | **kept** |" in text
    assert "IP addresses" not in text
    assert "Kept in the rows: e-mail addresses, phone numbers, keys and passwords." in text
    assert "GDPR (Regulation (EU) 2016/679" in text and "identifiers of kind (D), (F) are left" in text
    assert "| It holds phone. | `q` | 4 (4.0 %) | warning | **left as it is** |" in text


def test_a_repair_without_names_or_column_takes_all() -> None:
    found = profile(personal("email"), personal("phone", "other"))
    text = card(account(), plan([{"kind": "mask-personal"}]), found, None, AT)
    assert "**kept**" not in text and text.count("| masked |") == 2 and text.count("mended: `mask-personal`") == 2


def test_what_is_masked_without_having_been_found_is_told() -> None:
    repairs = [{"kind": "mask-personal", "column": "q", "names": ["ip"]}]
    assert "Also masked wherever they stand in `q`: IP addresses." in card(account(), plan(repairs), None, None, AT)


def test_masked_data_is_not_called_anonymous() -> None:
    repairs = [{"kind": "mask-personal", "column": "q", "names": ["email"]}]
    text = card(account(), plan(repairs), profile(personal("email")), None, AT)
    assert "Kept in the rows" not in text
    assert "neither anonymous under the GDPR nor de-identified under HIPAA" in text


def test_no_personal_data_says_what_was_looked_for() -> None:
    text = card(account(), plan(), profile(), None, AT)
    assert "None was found. Looked for: e-mail addresses, phone numbers" in text


def test_personal_data_beside_what_is_trained_on_is_told() -> None:
    beside = "customer holds e-mail addresses; in the rows a code of 12 characters stands for each value."
    text = card(account(beside=[beside]), plan(), profile(), None, AT)
    assert "In the columns that are trained on none was found." in text and "None was found" not in text
    assert f"Not trained on: {beside}" in text


@pytest.mark.parametrize(
    ("split", "told"),
    [
        ({}, "Divided row by row"),
        ({"by": "name"}, "by `name`, none of whose values is in two parts"),
        ({"time": "hired"}, "by time, the newest by `hired`"),
        ({"stratify": "label", "overlap": "keep"}, "shares of `label` in each; seed 7; rows in two parts are kept"),
        ({"test_file": "t.csv"}, "test from its own file `t.csv`"),
    ],
)
def test_the_way_of_dividing_is_told(split: dict[str, Any], told: str) -> None:
    made = plan(split={"validation": 0.05, "test": 0.1, "seed": 7} | split)
    assert told in card(account(), made, None, None, AT)


def hostile_card() -> str:
    repair = {"kind": "unify-labels", "column": HOSTILE, "values": {HOSTILE: HOSTILE}}
    finding = DataFinding("labels", HOSTILE, 9, HOSTILE, repairs=(repair,))
    made = account(
        source=HOSTILE,
        files=[HOSTILE, HOSTILE],
        fingerprint=HOSTILE,
        steps=[StepCount("make-rows", HOSTILE, 1, 1, 0, HOSTILE)],
        slices={HOSTILE: {HOSTILE: 3}},
    )
    of = plan([repair], source=HOSTILE, licence=HOSTILE, split={"validation": 0, "test": 1, "seed": 1, "by": HOSTILE})
    return card(made, of, profile(finding), None, AT)


def test_text_from_the_data_can_neither_break_a_table_nor_make_a_heading() -> None:
    text = hostile_card()
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in card(account(), plan(), profile(personal("email")), None, AT).splitlines() if line[:1] == "#"
    ]
    for line in text.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (4, 6, 7), line
    assert "\x1b" not in text


def test_text_from_the_data_is_no_html_link_or_picture_when_it_is_rendered() -> None:
    markdown = pytest.importorskip("markdown_it")
    rendered = markdown.MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(hostile_card())
    assert "<a " not in rendered and "<img" not in rendered
    assert rendered.count("<table>") == 3 and "&lt;img" in rendered


@given(st.text())
def test_prose_renders_as_the_text_that_it_was_given(text: str) -> None:
    told = prose(text)
    assert "\n" not in told and not re.search(r"<|(?<!\\)[|`*_\[\]]", told)
