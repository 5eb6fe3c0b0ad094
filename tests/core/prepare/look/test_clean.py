"""Clean data is left in peace: a false alarm costs as much trust as a fault that is missed."""

from __future__ import annotations

import pytest

from tests.core.prepare.look.tables import look, pairs, people, sentence


def test_a_clean_table_raises_nothing() -> None:
    assert look(people(), entity="name") == []


def test_clean_questions_raise_nothing_but_that_none_is_left_open() -> None:
    assert [finding.kind for finding in look(pairs(), "question-answer")] == ["no-refusal"]
    assert look(pairs(60), "question-answer") == []


def test_clean_pairs_texts_and_labels_raise_nothing() -> None:
    rows = [{"prompt": row["question"], "completion": row["answer"]} for row in pairs()]
    assert look(rows, "prompt-completion") == []
    assert look([{"text": sentence(n)} for n in range(200)], "text") == []
    labelled = [{"text": sentence(n), "label": ("good", "bad", "neither")[n % 3]} for n in range(200)]
    assert look(labelled, "classification") == []
    rated = [{"prompt": f"Say {n} in words?", "completion": sentence(n), "rating": str(n % 2)} for n in range(200)]
    assert look(rated, "rated") == []
    compared = [{"prompt": f"Say {n}.", "chosen": sentence(n), "rejected": sentence(n + 500)} for n in range(200)]
    assert look(compared, "preference") == []


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_hardly_any_rows_raise_nothing(rows: int) -> None:
    assert look(people(3)[:rows], entity="name") == []
    assert look(pairs(3)[:rows], "question-answer") == []


def test_other_scripts_and_languages_are_no_fault() -> None:
    texts = (
        "Die Größe des Gebäudes überrascht jeden, der über die Straße geht: Nummer {}.",
        "Über die Brücke führt ein Weg, den früher Händler gingen, im Jahr {} – heute nicht mehr.",
        "Das „Café“ öffnet um {} Uhr; es kostet 3 € und schließt später.",
    )
    rows = [{"text": texts[n % 3].format(n)} for n in range(150)]
    assert look(rows, "text") == []
    chinese = [{"text": f"这座城市的第{n}条街道非常安静，人们每天早上都去市场买东西。"} for n in range(150)]
    assert look(chinese, "text") == []
    russian = [{"text": f"Этот город очень красивый, и в доме номер {n} живёт старый учитель."} for n in range(150)]
    assert look(russian, "text") == []
