"""Measures everything that `resolve` looks at: the machine, the data, the model, and the data's lengths in its tokens.

Light itself: what needs the model's tokenizer is asked of a helper process (see `jobs.Helper`).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tunesmith.core.draft import Wishes
from tunesmith.core.facts import Facts, TokenProfile
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.jobs import Helper
from tunesmith.core.models import find_model
from tunesmith.core.prepare.preview import Prepared, rows_from_plan
from tunesmith.core.prepare.profile import profile
from tunesmith.core.recommend import resolve
from tunesmith.core.rows import SPLITS, write_rows
from tunesmith.core.run import runs_root

PRACTICE = "practice"
"""The name of the built-in data and of the built-in model."""


@dataclass(frozen=True)
class Survey:
    """What was measured, the rows as they would be made, and the first of them as the model will see them."""

    facts: Facts
    prepared: Prepared
    rendered: list[list[tuple[str, bool]]]
    """Rows in runs of (text, whether it is trained)."""


def survey(wishes: Wishes, base: Path, helper: Helper) -> Survey:
    """Measure for these wishes; paths in them are relative to `base`.

    Raises:
        DataError: The data can't be read or gives no rows.
        ModelError: There is no usable model of that name.
        PlanError: The wishes contradict the plan's schema.
    """
    data = profile(
        str(wishes.get("prepare.data", PRACTICE)),
        base,
        shape=wishes.get("prepare.shape"),
        columns=wishes.get("prepare.columns"),
    )
    model = find_model(str(wishes.get("select.model", PRACTICE)))
    facts = Facts(hardware=probe_hardware(runs_root()), data=data, model=model)
    prepared = rows_from_plan(resolve(wishes, facts).plan.prepare, base)
    tokens, rendered = _tokens(prepared, model.path, helper)
    facts = msgspec.structs.replace(facts, data=msgspec.structs.replace(data, tokens=tokens))
    return Survey(facts, prepared, rendered)


def _tokens(prepared: Prepared, model: str, helper: Helper) -> tuple[TokenProfile, list[list[tuple[str, bool]]]]:
    with tempfile.TemporaryDirectory(prefix="tunesmith-") as folder:
        rows = Path(folder) / "rows.jsonl"
        write_rows(rows, (row for split in SPLITS for row in prepared.rows[split]))
        answer = helper.ask("tokens", model=model, rows=str(rows))
    rendered = [[(text, trained) for text, trained in one["pieces"]] for one in answer["rendered"]]
    return msgspec.convert(answer["profile"], TokenProfile), rendered
