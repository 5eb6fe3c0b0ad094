"""The wizard as an application: themes, the keys that work everywhere, and how it is left.

Only what the first frame needs is imported here; the shell and its steps come when a project is opened.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from tunesmith.core.run import Run
from tunesmith.core.settings import Settings, keep_settings, read_settings
from tunesmith.themes.palettes import THEMES, TITLES, VARIABLES, theme_for
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.hang_up import leave_on_hang_up
from tunesmith.tui.screens.start import Start

if TYPE_CHECKING:
    from textual.driver import Driver

    from tunesmith.core.project import Project
    from tunesmith.tui.opening import Opening
    from tunesmith.tui.screens.shell import Shell

TWICE_SECONDS = 5.0
"""Ctrl+C leaves at its second press within this time: the first one may have been meant for something else."""


class TunesmithApp(App[str]):
    """The wizard. What it returns is the line to print when it has gone."""

    TITLE = "Tunesmith"
    CSS_PATH: ClassVar = ["../themes/app.tcss", "screens/start.tcss"]
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Leave", show=False, priority=True, id="app.leave", tooltip="Runs go on"),
        Binding("ctrl+c", "interrupt", "Leave", show=False, id="app.interrupt", tooltip="Twice leaves"),
    ]

    def __init__(self, glyphs: Glyphs, environment: dict[str, str], opens: Opening | None = None) -> None:
        """Args:
        environment: The process's variables, for NO_COLOR and the kind of terminal.
        opens: What to open instead of the start.
        """
        super().__init__(driver_class=None if glyphs.braille else _ascii_driver())
        self.glyphs = glyphs
        self._opens = opens
        self._interrupted = 0.0
        self.failure: Exception | None = None
        """What ended it unexpectedly; the caller tells it as a sentence."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = theme_for(environment, read_settings().theme)
        self.set_class(not glyphs.braille, "-ascii")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our roles, so that the style sheet can be read before the theme is set."""
        return VARIABLES

    def get_default_screen(self) -> Screen[None]:
        """The first frame."""
        return Start(self.glyphs)

    async def on_mount(self) -> None:
        """Leave in order when the line drops or somebody ends us, so that the terminal is as it was."""
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            leave_on_hang_up(lambda: loop.call_soon_threadsafe(self.action_leave))  # type: ignore[arg-type]
        self.theme_changed_signal.subscribe(self, lambda theme: self._keep_theme(theme.name))
        if self._opens is not None:
            self.call_after_refresh(self.open, self._opens)

    def on_resize(self, event: events.Resize) -> None:
        """Paint anew where a window was pulled and let go so fast that the size is as before: the terminal cut what it
        showed, and Textual leaves an unchanged size alone.
        """
        if event.size == self.size:
            for screen in self.screen_stack[-1:]:  # none yet, where it comes before the first one
                screen.refresh()

    async def open(self, opens: Opening) -> None:
        """Open what is named; where that can't be used, say why."""
        from tunesmith.core.errors import TunesmithError

        try:
            await self.open_project(opens.project(), opens.run)
        except (TunesmithError, OSError) as error:  # OSError: a folder that is gone or can't be read
            self.fail(error)

    async def open_project(self, project: Project, run: Run | None = None) -> None:
        """Open the shell on a project; where a run was started from it, that is watched."""
        from tunesmith.tui.screens.shell import Shell
        from tunesmith.tui.session import Session

        session = Session(self.glyphs, project)
        watched = run or project.run
        if watched is not None:
            session.watch(watched)
        await self.push_screen(Shell(session, _first_pane(project, watched)))

    def fail(self, error: Exception) -> None:
        """A box with what happened, why, and what to do."""
        from tunesmith.core.errors import TunesmithError
        from tunesmith.tui.failures import unexpected
        from tunesmith.tui.screens.failure import Failure

        told = error if isinstance(error, TunesmithError) else unexpected(error)
        self.push_screen(Failure(told, self.glyphs))

    @property
    def shell(self) -> Shell | None:
        """The shell, where a project is open."""
        from tunesmith.tui.screens.shell import Shell

        return next((screen for screen in self.screen_stack if isinstance(screen, Shell)), None)

    def action_leave(self) -> None:
        """Close the wizard, once what was typed before was taken up; the line it leaves says what goes on."""
        # A hang-up while the terminal is being closed also sends SIGCONT, at which Textual would open it again.
        signal.signal(signal.SIGCONT, signal.SIG_IGN)
        self._leave_after(self.focused.ancestors_with_self if self.focused else [])

    def _leave_after(self, nodes: Sequence[DOMNode]) -> None:
        """Leave when each of these has worked off its messages: a key travels from the focus up to the screen."""
        for place, node in enumerate(nodes):
            if isinstance(node, Widget) and node.call_later(self._leave_after, nodes[place + 1 :]):
                return
        self.exit(self._parting())

    def action_interrupt(self) -> None:
        """Ctrl+C: copy what is selected, else say how to leave; the second press within seconds leaves."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
            return
        now = time.monotonic()
        if now - self._interrupted < TWICE_SECONDS:
            self.action_leave()
            return
        self._interrupted = now
        self.notify("Ctrl+C again leaves; so does q. Runs go on.", timeout=TWICE_SECONDS)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Everything that can be done here: the keys of the open screen, and the palettes."""
        seen = set[str]()
        for active in screen.active_bindings.values():
            binding = active.binding
            if not binding.description or not active.enabled or binding.description in seen or binding.system:
                continue
            seen.add(binding.description)
            yield SystemCommand(
                binding.description, binding.tooltip or "", partial(self._act, binding.action, active.node)
            )
        for name, title in TITLES.items():
            yield SystemCommand(f"Colours: {title}", "Kept for the next time", partial(self._set_theme, name))
        yield SystemCommand("Leave", "Close the wizard; runs go on", self.action_leave)

    def _act(self, action: str, of: DOMNode) -> None:
        self.call_later(self.run_action, action, of)

    def _set_theme(self, name: str) -> None:
        self.theme = name

    def _keep_theme(self, name: str) -> None:
        settings = read_settings()
        if settings.theme != name and "NO_COLOR" not in os.environ:
            try:
                keep_settings(Settings(name, settings.ascii))
            except OSError:
                self.notify("The choice of colours can't be kept: the folder of runs can't be written to.")

    def _parting(self) -> str:
        """One line that says what goes on and how to come back."""
        shell = self.shell
        if shell is None:
            return ""
        session = shell.session
        session.close()
        run = session.run
        if run is not None and run.state().alive:
            return f"{run.name} goes on without this window. Come back with `tunesmith attach {run.name}`."
        if run is not None:
            return f"{run.name}: {run.state().text}. See it again with `tunesmith attach {run.name}`."
        return "Your answers are kept. `tunesmith` goes on with them."

    def _handle_exception(self, error: Exception) -> None:
        # Textual would print a traceback; it has no public hook for this. The caller writes it to a log and says where.
        self.failure = self.failure or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self.exit(return_code=1)


def _first_pane(project: Project, run: Run | None) -> str:
    """Where the person was; a run that is watched opens at what it does."""
    if run is None:
        return project.saved.stage if project.saved.stage in ("understand", "prepare", "select") else "review"
    if run.state().alive or not run.results_path.exists():
        return "finetune"
    return "productionize" if run.commands_path.exists() else "evaluate"


def _ascii_driver() -> type[Driver]:
    from tunesmith.tui.ascii_driver import AsciiDriver

    return AsciiDriver
