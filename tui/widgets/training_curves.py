"""The two charts of a training: the loss, and the score on validation questions by what the plan measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tunesmith.core.events import Evidence, Validation
from tunesmith.core.evidence import best_of
from tunesmith.core.history import Training
from tunesmith.core.measures import Measure, leading, measure
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.widgets.curve import Curve, Reference, Series
from tunesmith.tui.widgets.line import Line, Part

LOSS = (Series("training", "train"), Series("validation", "validation", marker="●", ascii_mark="o"))


@dataclass(frozen=True)
class Scores:
    """What the chart of scores shows: the measures of its lines, by their keys, the one that leads first."""

    keys: tuple[str, ...]

    @property
    def measures(self) -> list[Measure]:
        """The measures themselves."""
        return [measure(key) for key in self.keys]

    @property
    def share(self) -> bool:
        """Whether the values are shares, drawn in percent; else numbers, drawn by their logarithm."""
        return self.measures[0].share

    @property
    def series(self) -> tuple[Series, ...]:
        """The lines."""
        return tuple(replace(look, name=one.name) for look, one in zip(LOOKS, self.measures, strict=False))

    def title(self, *, ascii: bool) -> str:
        """What is drawn, and which way is better."""
        marks = [look.ascii_mark if ascii else look.marker for look in LOOKS]
        named = " and ".join(f"{mark} {one.name}" for mark, one in zip(marks, self.measures, strict=False))
        better = "lower" if self.measures[0].lower_is_better else "higher"
        return f"{named}{' in %' if self.share else ''}: {better} is better"

    def points(self, looks: Sequence[Validation]) -> dict[str, tuple[list[int], list[float]]]:
        """Steps and values by the name of their line; not a number where there was none."""
        factor = 100 if self.share else 1
        values = {one.name: [look.by(one.key) for look in looks] for one in self.measures}
        steps = [look.step for look in looks]
        return {
            name: (steps, [nan if value is None else factor * value for value in its]) for name, its in values.items()
        }

    def reference(self, before: Validation | None) -> Reference | None:
        """The line of the untouched model."""
        value = before.by(self.keys[0]) if before else None
        return None if value is None else Reference("untouched", (100 if self.share else 1) * value)


LOOKS = (
    Series("", "match", marker="▲", ascii_mark="#"),
    Series("", "f1", marker="◆", ascii_mark="+", dashed=True),
)
"""How the lines of the scores are drawn."""


def scores_of(training: Training | None) -> Scores:
    """What leads by the plan's metric, and F1 beside it where both are shares."""
    newest = training.validations[-1] if training and training.validations else None
    lead = leading(newest.metric if newest else "exact_match")
    return Scores((lead, "f1") if measure(lead).share else (lead,))


class TrainingCurves(Horizontal):
    """Both charts side by side, or one of them where a style sheet hides the other (`-scores` says which).

    It remembers how much it has drawn, so that a new step is one point, and begins again where a training was begun
    anew or went on from a checkpoint before the newest step.
    """

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._training: Training | None = None
        self._total = 0
        self._steps: tuple[int, float, float] = (0, 0.0, 0.0)
        """How many points of the loss are drawn, and the last one."""
        self._looks: tuple[int, Validation | None] = (0, None)
        """How many scores are drawn, and the last ones."""
        self._scores = scores_of(None)

    def compose(self) -> ComposeResult:
        """A title above each chart."""
        plain = not self._glyphs.braille
        mark = LOSS[1].ascii_mark if plain else LOSS[1].marker
        loss = f"Loss, {mark} on validation rows: lower is better"
        scores = self._scores
        with Vertical(id="curves-loss", classes="curves-one"):
            yield Line(self._glyphs, *_title(loss), classes="curves-title")
            yield Curve(LOSS, 1, ascii=plain, id="curve-loss")
        with Vertical(id="curves-scores", classes="curves-one"):
            yield Line(self._glyphs, *_title(scores.title(ascii=plain)), id="scores-title", classes="curves-title")
            yield Curve(scores.series, 1, percent=True, ascii=plain, id="curve-scores")

    def show(self, training: Training, evidence: Mapping[int, Evidence]) -> None:
        """Draw what is new in this training; everything where it is another one, or was set back.

        `evidence` is what the untouched model reached before it, by the number of examples in its prompt.
        """
        self.query_one("#curve-scores", Curve).set_levels(levels(list(evidence.values())))
        total = training.newest.steps if training.newest else 1
        wanted = scores_of(training)
        if wanted != self._scores:
            self._become(wanted)
        if training is not self._training or total != self._total or not self._goes_on(training):
            self._draw_all(training, total)
        else:
            self._draw_new(training)
        count = len(training.steps)
        self._training, self._total = training, total
        self._steps = (count, training.steps[-1], training.losses[-1]) if count else (0, 0.0, 0.0)
        looks = training.validations
        self._looks = (len(looks), looks[-1] if looks else None)

    def _become(self, scores: Scores) -> None:
        """Show scores by other measures, all of them anew."""
        self._scores, self._training = scores, None
        self.query_one("#curve-scores", Curve).become(scores.series, percent=scores.share, logarithmic=not scores.share)
        self.query_one("#scores-title", Line).show(*_title(scores.title(ascii=not self._glyphs.braille)))

    def _goes_on(self, training: Training) -> bool:
        """Whether all that is drawn still stands in the training, so that only what follows is to be drawn."""
        count, step, loss = self._steps
        if count > len(training.steps):
            return False
        if count and (training.steps[count - 1] != step or repr(training.losses[count - 1]) != repr(loss)):
            return False
        looks, last = self._looks
        return looks <= len(training.validations) and (not looks or training.validations[looks - 1] is last)

    def _draw_all(self, training: Training, total: int) -> None:
        loss, scores = self.query_one("#curve-loss", Curve), self.query_one("#curve-scores", Curve)
        looks = training.validations
        loss.replace({"training": (training.steps, training.losses), "validation": _losses(looks)}, total)
        scores.replace(self._scores.points(looks), total)
        scores.set_reference(self._scores.reference(training.untouched))

    def _draw_new(self, training: Training) -> None:
        loss, scores = self.query_one("#curve-loss", Curve), self.query_one("#curve-scores", Curve)
        count = self._steps[0]
        if len(training.steps) > count:
            loss.extend("training", training.steps[count:], training.losses[count:])
        looks = training.validations[self._looks[0] :]
        if looks:
            loss.extend("validation", *_losses(looks))
            for name, points in self._scores.points(looks).items():
                scores.extend(name, *points)
            scores.set_reference(self._scores.reference(training.untouched))


def levels(evidence: Sequence[Evidence]) -> list[Reference]:
    """What the training is held against: the goal, and the best that examples in the prompt reach."""
    best = best_of(evidence)
    if best is None:
        return []
    factor, drawn = 100 if measure(best.metric).share else 1, []
    if best.shots and best.goal is not None:  # without examples it is the untouched model, which has its line
        drawn.append(Reference(f"{best.shots}-shot", factor * best.goal, dash="dotted"))
    drawn.append(Reference("goal", factor * best.threshold, dash="solid"))
    return drawn


def _title(text: str) -> Sequence[Part]:
    head, colon, rest = text.partition(":")
    return (head, "bold"), (colon + rest, "$text-muted")


def _losses(looks: Sequence[Validation]) -> tuple[list[int], list[float]]:
    told = [(one.step, one.loss) for one in looks if one.loss is not None]
    return [step for step, _ in told], [loss for _, loss in told]
