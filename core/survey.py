"""Measures everything that `resolve` looks at: the machine, the data, the model, and the data's lengths in its tokens.

It is done by a helper process (see `jobs.Helper` and `worker.measure`), so that whoever asks stays quick and light:
`look` answers once the data is read, `counted` waits for the model's tokenizer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.draft import Wishes
from tunesmith.core.errors import ModelError, PlanError
from tunesmith.core.facts import Facts, ModelFacts, Simulation, TokenProfile
from tunesmith.core.jobs import Helper
from tunesmith.core.load import Load
from tunesmith.core.meter import Meter, silent
from tunesmith.core.models import config_of, has_tokenizer
from tunesmith.core.outlook import outlook
from tunesmith.core.plan import Prepare
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.prepared import Prepared, Preview, WrittenSet
from tunesmith.core.proof import Proof
from tunesmith.core.recommend import resolve

ROUNDS = 3
"""Simulations after which the plan is taken as it is."""


class Survey(msgspec.Struct, frozen=True):
    """What was measured, what becomes of the data, and some rows as the model will see them."""

    facts: Facts
    preview: Preview
    rendered: list[list[tuple[str, bool]]] = []
    """Rows in runs of (text, whether it is trained); none before the tokens are counted."""
    proof: Proof | None = None
    """What the model's own tokenizer makes of the rows; None where it is not here, and before it has counted."""


class Counted(msgspec.Struct, frozen=True):
    """Lengths over all rows in a model's tokens, and some rows as it will see them."""

    profile: TokenProfile
    rendered: list[list[tuple[str, bool]]]


def survey(wishes: Wishes, base: Path, helper: Helper, meter: Meter = silent) -> Survey:
    """Measure everything for these wishes; paths in them are relative to `base`.

    Raises:
        DataError: The data can't be read or gives no rows.
        ModelError: There is no usable model of that name.
        PlanError: The wishes contradict the plan's schema, or name a card that is not known.
        Cancelled: `helper.cancel` was called.
    """
    return counted(look(wishes, base, helper, meter), wishes, helper, meter)


def look(wishes: Wishes, base: Path, helper: Helper, meter: Meter = silent) -> Survey:
    """The same without tokens: the model's tokenizer need not be loaded. Raises what `survey` does."""
    answer = helper.ask("look", meter, wishes=dict(wishes), base=str(base))
    return msgspec.convert(answer, Survey)


def counted(seen: Survey, wishes: Wishes, helper: Helper, meter: Meter = silent) -> Survey:
    """`seen`, the helper's last look, with its rows counted in the model's tokens, and cut as the plan will cut them.

    Where neither the model nor its tokenizer is on this machine, the lengths are estimated from characters.

    Raises:
        ModelError: The model's tokenizer can't be used.
    """
    model, data = seen.facts.model, seen.facts.data
    proof = None
    if model.here or has_tokenizer(model):
        wished = wishes.get("select.hyperparameters.max_length")
        longest = wished if isinstance(wished, int) and wished > 0 else None
        proof = msgspec.convert(helper.ask("tokens", meter, model=model.path, max_length=longest), Proof)
        found = Counted(proof.profile, [one.pieces for one in proof.pictures])
    else:
        found = msgspec.convert(helper.ask("estimate", meter, vocabulary=model.vocabulary), Counted)
    data = msgspec.structs.replace(data, tokens=found.profile)
    seen = Survey(msgspec.structs.replace(seen.facts, data=data), seen.preview, found.rendered, proof)
    try:
        plan = resolve(wishes, seen.facts).plan
    except PlanError:
        return seen  # whoever asks for the plan is told
    return proven(seen, plan.select.hyperparameters.max_length, helper, meter)


def unproven(seen: Survey, longest: int) -> bool:
    """Whether it is not known yet what is cut and lost at a sequence length of `longest` tokens."""
    if seen.proof is None:
        return False
    most, at = seen.proof.profile.whole.longest, seen.proof.max_length
    return min(longest, most) != (most if at is None else min(at, most))


def proven(seen: Survey, longest: int, helper: Helper, meter: Meter = silent) -> Survey:
    """`seen`, the helper's last look, with its rows cut at `longest` tokens. Raises what `counted` does."""
    if not unproven(seen, longest):
        return seen
    model = seen.facts.model.path
    proof = msgspec.convert(helper.ask("tokens", meter, model=model, max_length=longest), Proof)
    return msgspec.structs.replace(seen, proof=proof, rendered=[one.pieces for one in proof.pictures])


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


def prepared(plan: Prepare, base: Path, helper: Helper, meter: Meter = silent) -> Prepared:
    """The rows that a plan's section makes, made or found in the cache; relative paths in it begin at `base`.

    Raises:
        DataError: The data can't be read or gives no rows.
        AccessError: The file system refuses to let it be read.
        PlanError: The plan names what the data has not.
        Cancelled: `helper.cancel` was called.
    """
    answer = helper.ask("prepare", meter, plan=plan.model_dump(mode="json"), base=str(base))
    return msgspec.convert(answer, Prepared)


def columns_of(source: str, base: Path, helper: Helper) -> list[str]:
    """The names of the columns of a file. Raises what `prepared` does."""
    found: list[str] = helper.ask("columns", source=source, base=str(base))
    return found


def export(
    plan: Prepare,
    base: Path,
    helper: Helper,
    folder: Path,
    form: str,
    meter: Meter = silent,
    proof: Proof | None = None,
) -> WrittenSet:
    """Write the prepared set and its data card into a folder.

    Args:
        proof: The rows in the model's tokens, for the card; None where they were not counted.
        plan: The plan's section; relative paths in it begin at `base`.
        form: jsonl, parquet or openai.

    Raises:
        AccessError: The folder can't be written to.
        DataError: As `prepared`, and so the others.
    """
    said, told = plan.model_dump(mode="json"), None if proof is None else msgspec.to_builtins(proof)
    answer = helper.ask("export", meter, plan=said, base=str(base), folder=str(folder), form=form, proof=told)
    return msgspec.convert(answer, WrittenSet)


class Page(msgspec.Struct, frozen=True):
    """A stretch of the data as it was read."""

    columns: list[str]
    total: int
    """Records in the whole."""
    start: int
    """Which record the first one here is, counted from 0."""
    cells: list[list[str]]
    """Row by row, each cell as harmless text on one line, cut where it is long."""
    places: list[str]
    """Where each record stands: its line, and where several files were read, its file."""
    whole: list[bool]
    """Whether each record's cells are all there, neither cut nor joined from several lines."""


class Whole(msgspec.Struct, frozen=True):
    """One record as it was read, up to a bound."""

    columns: list[str]
    cells: list[str]
    """As harmless text, its lines apart."""
    left_out: list[int]
    """How many characters of each cell are beyond the bound."""


def page(wishes: Wishes, base: Path, helper: Helper, start: int, count: int) -> Page:
    """`count` records from `start` on, read from the cache without loading the others. Raises what `prepared` does."""
    return msgspec.convert(helper.ask("page", data=_data(wishes, base), start=start, count=count), Page)


def whole(wishes: Wishes, base: Path, helper: Helper, number: int) -> Whole:
    """Record `number`, counted from 0. Raises what `prepared` does, and DataError where there is none any more."""
    return msgspec.convert(helper.ask("whole", data=_data(wishes, base), number=number), Whole)


def _data(wishes: Wishes, base: Path) -> dict[str, Any]:
    """What the helper reads the data by."""
    asked = {name: wishes.get(f"prepare.{name}") for name in ("query", "part", "encoding")}
    return {"source": wishes.get("prepare.data") or PRACTICE, "base": str(base), **asked}
