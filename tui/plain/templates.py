"""Which questions are asked of each record of a table: kept as listed, left out one by one, or added."""

from __future__ import annotations

from tunesmith.core.errors import PlanError
from tunesmith.core.schema import knob_at
from tunesmith.tui.plain.desk import Desk
from tunesmith.tui.plain.questions import Option, Question, by_number, not_listed
from tunesmith.tui.plain.voice import in_short


class TemplatesQuestion(Question):
    """The questions asked of each record: kept, dropped one by one, or added."""

    stage = "prepare"
    key = "prepare.questions"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.text = knob_at(self.key).question

    def show(self) -> None:
        """Say what stands there, why, and what can be chosen."""
        voice, reason = self.desk.voice, self.desk.project.reasons.get(self.key)
        shown = self._templates()
        if reason is not None and reason.own:
            voice.say(f"Now: {len(shown)}, your choice.")
        elif reason is not None:
            voice.say(f"Recommended: these {len(shown)}. Why: {in_short(reason.because)}")
        for number, one in enumerate(shown, 1):
            voice.say(f"{number}. {one['ask']} | {one['answer']}", indent=2)
        voice.say("To add one, type it in the same way: question | {column}. To leave one out, type: drop 2.")

    def explain(self) -> None:
        """Say everything that is known about it."""
        voice, knob = self.desk.voice, knob_at(self.key)
        voice.say(f"{knob.title}: {knob.text}")
        voice.say("A column's name in braces stands for the record's value there; before the bar stands what is asked,")
        voice.say("behind it what the model should answer. `reset` goes back to what is recommended.")
        voice.say(f"Columns: {', '.join(one.name for one in self.desk.data.columns)}.")
        voice.say(f"In the plan: {self.key}.")

    def prompt(self) -> str:
        """What can be typed, and what Enter takes."""
        return "Enter keeps them, or add or drop one:"

    def take(self, answer: str) -> bool:
        """Take the answer; Enter keeps what was shown."""
        if not answer:
            return True
        word, _, rest = answer.partition(" ")
        templates = self._templates()
        if answer.lower() == "reset":
            self.desk.apply(lambda: self.desk.take_back([self.key]), self.key)
        elif word.lower() == "drop":
            self._drop(rest.strip(), templates)
        elif "|" in answer:
            ask, _, wanted = (part.strip() for part in answer.partition("|"))
            self.desk.change(self.key, [*templates, {"ask": ask, "answer": wanted}])
        else:
            raise PlanError(
                f"{answer} is no question with its answer.",
                next_step="Type it as question | {column}, or drop and a number; Enter keeps what is listed.",
            )
        return False

    def _drop(self, number: str, templates: list[dict[str, str]]) -> None:
        options = [Option(one, one["ask"]) for one in templates]
        found = by_number(number, options)
        if found is None:
            raise not_listed(number or "Nothing", options)
        if len(templates) == 1:
            raise PlanError("The last question can't be left out.", next_step="Add another one first.")
        place = int(number) - 1
        self.desk.change(self.key, templates[:place] + templates[place + 1 :])

    def _templates(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.desk.value(self.key)
        return found
