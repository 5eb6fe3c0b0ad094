"""The model card tells the metric of the plan, also in the metadata that the Hub reads, and what to watch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from huggingface_hub import ModelCard

from tests.core.facts_kit import facts
from tunesmith.core.bootstrap import Draws, Interval
from tunesmith.core.plan_yaml import validate
from tunesmith.core.productionize.card import Told, Training, write_card
from tunesmith.core.results import Results, Scored

CORPUS = "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = 41.00 66.7/50.0/33.3/25.0"


def scored(model: str, metric: str, value: float, corpus: str = "") -> Scored:
    rare = Interval(0.02, 0.01, 0.04)
    chosen = Interval(value, 0.9 * value, 1.1 * value)
    return Scored(model, "test", 300, 100, rare, rare, metric=metric, score=chosen, corpus=corpus)


def card(folder: Path, tree: dict[str, Any], metric: str, before: float, after: float, corpus: str = "") -> ModelCard:
    tree["understand"] |= {
        "metric": metric,
        "threshold": 1.5 if metric == "perplexity" else 0.4,
        "business_metric": "time-saved",
        "business_goal": "From 20 to 5 minutes a letter",
        "error_cost": "high",
    }
    probe = scored("tuned", metric, after)
    results = Results(
        goal="Write letters.",
        metric=metric,
        threshold=0.4,
        reached=True,
        verdict="Goal reached",
        headline="",
        scores=[
            scored("base", metric, before),
            scored("tuned", metric, after, corpus),
            msgspec.structs.replace(probe, rows_kind="as-prose"),
        ],
        gain_exact_match=Interval(0, 0, 0),
        gain_f1=Interval(0, 0, 0),
        became_right=0,
        became_wrong=0,
        draws=Draws(0.95, 1000, 7),
        max_new_tokens=16,
        versions={},
    )
    told = Told("adapter", validate(tree), facts().model, results, {"train": 9}, Training())
    return ModelCard(write_card(folder, told).read_text("utf-8"))


@pytest.mark.parametrize(
    ("metric", "hub", "before", "after", "row"),
    [
        ("rouge_l", "rouge", 0.2, 0.41, "2.0 % (1.0–4.0 %) | 41.0 % (36.9–45.1 %) |"),
        ("bleu", "bleu", 0.2, 0.41, "2.0 % (1.0–4.0 %) | 41.0 % (36.9–45.1 %) |"),
        ("perplexity", "perplexity", 40.0, 1.2, "2.0 % (1.0–4.0 %) | 1.200 (1.080–1.320) |"),
    ],
)
def test_the_card_has_the_metric_of_the_plan_as_text_and_as_metadata(
    tmp_path: Path, plan_tree: dict[str, Any], metric: str, hub: str, before: float, after: float, row: str
) -> None:
    found = card(tmp_path, plan_tree, metric, before, after)
    assert row in found.text
    assert [(one.metric_type, one.metric_value) for one in found.data.eval_results or []] == [
        ("exact_match", 0.02),
        ("f1", 0.02),
        (hub, after),
    ]
    assert f"as-prose: {'perplexity 1.200' if metric == 'perplexity' else ''}" in found.text
    assert "held-out rows were not right to the letter." in found.text


def test_the_card_has_the_line_of_sacrebleu(tmp_path: Path, plan_tree: dict[str, Any]) -> None:
    assert f"Tuned, over all rows at once: `{CORPUS}`." in card(tmp_path, plan_tree, "bleu", 0.2, 0.41, CORPUS).text


def test_the_card_says_what_to_watch_after_the_launch(tmp_path: Path, plan_tree: dict[str, Any]) -> None:
    text = card(tmp_path, plan_tree, "rouge_l", 0.2, 0.41).text
    assert "## What to watch after the launch" in text
    assert "how much working time a task takes. The goal: From 20 to 5 minutes a letter. Tunesmith can't" in text
    assert "a person must stay in the loop" in text
