"""Recommends what decides memory and padding: sequence length, checkpointing, micro-batch, packing, length grouping."""

from __future__ import annotations

import math
from dataclasses import replace

from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import Facts
from tunesmith.core.figures import size
from tunesmith.core.load import Load
from tunesmith.core.plan import VIRTUAL
from tunesmith.core.reckon import counted_rows, rows_a_sequence, settle
from tunesmith.core.select.memory import forecast_load

KNOBS = "select.hyperparameters."
EFFECTIVE_BATCH = 16
"""Rows a step, as in Dettmers et al. 2023 (arXiv:2305.14314, appendix B)."""
FALLBACK_LENGTH = 512
SPARE = 1.25
"""Room above lengths that were estimated from characters, so that no row is cut: an assumption."""
MUCH_PADDING, MOSTLY_PADDING = 0.25, 0.4
"""Shares of padding in a batch from which on length grouping, and on a GPU packing, are worth their price."""
MANY_ROWS = 1000


def lengths(facts: Facts) -> tuple[int, int]:
    """(99th percentile, longest) in tokens, rounded up to multiples of 8; a fallback until the rows are counted."""
    if facts.data.tokens is None:
        return FALLBACK_LENGTH, FALLBACK_LENGTH
    whole, spare = facts.data.tokens.whole, SPARE if facts.data.tokens.estimated else 1
    return 8 * math.ceil(max(8, spare * whole.p99) / 8), 8 * math.ceil(max(8, spare * whole.longest) / 8)


def padding(facts: Facts, batch: int) -> float:
    """The share of a random batch of so many rows that is expected to be padding, from the histogram of lengths."""
    counted = facts.data.tokens
    if counted is None or not counted.bins or batch < 2:
        return 0.0
    total = sum(rows for _, rows in counted.bins)
    longest = below = 0.0
    so_far = 0
    for length, rows in counted.bins:
        so_far += rows
        share = (so_far / total) ** batch  # the chance that no row of the batch is longer
        longest += length * (share - below)
        below = share
    return max(0.0, 1 - counted.whole.mean / longest)


def recommend_batch(draft: Draft, facts: Facts, load: Load, rows: int) -> tuple[int, Load]:
    """Fill length, checkpointing, micro-batch, accumulation, packing and grouping.

    Returns:
        (rows a step, the load with what was chosen).
    """
    effective = EFFECTIVE_BATCH
    while effective > 4 and rows / effective < 10:
        effective //= 2
    load = _length(draft, facts, load, effective)
    packed = _packing(draft, facts, load, rows, effective)
    each = rows_a_sequence(draft, facts)
    sequences = 1 << max(0, round(math.log2(effective / each))) if packed else effective
    load = _checkpointing(draft, facts, load, sequences)
    batch, accumulation = _split(draft, facts, load, sequences, "sequences" if packed else "rows")
    _grouping(draft, facts, packed, batch, rows)
    return max(1, round(batch * accumulation * (each if packed else 1))), replace(load, batch_size=batch)


def _length(draft: Draft, facts: Facts, load: Load, effective: int) -> Load:
    """Settle the sequence length: nothing is cut where that costs little."""
    p99, longest = lengths(facts)
    most, total = facts.model.max_positions, counted_rows(draft, facts)
    at_p99 = replace(load, length=min(p99, most), batch_size=_largest(facts, replace(load, length=p99), effective)[0])
    still_fits = forecast_load(facts.model, replace(at_p99, length=longest), facts.hardware).fits
    if facts.data.tokens is None:
        length, because = FALLBACK_LENGTH, "until the rows are counted in the model's tokens"
    elif longest <= 1.25 * p99 or still_fits:
        length = longest
        because = f"the longest row has {facts.data.tokens.whole.longest} tokens, so nothing is cut"
        if facts.data.tokens.estimated:
            because = (
                f"the longest row has an estimated {facts.data.tokens.whole.longest} tokens, and a quarter to spare"
            )
    else:
        length = p99
        because = (
            f"99 % of the rows are no longer; at most {math.ceil(total / 100)} are cut at the end, "
            f"the longest has {facts.data.tokens.whole.longest} tokens and would not fit as well"
        )
    if length > most:
        length = most
        cut = "rows may be cut at the end" if p99 <= most else f"more than 1 % of {total} rows are cut at the end"
        because = f"the model reads no more than {most} tokens; {cut}"
    length = max(8, int(settle(draft, KNOBS + "max_length", max(8, length), because)))
    return replace(load, length=min(length, longest))


