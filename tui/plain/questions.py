"""The questions of the schema, said as text: what is asked, what is recommended and why, and what can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.core.consequences import WhatIf, what_if
from tunesmith.core.draft import Reason
from tunesmith.core.errors import PlanError
from tunesmith.core.figures import parameters
from tunesmith.core.models import list_models
from tunesmith.core.schema import Knob, read, shown, value_at
from tunesmith.core.select.cards import card, cards, described
from tunesmith.core.select.machine import HERE
from tunesmith.core.understand.advice import Advice, advise_on
from tunesmith.core.understand.turns import turns_on
from tunesmith.tui.plain.desk import MOST_CHANGES, Desk
from tunesmith.tui.plain.voice import in_short, sentence

DATA = "prepare.data"


@dataclass(frozen=True)
class Option:
    """Something that can be chosen by its number."""

    value: Any
    name: str
    meaning: str = ""


class Question:
    """One question. `take` raises TunesmithError for an answer that can't be taken; then it is asked again."""

    stage: str
    key: str
    """What it is remembered by: a path of the plan, perhaps with something behind it."""
    text: str
    """What is asked, in plain words."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def show(self) -> None:
        """Say what is recommended, why, and what can be chosen."""
        raise NotImplementedError

    def explain(self) -> None:
        """Say everything that is known about it."""
        raise NotImplementedError

    def prompt(self) -> str:
        """The line before the answer; says what Enter takes."""
        return "Answer:"

    def take(self, answer: str) -> bool:
        """Take an answer, empty for what was shown; returns whether the question is settled by it."""
        raise NotImplementedError

    def close(self) -> bool:
        """Leave what was opened inside it, and return whether something was."""
        return False


class KnobQuestion(Question):
    """A value of the plan that everybody is asked for."""

    def __init__(self, desk: Desk, knob: Knob) -> None:
        super().__init__(desk)
        self.knob = knob
        self.stage, self.key, self.text = knob.stage, knob.path, knob.question

    @property
    def options(self) -> list[Option]:
        """What can be chosen, what is recommended first."""
        knob, first = self.knob, self._recommended()
        listed = [Option(one, knob.label(one), knob.meanings.get(one, "")) for one in knob.options]
        if knob.kind == "flag":
            listed = [Option(True, "yes"), Option(False, "no")]
        return sorted(listed, key=lambda one: one.value != first)

    def show(self) -> None:
        """Say what stands there, why, and what can be chosen."""
        self.desk.voice.say(self._reasoned(in_short))
        self.list_options()

    def list_options(self) -> None:
        """What can be chosen, by number; the bounds where anything can."""
        voice, knob, options = self.desk.voice, self.knob, self.options
        for number, option in enumerate(options, 1):
            best = number == 1 and option.value == self._recommended() and knob.kind != "choices"
            mark = " (recommended)" if best else ""
            voice.say(f"{number}. {labelled(option)}{mark}", indent=2)
        if not options and self.limits():
            voice.say(self.limits())

    def limits(self) -> str:
        """The bounds, and the range people use."""
        knob = self.knob
        said = [f"Takes {knob.bounds}." if knob.bounds else "", f"People use {knob.usual}." if knob.usual else ""]
        return " ".join(filter(None, said))

    def prompt(self) -> str:
        """What can be typed, and what Enter takes."""
        shown, options = self.desk.value(self.key), self.options
        number = next((str(n) for n, one in enumerate(options, 1) if one.value == shown), "")
        if self.knob.kind == "choices":
            return f"Numbers with commas, or none (Enter takes {self._told(shown)}):"
        if options:
            return f"Number (Enter takes {number or self._told(shown)}):"
        unit = f" of {self.knob.unit}" if self.knob.unit else ""
        kind = "Number" if self.knob.kind in ("whole", "number") else "Path" if self.key == DATA else "Your words"
        return f"{kind}{unit} (Enter takes {'what is shown' if self.knob.kind == 'text' else self._told(shown)}):"

    def take(self, answer: str) -> bool:
        """Take the answer; Enter keeps what was shown."""
        if answer:
            try:
                self.desk.change(self.key, self._read(answer))
            except PlanError as error:
                if self.options or not self.knob.bounds:
                    raise
                raise PlanError(error.title, next_step=self.limits()) from error
        return True

    def explain(self) -> None:
        """Say everything that is known about it."""
        voice, knob = self.desk.voice, self.knob
        voice.say(f"{knob.title}: {knob.text}")
        if self.limits():
            voice.say(self.limits())
        if knob.source:
            voice.say(f"Source: {sentence(knob.source)}")
        voice.say(f"In the plan: {self.key}.")
        voice.say(self._reasoned(sentence))
        reason = self._reason()
        for other in reason.instead_of if reason else ():
            voice.say(f"Not {knob.label(other.value)}: {sentence(other.because)}")
        for option in self.options if knob.kind in ("choice", "flag") else ():
            if option.value != self.desk.value(self.key):
                voice.say(self._what_if(option))

    def _what_if(self, option: Option) -> str:
        project = self.desk.project
        assert project.resolution is not None
        found: WhatIf = what_if(project.wishes, self.key, option.value, project.facts, project.resolution)
        if found.refused:
            return f"With {option.name}: it can't be taken. {found.refused}"
        said = [f"{one.title} from {one.before} to {one.after}" for one in found.changes[:MOST_CHANGES]]
        more = len(found.changes) - len(said)
        nothing = f"the advice stays {found.advice_stays}" if found.advice_stays else "nothing else changes"
        return f"With {option.name}: {'; '.join(said) or nothing}{f'; and {more} more' * (more > 0)}."

    def _read(self, answer: str) -> Any:
        options = self.options
        if not options:
            if self.knob.kind == "text" and self.key != DATA and not any(letter.isalpha() for letter in answer):
                raise PlanError(f"{answer} is no sentence.", next_step="Say it in words, or Enter for what is shown.")
            return read(self.knob, answer)
        if self.knob.kind == "choices":
            parts = [part.strip() for part in answer.split(",") if part.strip()]
            found = [(by_number(part, options), part) for part in parts]
            return read(self.knob, ", ".join(option.name if option else part for option, part in found))
        one = by_number(answer, options)
        return one.value if one else read(self.knob, answer)

    def _reason(self) -> Reason | None:
        return self.desk.project.reasons.get(self.key)

    def _recommended(self) -> Any:
        reason, now = self._reason(), self.desk.value(self.key)
        return reason.recommended if reason is not None and reason.own else now

    def _reasoned(self, shape: Any) -> str:
        """The present value and why it stands there."""
        reason, told = self._reason(), self._told(self.desk.value(self.key))
        if reason is None or not reason.because:
            return f"Now: {sentence(told)}"
        if reason.own:
            because = reason.because
            if reason.otherwise and not isinstance(reason.recommended, list | dict):
                because = f"your choice; {self._told(reason.recommended)} was recommended: {reason.otherwise}"
            return f"Now: {sentence(told)} {shape(capital(because))}"
        return f"Recommended: {sentence(told)} Why: {shape(reason.because)}"

    def _told(self, value: Any) -> str:
        return shown(self.knob, value)


class ApproachQuestion(KnobQuestion):
    """Which way to go: the advice is said before it, with what pulls apart and what comes first."""

    @property
    def advice(self) -> Advice:
        """What is advised for the present answers."""
        return advise_on(self.desk.plan, self.desk.project.facts.model.parameters)

    def show(self) -> None:
        """The advice with its reasons, then the ways, the best first."""
        voice, advice = self.desk.voice, self.advice
        voice.say(advice.verdict)
        for number, reason in enumerate(advice.best.reasons, 1):
            voice.say(f"Reason {number}: {sentence(reason.text)}")
        for reason in advice.best.against:
            voice.say(f"Against it: {sentence(reason.text)}")
        for one in advice.conflicts:
            voice.say(f"Pulling apart: {one.sides[0]}, and {one.sides[1]}. So: {sentence(one.resolution)} {one.why}")
        for text in advice.first:
            voice.say(f"First: {text}")
        if advice.stop:
            voice.say(f"Instead: {advice.best.offers}")
        for turn in turns_on(self.desk.plan, self.desk.project.facts.model.parameters):
            voice.say(f"What would change it: {turn.told}: {turn.approach}.")
        if advice.best.would_change:
            voice.say(f"What would weaken it: {'; '.join(advice.best.would_change)}.")
        now = self.desk.value(self.key)
        if now != advice.best.approach:
            voice.say(f"Now: {self._told(now)}. It is your choice.")
        self.list_options()

    @property
    def options(self) -> list[Option]:
        """The ways as they are ranked."""
        knob, ways = self.knob, [one.approach for one in self.advice.ranked]
        return [Option(one, knob.label(one), knob.meanings.get(one, "")) for one in ways]

    def explain(self) -> None:
        """Besides what is known about the value: the next steps, and where the reasons are from."""
        super().explain()
        best = self.advice.best
        for number, step in enumerate(best.next_steps, 1):
            self.desk.voice.say(f"Next, step {number}: {step}")
        for number, reason in enumerate(best.reasons, 1):
            self.desk.voice.say(f"Source of reason {number}: {sentence(reason.source)}")


class GroupQuestion(KnobQuestion):
    """Which column's values stay together in the split: one of the file's, or none."""

    @property
    def options(self) -> list[Option]:
        """The columns, and none."""
        first = self._recommended()
        listed = [Option(column.name, column.name) for column in self.desk.data.columns]
        listed.append(Option(None, "none", "each row may go to any part"))
        return sorted(listed, key=lambda one: one.value != first)

    def _read(self, answer: str) -> Any:
        found = by_number(answer, self.options) or by_name(answer, self.options)
        if found is None:
            raise not_listed(answer, self.options)
        return found.value


class ModelQuestion(KnobQuestion):
    """Which model: one of those that are here, or any that is named."""

    @property
    def options(self) -> list[Option]:
        """The practice model and what the Hugging Face cache holds."""
        first = self._recommended()
        listed = [Option(one.source, one.source, f"{parameters(one.parameters)} parameters") for one in list_models()]
        return sorted(listed, key=lambda one: one.value != first)

    def show(self) -> None:
        """Also where the names of others stand."""
        super().show()
        self.desk.voice.say(
            "Others can be named as org/name: `tunesmith models` lists which, and whether they fit here."
        )

    def prompt(self) -> str:
        """What can be typed, and what Enter takes."""
        return "Number, name or folder (Enter takes what is shown):"

    def _read(self, answer: str) -> Any:
        found = by_number(answer, self.options)
        return found.value if found else answer


class MachineQuestion(KnobQuestion):
    """For which machine: this one, or any card of the table, by number or as people call it."""

    @property
    def options(self) -> list[Option]:
        """This machine and the cards."""
        first = self._recommended()
        listed = [Option(None, HERE, "as it is measured")]
        listed += [Option(one.key, one.title, described(one)) for one in cards()]
        return sorted(listed, key=lambda one: one.value != first)

    def prompt(self) -> str:
        """What can be typed, and what Enter takes."""
        return "Number or name (Enter takes what is shown):"

    def _read(self, answer: str) -> Any:
        found = by_number(answer, self.options)
        if found is not None:
            return found.value
        count, one = card(answer)
        return f"{count}x{one.key}" if count > 1 else one.key


def applies(desk: Desk, knob: Knob) -> bool:
    """Whether the value has a place in the present plan: no adapter, no rank; no table, no questions made of it."""
    if knob.path == "prepare.questions":
        return desk.plan.prepare.shape == "table"
    return value_at(desk.plan, knob.path.rpartition(".")[0]) is not None


def labelled(option: Option) -> str:
    """An option with what it means."""
    return f"{option.name}: {option.meaning}" if option.meaning else option.name


def by_number(answer: str, options: Sequence[Option]) -> Option | None:
    """The option of that number; None where the answer is no number.

    Raises:
        PlanError: There is no such number.
    """
    if not (answer.isascii() and answer.isdigit()):
        return None
    if 1 <= int(answer[:9]) <= len(options):
        return options[int(answer[:9]) - 1]
    raise not_listed(answer, options)


def by_name(answer: str, options: Sequence[Option]) -> Option | None:
    """The option that the answer names, or alone begins."""
    wanted = answer.casefold()
    same = [one for one in options if one.name.casefold() == wanted]
    found = same or [one for one in options if one.name.casefold().startswith(wanted)]
    return found[0] if len(found) == 1 else None


def not_listed(answer: str, options: Sequence[object]) -> PlanError:
    """What is said to an answer that is not among the options."""
    most = f"a number from 1 to {len(options)}" if len(options) > 1 else "1"
    return PlanError(f"{answer} is not one of the answers.", next_step=f"Type {most}, or Enter for what is shown.")


def capital(text: str) -> str:
    """`text` with a capital at its beginning."""
    return text[:1].upper() + text[1:]
