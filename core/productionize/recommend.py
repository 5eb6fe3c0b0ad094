"""Recommends the section `productionize`: what is made of the result and where it is served."""

from __future__ import annotations

from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import Facts
from tunesmith.core.plan import VIRTUAL


def recommend_productionize(draft: Draft, facts: Facts) -> None:
    """Fill every path of `productionize`."""
    merge = draft.values.get("select.method") == "full" or draft.values.get("select.peft") not in VIRTUAL
    if draft.values.get("select.method") == "full":
        because = "full fine-tuning gives one plain model anyway"
    elif merge:
        because = f"one plain model of {facts.model.name} that any server loads, with no PEFT and no slower answers"
    else:
        because = "tokens before the prompt can't be merged into the weights: PEFT loads the adapter beside the model"
    draft.choose("productionize.merge", merge, because)
    draft.choose(
        "productionize.host",
        "127.0.0.1",
        "reachable from this machine only; the endpoint asks nobody for a password",
        (Alternative("0.0.0.0", "everybody on the network could use it"),),
    )
    draft.choose("productionize.port", 8000, "where OpenAI-compatible servers usually listen; 0 takes a free one")
    draft.choose("productionize.ask_once", True, "one real question over HTTP proves that what is served works")
