"""Step 6, Productionize: what was written where, the model served and tried, and the commands to use it elsewhere."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Input
from textual.worker import Worker

from tunesmith.core.errors import TunesmithError
from tunesmith.core.run import Run
from tunesmith.tui.failures import defect
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.productionize_told import (
    Made,
    look_at,
    next_told,
    no_model_told,
    paths_fit,
    products_told,
    serving_told,
    snippets_for,
    state_told,
)
from tunesmith.tui.screens.stage_told import StageTold, tell_stage
from tunesmith.tui.screens.step import Step
from tunesmith.tui.session import Session
from tunesmith.tui.widgets.endpoint import Endpoint
from tunesmith.tui.widgets.next_line import NextLine
from tunesmith.tui.widgets.roll import Roll
from tunesmith.tui.widgets.snippets import Block, Snippets
from tunesmith.tui.widgets.still import Still
from tunesmith.tui.widgets.try_box import TryBox

WAITS = {"loading": "one moment, the model is being loaded", "ending": "one moment, the server is ending"}


class ProductionizeStep(Step):
    """The endpoint belongs to this step, and ends with it."""

    stage: ClassVar[str] = "productionize"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "end", "Stop loading", id="productionize.give-up", tooltip="End the server", key_display="Esc"
        ),
        Binding("down", "commands", "Commands", id="productionize.commands", tooltip="Scroll them, turn to others"),
        Binding("y", "copy", "Copy", id="productionize.copy", tooltip="The command that is shown, to the clipboard"),
        Binding("e", "end(True)", "End serving", id="productionize.end", tooltip="Free the model's memory"),
    ]

    class Looked(Message):
        """The run's folder was looked at."""

        def __init__(self, key: object, made: Made) -> None:
            super().__init__()
            self.key, self.made = key, made

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._seen: object = None
        self._looked: object = None
        """What the folder was looked at for."""
        self._told: StageTold | None = None
        self._made = Made()
        self._error: TunesmithError | None = None
        """A defect of ours."""

    def compose(self) -> ComposeResult:
        """Result, products, box to try, commands, what next, and what Enter does."""
        glyphs = self.session.glyphs
        yield Endpoint(id="production-endpoint")
        with Roll(id="production-body"):
            yield Still(id="production-state")
            yield Still(id="production-products")
            yield Still(id="production-serving")
            yield TryBox(glyphs, id="production-try")
            yield Snippets(glyphs, id="production-snippets")
            yield Still(id="production-note")
            yield Still(id="production-next")
        yield NextLine(glyphs)

    def on_mount(self) -> None:
        """Show what is known already; while something is waited for, seconds are told."""
        self._clock = self.set_interval(1.0, self._tick, pause=True)
        self.show_run()

    @property
    def endpoint(self) -> Endpoint:
        """The model, where it is served."""
        return self.query_one(Endpoint)

    # -- what is shown

    def show_run(self) -> None:
        """Take up what is new in the run; costs nothing where nothing is."""
        session = self.session
        run, history = session.run, session.history
        told = tell_stage(session, self.stage)
        written = tuple((one.what, one.path, one.bytes) for one in history.written.values()) if history else ()
        findings = len(history.stages[self.stage].findings) if history else 0
        seen = (run, told, written, findings)
        if seen == self._seen:
            return
        if self._seen is not None and isinstance(self._seen, tuple) and self._seen[0] is not run:
            self.endpoint.stop()  # another run is watched
        self._seen, self._told = seen, told
        if told is not None or run is None:
            self._looked, self._made = None, Made()
        elif self._looked != (run, written):
            self._looked = (run, written)
            self._look(run, written, self._looked)
        self._show()

    def _show(self) -> None:
        """Everything from what is known now; each part repaints only where it says something else."""
        run, history, glyphs = self.session.run, self.session.history, self.session.glyphs
        self.set_class(self._told is None, "-done")
        self.set_class(self.endpoint.serving == "on", "-trying")
        self.set_class(self.endpoint.serving == "loading", "-loading")
        state = state_told(history, self._told, glyphs)
        self.query_one("#production-state", Still).show(state)
        if run is not None and self._told is None:
            self._show_places()
            self._show_snippets(run)
        self._show_serving()
        self._say_next()
        self.query_one(Roll).look_again()
        self.refresh_bindings()

    def _show_places(self) -> None:
        """Products, and what to do next with them; whole paths where they fit."""
        run, made = self.session.run, self._made
        if run is None:
            return
        width = max(20, self.query_one("#production-body").content_size.width)
        whole = paths_fit(made.products, width)
        self.query_one("#production-products", Still).show(products_told(run, made.products, whole))
        self.query_one("#production-next", Still).show(next_told(run, made, self.session.glyphs, whole))

    def _show_snippets(self, run: Run) -> None:
        plan, server = self._made.plan, self.endpoint.server
        self.query_one(Snippets).display = plan is not None and self._made.whole
        if plan is not None:
            row = self._made.rows[0] if self._made.rows else None
            address = (server.base_url, server.model_id) if server else None
            self.query_one(Snippets).show(snippets_for(run, plan, row, address))
        where = f"All commands are in {run.commands_path}." if run.commands_path.is_file() else ""
        self.query_one("#production-note", Still).show(Content.styled(harmless(where), "$text-muted"))

    def _show_serving(self) -> None:
        """Where the endpoint is, how far it is, or why there is none."""
        glyphs, run, made = self.session.glyphs, self.session.run, self._made
        text = serving_told(self.endpoint, glyphs, self._error)
        if not text and self._told is None and run is not None:
            if made.complaint:
                text = Content.assemble((f"{glyphs.error} ", "$text-error"), harmless(made.complaint))
            elif made.plan is not None and not made.whole:
                text = Content.assemble((f"{glyphs.bullet} ", "$text-muted"), harmless(no_model_told(run, made.plan)))
        self.query_one("#production-serving", Still).show(text)
        self.query_one("#production-serving").display = bool(text)

    def _say_next(self) -> None:
        if self._told is not None:
            if self._told.resumes:
                self.say_next("go on with the run where it ended")
            else:
                self.say_next("Nothing to do here yet; Esc and 1 to 6 lead elsewhere.", ready=False)
        elif self.endpoint.serving in WAITS:
            self.say_next(WAITS[self.endpoint.serving], ready=False)
        elif self.endpoint.serving == "on":
            self.say_next("ask the model this question")
        elif self._made.whole and self._made.plan is not None:
            self.say_next("serve the model and try it")
        else:
            self.say_next("This was the last step; q leaves.", ready=False)

    def _tick(self) -> None:
        """Once a second while something is waited for."""
        if self.endpoint.serving == "loading":
            self._show_serving()
        elif self.endpoint.asking:
            told = f"asking, {self.endpoint.seconds} s so far"
            self.query_one(TryBox).tell(Content.styled(told, "$text-muted"))
        else:
            self._clock.pause()

    # -- the folder

    @work(thread=True, exclusive=True, group="look", exit_on_error=False)
    def _look(self, run: Run, written: tuple[tuple[str, str, int], ...], key: object) -> None:
        self.post_message(self.Looked(key, look_at(run, written)))

    @on(Looked)
    def _was_looked_at(self, event: Looked) -> None:
        event.stop()
        if event.key == self._looked:
            self._made = event.made
            self._show()

    # -- the endpoint

    @on(Endpoint.Changed)
    def _endpoint_changed(self, event: Endpoint.Changed) -> None:
        event.stop()
        focused = self.screen.focused
        in_box = isinstance(focused, Input)
        opened = self.endpoint.serving == "on"
        if opened:
            self.query_one(TryBox).show(self._made.rows)
        self._show()
        if self.display and ((opened and isinstance(focused, NextLine | None)) or (in_box and not opened)):
            self.call_after_refresh(self.arrive)  # what is not displayed yet takes no focus

    @on(TryBox.Sent)
    def _sent(self, event: TryBox.Sent) -> None:
        event.stop()
        plan = self._made.plan
        if plan is not None and self.endpoint.ask(event.question, plan.evaluate.max_new_tokens):
            self._clock.resume()
            self.query_one(TryBox).tell(Content.styled("asking", "$text-muted"))

    @on(Endpoint.Answered)
    def _was_answered(self, event: Endpoint.Answered) -> None:
        event.stop()
        box = self.query_one(TryBox)
        if isinstance(event.answer, TunesmithError):
            box.tell(Content.styled(f"{self.session.glyphs.error} {harmless(str(event.answer))}", "$text-error"))
        else:
            box.tell_answer(event.question, event.answer, event.seconds)

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """A defect of ours must not pass unseen."""
        error = defect(event)
        if error is not None:
            self._error = error
            self._show()

    # -- keys

    def arrive(self) -> None:
        """To the box where the model is served; out of it where the person is in it already."""
        if self.endpoint.serving == "on" and not isinstance(self.screen.focused, Input):
            self.query_one(Input).focus(scroll_visible=False)
        else:
            super().arrive()

    def accept(self) -> None:
        """Enter: serve, ask, or go on with a run that ended early."""
        run = self.session.run
        if self._told is not None:
            go_on = getattr(self.screen, "go_on_with_run", None)
            if self._told.resumes and callable(go_on):
                go_on()
        elif self.endpoint.serving == "on":
            self.query_one(TryBox).send()
        elif run is not None and self._made.whole and self._made.plan is not None:
            self._clock.resume()
            self.endpoint.start(run, self._made.plan)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing here are not offered."""
        if action == "end":
            return self.endpoint.serving == ("on" if parameters else "loading")
        if action in ("copy", "commands"):
            return self._told is None and self._made.whole
        return True

    def action_commands(self) -> None:
        """To the commands: the arrow keys scroll them and turn to others."""
        self.query_one(Block).focus()

    def action_end(self, served: bool = False) -> None:
        """End the server that is being loaded, or the one that serves; its memory is free again."""
        self.endpoint.stop()

    def action_copy(self) -> None:
        """Copy the command that is shown; not every terminal lets a program do that, so the file is named too."""
        run, snippets = self.session.run, self.query_one(Snippets)
        if run is None or not snippets.text:
            return
        self.app.copy_to_clipboard(snippets.text)
        told = f"Copied, where your terminal allows it: {snippets.title}. It is in {run.commands_path} too."
        self.query_one("#production-note", Still).show(Content(harmless(told)))

    def on_resize(self) -> None:
        """Whole paths where they fit."""
        self.call_after_refresh(self._show_places)


STEP = ProductionizeStep
