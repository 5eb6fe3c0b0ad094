"""The line about the machine: what will compute, and what of it is free. Only what was measured stands there."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from tunesmith.core.facts import Hardware
from tunesmith.core.figures import size
from tunesmith.tui.plain_text import shortened
from tunesmith.tui.session import Session


class MachineLine(Widget):
    """One row, dim; repainted only when it says something else."""

    DEFAULT_CSS = "MachineLine { height: 1; width: 1fr; }"
    _text = ""

    def show(self, session: Session) -> None:
        """The machine as it was measured last, and the project's name."""
        survey = session.project.survey
        text = session.project.name
        if survey is not None:
            text += f"  {session.glyphs.bullet}  {told(survey.facts.hardware, session.glyphs.bullet)}"
        if text != self._text:
            self._text = text
            self.refresh()

    def render(self) -> Content:
        """The text, cut to the row."""
        return Content.styled(shortened(self._text, max(4, self.content_size.width)), "$text-muted")


def told(hardware: Hardware, bullet: str) -> str:
    """The machine in one line: GPUs where there are any, else the processor; RAM and disk."""
    between = f"  {bullet}  "
    if hardware.planned and hardware.gpu is not None:
        return between.join(
            (f"planned for {hardware.planned}, not here: {size(hardware.gpu.total)}", "RAM and disk not known")
        )
    memory = f"RAM {size(hardware.ram_available)} free of {size(hardware.ram_total)}"
    disk = f"disk {size(hardware.disk_free)} free"
    gpu = hardware.gpu
    if gpu is not None:
        more = f" (one of {len(hardware.gpus)})" if len(hardware.gpus) > 1 else ""
        return between.join((f"{gpu.name}{more} {size(gpu.free)} free of {size(gpu.total)}", memory, disk))
    return between.join((f"{hardware.cpu.name}, {hardware.cpu.cores} cores, no GPU", memory, disk))
