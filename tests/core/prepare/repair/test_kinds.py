"""Each kind of repair: what it changes, what it sets aside and why, and what it leaves as it is."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.core.prepare.repair.kit import cells, column, mend, records, whys
from tunesmith.core.plan import Repair

# Drops


def test_duplicates_are_set_aside_and_the_first_is_kept() -> None:
    done = mend(column("a", "x", "y", "x"), Repair(kind="drop-duplicates"))
    assert cells(done, "a") == ["x", "y"]
    assert [(one.line, one.step, one.why) for one in done.aside()] == [(4, "drop-duplicates", "repeats line 2")]
    assert done.steps[0].text == "1 row set aside: repeats of an earlier row."


def test_duplicates_of_one_column_leave_rows_without_a_value() -> None:
    done = mend(column("a", "x", "", "x ", None), Repair(kind="drop-duplicates", column="a"))
    assert cells(done, "a") == ["x", "", None]
    assert whys(done) == ["repeats line 2 in a"]


def test_a_missing_key_and_an_empty_cell_are_the_same_and_other_columns_tell_rows_apart() -> None:
    rows = [{"a": 1, "b": None}, {"b": "", "a": 1}, {"a": 1}, {"a": 1, "b": "x"}, {"a": "", "b": "1"}]
    assert len(mend(records(rows), Repair(kind="drop-duplicates")).view) == 3


def test_rows_of_json_are_compared_by_what_they_hold() -> None:
    turns = [{"role": "user", "content": "Hi"}]
    done = mend(
        column("m", turns, [dict(turns[0])], [{"role": "user", "content": "Ho"}]), Repair(kind="drop-duplicates")
    )
    assert len(done.view) == 2


LONG = "the quick brown fox jumps over the lazy dog and runs away into the deep dark forest by the old mill"


def test_near_duplicates_are_set_aside_with_the_line_that_they_are_like() -> None:
    read = column("a", LONG, "something else", LONG.replace("quick", "slow") + "!", LONG.upper())
    done = mend(read, Repair(kind="drop-near-duplicates", threshold=0.7))
    assert cells(done, "a") == [LONG, "something else"]
    assert [one.line for one in done.aside()] == [4, 5]
    assert whys(done) == ["nearly the same as line 2, 85 % alike", "nearly the same as line 2, 100 % alike"]
    assert done.steps[0].text == "2 rows set aside: nearly the same as an earlier row."


def test_chats_are_nearly_the_same_by_what_is_said() -> None:
    chats = [[{"role": "user", "content": text}] for text in (LONG, LONG + " again", "short")]
    assert len(mend(column("m", *chats), Repair(kind="drop-near-duplicates")).view) == 2


def test_empty_rows_are_set_aside() -> None:
    done = mend(column("a", "x", " ", None, 0), Repair(kind="drop-empty", column="a"))
    assert cells(done, "a") == ["x", 0]
    assert done.steps[0].text == "2 rows set aside: a is empty."
    whole = mend(records([{"a": "x", "b": ""}, {"a": "", "b": None}]), Repair(kind="drop-empty"))
    assert cells(whole, "a") == ["x"] and whys(whole) == ["nothing in it"]


def test_empty_cells_are_filled() -> None:
    done = mend(records([{"a": ""}, {"a": "x"}, {}]), Repair(kind="fill-empty", column="a", value="none"))
    assert cells(done, "a") == ["none", "x", "none"]
    assert done.steps[0].text == "2 empty values in a filled."


def test_named_values_are_set_aside() -> None:
    done = mend(
        column("a", "test", " test", "Test", "n/a", ""), Repair(kind="drop-values", column="a", names=["test", "n/a"])
    )
    assert cells(done, "a") == ["Test", ""]
    assert whys(done) == ["a is test", "a is test", "a is n/a"]


def test_numbers_out_of_range_are_set_aside() -> None:
    read = column("s", "85,000", "-1", "9000000", "?", "")
    done = mend(read, Repair(kind="drop-out-of-range", column="s", low=20_000, high=500_000))
    assert cells(done, "s") == ["85,000", ""]
    assert whys(done) == [
        "-1 in s lies outside 20,000 to 500,000",
        "9000000 in s lies outside 20,000 to 500,000",
        "? in s is no number",
    ]
    only_low = mend(read, Repair(kind="drop-out-of-range", column="s", low=0))
    assert only_low.steps[0].text == "2 rows set aside: s outside 0 and more."


# Forms


def test_dates_become_iso_or_are_set_aside_with_the_reason() -> None:
    read = column("d", "2020-04-10", "25/03/2019", "March 5, 2018", "03.11.2019", "soon", "")
    done = mend(read, Repair(kind="dates-to-iso", column="d"))
    assert cells(done, "d") == ["2020-04-10", "2019-03-25", "2018-03-05", ""]
    assert whys(done) == ["03.11.2019 in d: day and month could be either way round", "soon in d is no date"]
    assert done.steps[0].changed == 2
    assert done.steps[0].text.startswith("2 dates in d rewritten as year-month-day; 2 rows set aside: 03.11.2019 in d")
    assert [row.values["d"] for row in read.rows][1] == "25/03/2019", "the records that were read stay as they were"
    assert done.steps[0].examples[0] == ("line 3, d", "25/03/2019", "2019-03-25")


@pytest.mark.parametrize(
    ("others", "meant"),
    [
        (["25/03/2019"], "2019-11-03"),
        (["03/25/2019"], "2019-03-11"),
        (["25/03/2019", "03/25/2019"], None),
        (["25.03.2019"], None),
        (["25/03/19"], None),
    ],
)
def test_dates_are_read_in_the_order_that_their_column_proves(others: list[str], meant: str | None) -> None:
    done = mend(column("d", "03/11/2019", *others), Repair(kind="dates-to-iso", column="d"))
    assert (cells(done, "d")[:1] == [meant]) == (meant is not None)
    assert ("03/11/2019 in d: day and month could be either way round" in whys(done)) == (meant is None)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (["85,000", "$1,234.50", "12", "-5.0", ""], ["85000", "1234.5", "12", "-5.0", ""]),
        (["1.234,50 €", "12 €", "3,5 €"], ["1234.5", "12", "3.5"]),
        (["1'000", "1 000 000", "(5)"], ["1000", "1000000", "-5"]),
        (["5 kg", "1,5 kg"], ["5", "1.5"]),
        (["5 k", "7 k"], ["5", "7"]),
        (["€ 43.000", "79.000 €", "€ -45.500", "950 €"], ["43000", "79000", "-45500", "950"]),
        (["1.234", "12.345.678", "-5.000"], ["1234", "12345678", "-5000"]),
        (["€ -1,234"], ["-1234"]),
    ],
)
def test_numbers_become_plain(written: list[str], plain: list[str]) -> None:
    assert cells(mend(column("n", *written), Repair(kind="plain-numbers", column="n")), "n") == plain


def test_numbers_in_doubt_and_in_another_unit_are_set_aside() -> None:
    done = mend(column("n", "1,5", "1.234", "12", "much"), Repair(kind="plain-numbers", column="n"))
    assert cells(done, "n") == ["1.5", "12"]
    assert whys(done) == ["1.234 in n can be read in two ways", "much in n is no number"]
    mixed = mend(column("n", "$5", "$6", "7 €", "8"), Repair(kind="plain-numbers", column="n"))
    assert cells(mixed, "n") == ["5", "6", "8"] and whys(mixed) == ["7 € in n is in another unit than most"]
    scaled = mend(column("n", "5", "6", "7 k"), Repair(kind="plain-numbers", column="n"))
    assert cells(scaled, "n") == ["5", "6"], "7 k is not 7"


def test_labels_become_one() -> None:
    repair = Repair(kind="unify-labels", column="l", values={"Eng": "Engineering", "n/a": ""})
    done = mend(column("l", "Eng", " Eng ", "Engineering", "eng", "n/a"), repair)
    assert cells(done, "l") == ["Engineering", "Engineering", "Engineering", "eng", ""]
    assert done.steps[0].text == "3 labels in l rewritten."


# Texts


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("Ã©tÃ©", "été"),
        ("donâ€™t", "don’t"),
        ("Größe", "Größe"),
        ("São Paulo", "São Paulo"),
        ("plain", "plain"),
        ("Ç", "Ç"),
    ],
)
def test_wrongly_read_characters_are_put_right_and_right_ones_left(bad: str, good: str) -> None:
    assert cells(mend(column("t", bad), Repair(kind="fix-encoding")), "t") == [good]


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("<p>Hello <b>world</b></p><p>a &lt; b</p>", "Hello world\na < b"),
        ("one<br>two<br/><br/>three", "one\ntwo\n\nthree"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("<script>alert(1)</script>hi<!-- no --> there<style>p{}</style>", "hi there"),
        ('<a href="x">link</a> &amp; tail', "link & tail"),
        ("Tom &amp; Jerry&nbsp;&#39;s", "Tom & Jerry 's"),
        ("<!DOCTYPE html><html><head><title>t</title></head><body>b</body></html>", "b"),
        ("Use <code>List<String></code>", "Use List<String>"),
    ],
)
def test_html_is_taken_out_and_its_text_stays(marked: str, text: str) -> None:
    assert cells(mend(column("t", marked), Repair(kind="strip-html")), "t") == [text]


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c > d",
        "List<String> x",
        "<think>so</think>",
        "AT&T",
        "?a=1&copy=2",
        "<p",
        "<!-- open",
        "1 <2> 3",
        "&nosuch;",
    ],
)
def test_what_only_looks_like_html_stays(text: str) -> None:
    done = mend(column("t", text), Repair(kind="strip-html"))
    assert cells(done, "t") == [text] and done.steps[0].changed == 0


@pytest.mark.parametrize(
    ("untidy", "tidy"),
    [
        ("a  b\t c", "a b c"),
        ("a\u200bb\ufeff\u202ec\x00\x1b[31m", "abc[31m"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a \n\n\n\nb", "a\n\nb"),
        ("a\u00a0b", "a b"),
        ("def f():\n    return 1", "def f():\n    return 1"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_invisible_characters_and_runs_of_white_space_go(untidy: str, tidy: str) -> None:
    assert cells(mend(column("t", untidy), Repair(kind="tidy-text")), "t") == [tidy]


@pytest.mark.parametrize("kind", ["fix-encoding", "strip-html", "tidy-text"])
@pytest.mark.parametrize("piece", ["<", "<p ", "<!--", "<div>", "&", " \t", "\u200b", "Ã©", "[", "<p>\x00"])
def test_large_odd_cells_take_no_long_time(kind: Any, piece: str) -> None:
    start = time.process_time()
    mend(column("t", piece * 60_000 + "x"), Repair(kind=kind))
    assert time.process_time() - start < 5


def test_half_surrogates_do_not_stop_a_repair() -> None:
    done = mend(column("t", "\ud800  x", '["\\ud800  x"]'), Repair(kind="tidy-text"))
    assert cells(done, "t") == ["? x", '["? x"]']


def test_texts_in_json_are_mended_and_the_json_stays() -> None:
    chat = [{"role": "user", "content": "<b>Hi</b>  there\u200b"}, {"role": "assistant", "content": "Ã©", "n": 1.5}]
    recipe = [Repair(kind=kind) for kind in ("fix-encoding", "strip-html", "tidy-text")]
    mended = [{"role": "user", "content": "Hi there"}, {"role": "assistant", "content": "é", "n": 1.5}]
    read = records([{"m": chat, "s": json.dumps(chat)}, {"m": None, "s": "[not json"}])
    done = mend(read, *recipe)
    assert cells(done, "m") == [mended, None]
    assert [json.loads(cells(done, "s")[0]), cells(done, "s")[1]] == [mended, "[not json"]
    assert read.rows[0].values["m"] == chat


def test_only_the_named_column_is_mended_or_else_those_in_use() -> None:
    read = records([{"a": "x  y", "b": "x  y"}])
    assert cells(mend(read, Repair(kind="tidy-text", column="b")), "a") == ["x  y"]
    assert [*cells(done := mend(read, Repair(kind="tidy-text")), "a"), *cells(done, "b")] == ["x y", "x y"]
    assert done.steps[0].changed == 1, "rows are counted, not cells"


# Answers


def test_short_and_long_answers_are_set_aside() -> None:
    read = records([{"q": "?", "a": text} for text in ("", "n", "yes", "x" * 50)])
    short = mend(read, Repair(kind="drop-short", low=2), prompts=["q"], answers=["a"])
    assert cells(short, "a") == ["yes", "x" * 50]
    assert whys(short) == ["a has 0 characters", "a has 1 character"]
    assert short.steps[0].text == "2 rows set aside: the answer is shorter than 2 characters."
    long = mend(read, Repair(kind="drop-long", column="a", high=10))
    assert whys(long) == ["a has 50 characters"]


def contradicting() -> Any:
    answers = ["red", "blue", "blue", "red ", "green", "", None]
    rows = [{"q": "Which colour?", "a": answer} for answer in answers]
    return records([*rows, {"q": "", "a": "red"}, {"q": None, "a": "blue"}, {"q": "Other?", "a": "red"}])


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        ("first", ["red", "red ", "", None, "red", "blue", "red"]),
        ("most", ["red", "red ", "", None, "red", "blue", "red"]),
        ("none", ["", None, "red", "blue", "red"]),
    ],
)
def test_of_contradicting_answers_one_is_kept_or_none(keep: Any, left: list[Any]) -> None:
    done = mend(contradicting(), Repair(kind="drop-contradictions", keep=keep), prompts=["q"], answers=["a"])
    assert cells(done, "a") == left
    reason = (
        "its prompt has 3 different answers" if keep == "none" else "answers otherwise than line 2, which asks the same"
    )
    assert set(whys(done)) == {reason}


def test_the_most_frequent_answer_is_kept_and_told_by_its_first_line() -> None:
    read = records([{"q": "x", "a": answer} for answer in ("red", "blue", "blue")])
    done = mend(read, Repair(kind="drop-contradictions", keep="most"), prompts=["q"], answers=["a"])
    assert cells(done, "a") == ["blue", "blue"]
    assert whys(done) == ["answers otherwise than line 3, which asks the same"]


def test_chats_contradict_by_their_last_turn() -> None:
    def chat(*texts: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": text} for text in texts]

    read = column("m", chat("Hi", "a"), chat("Hi", "b"), chat("Ho", "b"), chat("Hi"), None, "no chat")
    done = mend(read, Repair(kind="drop-contradictions", keep="first"), prompts=["m"], answers=["m"])
    assert [one.line for one in done.aside()] == [3]


def test_repeated_answers_are_set_aside() -> None:
    read = records([{"q": "?", "a": "I don't know."}, {"q": "!", "a": "42"}, {"q": ".", "a": ["I don't know."]}])
    done = mend(read, Repair(kind="drop-repeated-answers", names=["I don't know."]), prompts=["q"], answers=["a"])
    assert cells(done, "a") == ["42"]
    assert whys(done)[0] == "the answer is I don't know., as in many rows"


ENGLISH = "This is a sentence in the English language about the weather today."
GERMAN = "Dies ist ein Satz in deutscher Sprache über das Wetter von heute."


def test_other_languages_are_set_aside_and_what_is_in_doubt_is_kept() -> None:
    read = column("t", ENGLISH, GERMAN, "ok", "12345 67890 12345 67890 123", "")
    done = mend(read, Repair(kind="keep-languages", names=["EN"]))
    assert cells(done, "t") == [ENGLISH, "ok", "12345 67890 12345 67890 123", ""]
    assert whys(done) == ["it is written in another language (de)"]
    chat = column("m", [{"role": "user", "content": GERMAN + "\r\n" + GERMAN}])
    assert len(mend(chat, Repair(kind="keep-languages", names=["de-AT"])).view) == 1


# Personal data


def test_personal_data_is_masked_and_never_shown() -> None:
    read = records([{"a": "write to jo@example.org now", "m": [{"content": "jo@example.org"}]}, {"a": "nobody"}])
    done = mend(read, Repair(kind="mask-personal", names=["email"]))
    assert cells(done, "a") == ["write to [EMAIL] now", "nobody"]
    assert cells(done, "m")[0] == [{"content": "[EMAIL]"}]
    assert done.steps[0].text == "1 row with e-mail addresses masked."
    assert done.steps[0].examples[0] == ("line 2, a", "(not shown)", "write to [EMAIL] now")
    assert "jo@" not in str(done.steps[0].examples)


def test_rows_with_personal_data_are_set_aside_without_telling_it() -> None:
    done = mend(column("a", "jo@example.org", "x", ""), Repair(kind="drop-personal", names=["email"]))
    assert cells(done, "a") == ["x", ""]
    assert whys(done) == ["a holds e-mail addresses"]


def test_examples_of_other_repairs_are_masked_too() -> None:
    done = mend(column("a", "jo@example.org  x"), Repair(kind="tidy-text"))
    assert "jo@" not in str(done.steps[0].examples)
    text = "word " * 20 + "anna.jo@example.org  x"
    done = mend(column("a", text), Repair(kind="tidy-text"))
    assert "example" not in str(done.steps[0].examples), "an address that begins before what is shown, too"


def test_each_of_several_masking_steps_says_what_it_masked() -> None:
    names = ("email", "ip", "phone")
    recipe = [Repair(kind="mask-personal", column="a", names=[name]) for name in names]
    done = mend(column("a", "jo@example.org at 8.8.8.8"), *recipe, Repair(kind="mask-personal"))
    assert [step.text for step in done.steps] == [
        "1 row in a with e-mail addresses masked.",
        "1 row in a with IP addresses masked.",
        "mask-personal a (phone numbers): nothing to do.",
        "mask-personal: nothing to do.",
    ]


@pytest.mark.parametrize(
    "repair",
    [
        Repair(kind="drop-values", column="a", names=["call +49 30 901820 or jo@example.org"]),
        Repair(kind="drop-repeated-answers", column="a", names=["call +49 30 901820 or jo@example.org"]),
        Repair(kind="dates-to-iso", column="a"),
        Repair(kind="plain-numbers", column="a"),
        Repair(kind="drop-out-of-range", column="a", low=0),
    ],
)
def test_reasons_quote_no_personal_data(repair: Repair) -> None:
    done = mend(column("a", "call +49 30 901820 or jo@example.org"), repair)
    assert "[PHONE] or [EMAIL]" in whys(done)[0]
    assert "jo@" not in str(whys(done)) + done.steps[0].text
