"""Exact match and token F1 as a metric of the `evaluate` library, without a hub.

`evaluate.load("squad")` fetches a script from the Hub; this is the same measure as a subclass of the library's own
`Metric`, so it is built, fed and computed offline and can be combined with the library's other tools.
"""

from __future__ import annotations

from typing import Any

import evaluate
from datasets import Features, Value

from tunesmith.core.metrics import exact_matches, token_f1s

_CITATION = """\
@inproceedings{rajpurkar-etal-2016-squad,
  title = {{SQ}u{AD}: 100,000+ Questions for Machine Comprehension of Text},
  author = {Rajpurkar, Pranav and Zhang, Jian and Lopyrev, Konstantin and Liang, Percy},
  booktitle = {EMNLP}, year = {2016}, doi = {10.18653/v1/D16-1264}
}"""


class ExactMatchAndF1(evaluate.Metric):  # type: ignore[misc]  # the library has no types
    """`compute` gives {"exact_match": mean, "f1": mean}, both 0 to 1, over text predictions and references."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Exact match and token F1 with the normalisation of SQuAD, as shares from 0 to 1.",
            citation=_CITATION,
            inputs_description="predictions and references: one text a row.",
            features=Features({"predictions": Value("string"), "references": Value("string")}),
            reference_urls=["https://arxiv.org/abs/1606.05250"],
        )

    def _compute(self, predictions: list[str], references: list[str], **_: Any) -> dict[str, float]:
        matches, f1s = exact_matches(predictions, references), token_f1s(predictions, references)
        return {"exact_match": sum(matches) / len(matches), "f1": sum(f1s) / len(f1s)}
