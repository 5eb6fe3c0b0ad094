"""The endpoint of a run while it is tried: a server in a thread of its own, asked over HTTP. It is not seen."""

from __future__ import annotations

import threading
import time
from typing import Literal

from textual import on, work
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker, get_current_worker

from tunesmith.core.errors import TunesmithError
from tunesmith.core.plan import Plan
from tunesmith.core.productionize.ask import ask
from tunesmith.core.productionize.serve import Server
from tunesmith.core.productionize.trying import start_for_trying, trial_chat
from tunesmith.core.run import Run
from tunesmith.tui.failures import defect
from tunesmith.tui.widgets.try_box import Question

STOPS_WITHIN = 0.3
"""Seconds that the server has to end in order; then it is killed: it holds nothing that could be lost."""
ANSWERS_WITHIN = 300.0

Serving = Literal["off", "loading", "on", "ending"]


class GivenUp(Exception):
    """The person did not want to wait for the server any longer."""


class Endpoint(Widget):
    """Starts, asks and ends one server at a time; the server ends with this widget, so with the wizard."""

    DEFAULT_CSS = "Endpoint { display: none; }"

    class Changed(Message):
        """It is loading, on, ending or off now."""

    class Answered(Message):
        """The model answered, or did not."""

        def __init__(self, question: Question, answer: str | TunesmithError, seconds: float) -> None:
            super().__init__()
            self.question, self.answer, self.seconds = question, answer, seconds

    class Opened(Message):
        """The server answers; from the thread to this widget."""

        def __init__(self, leave: threading.Event, server: Server, taken: int | None) -> None:
            super().__init__()
            self.leave, self.server, self.taken = leave, server, taken

    class Closed(Message):
        """The server is gone, or it never came; from the thread to this widget."""

        def __init__(self, leave: threading.Event, error: TunesmithError | None) -> None:
            super().__init__()
            self.leave, self.error = leave, error

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.serving: Serving = "off"
        self.server: Server | None = None
        """Where it is on."""
        self.taken: int | None = None
        """The plan's port, where another program listens on it."""
        self.error: TunesmithError | None = None
        """Why it is off, where it did not end as it was asked to."""
        self.asking = False
        self._since = 0.0
        self._leave = threading.Event()
        """Set to end the server that is loading or on; each has its own."""

    @property
    def seconds(self) -> int:
        """Whole seconds since loading or asking began."""
        return int(time.monotonic() - self._since)

    def start(self, run: Run, plan: Plan) -> None:
        """Begin to load the run's model; `Changed` tells the rest."""
        if self.serving != "off":
            return
        self._leave, self._since = threading.Event(), time.monotonic()
        self._be("loading")
        self._serve(run, plan, self._leave)

    def stop(self) -> None:
        """Ask the thread to end its server."""
        if self.serving in ("loading", "on"):
            self._leave.set()
            self._be("ending")

    def ask(self, question: Question, max_tokens: int) -> bool:
        """Ask the model; returns whether it is asked, which it is not while it still answers another question."""
        if self.server is None or self.asking:
            return False
        self.asking, self._since = True, time.monotonic()
        self._ask(self.server, question, max_tokens)
        return True

    def on_unmount(self) -> None:
        """Nothing is left behind that holds memory."""
        self._leave.set()

    def _be(self, serving: Serving, server: Server | None = None, error: TunesmithError | None = None) -> None:
        self.serving, self.server, self.error = serving, server, error
        self.asking = self.asking and serving == "on"
        self.post_message(self.Changed())

    @work(thread=True, group="endpoint", exit_on_error=False)
    def _serve(self, run: Run, plan: Plan, leave: threading.Event) -> None:
        """One server from its start to its end: the kernel would end it with this thread, so the thread stays."""
        worker = get_current_worker()

        def waiting() -> None:
            if leave.is_set() or worker.is_cancelled:
                raise GivenUp

        error: TunesmithError | None = None
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

    @work(thread=True, group="ask", exit_on_error=False)
    def _ask(self, server: Server, question: Question, max_tokens: int) -> None:
        began = time.monotonic()
        answer: str | TunesmithError
        try:
            chat = trial_chat(question.row, question.text)
            answer = ask(server.base_url, server.model_id, chat, max_tokens, ANSWERS_WITHIN)
        except TunesmithError as error:
            answer = error
        if self.asking and server is self.server:
            self.asking = False
            self.post_message(self.Answered(question, answer, time.monotonic() - began))

    @on(Opened)
    def _was_opened(self, event: Opened) -> None:
        event.stop()
        if event.leave is self._leave and not event.leave.is_set():
            self.taken = event.taken
            self._be("on", event.server)

    @on(Closed)
    def _was_closed(self, event: Closed) -> None:
        event.stop()
        if event.leave is self._leave:
            self._be("off", error=event.error)

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """A defect of ours must not pass unseen."""
        error = defect(event)
        if error is not None:
            self._leave.set()
            self._be("off", error=error)
