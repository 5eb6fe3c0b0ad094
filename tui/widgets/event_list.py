"""What happened in a run, the newest last: as many lines as there is room for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from textual.content import Content
from textual.widget import Widget

from tunesmith.core.history import History, Notable
from tunesmith.core.stages import TITLES
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.widgets.cells import filled, fitted

STYLES = {"ok": "$text-success", "note": "$text-muted", "warning": "$text-warning", "error": "$text-error"}
STAGE = max(map(len, TITLES.values()))
"""Cells for the name of a stage."""


class EventList(Widget):
    """The last lines of a history. A style sheet gives its height."""

    DEFAULT_CSS = "EventList { width: 1fr; text-wrap: nowrap; }"

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._history: History | None = None
        self._newest: Notable | None = None

    def show(self, history: History | None) -> None:
        """Show the newest lines of this history; repaints only where there is a new one."""
        newest = history.notable[-1] if history and history.notable else None
        if history is not self._history or newest is not self._newest:
            self._history, self._newest = history, newest
            self.refresh()

    def render(self) -> Content:
        """Time, sign, stage and text of each."""
        if self._history is None:
            return Content("")
        last = list(islice(reversed(self._history.notable), self.size.height))
        return Content("\n").join([self._line(one) for one in reversed(last)])

    def _line(self, one: Notable) -> Content:
        return Content.assemble(*self._parts(one))

    def _parts(self, one: Notable) -> Iterator[tuple[str, str]]:
        when = _clock(one.at)
        sign = {"ok": self._glyphs.done, "warning": self._glyphs.warning, "error": self._glyphs.error}
        yield f"{when} ", "$text-muted"
        yield f"{sign.get(one.level, self._glyphs.bullet)} ", STYLES[one.level]
        room = self.size.width - len(when) - 3
        if room > 2 * STAGE:
            yield filled(TITLES.get(one.stage, one.stage), STAGE + 1, self._glyphs.ellipsis), "$text-muted"
            room -= STAGE + 1
        style = STYLES[one.level] if one.level in ("warning", "error") else ""
        yield fitted(one.text, room, self._glyphs.ellipsis), style


def _clock(at: float) -> str:
    """Eight cells: the time of day, or the day where it was another one."""
    then = datetime.fromtimestamp(at)
    return f"{then:%H:%M:%S}" if then.date() == datetime.now().date() else f"{then:%d %b  }"
