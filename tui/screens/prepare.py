"""Step 2, Prepare: the file, what its rows are, what is wrong in it, and what the model will see of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.cells import counted
from tunesmith.core.prepare.meant import ASKED
from tunesmith.core.prepare.prepared import Preview
from tunesmith.core.prepare.repair.recipe import answered, mending
from tunesmith.core.prepare.roles import taken_twice
from tunesmith.core.prepare.shape import NEEDED, OPTIONAL
from tunesmith.core.proof import lost_told
from tunesmith.core.schema import Knob, knob_at, plain_value
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.roles import ROLES, left_out_told
from tunesmith.tui.screens.data import Data
from tunesmith.tui.screens.repair import Mend
from tunesmith.tui.screens.step import AskStep
from tunesmith.tui.widgets.finding_row import FindingRow
from tunesmith.tui.widgets.finding_told import finding_told
from tunesmith.tui.widgets.knob_row import KnobRow
from tunesmith.tui.widgets.lengths_told import lengths_told
from tunesmith.tui.widgets.still import Still
from tunesmith.tui.widgets.trained_text import trained_text
from tunesmith.tui.widgets.why import Why

OF_A_TABLE = ("prepare.fields", "prepare.questions", "prepare.layouts", "prepare.shuffle_fields")
"""What is asked of a table's records; rows of other shapes have their prompts already."""


