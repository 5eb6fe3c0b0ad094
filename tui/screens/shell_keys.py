"""The wizard's keys: each with an id for a keymap of one's own, a label and a tooltip."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tunesmith.core.stages import STAGES

KEYS: list[BindingType] = [
    Binding("enter", "accept", "Go on", id="wizard.accept", tooltip="What the last line says", key_display="Enter"),
    Binding("escape", "back", "Back", id="wizard.back", tooltip="The step before", key_display="Esc"),
    # With priority, so that what is typed right behind an arrow already goes to the next question.
    Binding(
        "down",
        "move(1)",
        "Move",
        id="wizard.next",
        tooltip="The next question",
        key_display="↑↓",
        priority=True,
    ),
    Binding("up", "move(-1)", show=False, id="wizard.previous", tooltip="The question before", priority=True),
    Binding("pagedown", "more", "More", id="wizard.more", tooltip="What lies below", key_display="PgDn", priority=True),
    Binding("pagedown", "page(1)", show=False, id="wizard.page.down", tooltip="What lies below"),
    Binding("pageup", "page(-1)", show=False, id="wizard.page.up", tooltip="What lies above"),
    Binding("question_mark,f1", "help", "Help", id="wizard.help", tooltip="What this means", key_display="F1"),
    Binding("x", "all_settings", "All settings", show=False, id="wizard.all", tooltip="Every value of the plan"),
    Binding("w", "write_plan", "Write plan", show=False, id="wizard.write", tooltip="The plan as a YAML file here"),
    Binding("v", "review", "Review", show=False, id="wizard.review", tooltip="The plan, or the run that it led to"),
    Binding("s", "stop", "Stop and save", show=False, id="wizard.stop", tooltip="End the run with a checkpoint"),
    *(
        Binding(str(number), f"jump('{stage}')", show=False, id=f"wizard.jump.{stage}", tooltip=f"Open {stage}")
        for number, stage in enumerate(STAGES, 1)
    ),
    Binding("q", "app.leave", "Leave", id="wizard.leave", tooltip="Close the wizard; runs go on"),
]
