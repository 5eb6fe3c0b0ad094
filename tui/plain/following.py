"""Follows a run in plain lines: what begins, what is found, and now and then how far it is. Nothing moves."""

from __future__ import annotations

import io
import time

from rich.console import Console
from rich.text import Text

from tunesmith.core import events as e
from tunesmith.core.evidence import examples_told
from tunesmith.core.figures import percent
from tunesmith.core.measures import ALWAYS, measure
from tunesmith.core.run import Run, State
from tunesmith.core.stages import STAGES, TITLES
from tunesmith.tui.commands.runs import INTERRUPTED, exit_code
from tunesmith.tui.console import POLL_SECONDS, Lines
from tunesmith.tui.plain.voice import Voice
from tunesmith.tui.plain_text import harmless, shortened

__all__ = ["INTERRUPTED", "follow_plainly"]

SAYS_SOMETHING_AFTER = 15.0
"""Seconds without a line after which it is said what is being done."""
NAMED = {"!": "Warning: ", "✗": "Error: "}


def follow_plainly(run: Run, voice: Voice) -> int:
    """Say what happens in `run` until its end, then its result and what can be done with it; returns the exit code."""
    voice.say()
    voice.say(f"The run {run.name} is going on by itself: closing this window does not stop it.")
    voice.say("Ctrl-C leaves; this brings it back:")
    voice.command(f"tunesmith attach {run.name}")
    try:
        state = _followed(run, PlainLines(voice))
    except KeyboardInterrupt:
        state = run.state()
        if state.alive:
            voice.say()
            voice.say(f"{run.name} goes on without this window. Watch it with tunesmith attach {run.name}.")
        return INTERRUPTED
    _close(run, state, voice)
    return exit_code(state)


def _followed(run: Run, lines: PlainLines) -> State:
    reader = e.EventReader(run.events_path)
    while True:
        alive = run.state().alive  # asked before reading: what was written before the end is still read
        for event in reader.read():
            lines.take(event)
        if not alive:
            return run.state()
        lines.say_at_times()
        time.sleep(POLL_SECONDS)


class PlainLines(Lines):
    """The lines of a run without signs and columns."""

    def __init__(self, voice: Voice) -> None:
        super().__init__(Console(file=io.StringIO()))
        self._voice = voice
        self._said_at = time.monotonic()
        self._said = ""

    def take(self, event: e.AnyEvent) -> None:
        """Say what is worth a line; tables and arrows become sentences."""
        match event:
            case e.StageStarted():
                self.show(event)
                self._voice.say()
                number = f"Stage {STAGES.index(event.stage) + 1} of {len(STAGES)}: " if event.stage in STAGES else ""
                self._line("", "", f"{number}{TITLES.get(event.stage, event.stage)}")
            case e.Decision():
                because = f" ({event.because})" if event.because else ""
                self._line("", "", f"{event.name}: {event.value}{because}")
            case e.Sample():
                self._sample(event)
            case e.Evidence():
                self._evidence(event)
            case e.Score():
                kind = "" if event.rows_kind == "test" else f", {event.rows_kind}"
                scores = f"{_with_bounds(event, 'exact_match')}; F1 {percent(event.f1)}"
                if event.metric not in ALWAYS:
                    scores = f"{_with_bounds(event, event.metric)}; {scores}"
                self._line("", "", f"The {event.model} model{kind}: {scores}; {event.rows:,} rows.")
            case _:
                self.show(event)

    def say_at_times(self) -> None:
        """What is being done, where nothing was said for a while and it is news."""
        doing = " ".join(self._doing().split())
        if time.monotonic() - self._said_at > SAYS_SOMETHING_AFTER and doing != self._said:
            self._said = doing
            self._line("", "", f"Now: {doing}")

    def _evidence(self, event: e.Evidence) -> None:
        who = f"The untouched model with {examples_told(event.shots)} in its prompt"
        if event.skipped:
            self._line("", "", f"{who} was left out: {event.skipped}.")
            return
        scores = f"exact match {percent(event.exact_match)}, F1 {percent(event.f1)}"
        if event.metric not in ALWAYS and event.goal is not None:
            metric = measure(event.metric)
            scores = f"{metric.name} {metric.told(event.goal)}"
        self._line("", "", f"{who}: {scores}; {event.rows:,} rows.")

    def _sample(self, event: e.Sample) -> None:
        if self._answers.get(event.question) == event.answer:
            return  # the same as at the last look
        self._answers[event.question] = event.answer
        same = "as wanted" if event.answer == event.expected else f"wanted: {harmless(event.expected)}"
        answer = shortened(event.answer, 60) or "nothing"
        self._line("", "", f"Asked: {shortened(event.question, 100)} Answered: {answer}; {same}.")

    def _line(self, mark: str, style: str, text: str) -> None:
        self._said_at = time.monotonic()
        self._voice.say(NAMED.get(mark, "") + without_arrows(text))

    def _print(self, text: Text, indent: int = 8) -> None:
        self._line("", "", text.plain)


def _close(run: Run, state: State, voice: Voice) -> None:
    """The result, and the commands that go on from it."""
    voice.say()
    if state.advised:
        voice.say("Nothing was trained, as advised. The prompt to use instead:")
        voice.command(str(run.prompt_path))
        voice.say("Train all the same with:")
        voice.command(f"tunesmith run {run.name} --resume")
        return
    if state.status != "finished":
        voice.say(f"{run.name}: {state.text}.")
        if state.status == "failed":
            voice.say("Where the plan is to blame, mend the run's own copy:")
            voice.command(str(run.plan_path))
        else:
            voice.say("What was saved is not lost.")
        voice.say("Go on with:")
        voice.command(f"tunesmith run {run.name} --resume")
        return
    results = [one.summary for one in e.EventReader(run.events_path).read() if _is_result(one)]  # type: ignore[union-attr]
    if results:
        voice.say(without_arrows(results[-1]))
    if run.merged.exists():
        voice.say("Ask the tuned model:")
        voice.command(f"tunesmith serve {run.name}")
    if run.report_path.exists():
        voice.say("Read the report:")
        voice.command(str(run.report_path))
    voice.say("Run the same again:")
    voice.command(f"tunesmith run {run.plan_path}")


def _with_bounds(event: e.Score, metric: str) -> str:
    """`exact match 98.7 %, interval 97.3 % to 99.7 %`."""
    score, shown = event.by(metric), measure(metric)
    if score is None:
        return f"{shown.name} {shown.maybe(None)}"
    return f"{shown.name} {shown.told(score.value)}, interval {shown.told(score.low)} to {shown.told(score.high)}"


def without_arrows(text: str) -> str:
    """A line of a run as it is read aloud: `2 % → 99 %` as `2 % to 99 %`, `Who? → Ann` as `Who? Answer: Ann`."""
    return " ".join(text.replace("? →", "? Answer:").replace("→", "to").split())


def _is_result(event: e.AnyEvent) -> bool:
    return isinstance(event, e.StageFinished) and event.stage == "evaluate"
