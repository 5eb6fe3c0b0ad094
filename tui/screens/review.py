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

from tunesmith.core.plan import Plan
from tunesmith.core.plan_yaml import dump_plan
from tunesmith.core.project import Project
from tunesmith.core.schema import knobs
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.select import told
from tunesmith.tui.screens.step import Step
from tunesmith.tui.widgets.knob_row import KnobRow
from tunesmith.tui.widgets.next_line import NextLine
from tunesmith.tui.widgets.still import Still

LATER = ("finetune", "evaluate", "productionize")


class ReviewStep(Step):
    """Everything at a glance; Enter starts it."""

    stage: ClassVar[str] = "finetune"
    pane: ClassVar[str] = "review"

    def compose(self) -> ComposeResult:
        """The summary, the command, the settings of what comes after, and the plan itself."""
        with VerticalScroll(classes="step-form", id="review-body"):
            yield Still("", id="review-summary")
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
            self.say_next("one moment, the data is being looked at …", ready=False)
            return
        for row in self.query(KnobRow):
            from tunesmith.core.schema import plain_value

            row.show(plain_value(project.plan, row.knob.path), project.reasons.get(row.knob.path))
        self.query_one("#review-summary", Still).show(summary(project, glyphs))
        command = f"tunesmith run {shlex.quote(str(project.plan_path))}"
        more = "w writes a copy of the plan beside your data; x shows the settings of evaluation and serving."
        self.query_one("#review-command", Still).show(
            Content.assemble((harmless(command), "bold"), (f"\n{more}", "$text-muted"))
        )
        self.query_one("#review-plan", Still).show(harmless_lines(dump_plan(project.plan, project.reasons)))
        outlook = project.outlook
        again = " anew: the answers changed since the last run" if self.session.run is not None else ""
        if self.session.alive:
            self.say_next("(a run is at work: it is watched with v, stopped with s) start this one as well")
        elif not outlook.memory.fits:
            self.say_next("start all the same: it is not expected to fit in memory")
        elif not outlook.disk_suffices:
            self.say_next("start all the same: the disk is not expected to suffice")
        else:
            self.say_next(f"start the training{again}; it goes on without this window")

    def arrive(self) -> None:
        """The plan lies on disk before the command is shown."""
        if self.session.counted:
            self.session.project.write_plan()
        super().arrive()

    def accept(self) -> None:
        """Start, once the plan is known."""
        if self.session.counted and self.session.project.resolution is not None:
            super().accept()


def summary(project: Project, glyphs: Glyphs) -> Content:
    """What will run, in a few lines, and what it will take."""
    plan, survey = project.plan, project.survey
    parts = survey.preview.parts if survey else {}
    rows = ", ".join(f"{count:,} {part}" for part, count in parts.items())
    lines = [
        ("What", plan.understand.goal),
        ("Success", f"{plan.understand.metric.replace('_', ' ')} of at least {100 * plan.understand.threshold:g} %"),
        ("Data", f"{plan.prepare.data}: rows {rows}"),
        ("Model", _model(plan)),
        ("Then", _then(plan)),
    ]
    told_lines = [Content.assemble((f"{name:<9}", "$text-muted"), harmless(text)) for name, text in lines]
    return Content("\n").join([*told_lines, Content(""), told(project.outlook, glyphs)])


def _model(plan: Plan) -> str:
    knobs_ = plan.select.hyperparameters
    adapter = f", rank {plan.select.lora.rank}" if plan.select.lora else ""
    batch = knobs_.batch_size * knobs_.accumulation
    where = "the GPU" if plan.select.device == "cuda" else "the processor"
    return (
        f"{plan.select.model}, {plan.select.method}{adapter}, learning rate {knobs_.learning_rate:g}, "
        f"{knobs_.epochs:g} passes, {batch} rows a step, on {where}"
    )


def _then(plan: Plan) -> str:
    probes = f" and {len(plan.evaluate.probes)} probes" if plan.evaluate.probes else ""
    merged = "; merged, and asked once over HTTP" if plan.productionize.merge else ""
    return f"untouched and tuned model scored on the test rows{probes}{merged}"


def harmless_lines(text: str) -> str:
    """Several lines of text, each harmless."""
    return "\n".join(harmless(line) for line in text.splitlines())


STEP = ReviewStep
