"""Writes a prepared set for somebody else: rows in the form asked for, what was set aside, the data card."""

from __future__ import annotations

from pathlib import Path

from tunesmith.core.errors import AccessError
from tunesmith.core.meter import Meter
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare.card import card
from tunesmith.core.prepare.export import Form, write_prepared
from tunesmith.core.prepare.outgoing import write_aside, write_rejected
from tunesmith.core.prepare.pipeline import prepare_rows
from tunesmith.core.prepare.prepared import REJECTED, SET_ASIDE, WrittenSet
from tunesmith.core.prepare.profile import planned_profile
from tunesmith.core.prepare.records import name_of
from tunesmith.core.proof import Proof
from tunesmith.core.rows import SPLITS

CARD = "data-card.md"


def write_set(
    plan: Prepare, base: Path, folder: Path, form: Form, meter: Meter, proof: Proof | None = None
) -> WrittenSet:
    """Make the rows as the plan says, or take them from the cache, and write them into `folder`.

    Args:
        proof: The rows in the model's tokens, for the card; None where they were not counted.

    Raises:
        AccessError: The folder can't be written to.
        DataError: As `pipeline.prepare_rows`; or the form can't hold these rows.
    """
    prepared = prepare_rows(plan, base, meter)
    data = planned_profile(plan, base, meter)
    written = write_prepared({split: prepared.rows(split) for split in SPLITS}, folder, form, meter)
    try:
        write_aside(prepared, plan, folder / SET_ASIDE, meter)
        write_rejected(prepared.folder / REJECTED, folder / REJECTED, meter)
        (folder / CARD).write_text(card(prepared.account, plan, data, proof), encoding="utf-8")
    except OSError as error:
        raise AccessError(
            f"{name_of(folder)} can't be written to: {error.strerror}.", next_step="Name another folder."
        ) from error
    refused = [
        f"{one.path.name}{f', line {line:,}' if line else ''}: {what}" for one in written for line, what in one.faults
    ]
    return WrittenSet([*(one.path.name for one in written), SET_ASIDE, REJECTED, CARD], refused)
