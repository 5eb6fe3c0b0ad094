"""Asks the Hugging Face Hub, where the person wants that: searches it, and finds out whether a model may be fetched.

Everything goes through a helper process with a network of its own kind (`Helper(online=True)`), so that nothing else in
Tunesmith ever reaches for the Hub. `HF_HUB_OFFLINE` and `HF_ENDPOINT` are honoured. Tokens stay with huggingface_hub.
"""

from __future__ import annotations

import msgspec

from tunesmith.core.jobs import Helper

MOST_FOUND = 20


class HubModel(msgspec.Struct, frozen=True):
    """A model as a search of the Hub tells it."""

    name: str
    parameters: int
    """0 where the Hub does not know."""
    gated: bool
    licence: str
    """Empty where none is stated."""
    downloads: int
    """In the last 30 days."""


class Access(msgspec.Struct, frozen=True):
    """Whether a model may be fetched from here."""

    granted: bool
    text: str
    """What was found out, as a sentence."""
    remedy: str = ""
    """What to do where it is not granted."""


def search_hub(text: str, helper: Helper) -> list[HubModel]:
    """Models on the Hub that write text and whose name holds `text`, the most downloaded first.

    Raises:
        HubError: The Hub can't be reached, or is not to be asked; says which.
    """
    return msgspec.convert(helper.ask("hub_search", text=text, most=MOST_FOUND), list[HubModel])


def check_access(name: str, helper: Helper) -> Access:
    """Whether this person may fetch the model `name`; only that name is told to the Hub.

    Raises:
        HubError: The Hub can't be reached, or is not to be asked.
    """
    return msgspec.convert(helper.ask("hub_access", name=name), Access)


def describe_from_hub(name: str, helper: Helper) -> None:
    """Fetch config, tokenizer and model card of `name` into the cache, so that it can be planned with: a few MB.

    Raises:
        HubError: The Hub can't be reached, or is not to be asked, or does not give them.
    """
    helper.ask("hub_describe", name=name)
