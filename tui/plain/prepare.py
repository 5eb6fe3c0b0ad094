"""Prepare's own questions: which column is what, what is mended, what is asked of each record."""

from __future__ import annotations

from typing import Any

from tunesmith.core.errors import DataError, PlanError
from tunesmith.core.facts import Column, DataFinding, Shape
from tunesmith.core.prepare.repair.recipe import answered, mending
from tunesmith.core.prepare.repair.words import told
from tunesmith.core.prepare.shape import NEEDED, OPTIONAL
from tunesmith.core.schema import knob_at
from tunesmith.tui.plain.desk import Desk
from tunesmith.tui.plain.questions import KnobQuestion, Option, Question, by_name, by_number, labelled, not_listed
from tunesmith.tui.plain.voice import Back, Voice, in_short
from tunesmith.tui.plain_text import shortened
from tunesmith.tui.roles import ROLES

MOST_LISTED = 30
"""Columns that are listed; of a wider file the others are named."""
EXAMPLE = 40


class ShapeQuestion(KnobQuestion):
    """What one row is; where no columns offer themselves for the answer, they are asked for at once."""

    def take(self, answer: str) -> bool:
        """Take the answer; Enter keeps what was shown."""
        shape = self._read(answer) if answer else self.desk.value(self.key)
        if shape == self.desk.value(self.key):
            return True
        try:
            self.desk.change(self.key, shape)
        except DataError as error:
            self.desk.voice.say(error.title)
            try:
                roles = ask_roles(self.desk.voice, shape, [labelled_column(one) for one in self.desk.data.columns])
            except Back:
                return False
            self.desk.apply(lambda: state_shape(self.desk, shape, roles), self.key)
        return True


def state_shape(desk: Desk, shape: Shape, roles: dict[str, str]) -> bool:
    """Wish a shape and the columns of its parts together; both are measured by."""
    desk.project.wish("prepare.shape", shape)
    return desk.project.wish("prepare.columns", roles)


def ask_roles(voice: Voice, shape: Shape, options: list[Option]) -> dict[str, str]:
    """Which column plays each part that `shape` needs. Raises what `Voice.ask` does."""
    roles: dict[str, str] = {}
    for role in NEEDED[shape]:
        voice.say(ROLES[role])
        left = [one for one in options if one.value not in roles.values()]
        list_options(voice, left)
        while True:
            answer = voice.ask("Number:")
            try:
                found = by_number(answer, left) or (by_name(answer, left) if answer else None)
            except PlanError:
                found = None
            if found is not None:
                break
            voice.say(f"Type a number from 1 to {len(left)}, or a column's name.")
        roles[role] = found.value
    return roles


class ColumnQuestion(Question):
    """Which column plays one part."""

    stage = "prepare"

    def __init__(self, desk: Desk, role: str) -> None:
        super().__init__(desk)
        self.role = role
        self.key = f"prepare.columns.{role}"
        self.text = ROLES[role]

    @property
    def options(self) -> list[Option]:
        """The file's columns, the present one first; none, where the part may be left out."""
        now = self._now()
        listed = [labelled_column(one) for one in self.desk.data.columns]
        if self.role in OPTIONAL[self.desk.data.shape]:
            listed.append(Option(None, "none", "there is no such column"))
        return sorted(listed, key=lambda one: one.value != now)

    def show(self) -> None:
        """Say what stands there, why, and what can be chosen."""
        reason = self.desk.project.reasons.get("prepare.columns")
        now = self._now() or "none"
        own = "prepare.columns" in self.desk.project.wishes or reason is None or self._now() is None
        self.desk.voice.say(
            f"Now: {now}." if own or not reason else f"Recommended: {now}. Why: {in_short(reason.because)}"
        )
        list_options(self.desk.voice, self.options)

    def explain(self) -> None:
        """Say everything that is known about it."""
        voice = self.desk.voice
        voice.say(f"Columns: {knob_at('prepare.columns').text}")
        voice.say(f"In the plan: {self.key}.")
        for one in self.desk.data.columns:
            examples = ", ".join(shortened(text, EXAMPLE) for text in one.examples)
            voice.say(f"{one.name}: {one.kind}, {one.filled:,} filled, {one.distinct:,} different. E.g. {examples}")

    def prompt(self) -> str:
        """What can be typed, and what Enter takes."""
        return "Number (Enter takes 1):"

    def take(self, answer: str) -> bool:
        """Take the answer; Enter keeps what was shown."""
        if not answer:
            return True
        options = self.options
        found = by_number(answer, options) or by_name(answer, options)
        if found is None:
            raise not_listed(answer, options)
        if found.value != self._now():
            roles = self._with(found.value)
            self.desk.apply(lambda: self._state(roles), "prepare.columns")
        return True

    def _now(self) -> str | None:
        return self.desk.plan.prepare.columns.get(self.role)

    def _with(self, column: str | None) -> dict[str, str]:
        """The parts with this one played by `column`; whichever part that column played takes the former one."""
        roles = dict(self.desk.plan.prepare.columns)
        before = roles.pop(self.role, None)
        for other, played in list(roles.items()):
            if played == column and column is not None:
                if before is None:
                    raise PlanError(
                        f"{column} is the {other} already.",
                        next_step="Choose another column, or change that one first.",
                    )
                roles[other] = before
                self.desk.voice.say(f"{column} was the {other}; {before} takes its place there.")
        return roles | ({self.role: column} if column is not None else {})

    def _state(self, roles: dict[str, str]) -> bool:
        """Wish all parts as one value, which is what the findings are looked for by."""
        project = self.desk.project
        project.wish("prepare.columns", roles)
        self.desk.take_back([path for path in project.wishes if path.startswith("prepare.columns.")])
        return True


