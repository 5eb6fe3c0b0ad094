"""Step 5, Evaluate: the verdict, the untouched against the tuned model, the probes, and every test row."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple, get_args

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.worker import Worker

from tunesmith.core.measures import leading
from tunesmith.core.plan import Probe
from tunesmith.core.results import TEST, Results, Scored
from tunesmith.core.run import Run
from tunesmith.tui.failures import defect
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.evaluate_found import Found, changed_at, found_in
from tunesmith.tui.screens.evaluate_told import (
    UNASKED,
    Ruler,
    Texts,
    certainty_told,
    change_told,
    head_told,
    probe_told,
    probes_head,
    rows_told,
    ruler,
    score_told,
    scored_of,
    spelled,
)
from tunesmith.tui.screens.stage_told import StageTold, tell_stage
from tunesmith.tui.screens.step import Step
from tunesmith.tui.session import Session
from tunesmith.tui.widgets.answer_rows import AnswerHead, AnswerRows
from tunesmith.tui.widgets.interval_bar import IntervalBar, bar_cells
from tunesmith.tui.widgets.line import Line
from tunesmith.tui.widgets.next_line import NextLine
from tunesmith.tui.widgets.row_detail import RowDetail
from tunesmith.tui.widgets.still import Still

PROBES: tuple[Probe, ...] = get_args(Probe)
MODELS = {"base": "untouched model", "tuned": "tuned model"}
PROGRESS_CELLS = 30
TALL = 42
"""Rows from which on each probe's meaning is shown in full."""


class Bars(NamedTuple):
    """What all bars show, and what their ends stand for."""

    metric: str
    ruler: Ruler


