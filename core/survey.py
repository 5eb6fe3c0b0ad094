"""Measures everything that `resolve` looks at: the machine, the data, the model, and the data's lengths in its tokens.

It is done by a helper process (see `jobs.Helper`), so that whoever asks stays quick: `look` needs no heavy library and
answers at once, `counted` waits for the model's tokenizer.
"""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from tunesmith.core.draft import Wishes
from tunesmith.core.errors import ModelError
from tunesmith.core.facts import Facts, Hardware, ModelFacts, Simulation, TokenProfile
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.jobs import Helper
from tunesmith.core.load import Load
from tunesmith.core.models import config_of, find_model, has_tokenizer, hub_cache
from tunesmith.core.outlook import outlook
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.preview import Prepared, Preview, rows_from_plan
from tunesmith.core.prepare.profile import profile
from tunesmith.core.probes import with_probes
from tunesmith.core.recommend import resolve
from tunesmith.core.run import runs_root
from tunesmith.core.select.cards import hardware_for

ROUNDS = 3
"""Simulations after which the plan is taken as it is."""


class Survey(msgspec.Struct, frozen=True):
    """What was measured, what becomes of the data, and some rows as the model will see them."""

    facts: Facts
    preview: Preview
    rendered: list[list[tuple[str, bool]]] = []
    """Rows in runs of (text, whether it is trained); none before the tokens are counted."""


class Counted(msgspec.Struct, frozen=True):
    """Lengths over all rows in a model's tokens, and some rows as it will see them."""

    profile: TokenProfile
    rendered: list[list[tuple[str, bool]]]


def survey(wishes: Wishes, base: Path, helper: Helper) -> Survey:
    """Measure everything for these wishes; paths in them are relative to `base`.

    Raises:
        DataError: The data can't be read or gives no rows.
        ModelError: There is no usable model of that name.
        PlanError: The wishes contradict the plan's schema, or name a card that is not known.
    """
    return counted(look(wishes, base, helper), helper)


def look(wishes: Wishes, base: Path, helper: Helper) -> Survey:
    """The same without tokens: quick, because no heavy library is needed. Raises what `survey` does."""
    answer = helper.ask("look", wishes=dict(wishes), base=str(base))
    return msgspec.convert(answer, Survey)


def counted(seen: Survey, helper: Helper) -> Survey:
    """`seen`, the helper's last look, with its rows counted in the model's tokens.

    Where neither the model nor its tokenizer is on this machine, the lengths are estimated from characters.

    Raises:
        ModelError: The model's tokenizer can't be used.
    """
    model = seen.facts.model
    if model.here or has_tokenizer(model):
        answer = helper.ask("tokens", model=model.path)
    else:
        answer = helper.ask("estimate", vocabulary=model.vocabulary)
    found = msgspec.convert(answer, Counted)
    data = msgspec.structs.replace(seen.facts.data, tokens=found.profile)
    return Survey(msgspec.structs.replace(seen.facts, data=data), seen.preview, found.rendered)


def simulated(seen: Survey, load: Load, helper: Helper) -> Survey:
    """`seen` with one training step of its model simulated for `load`. Raises what `model_simulated` does."""
    model = model_simulated(seen.facts.model, load, helper)
    return msgspec.structs.replace(seen, facts=msgspec.structs.replace(seen.facts, model=model))


def model_simulated(model: ModelFacts, load: Load, helper: Helper) -> ModelFacts:
    """`model` with one of its training steps simulated for `load`, unless it is known already.

    Raises:
        ModelError: Its config can't be read, or transformers can't build it.
    """
    if any(one.load == load for one in model.simulations):
        return model
    answer = helper.ask("simulate", config=config_of(model), load=msgspec.to_builtins(load))
    return msgspec.structs.replace(model, simulations=(*model.simulations, msgspec.convert(answer, Simulation)))


def settled(seen: Survey, wishes: Wishes, helper: Helper) -> Survey:
    """`seen` with simulations until the plan that follows from them and `wishes` is one that was simulated.

    A simulation may change what fits, and with it the plan; at most `ROUNDS` are made. Where a step of the model can't
    be simulated, `seen` comes back as it is.

    Raises:
        PlanError: The wishes contradict the plan's schema.
    """
    for _ in range(ROUNDS):
        before = seen.facts.model
        try:
            seen = simulated(seen, outlook(resolve(wishes, seen.facts).plan, seen.facts).load, helper)
        except ModelError:
            return seen
        if seen.facts.model is before:
            return seen
    return seen


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


def measure(wishes: Wishes, base: Path) -> tuple[Survey, Prepared]:
    """What `look` answers, and the rows themselves: what the helper does when it is asked."""
    data = profile(
        str(wishes.get("prepare.data", PRACTICE)),
        base,
        shape=wishes.get("prepare.shape"),
        columns=_columns(wishes),
    )
    model = with_probes(find_model(str(wishes.get("select.model", PRACTICE))))
    facts = Facts(hardware=_machine(wishes), data=data, model=model)
    prepared = rows_from_plan(resolve(wishes, facts).plan.prepare, base)
    lengths = sorted(len(row.answer) for _, row in prepared.each())
    if lengths:
        data = msgspec.structs.replace(data, answer_characters=lengths[math.ceil(0.95 * len(lengths)) - 1])
        facts = Facts(hardware=facts.hardware, data=data, model=model)
    return Survey(facts, prepared.preview()), prepared
