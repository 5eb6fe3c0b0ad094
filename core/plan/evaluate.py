"""The section `evaluate`: how both models are scored."""

from __future__ import annotations

from typing import Literal

from tunesmith.core.plan.section import Section, knob

Probe = Literal["context-withheld", "fields-reordered", "values-invented", "as-prose"]


class Evaluate(Section):
    """How the untouched and the tuned model are scored on rows that neither has seen."""

    max_new_tokens: int = knob("Longest answer", "Tokens a model may write.", unit="tokens", ge=1)
    batch_size: int = knob("Batch", "Prompts answered at once.", unit="rows", ge=1)
    confidence: float = knob("Confidence", "Of the bootstrap intervals.", usual="0.95", gt=0, lt=1)
    resamples: int = knob("Resamples", "Bootstrap draws.", usual="1000 to 10000", ge=100)
    probes: list[Probe] = knob(
        "Probes",
        "The same questions asked in another way, to see whether the model reads or remembers: with the context "
        "withheld its score must fall; with fields reordered, values invented or the record as prose it should not.",
        labels={
            "context-withheld": "context withheld",
            "fields-reordered": "fields reordered",
            "values-invented": "values invented",
            "as-prose": "as prose",
        },
        default_factory=list,
    )
    probe_rows: int = knob("Probe rows", "Test rows asked in each probe.", unit="rows", ge=1)
