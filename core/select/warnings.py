"""What is legal in a plan and very probably not meant: each value with a sentence that says what will come of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tunesmith.core.adapters import KINDS
from tunesmith.core.facts import Facts
from tunesmith.core.figures import parameters
from tunesmith.core.outlook import outlook, training_rows
from tunesmith.core.plan import Path, Plan
from tunesmith.core.select.adapter import saves_little
from tunesmith.core.select.hyperparameters import BY_HEART
from tunesmith.core.select.load import adapter_parameters
from tunesmith.core.select.memory import load_of
from tunesmith.core.select.rates import TINY, learning_rate

AT = "select.hyperparameters."
FAR = 5
"""Times beyond the usual range from which on a learning rate is hardly meant."""
FEW_STEPS = 20
"""Optimizer steps with which hardly anything is learnt, whatever the rate."""
ADALORA_STEPS = 100
"""Steps from which on AdaLoRA has time to find out where its ranks belong; an assumption."""


@dataclass(frozen=True)
class Caution:
    """A value of a plan, and what is odd about it."""

    path: Path
    text: str


def warnings(plan: Plan, facts: Facts) -> list[Caution]:
    """What to tell the person about the plan's section `select`, in the order of the schema; none is an error."""
    return [*_adapter(plan, facts), *_rate(plan, facts), *_course(plan, facts), *_rows(plan, facts)]


def _adapter(plan: Plan, facts: Facts) -> Iterator[Caution]:
    select, model = plan.select, facts.model
    if select.method == "full":
        return
    little = saves_little(select.peft)
    if little:
        yield Caution("select.peft", f"{little}.")
    steps = outlook(plan, facts).steps
    if select.peft == "adalora" and steps < ADALORA_STEPS:
        yield Caution("select.peft", f"AdaLoRA shares out its ranks over the steps, and {steps} are few to do so.")
    tokens = select.virtual_tokens or 0
    length = select.hyperparameters.max_length
    if tokens + length > model.max_positions:
        text = f"{tokens} virtual tokens and rows of {length} are more than the {model.max_positions} that the model "
        yield Caution("select.virtual_tokens", f"{text}reads.")
    if select.lora is None:
        return
    narrowest = min((min(inputs, outputs) for inputs, outputs, _ in model.linear_shapes), default=model.hidden_size)
    rank = select.lora.rank
    trained = adapter_parameters(model, load_of(select, length))
    if rank > narrowest and select.peft != "vera":
        text = f"Rank {rank} is more than the narrowest layer's width of {narrowest}: beyond that nothing is gained."
        yield Caution("select.lora.rank", text)
    elif trained > model.parameters / 4:
        text = (
            f"At rank {rank} the adapter has {parameters(trained)} parameters, the model {parameters(model.parameters)}"
        )
        yield Caution("select.lora.rank", f"{text}: it is hardly an adapter any more; method full may serve better.")
    scale = select.lora.alpha / (math.sqrt(rank) if select.peft == "rslora" else rank)
    if select.peft != "vera" and not 0.25 <= scale <= 16:
        text = (
            f"Alpha {select.lora.alpha} at rank {rank} multiplies the adapter's output by {scale:.3g}; 1 to 2 is usual."
        )
        yield Caution("select.lora.alpha", text)
    if select.lora.dropout > 0.5:
        text = f"A dropout of {select.lora.dropout:g} leaves out most of the adapter's inputs; 0 to 0.1 is usual."
        yield Caution("select.lora.dropout", text)


def _rate(plan: Plan, facts: Facts) -> Iterator[Caution]:
    select = plan.select
    rate, chosen = (
        learning_rate(select.method, select.peft, facts.model.parameters),
        select.hyperparameters.learning_rate,
    )
    what = "full fine-tuning" if select.method == "full" else KINDS[select.peft].name
    usual = f"for {what} on a model of this size {rate.low:g} to {rate.high:g} is usual"
    path = AT + "learning_rate"
    if chosen < rate.low / FAR:
        yield Caution(path, f"{chosen:g} is so small that the model will hardly change: {usual}.")
    elif chosen > rate.high * FAR:
        yield Caution(path, f"{chosen:g} is so large that the training may fly apart: {usual}.")
    elif chosen > rate.value and select.hyperparameters.batch_size * select.hyperparameters.accumulation < 4:
        rows = select.hyperparameters.batch_size * select.hyperparameters.accumulation
        said = "one row" if rows == 1 else f"{rows} rows"
        yield Caution(
            path, f"{chosen:g} with {said} a step: each step follows single rows far; {usual}, with 8 to 64 rows."
        )


def _course(plan: Plan, facts: Facts) -> Iterator[Caution]:
    knobs, steps = plan.select.hyperparameters, outlook(plan, facts).steps
    rows = training_rows(plan, facts)
    if knobs.epochs > 40 or (knobs.epochs > BY_HEART and facts.model.parameters >= TINY):
        text = f"{knobs.epochs:g} passes over {rows:,} rows: in the end the model knows them by heart, and no others"
        watch = "" if knobs.early_stopping else "; early stopping would end it in time"
        yield Caution(AT + "epochs", f"{text}{watch}.")
    if steps < FEW_STEPS:
        text = f"Only {steps} {'step' if steps == 1 else 'steps'} in all: hardly anything is learnt in so few."
        yield Caution(AT + "epochs", f"{text} More passes, or fewer rows a step.")
    if knobs.warmup > 0.5:
        yield Caution(
            AT + "warmup", f"The rate rises over {100 * knobs.warmup:.0f} % of the steps; 3 to 10 % is usual."
        )
    if knobs.weight_decay > 0.2:
        text = f"A weight decay of {knobs.weight_decay:g} pulls hard on what was learnt; 0 to 0.1 is usual."
        yield Caution(AT + "weight_decay", text)
    if knobs.max_grad_norm < 0.01:
        text = f"Gradients are cut to a norm of {knobs.max_grad_norm:g}; 0.3 to 1 is usual."
        yield Caution(AT + "max_grad_norm", text)
    patience, looks = knobs.early_stopping, steps // max(1, plan.finetune.evaluate_every)
    if patience is not None and patience >= looks:
        text = (
            f"It needs {patience} looks without a better loss, and there are only {looks}: it can't end anything early."
        )
        yield Caution(AT + "early_stopping", text)


def _rows(plan: Plan, facts: Facts) -> Iterator[Caution]:
    knobs, rows, counted = plan.select.hyperparameters, training_rows(plan, facts), facts.data.tokens
    effective = knobs.batch_size * knobs.accumulation
    if effective > rows:
        path = AT + ("accumulation" if knobs.batch_size <= rows else "batch_size")
        yield Caution(path, f"A step takes {effective:,} rows, and there are {rows:,}: each pass is a single step.")
    if knobs.max_length > facts.model.max_positions:
        most = facts.model.max_positions
        yield Caution(AT + "max_length", f"The model was made for no more than {most:,} tokens.")
    if counted is None:
        return
    if knobs.max_length < counted.whole.p50:
        text = f"Half of the rows have more than {knobs.max_length} tokens and lose their end, the answer first."
        yield Caution(AT + "max_length", text)
    if knobs.packing and rows * counted.whole.mean < 20 * effective * knobs.max_length:
        sequences = math.ceil(rows * counted.whole.mean / knobs.max_length)
        text = f"Packed, the {rows:,} rows are about {sequences:,} sequences, so few that a pass has hardly any steps."
        yield Caution(AT + "packing", text)
    if knobs.packing and plan.select.device == "cpu":
        text = "On a processor the joined sequences cost more than the padding that they save."
        yield Caution(AT + "packing", text)
