"""Where to begin: a live run, an unfinished project, the practice data, a file, or a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tunesmith.core.errors import DataError, PlanError, QueryError, TunesmithError
from tunesmith.core.facts import Shape
from tunesmith.core.jobs import Helper
from tunesmith.core.paths import spelled_out
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.meant import ASKED, QUERY, Meant, meant
from tunesmith.core.project import Project, named_data, new_project, open_plan
from tunesmith.core.project_file import unfinished
from tunesmith.core.run import Run, list_runs
from tunesmith.core.schema import knob_at, read
from tunesmith.tui.plain.desk import Desk
from tunesmith.tui.plain.prepare import ask_roles, list_options, state_shape
from tunesmith.tui.plain.questions import Option, by_number
from tunesmith.tui.plain.voice import Back, Voice

GREETING = (
    "Tunesmith, as plain questions.",
    "Enter takes what is recommended. A number or your own words answer otherwise.",
    "? explains, b goes one question back, q leaves. Every answer is kept at once.",
)
PLANS = (".yaml", ".yml")


@dataclass(frozen=True)
class Choice:
    """One way to begin."""

    text: str
    take: Callable[[], Desk | Run | None]
    """Takes it; None where it came to nothing and the list is asked again."""


def begin(data: str | None, helper: Helper, voice: Voice) -> Desk | Run:
    """A measured project to ask about, or a run to watch. Raises what `Voice.ask` does."""
    for line in GREETING:
        voice.say(line)
    opening = Opening(helper, voice)
    begun: Desk | Run | None = opening.named(data) if data is not None else None
    while begun is None:
        begun = opening.choose()
    return begun


class Opening:
    """Opens what the person names."""

    def __init__(self, helper: Helper, voice: Voice) -> None:
        self._helper, self._voice = helper, voice

    def named(self, data: str) -> Desk | None:
        """The project for what stood on the command line; None where it can't be used."""
        try:
            if data.lower().endswith(PLANS):
                return self._plan(data)
            found = unfinished()
            source = named_data(data, Path.cwd())
            if found is not None and found[1].wishes.get("prepare.data") == source and self._goes_on(found[0].name):
                return self._saved(Project(*found))
            return self._new(source)
        except TunesmithError as error:
            self._voice.complain(error)
            return None
        except Back:
            return None

    def choose(self) -> Desk | Run | None:
        """Ask where to begin; None where the choice came to nothing."""
        voice, choices = self._voice, self._choices()
        voice.say()
        voice.say("What do you want to do?")
        for number, choice in enumerate(choices, 1):
            voice.say(f"{number}. {choice.text}{' (recommended)' if number == 1 else ''}", indent=2)
        while True:
            try:
                answer = voice.ask("Number (Enter takes 1):")
                if answer == "?":
                    voice.say("Fine-tuning shows a model examples of questions with the answers that you want.")
                    voice.say("The practice project does the whole way on data and a model that are built in.")
                    continue
                if answer and not answer.isdigit():
                    return self._path(answer)
                found = by_number(answer or "1", [Option(one, one.text) for one in choices])
                assert found is not None
                begun: Desk | Run | None = found.value.take()
                return begun
            except Back:
                voice.say("This is the beginning. q leaves.")
            except TunesmithError as error:
                voice.complain(error)

    def _choices(self) -> list[Choice]:
        found = []
        live = next((run for run in list_runs() if run.state().alive), None)
        if live is not None:
            run = live
            found.append(Choice(f"Watch the run {run.name}, which is going on", lambda: run))
        kept = unfinished()
        if kept is not None:
            project = Project(*kept)
            found.append(
                Choice(f"Go on with the project {project.name}, not started yet", lambda: self._saved(project))
            )
        found.append(Choice("Practice on built-in data and a small model, a few minutes", lambda: self._new(PRACTICE)))
        kinds = "CSV, JSON, Excel, Parquet, text, a folder of files, or a database"
        found.append(Choice(f"Data of your own: {kinds}", self._ask_file))
        found.append(Choice("A plan file, to look through and run", self._ask_plan))
        return found

    def _path(self, answer: str) -> Desk | None:
        """What was typed instead of a number: a path, or nothing that is known."""
        if answer.lower().endswith(PLANS):
            return self._plan(answer)
        if answer.lower() == PRACTICE or Path(answer.strip("'\"")).suffix or "/" in answer:
            return self._new(named_data(answer, Path.cwd()))
        raise PlanError(f"{answer} is not one of the answers.", next_step="Type a number of the list, or a path.")

    def _ask_file(self) -> Desk | None:
        return self._asked("Path of your file (b goes back):", lambda text: self._new(named_data(text, Path.cwd())))

    def _ask_plan(self) -> Desk | None:
        return self._asked("Path of the plan (b goes back):", self._plan)

    def _asked(self, prompt: str, take: Callable[[str], Desk | None]) -> Desk | None:
        while True:
            try:
                answer = self._voice.ask(prompt)
                if answer == "?":
                    self._voice.say("Type the path as on the command line, e.g. data.csv, ~/data or data/*.jsonl.")
                    self._voice.say(
                        "A database is named as sqlite:///shop.db, a data set of the Hub as hub:owner/name."
                    )
                elif (begun := take(answer)) is not None:
                    return begun
            except Back:
                return None
            except TunesmithError as error:
                self._voice.complain(error)

    def _new(self, source: str) -> Desk:
        """A project for a file. Raises TunesmithError where the file can't be used."""
        project = new_project(source, Path.cwd())
        desk = Desk(project, self._helper, self._voice)
        try:
            self._measure(desk)
        except DataError as error:
            if not self._told_by_hand(desk, error):
                raise
        project.save()
        return desk

    def _measure(self, desk: Desk) -> None:
        """Measure; of data that holds several things ask first which is meant. Raises what `Desk.measure` does."""
        while True:
            try:
                desk.measure()
                return
            except DataError as error:
                wanted = Meant(QUERY, ()) if isinstance(error, QueryError) else meant(error)
                if wanted is None:
                    raise
                self._voice.say(error.title)
                self._voice.say(ASKED[wanted.path])
                self._voice.say(wanted.hint)
                desk.project.wish(wanted.path, self._voice.ask("Your words (b goes back):") or wanted.example or None)

    def _plan(self, text: str) -> Desk | None:
        """A project of a plan file. Raises TunesmithError where that is no plan."""
        if not text.strip():
            raise PlanError("No plan is named.", next_step="Type a path, e.g. plan.yaml.")
        project = open_plan(spelled_out(text.strip().strip("'\""), Path.cwd()))
        return self._saved(project)

    def _saved(self, project: Project) -> Desk | None:
        """A project with answers in it; where they can't be used any more, the person says what is to be done."""
        desk = Desk(project, self._helper, self._voice)
        while True:
            try:
                desk.measure()
            except TunesmithError as error:
                self._voice.complain(error)
                if not self._mended(project):
                    return None
            else:
                project.save()
                return desk

    def _mended(self, project: Project) -> bool:
        """Ask what to do about a project whose file, model or answers can't be used; False for the list before."""
        options = [
            Option("again", "look again"),
            Option("data", "name another file; the answers about this one are dropped"),
            Option("model", "take the practice model"),
            Option("list", "go back to the list"),
        ]
        list_options(self._voice, options)
        while True:
            try:
                found = by_number(self._voice.ask("Number (Enter takes 1):") or "1", options)
                if found is None:
                    raise PlanError("That is no number.", next_step="Type a number from 1 to 4.")
                if found.value == "data":
                    project.wish("prepare.data", named_data(self._voice.ask("Path of the file:"), project.base))
                elif found.value == "model":
                    project.wish("select.model", PRACTICE)
                return bool(found.value != "list")
            except Back:
                return False
            except TunesmithError as error:
                self._voice.complain(error)

    def _told_by_hand(self, desk: Desk, error: DataError) -> bool:
        """Where the file is readable but no column says what it is: ask; False where the file itself is the trouble."""
        try:
            columns = desk.columns()
        except TunesmithError:
            return False
        if len(columns) < 2:
            return False
        voice, knob = self._voice, knob_at("prepare.shape")
        voice.say(error.title)
        voice.say("So it has to be said by hand.")
        voice.say(knob.question)
        options = [Option(one, knob.label(one), knob.meanings.get(one, "")) for one in knob.options]
        list_options(voice, options)
        while True:
            answer = voice.ask("Number (Enter takes 1):") or "1"
            try:
                found = by_number(answer, options)
                shape: Shape = found.value if found else read(knob, answer)
                break
            except PlanError as wrong:
                voice.complain(wrong)
        roles = ask_roles(voice, shape, [Option(name, name) for name in columns])
        state_shape(desk, shape, roles)
        desk.measure()
        return True

    def _goes_on(self, name: str) -> bool:
        """Whether to go on with the unfinished project of the same file."""
        options = [Option(True, f"go on with the project {name}, not started yet"), Option(False, "begin anew")]
        self._voice.say("There are answers about this file already.")
        list_options(self._voice, options)
        while True:
            try:
                found = by_number(self._voice.ask("Number (Enter takes 1):") or "1", options)
                if found is not None:
                    return bool(found.value)
            except (Back, PlanError):
                pass
            self._voice.say("Type 1 or 2.")
