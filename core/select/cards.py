"""The cards that people own or rent: `cards.toml`, found by what a person types or by what the driver calls them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.errors import PlanError
from tunesmith.core.facts import Cpu, Gpu, Hardware
from tunesmith.core.figures import GIB

TABLE = Path(__file__).with_name("cards.toml")
MIB = 1 << 20
RESERVED = 0.03
"""Share of a card's memory that the driver keeps, where nobody printed it: the largest of those in the table (RTX
3060; the smallest is 0.5 %, H200)."""
ARCHITECTURES = {(7, 0): "Volta", (7, 5): "Turing", (8, 9): "Ada", (9, 0): "Hopper"}
SLICES = 7
"""Compute slices of a card that can be cut (NVIDIA, Multi-Instance GPU User Guide)."""
MOST_CARDS = 16


@dataclass(frozen=True)
class Card:
    """One model of GPU as its vendor describes it."""

    key: str
    """As it is typed, e.g. `h100-80gb`."""
    title: str
    names: tuple[str, ...]
    """What NVML calls it."""
    memory: int
    """Bytes that it reports."""
    free: int
    """Bytes of them that are left when nothing runs."""
    bandwidth: float
    """Bytes a second from its memory."""
    rate: float
    """Floating-point operations a second, dense, in bf16 (in fp16 before capability 8.0), summed in fp32."""
    capability: tuple[int, int]
    price: float | None
    """US dollars an hour to rent one, where a dated list was found."""
    price_date: date | None
    price_source: str
    source: str
    """Where memory, bandwidth and rate are from."""
    also: tuple[str, ...] = ()
    """Other ways to type it."""

    def rate_in(self, precision: str) -> float | None:
        """The rate in a precision of the plan; None where the table has none (fp32, and bf16 before Ampere)."""
        if precision == "fp32" or (precision == "bf16" and self.capability < (8, 0)):
            return None
        return self.rate


@cache
def cards() -> tuple[Card, ...]:
    """The whole table, in its order: small to large."""
    with TABLE.open("rb") as file:
        return tuple(_card(key, row) for key, row in tomllib.load(file).items())


def card(text: str) -> tuple[int, Card]:
    """How many of which card a person means by `h100-80gb`, `2xrtx4090`, `H100` or `4090`.

    Raises:
        PlanError: No card is called so; names the nearest ones.
    """
    match = re.fullmatch(r"\s*(?:(\d{1,3})\s*[x×*]\s*)?(.+?)\s*", text, re.IGNORECASE)
    count, wanted = (int(match.group(1) or 1), _plain(match.group(2))) if match else (1, "")
    if not 1 <= count <= MOST_CARDS:
        raise PlanError(f"{count} cards are not planned for.", next_step="Name one card, or a few: `2xrtx4090`, say.")
    known = _by_name()
    found = known.get(wanted) or known.get(_plain(re.sub(r"nvidia|geforce|tesla", "", wanted)))
    if found is None:
        raise PlanError(f"No card is known as {text.strip()!r}.", next_step=_nearest(wanted))
    return count, found


def card_of(gpu: Gpu) -> Card | None:
    """The table's entry of a GPU that was read; None for one that it does not hold.

    A MIG slice is that share of its card: compute by the profile's slices, bandwidth by memory. It has no price.
    """
    name = gpu.name.partition(" MIG ")[0] if gpu.slice else gpu.name
    found = next((one for one in cards() if name in one.names and _alike(gpu, one)), None)
    if found is None or not gpu.slice:
        return found
    share = gpu.total / found.memory
    profile = re.search(r"(\d)g\.", gpu.slice)
    compute = int(profile.group(1)) / SLICES if profile else share
    return replace(
        found,
        title=f"{found.title}, a slice of it",
        memory=gpu.total,
        free=gpu.free,
        bandwidth=found.bandwidth * share,
        rate=found.rate * compute,
        price=None,
        price_date=None,
        price_source="",
    )


def hardware_for(text: str) -> Hardware:
    """A machine that is planned for and not here: those cards with nothing else on them.

    Its processor, RAM and disk are not known, and stand at 0; `Hardware.planned` says so.

    Raises:
        PlanError: No card is called so.
    """
    count, one = card(text)
    architecture = ARCHITECTURES.get(one.capability, "Ampere" if one.capability[0] == 8 else "Blackwell")
    gpu = Gpu(0, one.names[0], one.memory, one.free, one.capability, architecture=architecture)
    return Hardware(
        cpu=Cpu("not known", 0),
        ram_total=0,
        ram_available=0,
        disk_free=0,
        gpus=tuple(msgspec.structs.replace(gpu, index=index) for index in range(count)),
        planned=f"{count}x{one.key}" if count > 1 else one.key,
    )


def described(one: Card) -> str:
    """Memory, speed and price in one line, for a list to choose from."""
    price = f"${one.price:g} an hour ({one.price_date})" if one.price is not None else "no price is known"
    return f"{one.memory / GIB:.0f} GiB, {one.rate / 1e12:.0f} TFLOP/s, {one.bandwidth / 1e9:.0f} GB/s, {price}"


def _card(key: str, row: dict[str, Any]) -> Card:
    memory = row["memory"] * MIB
    return Card(
        key=key,
        title=row["title"],
        names=tuple(row["names"]),
        memory=memory,
        free=row["free"] * MIB if "free" in row else round((1 - RESERVED) * memory),
        bandwidth=row["bandwidth"] * 1e9,
        rate=row["tflops"] * 1e12,
        capability=(row["capability"][0], row["capability"][1]),
        price=row.get("price"),
        price_date=row.get("price_date"),
        price_source=row.get("price_source", ""),
        source=row["source"],
        also=tuple(row.get("also", ())),
    )


def _plain(text: str) -> str:
    """Letters and digits only, small: how people write a card's name differs in the rest."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


@cache
def _by_name() -> dict[str, Card]:
    return {_plain(name): one for one in cards() for name in (one.key, one.title, *one.names, *one.also)}


def _nearest(wanted: str) -> str:
    # A likeness of digits alone is none: an MI300X is no RTX 3090.
    alike = [name for name in _by_name() if wanted[:1].isdigit() or name[:1] == wanted[:1]]
    near = dict.fromkeys(_by_name()[name].key for name in get_close_matches(wanted, alike, 6, 0.5))
    if near:
        return f"Did you mean {' or '.join(list(near)[:3])}?"
    return f"Known are {', '.join(one.key for one in cards())}."


def _alike(gpu: Gpu, one: Card) -> bool:
    """Some names are given to cards of 8 and of 16 GB; a slice has less by its nature."""
    return bool(gpu.slice) or abs(gpu.total - one.memory) < 0.1 * one.memory
