"""The first stage of a run: says what is wanted and how it is measured, as the plan has it."""

from __future__ import annotations

from tunesmith.core.events import Decision
from tunesmith.core.plan import Understand
from tunesmith.core.understand.advice import Situation, has_context, weigh
from tunesmith.core.worker.job import Job

STAGE = "understand"
METRICS = {
    "exact_match": ("exact match", "an answer counts when it is right to the letter, case and articles aside"),
    "f1": ("F1", "an answer counts by the words it shares with the right one"),
}


def work(job: Job) -> str:
    """Tell the brief as events; returns it in one sentence."""
    brief = job.plan.understand
    metric, counts = METRICS[brief.metric]
    for name, value, because in (
        ("Goal", brief.goal, "what the result is judged by in the report"),
        ("Metric", metric, counts),
        ("Goal to reach", f"{100 * brief.threshold:g} %", "of the held-out rows, that nothing was trained on"),
        ("Approach", brief.approach, _why(job)),
    ):
        job.emit(Decision(stage=STAGE, name=name, value=value, because=because))
    if brief.approach != "fine-tune":
        job.finding(
            STAGE, f"The plan's approach is {brief.approach}; it is fine-tuned all the same, to compare.", "note"
        )
    return _summary(brief, metric)


def _summary(brief: Understand, metric: str) -> str:
    tried = f"; tried before: {', '.join(brief.tried)}" if brief.tried else ""
    return f"{brief.approach} for {brief.use_case}, to reach {100 * brief.threshold:g} % {metric}{tried}"


def _why(job: Job) -> str:
    """What speaks for the plan's approach by the same rules that advised it."""
    brief, prepare = job.plan.understand, job.plan.prepare
    enough = 1000  # the rows are not counted yet: the rule about too few of them stays silent
    situation = Situation(brief.use_case, frozenset(brief.tried), has_context(prepare.shape, prepare.columns), enough)
    return "; ".join(weigh(situation).reasons_for(brief.approach)) or "chosen in the plan"