class PrepareStep(AskStep):
    """Questions about the file, then what was found in it, then rows as the model will see them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "data", "Data", show=False, id="prepare.data", tooltip="Look through the data, record by record"),
    ]
    stage: ClassVar[str] = "prepare"
    intro: ClassVar[str] = "What the examples are, what is wrong with them, and which of them the score is kept for."
    next_text: ClassVar[str] = "accept this data with the repairs marked and choose a model"
    _shape = ""

    def rows(self) -> Iterable[Widget]:
        """The schema's questions; after the shape one for each part that a column plays."""
        found: list[Widget] = []
        for row in super().rows():
            if isinstance(row, KnobRow) and row.knob.path in ASKED:
                continue  # of all settings; they stand below the data
            found.append(row)
            if isinstance(row, KnobRow) and row.knob.path == "prepare.data":
                found += [self.row(knob_at(path)) for path in ASKED]
            if isinstance(row, KnobRow) and row.knob.path == "prepare.shape":
                found.append(Vertical(id="roles", classes="step-rows"))
        return found

    def row(self, knob: Knob) -> KnobRow:
        """A file is chosen in a box; a column from those that the file has."""
        glyphs = self.session.glyphs
        if knob.path == "prepare.data":
            return KnobRow(knob, glyphs, opens=True)
        if knob.path in ASKED:
            return KnobRow(knob, glyphs, title=ASKED[knob.path])
        if knob.path == "prepare.split.by":
            return KnobRow(knob, glyphs, options=["none", *self._columns()])
        if knob.path.startswith("prepare.columns."):
            return KnobRow(knob, glyphs, options=self._columns())
        return KnobRow(knob, glyphs)

    def exhibits(self) -> Iterable[Widget]:
        """Findings, the parts, rows as rendered, lengths."""
        yield Static("Found in the file", classes="section")
        yield Still("", id="parts", classes="exhibit")
        yield Still("", id="found", classes="exhibit")
        yield Still("", id="findings-none", classes="exhibit")
        yield Findings(id="findings", classes="exhibit")
        yield Static("Rows as the model sees them", classes="section")
        yield Still("", id="rendered", classes="exhibit")
        yield Static("Lengths", classes="section")
        yield Still("", id="lengths", classes="exhibit")

    def options(self, knob: Knob) -> Sequence[Any]:
        """What is tried beside a question; another file can't be tried without measuring it."""
        if knob.path in ("prepare.data", "prepare.shape") or knob.path.startswith("prepare.columns"):
            return ()
        return super().options(knob)

    def overview(self) -> Content:
        """What became of every record, and what was done."""
        survey = self.session.project.survey
        if survey is None:
            return Content("")
        seen = survey.preview
        parts = ", ".join(f"{count:,} to {_purpose(part)}" for part, count in seen.parts.items())
        data = survey.facts.data
        sure = f" ({100 * data.shape_confidence:.0f} % sure)" if data.shape_confidence < 1 else ""
        told: list[str | tuple[str, str]] = [
            (f"{seen.read:,} records were read, {seen.aside:,} set aside{_unread(seen)}.\n", "bold"),
            f"{harmless(data.shape_because[:1].upper() + data.shape_because[1:])}{sure}.\n",
            f"{left_out}\n" if (left_out := left_out_told(data)) else "",
            f"Rows: {parts}.\n",
        ]
        steps = seen.account.steps if seen.account is not None else []
        overlap = next((step for step in steps if step.name == "overlap"), None)
        for note in seen.notes:
            sign = self.session.glyphs.warning if note.level == "warning" else self.session.glyphs.bullet
            told.append((f"{sign} {harmless(note.text)}\n", "$text-warning" if note.level == "warning" else ""))
            if overlap is not None and note.text and overlap.text.endswith(note.text):
                told += [_twins(*one) for one in overlap.examples]
        tokens = survey.facts.data.tokens
        if tokens is not None:
            what = "the whole of each text" if data.shape == "text" else "the answers and their ends"
            told.append(f"{100 * tokens.trained_share:.0f} % of all tokens are trained: {what}.\n")
        proof = survey.proof
        if proof is not None and proof.max_length == self.session.project.plan.select.hyperparameters.max_length:
            lost = lost_told(proof)
            told += [(f"{self.session.glyphs.error} {harmless(lost)}\n", "$text-error")] if lost else []
        return Content.assemble(*told)

    def show_plan(self) -> None:
        """Other parts where the shape is another one."""
        project = self.session.project
        if project.resolution is not None:
            shape = project.plan.prepare.shape
            if self._shape != shape:
                self._shape = shape
                self.call_later(self._show_roles)
            for row in self.query(KnobRow):
                if row.knob.path == "prepare.split.by":
                    row.offer(["none", *self._columns()])
                elif row.knob.path.startswith("prepare.columns."):
                    row.offer(self._columns())
        super().show_plan()

    def waits_for(self) -> str:
        """Also for another column, where one plays two parts: the keys may pass there on the way to it."""
        project = self.session.project
        twice = taken_twice(project.plan.prepare.columns) if project.resolution is not None else ""
        return super().waits_for() or (f"first this must be mended: {harmless(twice)}" if twice else "")

    def applies(self, row: KnobRow) -> bool:
        """A query, or a part of the data, is asked for only where the data can't be read without or it was stated."""
        session, path = self.session, row.knob.path
        if path in OF_A_TABLE and session.project.resolution is not None:
            return session.project.plan.prepare.shape == "table"
        if path not in ASKED:
            return True
        wanted = session.meant if session.meant is not None and session.meant.path == path else None
        if wanted is not None and isinstance(row.control, Input):
            row.control.placeholder = f"e.g. {wanted.example}" if wanted.example else ""
        stated = session.project.wishes.get(path) is not None
        return wanted is not None or stated or row.control.has_focus or session.all_settings

    def show_exhibits(self) -> None:
        """Findings with what is done about them, rows, lengths."""
        project, glyphs = self.session.project, self.session.glyphs
        survey = project.survey
        if survey is None:
            return
        seen, data = survey.preview, survey.facts.data
        parts = f"  {glyphs.bullet}  ".join(f"{part} {count:,}" for part, count in seen.parts.items())
        steps = seen.account.steps if seen.account is not None else []
        twins = sum(step.before - step.after for step in steps if step.name == "overlap")
        left = f"  {glyphs.bullet}  {twins:,} left out: another part has them" if twins else ""
        self.query_one("#parts", Still).show(
            f"{seen.read:,} records, {seen.used:,} used, {seen.aside:,} set aside\n{glyphs.arrow} rows: {parts}{left}"
        )
        repairs = plain_value(project.plan, "prepare.repairs")
        self.query_one(Findings).show(data.findings, repairs, glyphs)
        self.query_one("#found", Still).show(_found(data.findings, repairs))
        none = "" if data.findings else f"{glyphs.done} Nothing has to be mended."
        self.query_one("#findings-none", Still).show(none)
        self.query_one("#findings-none", Static).display = bool(none)
        rendered = [trained_text(pieces, glyphs) for pieces in survey.rendered]
        waiting = Content.styled("being counted in the model's tokens …", "$text-muted")
        marked = f"Only what stands in {glyphs.trained_open} {glyphs.trained_close} is trained; the rest is read."
        lines = [Content.styled(marked, "$text-muted"), *rendered]
        self.query_one("#rendered", Still).show(Content("\n\n").join(lines) if rendered else waiting)
        tokens = data.tokens
        if tokens is None:
            self.query_one("#lengths", Still).show(waiting)
            return
        longest = project.plan.select.hyperparameters.max_length
        self.query_one("#lengths", Still).show(lengths_told(tokens, survey.proof, longest, glyphs))

    @on(FindingRow.Decided)
    def _decided(self, event: FindingRow.Decided) -> None:
        """Take this repair in instead of the finding's others; the order of the findings is kept."""
        event.stop()
        project = self.session.project
        present = plain_value(project.plan, "prepare.repairs")
        finding, repair = event.row.finding, event.repair
        kept = answered(project.facts.data.findings, present, finding, repair)
        self.post_message(self.Wished("prepare.repairs", kept))

    @on(FindingRow.Opened)
    def _opened(self, event: FindingRow.Opened) -> None:
        event.stop()
        self._mend(event.row.finding)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def _mend(self, finding: DataFinding) -> None:
        """Let the person see what can be done about a finding, and change the values that it is done with."""
        project = self.session.project
        now = mending(finding, plain_value(project.plan, "prepare.repairs"))
        answer = await self.app.push_screen_wait(Mend(finding, now, self.session.glyphs))
        if answer is not None and finding in project.facts.data.findings:
            present = plain_value(project.plan, "prepare.repairs")
            kept = answered(project.facts.data.findings, present, finding, answer.repair)
            self.post_message(self.Wished("prepare.repairs", kept))

    def explain(self) -> None:
        """Of a finding that the person is at, everything that is known."""
        row = self._finding_here
        if row is None or self.session.project.resolution is None:
            super().explain()
            return
        for why in self.query(Why):
            width = max(24, why.size.width - 3)
            repairs = plain_value(self.session.project.plan, "prepare.repairs")
            survey = self.session.project.survey
            account = survey.preview.account if survey is not None and not self.session.project.pending else None
            steps = account.steps if account is not None else []
            why.show(finding_told(row.finding, repairs, steps, self.session.glyphs, width))

    @property
    def _finding_here(self) -> FindingRow | None:
        focused = self.screen.focused
        nodes = focused.ancestors_with_self if focused is not None else []
        return next((node for node in nodes if isinstance(node, FindingRow)), None)

    @property
    def asked(self) -> Knob | None:
        """At a finding, the plan's repairs."""
        return knob_at("prepare.repairs") if self._finding_here is not None else super().asked

    def on_descendant_focus(self) -> None:
        """The person may have come to a finding."""
        if self._finding_here is not None:
            self.explain()

    def action_data(self) -> None:
        """Look through the data as it was read."""
        self.app.push_screen(Data(self.session))

    def _columns(self) -> list[str]:
        survey = self.session.project.survey
        return [column.name for column in survey.facts.data.columns] if survey else []

    def _roles(self) -> list[Knob]:
        """A question for each part of the shape that a column plays."""
        project = self.session.project
        if project.resolution is None:
            return []
        shape = project.plan.prepare.shape
        model = knob_at("prepare.columns")
        return [
            replace(
                model,
                path=f"prepare.columns.{role}",
                title=f"Column of the {role}",
                question=ROLES[role],
                kind="choice",
                options=tuple(self._columns()),
                optional=role in OPTIONAL[shape],
            )
            for role in (*NEEDED[shape], *OPTIONAL[shape])
        ]

    async def _show_roles(self) -> None:
        """Ask for the columns of the present shape instead of those of another one."""
        roles = self.query_one("#roles")
        await roles.remove_children()
        await roles.mount(*(self.row(knob) for knob in self._roles()))
        super().show_plan()


