"""Several questions on one page: Enter accepts all of them, a number asks one of them in full."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.core.schema import Knob, shown
from tunesmith.tui.plain.desk import Desk
from tunesmith.tui.plain.questions import KnobQuestion, Question, not_listed


class GroupOfQuestions(Question):
    """Questions that belong together, each with its present answer; one of them may be open."""

    def __init__(self, desk: Desk, heading: str, knobs: Sequence[Knob]) -> None:
        super().__init__(desk)
        self._knobs = knobs
        self._open: KnobQuestion | None = None
        self.stage, self.text = knobs[0].stage, heading
        self.key = f"{self.stage}.{heading.lower().replace(' ', '-')}"

    def show(self) -> None:
        """The open question as it shows itself; else each question with its answer in a line."""
        voice = self.desk.voice
        if self._open is not None:
            voice.say(self._open.text)
            self._open.show()
            return
        for number, knob in enumerate(self._knobs, 1):
            value = self.desk.value(knob.path)
            meaning = knob.meanings.get(str(value), "")
            voice.say(f"{number}. {knob.question} {self._mark(knob)}{shown(knob, value)}", indent=2)
            if meaning:
                voice.say(f"({meaning})", indent=5)

    def prompt(self) -> str:
        """What can be typed, and what Enter takes."""
        if self._open is not None:
            return self._open.prompt()
        return f"Number to change one, 1 to {len(self._knobs)} (Enter takes all as shown):"

    def take(self, answer: str) -> bool:
        """Enter takes all; a number opens one; what is said to the open one goes there."""
        if self._open is not None:
            if self._open.take(answer):
                self._open = None
            return False
        if not answer:
            return True
        if not (answer.isascii() and answer.isdigit() and 1 <= int(answer[:9]) <= len(self._knobs)):
            raise not_listed(answer, self._knobs)
        self._open = KnobQuestion(self.desk, self._knobs[int(answer) - 1])
        return False

    def close(self) -> bool:
        """Leave the open question without an answer; returns whether there was one."""
        was_open, self._open = self._open is not None, None
        return was_open

    def explain(self) -> None:
        """All that is known about the open question; else what each is about."""
        if self._open is not None:
            self._open.explain()
            return
        for knob in self._knobs:
            self.desk.voice.say(f"{knob.title}: {knob.text}")

    def _mark(self, knob: Knob) -> str:
        """Whose answer it is, where it is not the recommended one."""
        reason = self.desk.project.reasons.get(knob.path)
        return "Yours: " if reason is not None and reason.own else ""