def _checkpointing(draft: Draft, facts: Facts, load: Load, most: int) -> Load:
    _, needed = _largest(facts, load, most)
    because = (
        "it is needed: without it, not even one row at a time fits" if needed else "it fits without, which is faster"
    )
    if load.peft == "prefix" and load.method != "full":
        needed, because = False, "prefix tuning works on the cache of keys and values, which checkpointing throws away"
    return replace(load, checkpointing=settle(draft, KNOBS + "gradient_checkpointing", needed, because))


def _split(draft: Draft, facts: Facts, load: Load, effective: int, noun: str) -> tuple[int, int]:
    """(micro-batch, accumulation): as much at once as fits."""
    stated = draft.wishes.get(KNOBS + "accumulation")
    room = effective
    if isinstance(stated, int) and stated > 0:
        room = max(1, effective // stated)
    batch = _largest_power(facts, load, room)
    told = forecast_load(facts.model, replace(load, batch_size=batch), facts.hardware)
    memory = f"about {size(told.total)} of {size(told.available)}"
    because = (
        f"all of a step at once fits: {memory}" if batch == room else f"the largest power of two that fits: {memory}"
    )
    if not told.fits:
        because = f"one row at a time needs {memory}: it is not expected to fit"
    batch = max(1, int(settle(draft, KNOBS + "batch_size", batch, because)))
    because = f"{effective} {noun} a step steady it enough and still give many steps"
    return batch, max(1, int(settle(draft, KNOBS + "accumulation", max(1, effective // batch), because)))


def _packing(draft: Draft, facts: Facts, load: Load, rows: int, effective: int) -> bool:
    """Whether several rows share a sequence: on a GPU, where most of a batch would be padding."""
    share = padding(facts, effective)
    of_padding = f"about {100 * share:.0f} % of a batch would be padding"
    recommended = False
    if facts.data.tokens is None:
        because = "until the rows are counted in the model's tokens"
    elif load.method != "full" and load.peft in VIRTUAL:
        because = "virtual tokens stand before a sequence, not before each row in it"
    elif load.device == "cpu":
        because = "on a processor the joined sequences cost more than the padding that they save"
    elif share < MOSTLY_PADDING or rows < MANY_ROWS:
        because = of_padding if rows >= MANY_ROWS else f"{rows} rows would be too few sequences for a steady course"
    else:
        recommended, because = True, f"{of_padding}; packed, the rows fill whole sequences and do not see each other"
    if draft.wishes.get(KNOBS + "group_by_length") is True:
        recommended, because = False, "rows are grouped by length instead, as you chose"
    return settle(draft, KNOBS + "packing", recommended, because)


def _grouping(draft: Draft, facts: Facts, packed: bool, batch: int, rows: int) -> None:
    """Whether rows of like length share a batch: where padding is much and the rows are many."""
    share = padding(facts, batch)
    recommended = False
    if packed:
        because = "packed sequences are all of one length"
    elif facts.data.tokens is None:
        because = "until the rows are counted in the model's tokens"
    elif share >= MUCH_PADDING and rows >= 8 * batch:
        recommended, because = True, f"without it about {100 * share:.0f} % of a batch would be padding"
    else:
        because = f"about {100 * share:.0f} % of a batch is padding, too little to give up a random order"
    others = (Alternative("yes", "rows of one length come together, so a batch is less of a mixture"),)
    draft.choose(KNOBS + "group_by_length", recommended, because, () if recommended else others)


def _largest(facts: Facts, load: Load, most: int) -> tuple[int, bool]:
    """(micro-batch, whether it needs checkpointing): without it where one row fits so."""
    plain = replace(load, checkpointing=False)
    if forecast_load(facts.model, replace(plain, batch_size=1), facts.hardware).fits:
        return _largest_power(facts, plain, most), False
    if load.device == "cuda" and facts.hardware.gpu is None:
        return most, False  # a plan for another machine: nothing is known that would speak for it
    return _largest_power(facts, replace(load, checkpointing=True), most), True


def _largest_power(facts: Facts, load: Load, most: int) -> int:
    """The largest power of two up to `most` rows that fits; 1 where none does."""
    batch = 1 << (most.bit_length() - 1)
    while batch > 1 and not forecast_load(facts.model, replace(load, batch_size=batch), facts.hardware).fits:
        batch //= 2
    return batch
