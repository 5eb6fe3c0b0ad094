"""Step 4, Fine-tune, once it runs: what it does, its curves, what the model answers, and what happened."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from tunesmith.core.events import Step as TrainingStep
from tunesmith.core.figures import size
from tunesmith.core.history import History, Training
from tunesmith.core.measures import MEASURES, leading, measure
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.step import Step
from tunesmith.tui.session import Session
from tunesmith.tui.widgets.event_list import EventList
from tunesmith.tui.widgets.evidence_table import EvidenceTable
from tunesmith.tui.widgets.line import Line
from tunesmith.tui.widgets.next_line import NextLine
from tunesmith.tui.widgets.run_status import Told, tell
from tunesmith.tui.widgets.sample_table import SampleTable
from tunesmith.tui.widgets.still import Still
from tunesmith.tui.widgets.training_curves import TrainingCurves

BEFORE = (
    "The curves begin with the first steps.\n\n"
    "The loss says how far the model is from the answers that are wanted: it should fall, fast at first. "
)


def before_told(metric: str) -> str:
    """What the curves will show, for a plan with this metric."""
    shown = measure(leading(metric))
    if shown.key == "exact_match":
        says = "is the share of validation questions answered right to the letter"
    else:
        says = f"is taken on validation questions: {shown.counts}"
    way = "fall well below" if shown.lower_is_better else "rise well above"
    end = ": it should" if shown.key == "exact_match" else ". It should"
    return f"{BEFORE}{shown.title} {says}{end} {way} that of the untouched model, which is the dashed line."


def stated_metric(history: History | None) -> str:
    """The plan's metric as the run told it when it began; exact match where it told none."""
    decisions = history.stages["understand"].decisions if history else []
    names = {one.value for one in decisions if one.name == "Metric"}
    return next((one.key for one in MEASURES.values() if one.name in names), "exact_match")


class FinetuneStep(Step):
    """Everything is read from the run's folder, so any later login shows the same."""

    stage: ClassVar[str] = "finetune"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "chart", "Other chart", id="finetune.chart", tooltip="The loss, or the scores"),
        Binding("g", "go_on", "Go on as it is", show=False, id="finetune.go-on", tooltip="From the last checkpoint"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._told: Told | None = None

    def compose(self) -> ComposeResult:
        """Status and figures, the charts, answers, events, and what Enter does."""
        glyphs = self.session.glyphs
        with Vertical(id="finetune-body"):
            with Horizontal(classes="finetune-row"):
                yield Line(glyphs, id="finetune-doing")
                yield Line(glyphs, id="finetune-time")
            with Horizontal(classes="finetune-row", id="finetune-figures"):
                yield Line(glyphs, id="finetune-pace")
                yield Line(glyphs, id="finetune-memory")
                yield Line(glyphs, id="finetune-score")
                yield Line(glyphs, ("s stops and saves", "$text-muted"), id="finetune-stop")
            yield Still("", id="finetune-detail")
            yield TrainingCurves(glyphs, id="finetune-curves")
            yield EvidenceTable(id="finetune-evidence")
            yield Still(before_told("exact_match"), id="finetune-before")
            yield SampleTable(glyphs, id="finetune-samples")
            yield EventList(glyphs, id="finetune-events")
        yield NextLine(glyphs)

    def on_mount(self) -> None:
        """Show what is known already."""
        self.show_run()

    def on_resize(self) -> None:
        """Whether there is another chart to turn to depends on the width."""
        self.refresh_bindings()

    # -- what is shown

    def show_run(self) -> None:
        """Take over what is new in the run; each part repaints only where it says something else."""
        history = self.session.history
        self._show_status(self._now())
        self.query_one("#finetune-before", Still).show(before_told(stated_metric(history)))
        training = history.training if history else None
        evidence = list(history.evidence.values()) if history else []
        self.query_one(EvidenceTable).show_scores(evidence)
        self.set_class(bool(evidence), "-evidence")
        begun = training is not None and bool(training.steps or training.validations)
        if begun != self.has_class("-begun"):
            self.set_class(begun, "-begun")
            self.refresh_bindings()
        if training is not None:
            self.query_one(TrainingCurves).show(training, history.evidence if history else {})
            self._show_figures(training)
        self.query_one(SampleTable).show(training)
        self.query_one(EventList).show(history)

    def _now(self) -> Told:
        session = self.session
        return tell(session.run, session.state, session.history, session.glyphs, time.time())

    def _show_status(self, told: Told) -> None:
        before, self._told = self._told, told
        if told == before:
            return
        words = told.style if told.style != "$text-primary" else ""
        self.query_one("#finetune-doing", Line).show((f"{told.sign} ", told.style), (told.doing, f"bold {words}"))
        self.query_one("#finetune-time", Line).show((told.time, "$text-muted"))
        self.query_one("#finetune-detail", Still).show("\n".join(map(harmless, told.detail)))
        self.set_class(bool(told.detail), "-detail")
        self.set_class(len(told.detail) > 2, "-failed")
        self.say_next(told.next_text, ready=told.next != "wait")
        if before is None or (told.next, told.resumes) != (before.next, before.resumes):
            self.refresh_bindings()

    def _show_figures(self, training: Training) -> None:
        """Pace, memory and the newest scores."""
        pace = memory = score = ""
        newest: TrainingStep | None = training.newest
        if newest is not None:
            pace = f"{newest.tokens_per_second:,.0f} tokens/s"
            memory = f"{size(newest.memory_bytes)} {'on the GPU' if newest.memory_kind == 'gpu' else 'in RAM'}"
        if training.latest is not None:
            lead = measure(leading(training.latest.metric))
            score = f"{lead.name} {lead.maybe(training.latest.by(lead.key))}"
        for name, text in (("pace", pace), ("memory", memory), ("score", score)):
            self.query_one(f"#finetune-{name}", Line).show((text, ""))

    # -- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing here are not offered."""
        if action == "chart":
            return self.has_class("-begun") and not self.screen.has_class("-wide")
        if action == "go_on":
            return self._told is not None and self._told.resumes
        return True

    def action_chart(self) -> None:
        """Between the loss and the scores, where only one of them has room."""
        self.query_one(TrainingCurves).toggle_class("-scores")

    def action_go_on(self) -> None:
        """Take the run up where it ended, with the plan as it is."""
        if any(worker.group == "start" and worker.is_running for worker in self.workers):
            return  # it is being started already
        go_on = getattr(self.screen, "go_on_with_run", None)
        if callable(go_on):
            go_on()

    def accept(self) -> None:
        """Enter: on to Evaluate, on with the run, back to the plan; nothing while the training is at work."""
        told = self._now()
        if told.next == "go on":
            super().accept()
        elif told.next == "resume":
            self.action_go_on()
        elif told.next == "review":
            self.call_later(self.screen.run_action, "review")


STEP = FinetuneStep
