"""The review before anything expensive: what will run, what it will take, the plan as a file, the same as a command."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tunesmith.core.adapters import KINDS
from tunesmith.core.evidence import before_training, stops_before_training
from tunesmith.core.measures import MEASURES
from tunesmith.core.models import absence, how_to_fetch
from tunesmith.core.plan import Plan
from tunesmith.core.project import Project
from tunesmith.core.recommend import Resolution
from tunesmith.core.schema import knob_at, knobs, plain_value
from tunesmith.core.select.choosing import rehearsal
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.select_told import told
from tunesmith.tui.screens.step import Step
from tunesmith.tui.widgets.knob_row import KnobRow
from tunesmith.tui.widgets.named_lines import NamedLines
from tunesmith.tui.widgets.next_line import NextLine
from tunesmith.tui.widgets.still import Still

LATER = ("finetune", "evaluate", "productionize")
WIDEST_NAME = 7
"""Cells of the longest names in the summary."""


class ReviewStep(Step):
    """Everything at a glance; Enter starts it."""

    stage: ClassVar[str] = "finetune"
    pane: ClassVar[str] = "review"
    starting = False
    """Whether a start is under way."""
    _written: Resolution | None = None
    """What the plan file says."""

    def compose(self) -> ComposeResult:
        """The summary, the command, the settings of what comes after, and the plan itself."""
        with VerticalScroll(classes="step-form", id="review-body"):
            yield NamedLines(self.session.glyphs, WIDEST_NAME, id="review-summary")
            yield Still("", id="review-estimates")
            yield Static("The same without the wizard", classes="section")
            yield Still("", id="review-command")
            if self.session.all_settings:
                yield Static("Settings of the steps to come", classes="section")
                yield from self._rows()
            yield Static("The plan", classes="section")
            yield Still("", id="review-plan")
        yield NextLine(self.session.glyphs)

    def _rows(self) -> Iterable[Widget]:
        return [KnobRow(knob, self.session.glyphs) for stage in LATER for knob in knobs(stage)]

    def show_plan(self) -> None:
        """Everything anew."""
        project, glyphs = self.session.project, self.session.glyphs
        if project.resolution is None or not self.session.counted:
            problem = self.session.problem
            waits = f"first this must be mended: {problem}" if problem else "one moment, the data is being looked at …"
            self.say_next(waits, ready=False)
            return
        if project.resolution is not self._written:  # the command that is shown must mean this very plan
            text = project.write_plan().read_text(encoding="utf-8")
            self.query_one("#review-plan", Still).show(harmless_lines(text))
            self._written = project.resolution
        for row in self.query(KnobRow):
            row.show(plain_value(project.plan, row.knob.path), project.reasons.get(row.knob.path))
        self.query_one("#review-summary", NamedLines).show(summary(project))
        self.query_one("#review-estimates", Still).show(told(project.outlook, glyphs))
        command = f"tunesmith run {shlex.quote(str(project.plan_path))}"
        more = "w writes a copy into the folder you started in; x shows the settings of evaluation and serving."
        self.query_one("#review-command", Still).show(
            Content.assemble((harmless(command), "bold"), (f"\n{more}", "$text-muted"))
        )
        doubt, missing = self.doubt(), self.missing()
        if missing:
            self.say_next(f"the model must be fetched first: {missing}", ready=False)
        elif self.starting:
            self.say_next("starting …", ready=False)
        elif doubt:
            self.say_next(f"start all the same? {doubt}")
        elif project.run_is_stale:
            self.say_next("start it anew with the changed answers; it goes on without this window")
        else:
            self.say_next(start_told(project.plan))

    def missing(self) -> str:
        """The model that must be fetched before anything can start; empty where it is here."""
        model = self.session.project.facts.model
        return "" if model.here else model.name

    def doubt(self) -> str:
        """What speaks against starting now; empty where nothing does."""
        outlook, plan = self.session.project.outlook, self.session.project.plan
        if self.session.alive:
            return "Another run is at work; both would share this machine."
        hardware = self.session.project.facts.hardware
        if hardware.planned:
            return f"It is planned for {hardware.planned}, which is not this machine: w writes the plan to take there."
        if plan.select.device == "cuda" and hardware.gpu is None:
            return "It computes on a GPU, and none can be used here."
        if not outlook.memory.fits:
            return "It is not expected to fit in memory."
        return "" if outlook.disk_suffices else "The disk is not expected to suffice."

    def arrive(self) -> None:
        """At the top, where the summary stands."""
        self.query_one("#review-body").scroll_home(animate=False)
        super().arrive()

    def accept(self) -> None:
        """Start, once the plan is known; only once, however often Enter is pressed."""
        ready = self.session.counted and self.session.project.resolution is not None and not self.starting
        if ready and not self.missing() and not any(row.refused for row in self.query(KnobRow)):
            super().accept()

    def on_knob_row_done(self, event: KnobRow.Done) -> None:
        """Enter in an entry leads back to the last line: a start must be meant."""
        event.stop()
        super().arrive()


def summary(project: Project) -> list[tuple[str, str]]:
    """What will run, in a few lines, each with its name."""
    plan, survey = project.plan, project.survey
    parts = survey.preview.parts if survey else {}
    rows = ", ".join(f"{count:,} {part}" for part, count in parts.items())
    lines = [
        ("What", plan.understand.goal),
        ("Success", MEASURES[plan.understand.metric].success(plan.understand.threshold)),
        ("Data", f"{plan.prepare.data}: rows {rows}"),
        ("Model", _model(plan)),
        *_about_model(project),
        ("First", " ".join(before_training(plan.understand))),
        ("Then", _then(plan)),
        *(("Note", caution.text) for caution in project.cautions),
    ]
    return [(name, text) for name, text in lines if text]


def _about_model(project: Project) -> list[tuple[str, str]]:
    """That the model is not here, or that it is only the one for practice."""
    model, use_case = project.facts.model, project.plan.understand.use_case
    only_practice = rehearsal(project.facts, use_case)
    lines = [("Note", f"{only_practice[:1].upper()}{only_practice[1:]}.")] if only_practice else []
    if not model.here:
        lines.append(("Missing", f"{absence(model)} {how_to_fetch(model)}"))
    return lines


def _model(plan: Plan) -> str:
    knobs_ = plan.select.hyperparameters
    kind = "" if plan.select.peft == "lora" else f" with {KINDS[plan.select.peft].name}"
    adapter = kind + (f", rank {plan.select.lora.rank}" if plan.select.lora else "")
    batch = knobs_.batch_size * knobs_.accumulation
    method = knob_at("select.method").label(plan.select.method)
    where = "the GPU" if plan.select.device == "cuda" else "the processor"
    return (
        f"{plan.select.model}, {method}{adapter}, learning rate {knobs_.learning_rate:g}, "
        f"{knobs_.epochs:g} passes, {batch} rows a step, on {where}"
    )


def start_told(plan: Plan) -> str:
    """What Enter does."""
    if stops_before_training(plan.understand):
        return "score the untouched model, write a prompt file; nothing is trained"
    return "start the training; it goes on without this window"


def _then(plan: Plan) -> str:
    if stops_before_training(plan.understand):
        return "nothing, unless you go on from there: then it is trained, and both models are scored"
    probes = f" and {len(plan.evaluate.probes)} probes" if plan.evaluate.probes else ""
    merged = "; merged, and asked once over HTTP" if plan.productionize.merge else ""
    return f"untouched and tuned model scored on the test rows{probes}{merged}"


def harmless_lines(text: str) -> str:
    """Several lines of text, each harmless."""
    return "\n".join(harmless(line) for line in text.splitlines())


STEP = ReviewStep
