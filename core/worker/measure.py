"""What the helper measures for a person's wishes: the machine, the data, the model, and the rows that follow."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tunesmith.core.draft import Wishes
from tunesmith.core.facts import Facts, Hardware
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.meter import Meter
from tunesmith.core.models import find_model, hub_cache
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.pipeline import prepare_rows
from tunesmith.core.prepare.prepared import Prepared
from tunesmith.core.prepare.profile import profile
from tunesmith.core.probes import with_probes
from tunesmith.core.recommend import resolve
from tunesmith.core.run import runs_root
from tunesmith.core.select.cards import hardware_for
from tunesmith.core.survey import Survey


def measure(wishes: Wishes, base: Path, meter: Meter) -> tuple[Survey, Prepared]:
    """What `survey.look` answers, and the rows themselves. Raises what `survey.survey` does."""
    data = profile(
        str(wishes.get("prepare.data", PRACTICE)),
        base,
        shape=wishes.get("prepare.shape"),
        columns=_columns(wishes),
        query=wishes.get("prepare.query"),
        part=wishes.get("prepare.part"),
        encoding=wishes.get("prepare.encoding"),
        meter=meter,
    )
    model = with_probes(find_model(str(wishes.get("select.model", PRACTICE))))
    facts = Facts(hardware=_machine(wishes), data=data, model=model)
    made = prepare_rows(resolve(wishes, facts).plan.prepare, base, meter)
    data = msgspec.structs.replace(data, answer_characters=made.account.answer_characters)
    facts = Facts(hardware=facts.hardware, data=data, model=model)
    return Survey(facts, made.preview()), made


def _columns(wishes: Wishes) -> dict[str, str] | None:
    """Which column plays which part, as far as the person said: all at once, or part by part."""
    stated = wishes.get("prepare.columns")
    columns = dict(stated) if isinstance(stated, dict) else {}
    at = "prepare.columns."
    columns |= {path.removeprefix(at): column for path, column in wishes.items() if path.startswith(at) and column}
    return columns or None


def _machine(wishes: Wishes) -> Hardware:
    """This machine as it is now, or the one that is planned for."""
    planned = wishes.get("select.gpu")
    if isinstance(planned, str) and planned.strip():
        return hardware_for(planned)
    return probe_hardware(runs_root(), cache_at=hub_cache())
