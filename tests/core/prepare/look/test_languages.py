"""Which languages the texts are in."""

from __future__ import annotations

from tests.core.prepare.look.tables import look, only, sentence
from tunesmith.core.prepare.language import language_of
from tunesmith.core.prepare.look.languages import SAMPLE

GERMAN = "Der Fluss hinter dem alten Haus war am Morgen sehr ruhig, sagte der Lehrer von Nummer {}."


def test_a_second_language_is_told_as_a_choice() -> None:
    rows = [{"text": GERMAN.format(n) if n % 10 == 0 else sentence(n)} for n in range(200)]
    found = only(look(rows, "text", "languages"))
    assert (found.count, found.share, found.severity, found.repair) == (20, 0.1, "note", None)
    assert found.repairs == ({"kind": "keep-languages", "column": "text", "names": ["en"]},)
    assert found.text == "text: of 200 texts 90 % are English, the others German 10 %."
    assert found.picture == (("English", 180), ("German", 20))
    assert found.examples[0].startswith("line 2: Der Fluss hinter dem alten Haus")
    assert [example.split(":")[0] for example in found.examples] == ["line 2", "line 12", "line 22"]


def test_one_language_short_texts_and_single_strays_raise_nothing() -> None:
    assert look([{"text": sentence(n)} for n in range(300)], "text", "languages") == []
    assert look([{"text": ("Rome", "Köln", "Paris", "Lyon")[n % 4] + f" {n}"} for n in range(300)], "text") == []
    assert look([{"text": GERMAN if n == 7 else sentence(n)} for n in range(300)], "text", "languages") == []


def test_a_sample_says_that_it_is_one_and_is_the_same_again() -> None:
    rows = [{"text": GERMAN.format(n) if n % 4 == 0 else sentence(n)} for n in range(2 * SAMPLE)]
    found = only(look(rows, "text", "languages"))
    assert "of a sample of 5,000 texts" in found.text
    assert 0.2 < found.share < 0.3
    assert only(look(rows, "text", "languages")) == found


def test_the_language_of_chinese_is_told_from_few_signs() -> None:
    assert language_of("这座城市的街道非常安静，人们每天早上都去市场买东西。") == "zh"


def test_half_a_character_does_not_hide_the_language() -> None:
    assert language_of(GERMAN.replace("alten", "alten \ud83d")) == "de"
