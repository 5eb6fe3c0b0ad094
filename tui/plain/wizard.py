"""The way through the questions: forwards, back, out, and on again at a later start."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TextIO

from tunesmith.core.errors import TunesmithError
from tunesmith.core.jobs import Helper
from tunesmith.core.paths import is_of_hub
from tunesmith.core.prepare.shape import NEEDED, OPTIONAL
from tunesmith.core.project import ASKED, Project
from tunesmith.core.run import Run
from tunesmith.core.schema import knobs
from tunesmith.core.stages import TITLES
from tunesmith.core.understand.groups import grouped
from tunesmith.tui.plain.desk import Desk
from tunesmith.tui.plain.following import INTERRUPTED, follow_plainly
from tunesmith.tui.plain.groups import GroupOfQuestions
from tunesmith.tui.plain.opening import begin
from tunesmith.tui.plain.prepare import (
    ColumnQuestion,
    RepairQuestion,
    ShapeQuestion,
    asked_about,
)
from tunesmith.tui.plain.questions import (
    ApproachQuestion,
    GroupQuestion,
    KnobQuestion,
    MachineQuestion,
    ModelQuestion,
    Question,
    applies,
)
from tunesmith.tui.plain.review import Review, tell_data, tell_row
from tunesmith.tui.plain.templates import TemplatesQuestion
from tunesmith.tui.plain.voice import Back, InputEnded, Quit, Voice

INPUT_ENDED = 2
PLACE = "open-question"
"""The file in a project's folder that names the question that is open."""
AGAIN = "tunesmith --plain"


def plain(data: str | None, *, stdin: TextIO, stdout: TextIO) -> int:
    """Ask everything as numbered lines, start the run and follow it; returns the exit code.

    Args:
        data: The file to begin with, or `practice`; a list of what can be done comes first where it is None.
        stdin: Where the answers come from; where it ends too early, the code is 2 and everything answered is kept.
        stdout: Where the lines go.
    """
    voice = Voice(stdin, stdout)
    wizard = Wizard(voice)
    try:
        with Helper(online=is_of_hub(data)) as helper:
            run = wizard.ask_all(data, helper)
        return follow_plainly(run, voice) if run is not None else 0
    except Quit:
        voice.say(wizard.farewell())
        return 0
    except InputEnded:
        voice.say(f"There are no more answers to read. {wizard.farewell()}")
        return INPUT_ENDED
    except KeyboardInterrupt:
        voice.say()
        voice.say(wizard.farewell())
        return INTERRUPTED


class Wizard:
    """One person's way; remembers what to say on leaving."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._desk: Desk | None = None
        self._open = ""

    def farewell(self) -> str:
        """One line: what is kept, and how to go on."""
        if self._desk is None:
            return f"Nothing was begun. Start again with {AGAIN}."
        name = self._desk.project.name
        return f"{self._open} Your answers are kept as the project {name}. Go on with {AGAIN}.".strip()

    def ask_all(self, data: str | None, helper: Helper) -> Run | None:
        """The run to follow; None where nothing was started."""
        begun = begin(data, helper, self._voice)
        if isinstance(begun, Run):
            return begun
        self._desk = begun
        key = _place_of(begun.project)
        if key:
            self._voice.say(f"Going on with {begun.project.name}.")
        tell_data(begun)
        while True:
            key = self._walk(begun, key)
            run = self._review(begun)
            if isinstance(run, Run) or run is None:
                return run
            key = questions(begun)[-1].key

    def _walk(self, desk: Desk, key: str) -> str:
        """Ask from the question `key` to the last one; returns that one's key."""
        place = 0
        while True:
            asked = questions(desk)
            keys = [one.key for one in asked]
            if key in ("review", *STAGES_AFTER):
                return keys[-1]
            place = keys.index(key) if key in keys else _first_of(asked, key) if key else min(place, len(asked) - 1)
            question = asked[place]
            self._enter(desk, question)
            step = self._put(question, place + 1, len(asked))
            keys = [one.key for one in questions(desk)]  # the answer may have led to others
            here = keys.index(question.key) if question.key in keys else place
            if step > 0 and here + 1 >= len(keys):
                desk.project.accept(question.stage)
                return question.key
            place = max(0, min(here + step, len(keys) - 1))
            key = keys[place]
            if step > 0 and not key.startswith(question.stage):
                desk.project.accept(question.stage)
                if question.stage == "prepare":
                    tell_row(desk)

    def _enter(self, desk: Desk, question: Question) -> None:
        """Note which question is open, so that a later start asks it again."""
        desk.project.go_to(question.stage)
        _note_place(desk.project, question.key)

    def _put(self, question: Question, number: int, of: int) -> int:
        """Ask one question until it is settled; returns 1 to go on and -1 to go back."""
        voice = self._voice
        voice.say()
        voice.say(f"Question {number} of {of}, {TITLES[question.stage]}")
        voice.say(question.text)
        self._open = f"Question {number} of {of} is open: {question.text}"
        question.show()
        while True:
            try:
                answer = voice.ask(question.prompt())
                if answer == "?":
                    question.explain()
                elif question.take(answer):
                    return 1
                else:
                    question.show()
            except TunesmithError as error:
                voice.complain(error)
            except Back:
                if question.close():
                    question.show()
                    continue
                if number > 1:
                    return -1
                voice.say("This is the first question. q leaves; what was answered is kept.")

    def _review(self, desk: Desk) -> Run | Back | None:
        """The last page; a run where one was started, Back for the question before it, None for later."""
        project = desk.project
        project.go_to("finetune")
        _note_place(project, "review")
        self._open = "The review is open."
        review = Review(desk, AGAIN)
        review.show()
        while True:
            try:
                answer = self._voice.ask(review.prompt())
                if answer == "?":
                    review.explain()
                    continue
                run = review.take(answer)
            except Back as back:
                return back
            except TunesmithError as error:
                self._voice.complain(error)
                continue
            if run is not None:
                with contextlib.suppress(OSError):
                    (project.folder / PLACE).unlink(missing_ok=True)
            return run


