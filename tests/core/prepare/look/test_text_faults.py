"""Faults inside texts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.core.prepare.look.tables import look, only, people, sentence


def texts(count: int = 100, **odd: str) -> list[dict[str, str]]:
    """English sentences; `odd` are texts by row, as `at5`."""
    rows = [{"text": sentence(n)} for n in range(count)]
    for at, text in odd.items():
        rows[int(at.removeprefix("at"))] = {"text": text}
    return rows


@pytest.mark.parametrize(
    ("broken", "right"),
    [
        ("The cafÃ© was open.", "The café was open."),
        ("It wasnâ€™t there.", "It wasn’t there."),
        ("Viele GrÃ¼ÃŸe aus KÃ¶ln", "Viele Grüße aus Köln"),
        ("РџСЂРёРІРµС‚, РєР°Рє РґРµР»Р°?", "Привет, как дела?"),
    ],
)
def test_texts_read_in_a_wrong_encoding_are_found(broken: str, right: str) -> None:
    found = only(look(texts(at4=broken), "text", "encoding"))
    assert found.count == 1 and found.repair == {"kind": "fix-encoding", "column": "text"}
    assert found.examples == (f"line 6: {broken} → {right}",)


def test_lost_characters_are_told() -> None:
    found = only(look(texts(at4="K�ln is a city"), "text", "lost-characters"))
    assert found.repairs == () and found.examples == ("line 6: K�ln is a city",)


@pytest.mark.parametrize("text", ["<p>The river.</p>", "The river<br/>was calm", "Fish &amp; chips", "It&#39;s fine"])
def test_left_overs_of_web_pages_are_found(text: str) -> None:
    found = only(look(texts(at4=text), "text", "markup"))
    assert found.count == 1 and found.repair == {"kind": "strip-html", "column": "text"}


@pytest.mark.parametrize("text", ["a < b and c > d", "AT&T and R&D", "x <- 5", "<3", "if (a<b && c>d)", "List<String>"])
def test_signs_that_are_no_markup_are_left_alone(text: str) -> None:
    assert look(texts(at4=text), "text", "markup") == []


def test_markup_that_the_texts_are_about_is_the_persons_to_judge() -> None:
    code = texts(**{f"at{n}": f"```html\n<div>{n}</div>\n```" for n in range(10)})
    assert only(look(code, "text", "markup")).repair is None
    everywhere = [{"text": f"<p>{sentence(n)}</p>"} for n in range(100)]
    found = only(look(everywhere, "text", "markup"))
    assert found.repair is None and found.text.endswith("; they may be meant.")


@pytest.mark.parametrize("sign", ["\x00", "\x1b[31m", "\u200b", "\u202e", "\ufeff", "\u00ad", "\x85\x86"])
def test_signs_that_cannot_be_seen_are_found_and_shown_spelled_out(sign: str) -> None:
    found = only(look(texts(at4=f"The ri{sign}ver was calm."), "text", "untidy"))
    assert found.repair == {"kind": "tidy-text", "column": "text"} and found.severity == "warning"
    assert found.text == "text: signs that can't be seen in 1 row."
    assert found.examples[0].isprintable() and "\\" in found.examples[0]


def test_runs_of_spaces_are_found() -> None:
    found = only(look(people(100, city=lambda n: "New  York" if n == 3 else ("Rome", "Oslo")[n % 2]), kind="untidy"))
    assert found.text == "city: runs of spaces in 1 row." and found.recommended


@pytest.mark.parametrize(
    "make",
    [
        lambda n: f"def f{n}():\n    return  {n}\n",
        lambda n: f"می\u200cخواهم {n}",
        lambda n: f"👩\u200d🚒 {n}",
        lambda n: f"line {n}\n\n  indented\tby a tab",
    ],
)
def test_joiners_tabs_and_the_spaces_of_code_stay(make: Callable[[int], str]) -> None:
    found = look([{"text": make(n)} for n in range(50)], "text", "untidy")
    assert all(finding.repair is None for finding in found)


def test_texts_inside_json_are_found_and_mended() -> None:
    rows = [{"messages": [{"role": "user", "content": "cafÃ©" if n == 3 else f"Hello {n}"}]} for n in range(30)]
    found = only(look(rows, "chat", "encoding"))
    assert found.repair == {"kind": "fix-encoding", "column": "messages"} and found.count == 1


def test_markup_that_the_prompts_ask_for_is_the_persons_to_judge() -> None:
    asked = [{"prompt": f"What is {sentence(n)}", "completion": sentence(n)} for n in range(90)]
    pages = [{"prompt": f"Make an HTML list of {n}", "completion": f"<ul><li>{n}</li></ul>"} for n in range(10)]
    found = only(look([*asked, *pages], "prompt-completion", "markup"))
    assert found.count == 10 and found.repair is None
