"""The last page: what will run, what it takes, the same as a command; and the lines about the data before it."""

from __future__ import annotations

from tunesmith.core.errors import PlanError
from tunesmith.core.evidence import before_training
from tunesmith.core.figures import parameters, price_span, size, span
from tunesmith.core.launch import launch
from tunesmith.core.measures import MEASURES
from tunesmith.core.models import absence, how_to_fetch
from tunesmith.core.prepare.cells import counted
from tunesmith.core.run import Run
from tunesmith.core.schema import knob_at
from tunesmith.core.select.choosing import rehearsal
from tunesmith.core.stages import TITLES
from tunesmith.tui.model_words import ESTIMATED
from tunesmith.tui.plain.desk import Desk
from tunesmith.tui.plain.prepare import asked_about
from tunesmith.tui.plain_text import shortened
from tunesmith.tui.roles import left_out_told

MOST_PIECE = 700
"""Characters of one piece of a row that are said; a longer one is cut."""


def tell_data(desk: Desk) -> None:
    """What was read, and what was found in it that nobody has to decide."""
    voice, data = desk.voice, desk.data
    columns = ", ".join(column.name for column in data.columns[:12])
    more = f" and {len(data.columns) - 12} more" if len(data.columns) > 12 else ""
    voice.say(f"Read: {data.rows:,} records with {counted(len(data.columns), 'column')}: {columns}{more}.")
    if left_out := left_out_told(data):
        voice.say(left_out)
    asked = asked_about(desk)
    for finding in data.findings:
        if finding not in asked:
            voice.say(f"Noted: {finding.text}")


def tell_row(desk: Desk) -> None:
    """One row as the model sees it, the trained part marked, and what became of all records."""
    voice, project = desk.voice, desk.project
    survey = project.survey
    if survey is None:
        return
    voice.say()
    voice.say(desk.rows())
    for note in survey.preview.notes:
        if note.level == "warning":
            voice.say(f"Warning: {note.text}")
    tokens = project.facts.data.tokens
    if tokens is not None:
        how = ESTIMATED if tokens.estimated else ""
        voice.say(
            f"Lengths in tokens{how}: half of the rows up to {tokens.whole.p50}, longest {tokens.whole.longest}. "
            f"{100 * tokens.trained_share:.0f} % of all tokens are trained."
        )
    voice.say("A row as the model sees it; only what stands between ⟦ and ⟧ is trained:")
    for pieces in survey.rendered[:1]:
        for piece, trained in pieces:
            shown = shortened(piece, MOST_PIECE).replace("⏎", "⏎ ")
            voice.say(f"Trained: ⟦{shown}⟧" if trained else f"Given: {shown}", indent=2)


class Review:
    """What is shown before anything starts, and the one question whether it shall."""

    def __init__(self, desk: Desk, again: str) -> None:
        self.desk = desk
        self._again = again
        self._outlook = desk.project.outlook
        self._path = desk.project.write_plan()

    @property
    def hindrance(self) -> str:
        """Why it would not go well; empty where nothing is known that speaks against it."""
        facts, plan = self.desk.project.facts, self.desk.plan
        if facts.hardware.planned:
            return f"It is planned for {facts.hardware.planned}, which is not this machine. Run the plan there."
        if not facts.model.here:
            return f"{absence(facts.model)} {how_to_fetch(facts.model)}"
        if plan.select.device == "cuda" and facts.hardware.gpu is None:
            return "The plan computes on a GPU, and none can be used here. Run it on the machine that it is meant for."
        if not self._outlook.memory.fits:
            return "It is not expected to fit: fewer rows at once, shorter rows or a smaller model need less."
        if not self._outlook.disk_suffices:
            return "There is not enough room on the disk. Make room, or set TUNESMITH_RUNS to a folder elsewhere."
        return ""

    def show(self) -> None:
        """What will run and what it takes, one thing a line."""
        voice, plan, look = self.desk.voice, self.desk.plan, self._outlook
        knobs, brief = plan.select.hyperparameters, plan.understand
        voice.say()
        voice.say("Review: this will run. Nothing has started yet.")
        voice.say(f"Goal: {brief.goal}")
        voice.say(f"Success: {MEASURES[brief.metric].success(brief.threshold)} on rows kept for the test.")
        only_practice = rehearsal(self.desk.project.facts, brief.use_case)
        for line in before_training(brief):
            voice.say(line)
        voice.say(self.desk.rows())
        method = knob_at("select.method").label(plan.select.method)
        voice.say(f"Model: {plan.select.model}, {method}, on {_device(plan.select.device)}.")
        if only_practice:
            voice.say(f"Note: {only_practice}.")
        voice.say(
            f"Training: {knobs.epochs:g} passes over the rows, {knobs.batch_size * knobs.accumulation} rows a step, "
            f"{look.steps:,} steps, learning rate {knobs.learning_rate:g}."
        )
        voice.say(f"Trained: {parameters(look.trained_parameters)} parameters.")
        where = "on the GPU" if look.memory.device == "cuda" else "in RAM"
        fits = "it fits" if look.memory.fits else "it does not fit"
        voice.say(
            f"Memory, estimated: {size(look.memory.total)} of {size(look.memory.available)} free {where}; {fits}."
        )
        voice.say(f"Time for the training alone, estimated: {span(look.seconds)}.")
        if look.money is not None:
            voice.say(f"Money for the training alone, estimated: {price_span(look.money)}.")
        for sentence in look.over_budget:
            voice.say(f"Warning: {sentence}")
        free = "; the disk there is not known" if look.disk_free is None else f" of {size(look.disk_free)} free"
        voice.say(f"Disk, estimated: {size(look.disk)}{free}.")
        voice.say("The same without questions, now or later:")
        voice.command(f"tunesmith run {self._path}")
        for caution in self.desk.project.cautions:
            voice.say(f"Note: {caution.text}")
        if self.hindrance:
            voice.say(self.hindrance)
        voice.say("Start now?")
        voice.say(f"1. yes{'' if self.hindrance else ' (recommended)'}", indent=2)
        voice.say("2. no, later", indent=2)

    def explain(self) -> None:
        """Each term of the memory, and what the stages do."""
        voice = self.desk.voice
        for term in self._outlook.memory.terms:
            voice.say(f"Memory, {term.name}: {size(term.bytes)}, {term.from_what}.")
        voice.say(f"A run goes through {', '.join(TITLES.values())}, in a process of its own:")
        voice.say("closing this window does not stop it.")

    def prompt(self) -> str:
        """Enter never starts what is not expected to go well."""
        return f"1 or 2 (Enter takes {2 if self.hindrance else 1}):"

    def take(self, answer: str) -> Run | None:
        """The run where it was started, None for later.

        Raises:
            TunesmithError: The answer is none, or it can't be started.
        """
        answers = {"1": True, "yes": True, "y": True, "2": False, "no": False, "n": False, "": not self.hindrance}
        if answer.lower() not in answers:
            raise PlanError(f"{answer} is not one of the answers.", next_step="Type 1 to start, or 2 for later.")
        project, voice = self.desk.project, self.desk.voice
        if not answers[answer.lower()]:
            voice.say(f"Nothing was started. Your answers are kept as the project {project.name}. Start later with:")
            voice.command(f"tunesmith run {self._path}")
            voice.say(f"Or go on here with {self._again}.")
            return None
        project.accept("select")
        run = launch(project.plan, project.reasons)
        project.started(run)
        return run


def _device(device: str) -> str:
    return "the GPU" if device == "cuda" else "the processor"