class EvaluateStep(Step):
    """Live scores come from the run's events; once it is done, everything from its files."""

    stage: ClassVar[str] = "evaluate"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,up", "rows", "Rows", id="evaluate.rows", tooltip="Each test row in full", key_display="↑↓"),
        Binding("escape", "leave_rows", "Figures", id="evaluate.back", tooltip="Out of the list", key_display="Esc"),
    ]

    class Read(Message):
        """The files of the evaluation were read."""

        def __init__(self, key: object, found: Found) -> None:
            super().__init__()
            self.key = key
            self.found = found

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._seen: object = None
        """What was shown last, so that nothing is done where nothing has changed."""
        self._asked: object = None
        """The files that are read or being read."""
        self._found = Found()
        self._told: StageTold | None = None

    def compose(self) -> ComposeResult:
        """Verdict, figures, rows with one in full, and what Enter does."""
        glyphs = self.session.glyphs
        with Vertical(id="evaluate-body"):
            yield Still(id="evaluate-verdict")
            yield Still(id="evaluate-detail")
            yield Line(glyphs, id="evaluate-change")
            with Vertical(id="evaluate-figures"):
                yield IntervalBar("", glyphs, scale=True, id="bar-head", classes="bar-head")
                for model, name in MODELS.items():
                    yield IntervalBar(name, glyphs, id=f"bar-{model}", classes=f"-{model}")
                yield Still(id="evaluate-notes")
                yield IntervalBar("", glyphs, scale=True, id="bar-probes", classes="bar-head")
                for probe in PROBES:
                    yield IntervalBar(probe.replace("-", " "), glyphs, id=f"bar-{probe}", classes="-probe")
                    yield Still(id=f"meaning-{probe}", classes="probe-meaning")
            with Vertical(id="evaluate-answers"):
                yield AnswerHead(glyphs, id="answers-head")
                yield AnswerRows(glyphs, id="answers")
                yield RowDetail(glyphs, id="answer")
        yield NextLine(glyphs)

    def on_mount(self) -> None:
        """Show what is known already."""
        self.show_run()

    # -- what is shown

    def show_run(self) -> None:
        """Take up what is new; costs a look at one file where nothing is."""
        session = self.session
        run, history = session.run, session.history
        stage = history.stages[self.stage] if history else None
        files = (run.folder, changed_at(run.results_path)) if run and stage and stage.standing == "done" else None
        told = tell_stage(session, self.stage)
        seen = (run, files, told, len(history.scores) if history else 0)
        if seen == self._seen:
            return
        self._seen, self._told = seen, told
        if files is None:
            self._asked, self._found = None, Found()
        elif files != self._asked and run is not None:
            self._asked = files
            self._read(run, files)
        self._show()

    def _show(self) -> None:
        """Everything from what is known now; each part repaints only where it says something else."""
        found = self._found
        self._show_verdict(found)
        self._show_scores(found.results)
        self.set_class(bool(found.rows), "-rows")
        self.refresh_bindings()
        self._show_head()
        if self._told is None:
            self.say_next("go on to Productionize")
        elif self._told.resumes:
            self.say_next("go on with the run where it ended")
        else:
            self.say_next("Nothing to do here yet; Esc and 1 to 6 lead elsewhere.", ready=False)

    def _show_verdict(self, found: Found) -> None:
        glyphs, told, results = self.session.glyphs, self._told, found.results
        detail, change = Content(""), ""
        if told is not None:
            verdict = _headed(told.sign, told.style, told.title)
            detail = self._waiting(told)
        elif results is not None:
            sign, style = (glyphs.done, "$text-success") if results.reached else (glyphs.warning, "$text-warning")
            verdict = _headed(sign, style, spelled(results.verdict, glyphs) + ".")
            change = change_told(results, glyphs)
        else:
            verdict = _headed(glyphs.bullet, "$text-muted", "Reading the results")
        if found.complaint:
            line = Content.styled(f"{glyphs.error} {harmless(found.complaint)}", "$text-error")
            verdict, detail = (line, detail) if results is None else (verdict, line)
        self.query_one("#evaluate-verdict", Still).show(verdict)
        self.query_one("#evaluate-detail", Still).show(detail)
        self.set_class(bool(detail), "-detail")
        self.query_one("#evaluate-change", Line).show((change, "$text-muted"))
        self.set_class(bool(change), "-change")

    def _waiting(self, told: StageTold) -> Content:
        """What it waits for, or how far the piece of work at hand is."""
        if told.share is None:
            return Content(harmless(told.detail))
        cells = "".join(text for text, _ in bar_cells(None, PROGRESS_CELLS, self.session.glyphs))
        done = int(told.share * PROGRESS_CELLS)
        return Content.assemble(
            (self.session.glyphs.bar_full * done, "$text-primary"), (cells[done:], "$text-muted"), f" {told.share:.0%}"
        )

    def _show_scores(self, results: Results | None) -> None:
        """The bars: measured ones with figures, those to come empty."""
        history = self.session.history
        if results is not None:
            scores = {(one.model, one.rows_kind): one for one in results.scores}
            confidence = results.draws.confidence
        else:
            scores = {key: scored_of(score) for key, score in history.scores.items()} if history else {}
            confidence = next((score.confidence for score in history.scores.values()), 0.95) if history else 0.95
        rows = next((one.rows for one in scores.values() if one.rows_kind == TEST), 0)
        plans = results.metric if results else next((one.metric for one in scores.values()), "exact_match")
        metric = leading(plans)
        bars = Bars(metric, ruler(metric, scores.values()))
        self.set_class(bool(scores), "-figures")
        ends = bars.ruler.ends
        self.query_one("#bar-head", IntervalBar).show(
            None, *head_told(confidence, metric), label=f"{rows:,} test rows", ends=ends
        )
        for model in MODELS:
            self._show_bar(f"#bar-{model}", scores.get((model, TEST)), score_told, bars)
        probes = [probe for probe in PROBES if ("tuned", probe) in scores]
        self.set_class(bool(probes), "-probes")
        self.query_one("#bar-probes", IntervalBar).show(None, *probes_head(metric), label="asked otherwise", ends=ends)
        for probe in PROBES:
            scored = scores.get(("tuned", probe))
            for name in (f"#bar-{probe}", f"#meaning-{probe}"):
                self.query_one(name).display = scored is not None
            self._show_bar(f"#bar-{probe}", scored, probe_told, bars)
            self.query_one(f"#meaning-{probe}", Still).show(scored.meaning if scored else "")
        self.query_one("#evaluate-notes", Still).show(self._notes(results))

    def _show_bar(
        self, name: str, scored: Scored | None, texts: Callable[[Scored, Glyphs, str], Texts], bars: Bars
    ) -> None:
        bar = self.query_one(name, IntervalBar)
        if scored is None:
            bar.show(None, *UNASKED)
        else:
            bar.show(bars.ruler.length(scored.by(bars.metric)), *texts(scored, self.session.glyphs, bars.metric))

    def _notes(self, results: Results | None) -> str:
        """What a reader must know to read the figures rightly."""
        if results is None:
            return ""
        notes = [certainty_told(results), *results.notes]
        return "\n".join(f"{self.session.glyphs.bullet} {harmless(note)}" for note in notes if note)

    def _show_head(self) -> None:
        told = rows_told(self._found.rows, self.query_one(AnswerRows).page_told, self.session.glyphs)
        self.query_one(AnswerHead).show(told)

    # -- the files

    @work(thread=True, exclusive=True, group="results", exit_on_error=False)
    def _read(self, run: Run, key: object) -> None:
        """Read results and answers; a large test set takes a moment."""
        self.post_message(self.Read(key, found_in(run)))

    @on(Read)
    def _was_read(self, event: Read) -> None:
        event.stop()
        if event.key != self._asked:
            return
        same_rows = event.found.rows == self._found.rows
        self._found = event.found
        self._show()
        if not same_rows:
            answers = self.query_one(AnswerRows)
            answers.show(event.found.rows)
            self.query_one(RowDetail).show(answers.here)
            self._show_head()

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """A defect of ours must not pass unseen."""
        error = defect(event)
        if error is not None:
            self._found = Found(complaint=str(error))
            self._show()

    # -- keys

    def accept(self) -> None:
        """Enter: on to Productionize; where the run ended early, on with it."""
        if self._told is None:
            super().accept()
        elif self._told.resumes:
            go_on = getattr(self.screen, "go_on_with_run", None)
            if callable(go_on):
                go_on()

    def action_rows(self) -> None:
        """To the list of test rows."""
        self.query_one(AnswerRows).focus()

    def action_leave_rows(self) -> None:
        """Out of the list: the figures are back where there was no room for both."""
        self.arrive()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc belongs to the shell, but for the list; there is a list once rows are read."""
        if action == "rows":
            return self.has_class("-rows") and not self.has_class("-choosing")
        return self.has_class("-choosing") if action == "leave_rows" else True

    @on(AnswerRows.Chosen)
    def _chosen(self, event: AnswerRows.Chosen) -> None:
        event.stop()
        self.query_one(RowDetail).show(event.row)
        self._show_head()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """While the person is at the rows, these have the room."""
        self.set_class(isinstance(event.widget, AnswerRows | RowDetail), "-choosing")
        self.refresh_bindings()

    def on_resize(self, event: events.Resize) -> None:
        """Where it is tall there is room for what the probes mean."""
        self.set_class(event.size.height >= TALL, "-tall")


def _headed(sign: str, style: str, text: str) -> Content:
    return Content.assemble((f"{sign} ", style), (harmless(text), "bold"))


STEP = EvaluateStep
