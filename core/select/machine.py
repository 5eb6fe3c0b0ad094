"""Recommends which machine is planned for, `select.gpu`, and what an hour of it costs, `select.price_hour`."""

from __future__ import annotations

from tunesmith.core.draft import Draft, Reason
from tunesmith.core.facts import Hardware
from tunesmith.core.figures import dollars
from tunesmith.core.schema import knob_at
from tunesmith.core.select.cards import Card, card, card_of
from tunesmith.core.torch_build import KERNELS, spelled

HERE = knob_at("select.gpu").empty


def choose_machine(draft: Draft, hardware: Hardware, device: str) -> None:
    """Fill both paths.

    Args:
        hardware: The machine that is planned for, measured here or taken from the table of cards.
        device: `cuda` or `cpu`: a processor has no price here.
    """
    if hardware.planned and "select.gpu" in draft.wishes:
        draft.values["select.gpu"] = draft.wishes["select.gpu"]
        draft.reasons["select.gpu"] = Reason(_planned_because(hardware), chosen=True, own=True)
    else:
        draft.choose("select.gpu", None, "nothing else was wished: it is planned for this machine, as it was measured")
    price, because = _price(hardware, device)
    draft.choose("select.price_hour", price, because)


def told_of(hardware: Hardware) -> str:
    """What is known of the GPU that is planned with, as the beginning of a reason: measured, or from the table."""
    if not hardware.planned:
        return ""
    count, one = card(hardware.planned)
    second = f"; of the {count}, one is used: a run trains on one GPU" if count > 1 else ""
    return f"planned for {one.title}, which is not here: from the table of cards, not measured{second}"


def _planned_because(hardware: Hardware) -> str:
    _, one = card(hardware.planned)
    old = KERNELS[-1][1]
    lacks = ""
    if one.capability < old:
        lacks = (
            f"; torch's present builds begin at capability {spelled(old)} and this card has {spelled(one.capability)}: "
            f"it takes torch's build for CUDA {spelled(KERNELS[0][0])}"
        )
    return f"your choice: {told_of(hardware)}{lacks}"


def _price(hardware: Hardware, device: str) -> tuple[float | None, str]:
    """US dollars an hour for all cards of the machine, and where that is from."""
    if device != "cuda" or hardware.gpu is None:
        return None, "nothing is rented for a training on this machine's processor, as far as is known"
    count, one = card(hardware.planned) if hardware.planned else (1, card_of(hardware.gpu))
    if one is None:
        return None, f"the table of cards does not hold {hardware.gpu.name}; state it if you rent the machine"
    if one.price is None:
        return None, f"no dated price was found for {one.title}; state it if you rent the machine"
    each = f"{count} × {dollars(one.price)}" if count > 1 else dollars(one.price)
    yours = "" if hardware.planned else "; empty it if the machine is yours"
    return round(count * one.price, 4), f"renting {one.title} cost {each} an hour on {_dated(one)}{yours}"


def _dated(one: Card) -> str:
    return f"{one.price_date} ({one.price_source})"
