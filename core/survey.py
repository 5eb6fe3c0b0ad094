"""Measures everything that `resolve` looks at: the machine, the data, the model, and the data's lengths in its tokens.

It is done by a helper process (see `jobs.Helper`), so that whoever asks stays quick: `look` needs no heavy library and
answers at once, `counted` waits for the model's tokenizer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.draft import Wishes
from tunesmith.core.errors import ModelError
from tunesmith.core.facts import Facts, ModelFacts, Simulation, TokenProfile
from tunesmith.core.hardware import probe_hardware
from tunesmith.core.jobs import Helper
from tunesmith.core.load import Load
from tunesmith.core.models import find_model
from tunesmith.core.plan import Plan
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.preview import Prepared, Preview, rows_from_plan
from tunesmith.core.prepare.profile import profile
from tunesmith.core.probes import with_probes
from tunesmith.core.recommend import resolve
from tunesmith.core.run import runs_root
from tunesmith.core.select.memory import load_of

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
        PlanError: The wishes contradict the plan's schema.
    """
    return counted(look(wishes, base, helper), helper)


def look(wishes: Wishes, base: Path, helper: Helper) -> Survey:
    """The same without tokens: quick, because no heavy library is needed. Raises what `survey` does."""
    answer = helper.ask("look", wishes=dict(wishes), base=str(base))
    return msgspec.convert(answer, Survey)


def counted(seen: Survey, helper: Helper) -> Survey:
    """`seen`, the helper's last look, with its rows counted in the model's tokens.

    Raises:
        ModelError: The model's tokenizer can't be used.
    """
    found = msgspec.convert(helper.ask("tokens", model=seen.facts.model.path), Counted)
    data = msgspec.structs.replace(seen.facts.data, tokens=found.profile)
    return Survey(msgspec.structs.replace(seen.facts, data=data), seen.preview, found.rendered)


def simulated(seen: Survey, plan: Plan, helper: Helper, config: Mapping[str, Any] | None = None) -> Survey:
    """`seen` with the memory of the plan's training step simulated, unless it is there already.

    The first one waits for the helper's heavy libraries, later ones take a second or two.

    Args:
        config: The values of the model's config.json; read from its folder where they are not given.

    Raises:
        ModelError: A step of this model can't be simulated; its memory is forecast by arithmetic then.
    """
    tokens, knobs = seen.facts.data.tokens, plan.select.hyperparameters
    load = load_of(plan.select, tokens.whole.longest if tokens else knobs.max_length, plan.evaluate)
    model = model_simulated(seen.facts.model, load, helper, config)
    return msgspec.structs.replace(seen, facts=msgspec.structs.replace(seen.facts, model=model))


def model_simulated(
    model: ModelFacts, load: Load, helper: Helper, config: Mapping[str, Any] | None = None
) -> ModelFacts:
    """`model` with the step of `load` simulated, unless it is there already. Raises what `simulated` does."""
    if any(one.load == load for one in model.simulations):
        return model
    about: dict[str, Any] = {"model": model.path} if config is None else {"config": dict(config)}
    found = msgspec.convert(helper.ask("simulate", load=load, **about), Simulation)
    return msgspec.structs.replace(model, simulations=(*model.simulations, found))


def settled(seen: Survey, wishes: Wishes, helper: Helper, config: Mapping[str, Any] | None = None) -> Survey:
    """`seen` with simulations until the plan that follows from them and `wishes` is one that was simulated.

    A simulation may change what fits, and with it the plan; at most `ROUNDS` are made. Where a step of the model can't
    be simulated, `seen` comes back as it is.

    Raises:
        PlanError: The wishes contradict the plan's schema.
    """
    for _ in range(ROUNDS):
        try:
            then = simulated(seen, resolve(wishes, seen.facts).plan, helper, config)
        except ModelError:
            return seen
        if then is seen or then.facts.model is seen.facts.model:
            return seen
        seen = then
    return seen


def _columns(wishes: Wishes) -> dict[str, str] | None:
    """Which column plays which part, as far as the person said: all at once, or part by part."""
    stated = wishes.get("prepare.columns")
    columns = dict(stated) if isinstance(stated, dict) else {}
    at = "prepare.columns."
    columns |= {path.removeprefix(at): column for path, column in wishes.items() if path.startswith(at) and column}
    return columns or None


def measure(wishes: Wishes, base: Path) -> tuple[Survey, Prepared]:
    """What `look` answers, and the rows themselves: what the helper does when it is asked."""
    data = profile(
        str(wishes.get("prepare.data", PRACTICE)),
        base,
        shape=wishes.get("prepare.shape"),
        columns=_columns(wishes),
    )
    model = with_probes(find_model(str(wishes.get("select.model", PRACTICE))))
    facts = Facts(hardware=probe_hardware(runs_root()), data=data, model=model)
    prepared = rows_from_plan(resolve(wishes, facts).plan.prepare, base)
    return Survey(facts, prepared.preview()), prepared
