"""The section `productionize`: what is made of the result."""

from __future__ import annotations

from tunesmith.core.plan.section import Section, knob


class Productionize(Section):
    """What is made of the result."""

    merge: bool = knob("Merge", "Fold the adapter into the weights: one plain model, no PEFT needed to serve it.")
    host: str = knob(
        "Host",
        "Where the endpoint listens; 127.0.0.1 is reachable only from this machine.",
        pattern=r"^[A-Za-z0-9.:_\[\]-]+$",
    )
    port: int = knob("Port", "Of the endpoint; 0 takes a free one.", ge=0, le=65535)
    ask_once: bool = knob("Ask once", "Start the endpoint, ask it one question over HTTP, and stop it again.")