ALONE: dict[str, type[KnobQuestion]] = {
    "understand.goal": KnobQuestion,
    "understand.use_case": KnobQuestion,
    "understand.approach": ApproachQuestion,
}
"""Questions of the first stage that are asked by themselves."""
STAGES_AFTER = ("finetune", "evaluate", "productionize")


def questions(desk: Desk) -> list[Question]:
    """What is asked of everybody, as far as it applies to the present answers, in order."""
    found: list[Question] = understanding(desk)
    for stage in ASKED[1:]:
        for knob in knobs(stage):
            if not knob.question or not applies(desk, knob):
                continue
            if knob.path == "prepare.questions":
                found.append(TemplatesQuestion(desk))
            elif knob.path == "prepare.shape":
                shape = desk.plan.prepare.shape
                found.append(ShapeQuestion(desk, knob))
                found += [ColumnQuestion(desk, role) for role in (*NEEDED[shape], *OPTIONAL[shape])]
                found += [RepairQuestion(desk, finding) for finding in asked_about(desk)]
            elif knob.path == "prepare.split.by":
                found.append(GroupQuestion(desk, knob))
            elif knob.path == "select.model":
                found.append(ModelQuestion(desk, knob))
            elif knob.path == "select.gpu":
                found.append(MachineQuestion(desk, knob))
            else:
                found.append(KnobQuestion(desk, knob))
    return found


def understanding(desk: Desk) -> list[Question]:
    """The first stage's questions: the task and the way one by one, because they decide most; the others by groups."""
    found: list[Question] = []
    for heading, group in grouped():
        alone = [knob for knob in group if knob.path in ALONE]
        found += [ALONE[knob.path](desk, knob) for knob in alone]
        if len(group) > len(alone):
            found.append(GroupOfQuestions(desk, heading, [knob for knob in group if knob.path not in ALONE]))
    return found


def _place_of(project: Project) -> str:
    """The question that was open last, or the stage that was; empty for a new project."""
    try:
        noted = (project.folder / PLACE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        noted = ""
    stage = project.saved.stage
    if not noted and stage == ASKED[0]:
        return ""
    same = noted.partition(".")[0] == stage or (noted == "review" and stage == "finetune")
    return noted if same else stage


def _note_place(project: Project, key: str) -> None:
    """The answers themselves are kept by the project; without this note the stage's first question is asked again."""
    aside = Path(project.folder / f"{PLACE}.part")
    with contextlib.suppress(OSError):
        aside.write_text(key, encoding="utf-8")
        aside.replace(project.folder / PLACE)


def _first_of(asked: list[Question], key: str) -> int:
    """The first question of the stage that `key` names or begins with."""
    stage = key.partition(".")[0]
    return next((place for place, one in enumerate(asked) if one.stage == stage), 0)