class RepairQuestion(Question):
    """What is done about one thing that was found."""

    stage = "prepare"

    def __init__(self, desk: Desk, finding: DataFinding) -> None:
        super().__init__(desk)
        self.finding = finding
        self.key = f"prepare.repairs:{finding.kind}:{finding.column}"
        self.text = "Something was found in the data. What is done about it?"

    def show(self) -> None:
        """Say what stands there, why, and what can be chosen."""
        finding, voice = self.finding, self.desk.voice
        voice.say(f"Found: {finding.text}")
        if finding.effect:
            voice.say(finding.effect)
        for number, option in enumerate(self._options, 1):
            best = " (recommended)" if option == finding.repair else ""
            voice.say(f"{number}. {told(option) if option else 'nothing: the rows stay as they are'}{best}", indent=2)
        if self._now() != finding.repair:
            voice.say(f"Now: {self._options.index(self._now()) + 1}, your choice.")

    def explain(self) -> None:
        """Say everything that is known about it."""
        voice, finding, knob = self.desk.voice, self.finding, knob_at("prepare.repairs")
        voice.say(f"{knob.title}: {knob.text} The file itself is never changed.")
        voice.say(f"In the plan: prepare.repairs, {', '.join(str(one['kind']) for one in finding.repairs)}.")
        if finding.examples:
            voice.say(f"Examples: {'; '.join(finding.examples)}.")
        for label, count in finding.picture:
            voice.say(f"{label}: {count:,}", indent=2)

    def prompt(self) -> str:
        """What can be typed, and what Enter takes."""
        return f"Number (Enter takes {self._options.index(self._now()) + 1}):"

    def take(self, answer: str) -> bool:
        """Take the answer; Enter keeps what was shown."""
        options = self._options
        if answer and not (answer.isdigit() and 1 <= int(answer) <= len(options)):
            raise PlanError(
                f"{answer} is not one of the answers.", next_step=f"Type a number from 1 to {len(options)}."
            )
        wanted = options[int(answer) - 1] if answer else self._now()
        if wanted != self._now():
            self.desk.change("prepare.repairs", answered(self.desk.data.findings, self._present, self.finding, wanted))
        return True

    @property
    def _options(self) -> list[dict[str, Any] | None]:
        """The repairs and to do nothing, what is recommended first."""
        now = self._now()
        own = [now] if now is not None and now not in self.finding.repairs else []
        if self.finding.recommended:
            return [*self.finding.repairs, None, *own]
        return [None, *self.finding.repairs, *own]

    @property
    def _present(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.desk.value("prepare.repairs")
        return found

    def _now(self) -> dict[str, Any] | None:
        return mending(self.finding, self._present)


def asked_about(desk: Desk) -> list[DataFinding]:
    """The findings that somebody is asked about, in their order: what is recommended or serious, and what the plan
    mends. The others are noted.
    """
    repairs = desk.value("prepare.repairs")
    return [
        one
        for one in desk.data.findings
        if one.repairs and (one.recommended or one.severity == "serious" or mending(one, repairs) is not None)
    ]


def labelled_column(column: Column) -> Option:
    """A column with its kind and an example."""
    example = f", e.g. {shortened(column.examples[0], EXAMPLE)}" if column.examples else ", empty"
    return Option(column.name, column.name, f"{column.kind}{example}")


def list_options(voice: Voice, options: list[Option]) -> None:
    """The options with their numbers, the first ones of very many."""
    for number, option in enumerate(options[:MOST_LISTED], 1):
        voice.say(f"{number}. {labelled(option)}", indent=2)
    if len(options) > MOST_LISTED:
        voice.say(f"and {len(options) - MOST_LISTED} more; type a name.", indent=2)
