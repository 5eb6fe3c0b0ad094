"""The project at hand with its helper: answers go through here, so that each is checked, kept, or taken back whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tunesmith.core.consequences import changes
from tunesmith.core.facts import DataProfile
from tunesmith.core.jobs import Helper
from tunesmith.core.plan import Path, Plan
from tunesmith.core.project import MEASURED, Project
from tunesmith.core.schema import knobs, plain_value
from tunesmith.core.stages import STAGES
from tunesmith.core.survey import columns_of, survey
from tunesmith.tui.plain.voice import Voice, sentence

MOST_CHANGES = 4


class Desk:
    """What all questions work on."""

    def __init__(self, project: Project, helper: Helper, voice: Voice) -> None:
        self.project = project
        self.voice = voice
        self._helper = helper

    @property
    def plan(self) -> Plan:
        """What would run now."""
        return self.project.plan

    @property
    def data(self) -> DataProfile:
        """The file as it was read."""
        return self.project.facts.data

    def value(self, path: Path) -> Any:
        """The present value at `path` as plain data."""
        return plain_value(self.plan, path)

    def measure(self) -> None:
        """Look at the machine, the data and the model anew. Raises TunesmithError where one can't be used."""
        self.voice.say("Looking at the data ...")
        self.project.measured(survey(self.project.wishes, self.project.base, self._helper))

    def columns(self) -> list[str]:
        """The names of the file's columns. Raises TunesmithError where it can't be read."""
        return columns_of(str(self.project.wishes["prepare.data"]), self.project.base, self._helper)

    def change(self, path: Path, value: Any) -> None:
        """State a value and say what follows from it.

        Raises:
            TunesmithError: It contradicts the schema, another answer or the data; everything is as it was.
        """
        if value == self.value(path):
            return
        reason = self.project.reasons.get(path)
        recommended = reason.recommended if reason is not None and reason.chosen else None
        if path in self.project.wishes and value == recommended and not path.startswith(MEASURED):
            self.apply(lambda: self.project.take_back(path), path)
        else:
            self.apply(lambda: self.project.wish(path, value), path)

    def apply(self, state: Callable[[], bool], path: Path) -> None:
        """Do what `state` does to the project's wishes, measure where it says so, and say what is another way now.

        Raises:
            TunesmithError: It can't be done; everything is as it was.
        """
        before = self.plan
        with self.project.undivided():
            anew = state()
            if anew:
                self.measure()
        if anew:
            self.voice.say(self.rows())
        self._tell_changes(before, path)

    def rows(self) -> str:
        """What became of all records, as a sentence."""
        survey = self.project.survey
        assert survey is not None
        preview = survey.preview
        parts = ", ".join(f"{count:,} for {split}" for split, count in preview.parts.items())
        return f"Data: {preview.read:,} records read, {preview.aside:,} set aside. Rows made of them: {parts}."

    def take_back(self, paths: Iterable[Path]) -> bool:
        """Go back to what is recommended at all of them; returns whether something must be measured anew."""
        anew = [self.project.take_back(path) for path in paths]
        return any(anew)

    def _tell_changes(self, before: Plan, path: Path) -> None:
        """A few lines: what a change led to among the estimates and among what everybody is asked."""
        quiet = {knob.title.lower() for stage in STAGES for knob in knobs(stage) if not knob.question}
        told = changes(before, self.plan, self.project.facts, leave_out=path)
        for one in [one for one in told if one.title not in quiet][:MOST_CHANGES]:
            self.voice.say(f"Changed with it: {one.title}: was {one.before.rstrip('.')}, now {sentence(one.after)}")
