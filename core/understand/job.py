"""The first stage of a run: says what is wanted, how it is measured and what is advised, as the plan has it."""

from __future__ import annotations

from tunesmith.core.errors import ModelError
from tunesmith.core.events import Decision
from tunesmith.core.measures import MEASURES
from tunesmith.core.models import find_model
from tunesmith.core.plan import TRAINS, Understand
from tunesmith.core.schema import Knob, knob_at, shown, value_at
from tunesmith.core.understand.advice import Advice, advise_on
from tunesmith.core.understand.groups import grouped
from tunesmith.core.worker.job import Job

STAGE = "understand"
REASONS = {
    "understand.goal": "what the result is judged by in the report",
    "understand.threshold": "of the held-out rows, that nothing was trained on",
}


def work(job: Job) -> str:
    """Tell the brief and the advice as events; returns the brief in one sentence."""
    brief = job.plan.understand
    advice = _advice(job)
    for _, knobs in grouped():
        for knob in knobs:
            because = (
                advice.option(brief.approach).because if knob.path == "understand.approach" else _meaning(knob, job)
            )
            name = "Approach" if knob.path == "understand.approach" else knob.title
            job.emit(Decision(stage=STAGE, name=name, value=_value(knob, job), because=because))
    _tell_advice(job, advice)
    return _summary(brief)


def _advice(job: Job) -> Advice:
    """By the same rules that advised the plan; the model is looked at only for its size."""
    try:
        parameters = find_model(job.plan.select.model).parameters
    except ModelError:
        parameters = None  # the third stage refuses it, with what to do about it
    return advise_on(job.plan, parameters)


def _tell_advice(job: Job, advice: Advice) -> None:
    """What was advised where that is another way, what pulls apart, what comes first, and what the run will do."""
    brief, best, way = job.plan.understand, advice.best, knob_at("understand.approach").label
    if brief.approach != best.approach:
        job.finding(
            STAGE, f"Advised was {way(best.approach)}: {best.because}. The plan's approach is {way(brief.approach)}."
        )
    for one in advice.conflicts:
        job.finding(STAGE, f"Pulling apart: {one.sides[0]}, and {one.sides[1]}. Advised: {one.resolution}.")
    for text in advice.first:
        job.finding(STAGE, text, "warning")
    if brief.approach not in TRAINS:
        does = "the run scores the untouched model and stops before the training"
        if not brief.evidence.stop:
            does = "the model is fine-tuned all the same, to compare"
        job.finding(STAGE, f"The approach {way(brief.approach)} is one without a training here: {does}.")
        job.finding(STAGE, "What to do next for it: " + " ".join(advice.option(brief.approach).next_steps))


def _value(knob: Knob, job: Job) -> str:
    brief = job.plan.understand
    if knob.path == "understand.metric":
        return MEASURES[brief.metric].name
    if knob.path == "understand.threshold":
        return _goal(brief)
    return shown(knob, value_at(job.plan, knob.path))


def _meaning(knob: Knob, job: Job) -> str:
    """What the answer means, in the schema's words; what the value is for, where it is no choice."""
    value = value_at(job.plan, knob.path)
    return REASONS.get(knob.path) or knob.meanings.get(str(value)) or knob.text.partition(". ")[0].rstrip(".")


def _goal(brief: Understand) -> str:
    return MEASURES[brief.metric].goal(brief.threshold)


def _summary(brief: Understand) -> str:
    tried = f"; tried before: {shown(knob_at('understand.tried'), brief.tried)}" if brief.tried else ""
    way, task = (knob_at(f"understand.{name}").label(getattr(brief, name)) for name in ("approach", "use_case"))
    return f"{way} for {task}, to reach {_goal(brief)} {MEASURES[brief.metric].name}{tried}"
