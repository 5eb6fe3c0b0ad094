"""The two charts of a training: the loss, and the share of validation questions that are answered right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tunesmith.core.events import Evidence, Validation
from tunesmith.core.evidence import best_of
from tunesmith.core.history import Training
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.widgets.curve import Curve, Reference, Series
from tunesmith.tui.widgets.line import Line, Part

LOSS = (Series("training", "train"), Series("validation", "validation", marker="●", ascii_mark="o"))
SCORES = (
    Series("exact match", "match", marker="▲", ascii_mark="#"),
    Series("F1", "f1", marker="◆", ascii_mark="+", dashed=True),
)


SHARES = ("exact_match", "accuracy", "f1")
"""Metrics that the score chart shows, so that the goal stands on its axis."""


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

    def compose(self) -> ComposeResult:
        """A title above each chart."""
        plain = not self._glyphs.braille
        marks = [one.ascii_mark if plain else one.marker for one in (LOSS[1], *SCORES)]
        loss = f"Loss, {marks[0]} on validation rows: lower is better"
        scores = f"{marks[1]} exact match and {marks[2]} F1 in %: higher is better"
        with Vertical(id="curves-loss", classes="curves-one"):
            yield Line(self._glyphs, *_title(loss), classes="curves-title")
            yield Curve(LOSS, 1, ascii=plain, id="curve-loss")
        with Vertical(id="curves-scores", classes="curves-one"):
            yield Line(self._glyphs, *_title(scores), classes="curves-title")
            yield Curve(SCORES, 1, percent=True, ascii=plain, id="curve-scores")

    def show(self, training: Training, evidence: Mapping[int, Evidence]) -> None:
        """Draw what is new in this training; everything where it is another one, or was set back.

        `evidence` is what the untouched model reached before it, by the number of examples in its prompt.
        """
        self.query_one("#curve-scores", Curve).set_levels(levels(list(evidence.values())))
        total = training.newest.steps if training.newest else 1
        if training is not self._training or total != self._total or not self._goes_on(training):
            self._draw_all(training, total)
        else:
            self._draw_new(training)
        count = len(training.steps)
        self._training, self._total = training, total
        self._steps = (count, training.steps[-1], training.losses[-1]) if count else (0, 0.0, 0.0)
        looks = training.validations
        self._looks = (len(looks), looks[-1] if looks else None)

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
        scores.replace({"exact match": _shares(looks, "exact_match"), "F1": _shares(looks, "f1")}, total)
        before = training.untouched
        scores.set_reference(Reference("untouched", 100 * before.exact_match) if before else None)

    def _draw_new(self, training: Training) -> None:
        loss, scores = self.query_one("#curve-loss", Curve), self.query_one("#curve-scores", Curve)
        count = self._steps[0]
        if len(training.steps) > count:
            loss.extend("training", training.steps[count:], training.losses[count:])
        looks = training.validations[self._looks[0] :]
        if looks:
            loss.extend("validation", *_losses(looks))
            scores.extend("exact match", *_shares(looks, "exact_match"))
            scores.extend("F1", *_shares(looks, "f1"))
            before = training.untouched
            scores.set_reference(Reference("untouched", 100 * before.exact_match) if before else None)


def levels(evidence: Sequence[Evidence]) -> list[Reference]:
    """What the training is held against: the goal, and the best that examples in the prompt reach."""
    drawn = []
    best = best_of(evidence)
    if best is not None and best.shots:  # without examples it is the untouched model, which has its line
        share = best.f1 if best.metric == "f1" else best.exact_match
        drawn.append(Reference(f"{best.shots}-shot", 100 * share, dash="dotted"))
    if best is not None and best.metric in SHARES:
        drawn.append(Reference("goal", 100 * best.threshold, dash="solid"))
    return drawn


def _title(text: str) -> Sequence[Part]:
    head, colon, rest = text.partition(":")
    return (head, "bold"), (colon + rest, "$text-muted")


def _losses(looks: Sequence[Validation]) -> tuple[list[int], list[float]]:
    told = [(one.step, one.loss) for one in looks if one.loss is not None]
    return [step for step, _ in told], [loss for _, loss in told]


def _shares(looks: Sequence[Validation], name: str) -> tuple[list[int], list[float]]:
    """Points in percent of `exact_match` or `f1`."""
    return [one.step for one in looks], [100 * float(getattr(one, name)) for one in looks]