class Findings(Widget):
    """What was found in the file, each with what is done about it."""

    DEFAULT_CSS = "Findings { height: auto; layout: vertical; }"
    _shown: tuple[DataFinding, ...] = ()

    def show(self, findings: tuple[DataFinding, ...], repairs: list[dict[str, Any]], glyphs: Any) -> None:
        """Rows for these findings; those that are there already only change their answer."""
        if findings != self._shown:
            self._shown = findings
            self.remove_children()
            self.mount(*(FindingRow(finding, glyphs) for finding in findings))
        for row in self.query(FindingRow):
            row.show(repairs)


def _found(findings: tuple[DataFinding, ...], repairs: list[dict[str, Any]]) -> str:
    """How many things were found, and how many of them are mended now."""
    if not any(finding.repairs for finding in findings):
        known = f"{counted(len(findings), 'thing')} found, to know. " if findings else ""
        return f"{known}d looks through the data, record by record."
    answers = [(finding, mending(finding, repairs)) for finding in findings]
    usual = sum(answer is not None and answer == finding.repair for finding, answer in answers)
    other = sum(answer is not None for _, answer in answers) - usual
    ways = ((usual, "as recommended"), (other, "in a way of your own"))
    told = " and ".join(f"{count} {how}" for count, how in ways if count)
    return (
        f"{counted(len(findings), 'thing')} found; {f'mended: {told}' if told else 'none of them is mended'}. "
        "The left and right keys choose what is done, Space changes it; d looks through the data."
    )


def _unread(seen: Preview) -> str:
    """Rows of the file that are no records."""
    rejected = seen.account.rejected if seen.account is not None else 0
    return f"; {counted(rejected, 'row')} could not be read" if rejected else ""


def _twins(where: str, one: str, other: str) -> tuple[str, str]:
    """Two rows that are in two parts, as an example."""
    return f"  {harmless(where)}:\n    {harmless(one)}\n    {harmless(other)}\n", "$text-muted"


def _purpose(part: str) -> str:
    return {"train": "train on", "validation": "watch the training by", "test": "score with at the end"}[part]


STEP = PrepareStep
