"""Step 6, Productionize: what was written where, the model served and tried, and the commands to use it elsewhere."""

from __future__ import annotations

import threading
import time
from typing import ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Input
from textual.worker import Worker, WorkerState, get_current_worker

from tunesmith.core.errors import TunesmithError
from tunesmith.core.productionize.ask import ask
from tunesmith.core.productionize.serve import Server
from tunesmith.core.productionize.trying import start_for_trying, trial_chat
from tunesmith.core.run import Run
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.productionize_told import (
    Made,
    look_at,
    next_told,
    no_model_told,
    paths_fit,
    products_told,
    snippets_for,
    state_told,
)
from tunesmith.tui.screens.stage_told import StageTold, tell_stage
from tunesmith.tui.screens.step import Step
from tunesmith.tui.session import Session
from tunesmith.tui.widgets.next_line import NextLine
from tunesmith.tui.widgets.roll import Roll
from tunesmith.tui.widgets.snippets import Snippets
from tunesmith.tui.widgets.still import Still
from tunesmith.tui.widgets.try_box import Question, TryBox

LOADS_IN = "10 s as a rule, minutes for a large model"
STOPS_WITHIN = 0.3
"""Seconds that the server has to end in order; then it is killed: it holds nothing that could be lost."""
ANSWERS_WITHIN = 300.0

Serving = Literal["off", "loading", "on", "ending"]


class GivenUp(Exception):
    """The person did not want to wait for the server any longer."""


