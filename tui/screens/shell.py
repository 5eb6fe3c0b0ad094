"""The wizard's shell: stepper, machine, the open step, and the keys. It stays while the six steps change inside it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import ContentSwitcher, Input
from textual.worker import Worker

from tunesmith.core import jobs
from tunesmith.core.errors import PlanError, TunesmithError
from tunesmith.core.prepare.meant import Meant, meant
from tunesmith.core.project import ASKED
from tunesmith.core.run import Run
from tunesmith.core.stages import STAGES
from tunesmith.tui.failures import defect
from tunesmith.tui.screens.calm import CalmScreen
from tunesmith.tui.screens.failure import Failure
from tunesmith.tui.screens.review import ReviewStep
from tunesmith.tui.screens.shell_keys import KEYS
from tunesmith.tui.screens.step import Step
from tunesmith.tui.session import Session
from tunesmith.tui.widgets.keys import Keys
from tunesmith.tui.widgets.knob_row import KnobRow, row_at
from tunesmith.tui.widgets.machine_line import MachineLine
from tunesmith.tui.widgets.measuring import Measuring
from tunesmith.tui.widgets.starting import Starting
from tunesmith.tui.widgets.stepper import Mark, Stepper
from tunesmith.tui.widgets.still import Still

POLL_SECONDS = 0.5
SIMULATING_SECONDS = 1.0
MOST_CHANGED = 2
"""Answers that are named where a step is another one than when it was accepted."""
PANES = (*STAGES[:3], "review", *STAGES[3:])
"""The steps, and the review that comes before anything expensive starts; it belongs to Fine-tune."""


class Shell(CalmScreen[None]):
    """One project from the first question to the served model."""

    CSS_PATH: ClassVar = ["shell.tcss", *(f"{pane}.tcss" for pane in PANES), "../widgets/curve.tcss"]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (112, "-wide")]  # noqa: RUF012 - Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self, session: Session, first: str) -> None:
        super().__init__()
        self.session = session
        self._first = first
        self._current = ""
        self._row: KnobRow | None = None
        """Where the newest change was made."""
        self._said_changed = ""
        """What was said last of a step that is another one than when it was accepted."""

    def compose(self) -> ComposeResult:
        """The parts that stay."""
        glyphs = self.session.glyphs
        yield Stepper(glyphs, id="stepper")
        yield MachineLine(id="machine")
        with ContentSwitcher(id="steps", initial=f"step-{self._first}"):
            yield _made(self._first, self.session)
        yield Still("", id="notice")
        yield Measuring(self.session)
        yield Starting()
        yield Keys(show_command_palette=False, compact=True)

    def on_resize(self) -> None:
        """There may be more below now, or less."""
        self.call_after_refresh(self.refresh_bindings)

    async def on_mount(self) -> None:
        """Open the step that the person was at, and begin to measure."""
        self.session.open_again()
        await self.open(self._first)
        self.set_interval(POLL_SECONDS, self._poll)
        self._poll()

    # -- which step is open

    async def open(self, pane: str) -> None:
        """Show a pane; made on its first visit."""
        switcher = self.query_one("#steps", ContentSwitcher)
        if pane == self._current:
            return
        with self.app.batch_update():  # one paint instead of one for each part
            step = self._step(pane)
            if step is None:
                step = _made(pane, self.session)
                await switcher.mount(step)
            self._current = pane
            switcher.current = step.id
            if self.session.project.folder.exists():
                self.attempt(partial(self.session.project.go_to, self._stage))
            self.attempt(step.show_plan)
            step.show_run()
            step.arrive()
            self._show_marks()
            self._say_changed()
            self.refresh_bindings()
        asks = pane in PANES[:4]  # a run is watched without loading what only the questions need
        measuring = self.query_one(Measuring)
        if asks and self.session.project.survey is None and not measuring.begun:
            measuring.now()
        self._simulate_soon()
        gc.freeze()  # what a step is made of stays; looking through it for garbage stalls the keys by 0.3 s

    @property
    def _stage(self) -> str:
        return "finetune" if self._current == "review" else self._current

    def _step(self, pane: str) -> Step | None:
        kinds = self.query_one("#steps", ContentSwitcher).children
        return next((one for one in kinds if isinstance(one, Step) and one.id == f"step-{pane}"), None)

    @property
    def step(self) -> Step | None:
        """The step that is open."""
        return self._step(self._current)

    def _pane_of(self, stage: str) -> str:
        """Fine-tune is the review until a run of this very plan was started."""
        if stage == "finetune" and (self.session.run is None or self._stale()):
            return "review"
        return stage

    def _stale(self) -> bool:
        """Whether the answers are others than those that the run was started with."""
        project = self.session.project
        if project.resolution is None or project.run is None:
            return False
        return project.run_is_stale

    def _show_marks(self) -> None:
        project, history, stale = self.session.project, self.session.history, self._stale()
        marks: dict[str, Mark] = {stage: project.standing(stage) for stage in STAGES[:3]}
        for stage in STAGES[3:]:
            told = history.stages.get(stage) if history else None
            standing = told.standing if told else "waiting"
            mark: Mark = "open"
            if standing == "running":
                stopped = self.session.state is not None and self.session.state.status == "stopped"
                mark = "running" if self.session.alive else "stopped" if stopped else "failed"
            elif standing in ("done", "failed"):
                mark = "settled" if standing == "done" else "failed"
            marks[stage] = "stale" if mark == "settled" and stale else mark
        self.query_one(Stepper).show(self._stage, marks)
        self.query_one(MachineLine).show(self.session)

    # -- keys

    def action_accept(self) -> None:
        """Enter."""
        if self.step is not None:
            self.attempt(self.step.accept)

    def attempt(self, act: Callable[[], None]) -> bool:
        """Do something that writes to the disk; where that is refused, say so and go on."""
        try:
            act()
        except TunesmithError as error:
            self.fail(error)
            return False
        return True

    def on_unmount(self) -> None:
        """The helper goes with the project that it measured for."""
        gc.unfreeze()
        self.session.close()

    async def action_back(self) -> None:
        """The step before; from the first one, the start."""
        place = PANES.index(self._current)
        if isinstance(self.focused, Input) and self.step is not None:
            self.step.arrive()  # out of the field first: Esc leaves what was typed
            return
        measuring = self.query_one(Measuring)
        if measuring.long:
            measuring.stop()
            return
        if place == 0:
            self.app.pop_screen()
            return
        before = PANES[place - 1]
        if self._current == "finetune" and not self._stale():
            before = STAGES[2]
        await self.open(before)

    async def action_jump(self, stage: str) -> None:
        """Open a stage that was reached; else say what comes first."""
        pane = self._pane_of(stage)
        missing = self._missing_before(stage)
        if missing:
            self.say(missing)
            return
        await self.open(pane)

    def _missing_before(self, stage: str) -> str:
        project, place = self.session.project, STAGES.index(stage)
        if project.resolution is None and place < 3:
            return ""  # what can't be measured is mended wherever it was stated
        if place >= 3 and self.session.run is not None:
            return ""  # a run that is watched shows itself, whoever answered the questions
        for before in STAGES[: min(place, 3)]:
            if project.standing(before) == "open":
                number = STAGES.index(before) + 1
                return f"Step {number} comes first: Enter accepts what is recommended there."
        if place > 3 and self.session.run is None:
            return "Nothing was run yet: step 4 starts it."
        return ""

    def action_move(self, by: int) -> None:
        """To the next question or the one before."""
        if by > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def action_page(self, by: int) -> None:
        """Scroll the open step."""
        if self.step is not None:
            self.step.page(by)

    def action_more(self) -> None:
        """Scroll the open step down."""
        self.action_page(1)

    def action_help(self) -> None:
        """Explain the value that the person is at, or the keys."""
        from tunesmith.tui.screens.help import Help

        asked = self.step.asked if self.step is not None else None
        self.app.push_screen(Help(asked, self._stage, self.session.glyphs))

    async def action_all_settings(self) -> None:
        """Show every value of the plan, or only what everybody is asked."""
        self.session.all_settings = not self.session.all_settings
        pane = self._current
        for step in list(self.query(Step)):
            if step.id in tuple(f"step-{one}" for one in PANES[:4]):
                await step.remove()
        if self._step(pane) is None:
            self._current = ""
            await self.open(pane)
        self.say("All settings are shown; x hides them again." if self.session.all_settings else "")

    def action_write_plan(self) -> None:
        """Write the plan beside the person's data, under a name that is free."""
        project = self.session.project
        if not self.session.counted:
            self.say("One moment: the data is being looked at, and the plan may still change.")
            return
        try:
            self.say(f"Written to {project.write_plan_to(project.base)}.")
        except TunesmithError as error:
            self.fail(error)

    async def action_review(self) -> None:
        """Between the plan and the run."""
        if self._current == "review" and self.session.run is not None:
            await self.open("finetune")
        elif self._current in STAGES[3:]:
            await self.open("review")

    @work(exclusive=True, group="doubt", exit_on_error=False)
    async def action_stop(self) -> None:
        """Ask the run to stop and save, after a yes: hours may hang on it."""
        from tunesmith.tui.screens.confirm import Confirm

        run = self.session.run
        if run is None or not self.session.alive:
            self.say("Nothing is running.")
            return
        why = "It ends after its next step, saves a checkpoint, and can go on from there later."
        if not await self.app.push_screen_wait(Confirm("Stop this run?", why)):
            return
        try:
            jobs.stop(run)
        except TunesmithError as error:
            self.fail(error)
            return
        self.say("It stops at its next step and saves a checkpoint …")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing here are not offered."""
        if action == "stop":
            return self.session.alive and self._current in STAGES[3:]
        if action == "more":
            return self._current in PANES[:4] and self.step is not None and self.step.more
        if action == "all_settings":
            return self._current in PANES[:4]
        return not (action == "move" and self._current in STAGES[3:])

    # -- what the steps say

    @on(Step.GoOn)
    async def _go_on(self, event: Step.GoOn) -> None:
        if self._current == "review":
            self._start_unless_in_doubt()
            return
        place = PANES.index(self._current) + 1
        if place >= len(PANES):
            return
        pane = PANES[place] if PANES[place] != "review" else self._pane_of("finetune")
        await self.open(pane)

    @on(KnobRow.Stated)
    def _stated(self, event: KnobRow.Stated) -> None:
        self._change(event.row, lambda: self.session.project.wish(event.row.knob.path, event.value))

    @on(KnobRow.TakenBack)
    def _taken_back(self, event: KnobRow.TakenBack) -> None:
        self._change(event.row, lambda: self.session.project.take_back(event.row.knob.path))

    @on(KnobRow.Listed)
    def _listed(self, event: KnobRow.Listed) -> None:
        self._list(event.row)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def _list(self, row: KnobRow) -> None:
        from tunesmith.tui.screens.dialogs import ask

        answer = await ask(self.app, self.session, row.knob, row.options)
        if answer is not None:
            self._change(row, lambda: self.session.project.wish(row.knob.path, answer.value))

    def _change(self, row: KnobRow, change: Callable[[], bool]) -> None:
        """State or take back a value, show what follows, and measure anew where that is needed."""
        try:
            anew = change()
        except PlanError as error:
            row.complain(f"{error.title} {error.next_step}")
            return
        except TunesmithError as error:
            self.fail(error)
            return
        self._changed(anew or self.session.project.resolution is None)

    @on(Step.Wished)
    def _wished(self, event: Step.Wished) -> None:
        """A step states a value that has no row of its own."""
        try:
            anew = self.session.project.wish(event.path, event.value)
        except TunesmithError as error:
            self.fail(error)
            return
        self._changed(anew)

    def _changed(self, anew: bool) -> None:
        self._row = row_at(self.focused)
        if anew:
            self.session.problem = ""
            self.query_one(Measuring).soon()
        if self.step is not None:
            self.attempt(self.step.show_plan)
        self._show_marks()
        if not anew:
            self._say_changed()
        self._simulate_soon()

    def _say_changed(self) -> None:
        """One line where a step that was accepted is another one by now: what changed, and what to press."""
        line = self._changed_line()
        if line or self._said_changed:
            self.say(line)
        self._said_changed = line

    def _changed_line(self) -> str:
        project = self.session.project
        if project.resolution is None or project.pending or self._current not in PANES[:4]:
            return ""
        for number, stage in enumerate(ASKED, 1):
            changed = project.changed_since(stage)
            if not changed or (self._row is not None and self._row.knob.stage == stage == self._current):
                continue  # what the person changes there themselves is seen anyway
            arrow = self.session.glyphs.arrow
            told = ", ".join(f"{one.title} {one.before} {arrow} {one.after}" for one in changed[:MOST_CHANGED])
            more = f" and {len(changed) - MOST_CHANGED} more" if len(changed) > MOST_CHANGED else ""
            if stage == self._current:
                return f"Changed since you accepted it: {told}{more}."
            row = self._row
            cause = f" with the {row.knob.title.lower()}" if row is not None and row.knob.stage != stage else ""
            return f"Step {number} changed{cause}: {told}{more}. {number} shows it, Enter there accepts."
        return ""

    # -- what is measured

    @on(Measuring.Begun)
    def _looking(self) -> None:
        self.session.problem, self.session.stopped = "", False
        self.say("Looking at the data and the model …")

    @on(Measuring.Doing)
    def _doing(self, event: Measuring.Doing) -> None:
        self.say(f"{event.text}. Esc stops it.")

    @on(Measuring.Stopped)
    def _stopped(self) -> None:
        self.session.stopped = True
        self.say("The look at the data was stopped.")
        if self.step is not None:
            self.attempt(self.step.show_plan)

    @on(Step.LookAgain)
    def _look_again(self, event: Step.LookAgain) -> None:
        event.stop()
        self.query_one(Measuring).now()
        if self.step is not None:
            self.attempt(self.step.show_plan)

    @on(Measuring.Seen)
    def _seen(self, event: Measuring.Seen) -> None:
        self.session.meant = None
        try:
            self.session.project.measured(event.survey)
        except PlanError as error:
            self._tell_not_measured(error)
            return
        if self.session.run is None:  # a file that can be used makes a project; one that can't leaves nothing behind
            self.attempt(self.session.project.save)
        with self.app.batch_update():
            self.say("" if event.whole else "Counting the rows in the model's tokens …")
            for step in self.query(Step):
                if step.display:
                    self.attempt(step.show_plan)
            self._show_marks()
            self.call_after_refresh(self.refresh_bindings)  # there may be more below now
            if event.whole:
                self._said_changed = ""
                self._say_changed()
        self._simulate_soon()

    @on(Measuring.Simulating)
    def _simulating(self) -> None:
        """Show that it is under way, and for how long, until it is done."""
        if self.step is not None:
            self.attempt(self.step.show_simulating)
        if self.session.simulating:
            self.set_timer(SIMULATING_SECONDS, self._simulating)

    @on(Measuring.Simulated)
    def _simulated(self, event: Measuring.Simulated) -> None:
        if event.survey is not None and not self.session.project.pending:
            self.attempt(partial(self.session.project.measured, event.survey))
        if self.step is not None:
            self.attempt(self.step.show_plan)
        self._show_marks()
        self._say_changed()
        if event.survey is not None:
            self._simulate_soon()  # what is recommended may have changed with it

    def _simulate_soon(self) -> None:
        """The steps that show the memory want it simulated; the others leave the helper free for measuring."""
        if self._current in ("select", "review"):
            self.query_one(Measuring).simulate_soon()

    @on(Measuring.Refused)
    def _not_measured(self, event: Measuring.Refused) -> None:
        self._tell_not_measured(event.error)

    def _tell_not_measured(self, error: TunesmithError) -> None:
        """Beside the row where the person is, if that is what can't be measured; else in a box."""
        self.say("")
        wanted = self.session.meant = meant(error)
        told = " ".join(filter(None, (error.title, error.cause, wanted.hint if wanted else error.next_step)))
        self.session.problem, self.session.problem_told = error.title, told
        row = self._row
        if wanted is not None and (row is None or row.knob.path != wanted.path):
            self.call_later(self._ask_what_is_meant, wanted, told)
        elif row is not None and row.is_attached and row.knob.stage in ("prepare", "select"):
            row.complain(told)
        else:
            self.fail(error)
        for step in self.query(Step):
            if step.display:
                self.attempt(step.show_plan)
        if self.session.project.resolution is None and self._current == STAGES[0]:
            self.call_later(self.open, "prepare")  # where the file is chosen

    async def _ask_what_is_meant(self, wanted: Meant, told: str) -> None:
        """Put the person at the question that the data can't be read without, with what is known beside it."""
        await self.open("prepare")
        row = next((one for one in self.query(KnobRow) if one.knob.path == wanted.path), None)
        if row is not None:
            row.complain(told)
            row.control.focus()

    # -- the run

    def watch_run(self, run: Run) -> None:
        """Follow this run."""
        if self.session.run is None or self.session.run.folder != run.folder:
            self.session.watch(run)
        self._poll()

    @work(exclusive=True, group="doubt", exit_on_error=False)
    async def _start_unless_in_doubt(self) -> None:
        """Start what was reviewed; where something speaks against it, only after a yes."""
        from tunesmith.tui.screens.confirm import Confirm

        project, review = self.session.project, self.query_one(ReviewStep)
        doubt = review.doubt()
        if doubt and not await self.app.push_screen_wait(Confirm("Start it all the same?", doubt)):
            return
        if review.starting or project.pending or project.resolution is None:
            return
        self._set_starting(True)
        self.say("Starting …")
        if self.attempt(partial(project.accept, "finetune")):
            self.query_one(Starting).start(project.resolution)
        else:
            self._set_starting(False)

    @on(Starting.Started)
    async def _started(self, event: Starting.Started) -> None:
        self.say("")
        self._set_starting(False)
        if event.new:
            self.session.close()  # the helper's memory is better used by the training
            self.session.open_again()
            self.attempt(partial(self.session.project.started, event.run))
        self.watch_run(event.run)
        if self._current == "review":
            await self.open("finetune")

    def go_on_with_run(self) -> None:
        """Resume a run that was stopped or killed."""
        if self.session.run is not None:
            self.say("Going on from the last checkpoint …")
            self.query_one(Starting).go_on(self.session.run)

    @on(Starting.Failed)
    def _failed(self, event: Starting.Failed) -> None:
        self._set_starting(False)
        self.fail(event.error)

    def _set_starting(self, starting: bool) -> None:
        for review in self.query(ReviewStep):
            review.starting = starting
            self.attempt(review.show_plan)

    def _poll(self) -> None:
        """Take up what happened in the run; a long history in portions, so that the keys stay quick."""
        if self.session.run is None:
            return
        was_alive = self.session.alive
        try:
            more = self.session.read_news()
        except OSError as error:
            self.say(f"The run's folder can't be read just now: {error.strerror}.")
            return
        if was_alive and not self.session.alive:
            self.say("")  # "it stops at its next step" and the like
            self.refresh_bindings()
        if more:
            self.set_timer(0.001, self._poll)
            return
        if self.step is not None:
            self.step.show_run()
        self._show_marks()

    # -- telling

    def say(self, text: str) -> None:
        """One line above the keys; empty takes it away."""
        self.query_one("#notice", Still).show(text.replace("…", self.session.glyphs.ellipsis))

    def fail(self, error: TunesmithError) -> None:
        """A box with what happened, why, and what to do; never a second one on top."""
        self.say("")
        if isinstance(self.app.screen, Failure):
            self.app.screen.dismiss()
        self.app.push_screen(Failure(error, self.session.glyphs))

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """A defect of ours in a worker must not pass unseen."""
        error = defect(event)
        if error is not None:
            self.fail(error)


def _made(pane: str, session: Session) -> Step:
    """A step's widget; its module is imported when it is first wanted."""
    step: Step = import_module(f"tunesmith.tui.screens.{pane}").STEP(session)
    return step
