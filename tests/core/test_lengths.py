"""Lengths are estimated from characters only where no tokenizer is here, and everything then says so."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.test_models import LLAMA
from tunesmith.core.jobs import Helper
from tunesmith.core.lengths import estimated_profile, estimated_tokens, histogram, profile_of
from tunesmith.core.recommend import resolve
from tunesmith.core.rows import Row, ask
from tunesmith.core.survey import survey

ENGLISH = "The quick brown fox jumps over the lazy dog and runs away into the deep dark wood."


@pytest.mark.parametrize(("vocabulary", "ratio"), [(32_000, 3.17), (128_256, 3.94)])
def test_english_takes_as_many_tokens_as_were_measured_for_vocabularies_of_that_size(
    vocabulary: int, ratio: float
) -> None:
    text = ENGLISH * 50
    assert abs(len(text) / estimated_tokens(text, vocabulary) / ratio - 1) < 0.01


def test_digits_and_other_scripts_take_more_tokens_than_english_letters() -> None:
    assert estimated_tokens("2020041012345678", 128_256) == 16
    assert estimated_tokens("語" * 40, 128_256) > 2 * estimated_tokens("a" * 40, 128_256)


def test_an_estimated_profile_says_that_it_is_one() -> None:
    profile = estimated_profile([Row("1", ask("Who?", "Ada, 1815"), "Ada"), Row("2", ask(ENGLISH), ENGLISH)], 32_000)
    assert profile.estimated and profile.rows == 2
    assert profile.whole.longest > profile.answer.longest > 20
    assert 0.3 < profile.trained_share < 0.6


def test_an_estimate_holds_no_rows() -> None:
    text = "word " * 2000

    def rows() -> Iterator[Row]:
        return (Row(str(number), ask(f"{number}?"), text + str(number)) for number in range(3000))

    tracemalloc.start()
    profile = estimated_profile(rows(), 32_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert profile.rows == 3000
    assert peak < 3_000_000, "the rows are 30 MB together"


def test_a_model_that_is_not_here_is_planned_with_by_estimated_lengths(tmp_path: Path) -> None:
    wishes = {"prepare.data": "practice", "select.model": "Qwen/Qwen3-0.6B"}
    with Helper() as helper:
        seen = survey(wishes, tmp_path, helper)
        counted = survey({"prepare.data": "practice"}, tmp_path, helper)
    tokens = seen.facts.data.tokens
    assert tokens is not None and tokens.estimated
    assert counted.facts.data.tokens is not None and not counted.facts.data.tokens.estimated
    assert seen.rendered[0][-1][1] and not seen.rendered[0][0][1]
    resolution = resolve(wishes, seen.facts)
    because = resolution.reasons["select.hyperparameters.max_length"].because
    assert "an estimated" in because and "a quarter to spare" in because
    assert resolution.plan.select.hyperparameters.max_length >= 1.25 * tokens.whole.longest - 8


def test_a_folder_with_a_tokenizer_and_no_weights_is_counted_truly(tmp_path: Path) -> None:
    from tunesmith.core.practice import MODEL_DIR

    folder = tmp_path / "half"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(LLAMA))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((MODEL_DIR / name).read_bytes())
    with Helper() as helper:
        seen = survey({"prepare.data": "practice", "select.model": str(folder)}, tmp_path, helper)
    assert not seen.facts.model.here
    assert seen.facts.data.tokens is not None and not seen.facts.data.tokens.estimated


def test_histograms_hold_every_row_once_and_end_at_the_longest() -> None:
    values = [*range(3, 1000), 5000]
    bins = histogram(values)
    assert len(bins) <= 24 and sum(rows for _, rows in bins) == len(values) and bins[-1][0] >= 5000 > bins[-2][0]
    assert histogram([7]) == ((7, 1),)


def test_prompts_and_answers_have_histograms_of_their_own() -> None:
    profile = profile_of([10, 20, 30], [1, 1, 2])
    assert profile.bins != profile.prompt_bins != profile.answer_bins
    assert profile.answer_bins == ((1, 2), (2, 1)) and profile.trained_share == 4 / 64


def test_plain_text_is_estimated_without_a_template() -> None:
    assert estimated_profile([Row("1", [], ENGLISH)], 32_000).prompt.longest == 0