class ProductionizeStep(Step):
    """The server lives in a thread of this step, and ends with it."""

    stage: ClassVar[str] = "productionize"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "end", "Stop loading", id="productionize.give-up", tooltip="End the server", key_display="Esc"
        ),
        Binding("y", "copy", "Copy", id="productionize.copy", tooltip="The command that is shown, to the clipboard"),
        Binding("e", "end_serving", "End serving", id="productionize.end", tooltip="Free the model's memory"),
    ]

    class Looked(Message):
        """The run's folder was looked at."""

        def __init__(self, key: object, made: Made) -> None:
            super().__init__()
            self.key, self.made = key, made

    class Opened(Message):
        """The endpoint answers."""

        def __init__(self, leave: threading.Event, server: Server, taken: int | None) -> None:
            super().__init__()
            self.leave, self.server, self.taken = leave, server, taken

    class Closed(Message):
        """The endpoint is gone: ended, or it never came."""

        def __init__(self, leave: threading.Event, error: TunesmithError | None) -> None:
            super().__init__()
            self.leave, self.error = leave, error

    class Answered(Message):
        """The model answered, or did not."""

        def __init__(self, question: Question, answer: str | TunesmithError, seconds: float) -> None:
            super().__init__()
            self.question, self.answer, self.seconds = question, answer, seconds

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._seen: object = None
        self._looked: object = None
        """What the folder was looked at for."""
        self._told: StageTold | None = None
        self._made = Made()
        self._serving: Serving = "off"
        self._server: Server | None = None
        self._taken: int | None = None
        self._leave = threading.Event()
        """Set to end the server that is loading or up; each has its own."""
        self._since = 0.0
        """When loading or asking began, monotonic seconds."""
        self._asking = False
        self._error: TunesmithError | None = None

    def compose(self) -> ComposeResult:
        """Result, products, box to try, commands, what next, and what Enter does."""
        glyphs = self.session.glyphs
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

    def on_unmount(self) -> None:
        """Nothing is left behind that holds memory."""
        self._leave.set()

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
            self._stop_serving()  # another run is watched
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
        self.set_class(self._serving == "on", "-trying")
        self.set_class(self._serving == "loading", "-loading")
        state = Content("")
        if self._told is not None:
            told = self._told
            state = Content.assemble((f"{told.sign} ", told.style), (harmless(told.title), "bold"))
            state = Content("\n").join([state, Content(harmless(told.detail))]) if told.detail else state
        if history is not None and self._told is None:
            state = state_told(history, glyphs)
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
        plan, server = self._made.plan, self._server
        self.query_one(Snippets).display = plan is not None and self._made.whole
        if plan is not None:
            row = self._made.rows[0] if self._made.rows else None
            address = (server.base_url, server.model_id) if server else None
            self.query_one(Snippets).show(snippets_for(run, plan, row, address))
        where = f"All commands are in {run.commands_path}." if run.commands_path.is_file() else ""
        self.query_one("#production-note", Still).show(Content.styled(harmless(where), "$text-muted"))

    def _show_serving(self) -> None:
        """Where the endpoint is, how far it is, or why there is none."""
        glyphs, run = self.session.glyphs, self.session.run
        text = Content("")
        if self._error is not None:
            error = self._error
            said = " ".join(part for part in (error.title, error.cause, error.next_step) if part)
            text = Content.assemble((f"{glyphs.error} ", "$text-error"), harmless(said))
        elif self._serving == "loading":
            loading = f"Loading the model, {self._seconds} s so far ({LOADS_IN}). Esc ends it."
            text = Content.assemble((f"{glyphs.running} ", "$text-primary"), loading)
        elif self._serving == "on" and self._server is not None:
            text = self._address(self._server)
        elif self._told is None and run is not None and self._made.complaint:
            text = Content.assemble((f"{glyphs.error} ", "$text-error"), harmless(self._made.complaint))
        elif self._told is None and run is not None and self._made.plan is not None and not self._made.whole:
            text = Content.assemble((f"{glyphs.bullet} ", "$text-muted"), harmless(no_model_told(run)))
        self.query_one("#production-serving", Still).show(text)
        self.query_one("#production-serving").display = bool(text)

    def _address(self, server: Server) -> Content:
        glyphs = self.session.glyphs
        taken = f"; port {self._taken} is taken, so a free one" if self._taken is not None else ""
        return Content.assemble(
            (f"{glyphs.running} serving ", "$text-success"),
            (f"{server.base_url}/v1", "bold"),
            f"{taken} {glyphs.bullet} model ",
            (harmless(server.model_id), "bold"),
            (f" {glyphs.bullet} ends with this window", "$text-muted"),
        )

    @property
    def _seconds(self) -> int:
        return int(time.monotonic() - self._since)

    def _say_next(self) -> None:
        if self._told is not None:
            if self._told.resumes:
                self.say_next("go on with the run where it ended")
            else:
                self.say_next("Nothing to do here yet; Esc and 1 to 6 lead elsewhere.", ready=False)
        elif self._serving == "loading":
            self.say_next("one moment, the model is being loaded", ready=False)
        elif self._serving == "ending":
            self.say_next("one moment, the server is ending", ready=False)
        elif self._serving == "on":
            self.say_next("ask the model this question")
        elif self._made.whole and self._made.plan is not None:
            self.say_next("serve the model and try it")
        else:
            self.say_next("This was the last step; q leaves.", ready=False)

    def _tick(self) -> None:
        if self._serving == "loading":
            self._show_serving()
        elif self._asking:
            self.query_one(TryBox).tell(Content.styled(f"asking, {self._seconds} s so far", "$text-muted"))

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

    def _start_serving(self, run: Run) -> None:
        self._leave = threading.Event()
        self._serving, self._error, self._since = "loading", None, time.monotonic()
        self._clock.resume()
        self._show()
        self._serve(run, self._leave)

    def _stop_serving(self) -> None:
        """Ask the thread to end its server; it tells when that is done."""
        if self._serving in ("loading", "on"):
            self._leave.set()
            self._serving, self._server = "ending", None
            self._show()

    @work(thread=True, group="endpoint", exit_on_error=False)
    def _serve(self, run: Run, leave: threading.Event) -> None:
        """One server from its start to its end: the kernel would end it with this thread, so the thread stays."""
        worker = get_current_worker()

        def waiting() -> None:
            if leave.is_set() or worker.is_cancelled:
                raise GivenUp

        plan, error = self._made.plan, None
        if plan is None:
            return
        try:
            server, taken = start_for_trying(run, plan, waiting)
        except GivenUp:
            self.post_message(self.Closed(leave, None))
            return
        except TunesmithError as failed:
            self.post_message(self.Closed(leave, failed))
            return
        try:
            self.post_message(self.Opened(leave, server, taken))
            while server.alive() and not leave.wait(0.2) and not worker.is_cancelled:
                pass
            if not server.alive():
                error = TunesmithError("The endpoint ended by itself.", next_step=f"The reason is in {server.log}.")
        finally:
            server.stop(STOPS_WITHIN)
        self.post_message(self.Closed(leave, error))

    @on(Opened)
    def _was_opened(self, event: Opened) -> None:
        event.stop()
        if event.leave is not self._leave or event.leave.is_set():
            return
        self._clock.pause()
        self._serving, self._server, self._taken = "on", event.server, event.taken
        self._show()
        box = self.query_one(TryBox)
        box.show(self._made.rows)
        if self.display and isinstance(self.screen.focused, NextLine | None):
            self.arrive()

    @on(Closed)
    def _was_closed(self, event: Closed) -> None:
        event.stop()
        if event.leave is not self._leave:
            return
        self._clock.pause()
        in_box = isinstance(self.screen.focused, Input)
        self._serving, self._server, self._asking, self._error = "off", None, False, event.error
        self._show()
        if in_box:
            self.arrive()

    # -- asking

    @on(TryBox.Sent)
    def _sent(self, event: TryBox.Sent) -> None:
        event.stop()
        server, plan = self._server, self._made.plan
        if server is None or plan is None or self._asking:
            return
        self._asking, self._since = True, time.monotonic()
        self._clock.resume()
        self.query_one(TryBox).tell(Content.styled("asking", "$text-muted"))
        self._ask(server, event.question, plan.evaluate.max_new_tokens)

    @work(thread=True, group="ask", exit_on_error=False)
    def _ask(self, server: Server, question: Question, max_tokens: int) -> None:
        began = time.monotonic()
        answer: str | TunesmithError
        try:
            chat = trial_chat(question.row, question.text)
            answer = ask(server.base_url, server.model_id, chat, max_tokens, ANSWERS_WITHIN)
        except TunesmithError as error:
            answer = error
        self.post_message(self.Answered(question, answer, time.monotonic() - began))

    @on(Answered)
    def _was_answered(self, event: Answered) -> None:
        event.stop()
        if not self._asking:
            return
        self._asking = False
        self._clock.pause()
        box = self.query_one(TryBox)
        if isinstance(event.answer, TunesmithError):
            box.tell(Content.styled(f"{self.session.glyphs.error} {harmless(str(event.answer))}", "$text-error"))
        else:
            box.tell_answer(event.question, event.answer, event.seconds)

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """A defect of ours must not pass unseen."""
        if event.state == WorkerState.ERROR and event.worker.error is not None:
            from tunesmith.tui.failures import unexpected

            self._serving, self._server, self._asking = "off", None, False
            self._error = unexpected(event.worker.error)
            self._clock.pause()
            self._show()

    # -- keys

    def arrive(self) -> None:
        """To the box where the model is served; out of it where the person is in it already."""
        if self._serving == "on" and not isinstance(self.screen.focused, Input):
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
        elif self._serving == "on":
            self.query_one(TryBox).send()
        elif self._serving == "off" and run is not None and self._made.whole and self._made.plan is not None:
            self._start_serving(run)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing here are not offered."""
        if action == "end":
            return self._serving == "loading"
        if action == "end_serving":
            return self._serving == "on"
        if action == "copy":
            return self._told is None and self._made.whole
        return True

    def action_end(self) -> None:
        """End the server that is being loaded."""
        self._stop_serving()

    def action_end_serving(self) -> None:
        """End the server; the memory is free again."""
        self._stop_serving()

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
