"""What each repair does, in plain words."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, get_args

import pytest

from tunesmith.core.plan import RepairKind
from tunesmith.core.prepare.repair.words import listed, span, told, veiled

TOLD: list[tuple[dict[str, Any], str]] = [
    ({"kind": "drop-duplicates"}, "of equal rows only the first is kept"),
    ({"kind": "drop-duplicates", "column": "q"}, "of rows with the same q only the first is kept"),
    (
        {"kind": "drop-near-duplicates", "threshold": 0.8},
        "of rows that are nearly the same only the first is kept (likeness 0.8 or more)",
    ),
    ({"kind": "drop-empty", "column": "answer"}, "rows without a value in answer are left out"),
    ({"kind": "drop-empty"}, "empty rows are left out"),
    ({"kind": "fill-empty", "column": "a", "value": "none"}, "none is written where a is empty"),
    ({"kind": "drop-values", "column": "a", "names": ["x", "y"]}, "rows whose a is x or y are left out"),
    (
        {"kind": "dates-to-iso", "column": "d"},
        "dates in d become year-month-day; rows whose date is in doubt are left out",
    ),
    (
        {"kind": "plain-numbers", "column": "n"},
        "numbers in n become plain digits such as 1234.5; rows whose number is in doubt are left out",
    ),
    ({"kind": "drop-out-of-range", "column": "s", "low": 0.0}, "rows whose s is outside 0 and more are left out"),
    (
        {
            "kind": "unify-labels",
            "column": "l",
            "values": {"Eng": "Engineering", "eng": "Engineering", "E": "Engineering"},
        },
        "labels in l are written in one way: Eng becomes Engineering, eng becomes Engineering and 1 more",
    ),
    ({"kind": "unify-labels", "column": "l", "values": {"n/a": "", "-": ""}}, "n/a and - in l count as no value"),
    ({"kind": "fix-encoding"}, "wrongly read characters are put right (Ã© becomes é)"),
    ({"kind": "strip-html", "column": "t"}, "HTML in t is taken out, its text stays"),
    ({"kind": "tidy-text"}, "invisible characters and runs of spaces are taken out"),
    ({"kind": "drop-short", "low": 2}, "rows whose answer has fewer than 2 characters are left out"),
    ({"kind": "drop-long", "high": 1.0}, "rows whose answer has more than 1 character are left out"),
    (
        {"kind": "drop-contradictions", "keep": "most"},
        "where the same is asked and answered differently, only the most frequent answer is kept",
    ),
    ({"kind": "drop-repeated-answers", "names": ["No.", "?"]}, "rows whose answer is No. or ? are left out"),
    ({"kind": "keep-languages", "names": ["en", "de"]}, "rows in other languages than en and de are left out"),
    ({"kind": "mask-personal", "names": ["email"]}, "e-mail addresses become [EMAIL]"),
    ({"kind": "mask-personal"}, "personal data become placeholders such as [EMAIL]"),
    (
        {"kind": "drop-personal", "names": ["email", "iban"]},
        "rows with e-mail addresses and bank accounts are left out",
    ),
]


@pytest.mark.parametrize(("repair", "words"), TOLD, ids=lambda value: value["kind"] if isinstance(value, dict) else "")
def test_a_repair_is_told_in_plain_words(repair: dict[str, Any], words: str) -> None:
    assert told(repair) == words


def test_all_kinds_are_told_even_when_they_are_not_complete() -> None:
    assert {repair["kind"] for repair, _ in TOLD} == set(get_args(RepairKind))
    for kind in get_args(RepairKind):
        assert told({"kind": kind}).isprintable()


def test_what_comes_from_a_file_is_harmless_and_cut() -> None:
    words = told({"kind": "drop-values", "column": "\x1b[1m", "names": ["\u202e" + "x" * 500, "[red]"]})
    assert words.isprintable() and len(words) < 200


def test_values_that_may_tell_of_somebody_are_counted_and_not_printed() -> None:
    long = "Please write to our support desk."
    assert (
        told({"kind": "drop-repeated-answers", "names": [long, "No."]})
        == "rows whose answer is one of 2 texts are left out"
    )
    assert (
        told({"kind": "drop-values", "column": "a", "names": [long]})
        == "rows whose a is a text of 33 characters are left out"
    )
    for name in ("jo@example.org", "+49 30 901820", "4111 1111 1111 1111"):
        for repair in (
            {"kind": "drop-values", "column": "a", "names": [name, "x"]},
            {"kind": "fill-empty", "column": "a", "value": name},
            {"kind": "unify-labels", "column": "a", "values": {name: "x"}},
            {"kind": "unify-labels", "column": "a", "values": {"x": name}},
            {"kind": "unify-labels", "column": "a", "values": {name: ""}},
        ):
            assert name not in told(repair)
    plain = ["1900-01-01", "n/a", "1,234.50", "01/02/2020", "room 101"]
    assert [veiled(name) for name in plain] == plain


def test_lists_and_ranges() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert [span(1, 2000), span(None, 2.5), span(3, None)] == ["1 to 2,000", "up to 2.5", "3 and more"]
    assert [span(0, float("inf")), span(float("nan"), None)] == ["0 to inf", "nan and more"]


def test_the_words_load_nothing_heavy() -> None:
    heavy = {"pyarrow", "numpy", "lxml", "ftfy", "rensa", "fasttext", "pandas"}
    code = "import sys, tunesmith.core.prepare.repair.words, tunesmith.core.prepare.repair.needs\n"
    code += f"print({heavy!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
