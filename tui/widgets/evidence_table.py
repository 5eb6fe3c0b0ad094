"""What the untouched model reaches before the training, a line for each number of examples in its prompt."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tunesmith.core.bootstrap import Interval
from tunesmith.core.events import Evidence
from tunesmith.core.evidence import best_of, examples_told, reaches
from tunesmith.core.figures import percent
from tunesmith.core.measures import leading, measure
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.still import Still

NAME = 14
FIGURE = 12
WIDE = 18


class EvidenceTable(Still):
    """Grows by a line with each score. Repainted only where it says something else."""

    def show_scores(self, scored: Sequence[Evidence]) -> None:
        """Show these scores, in the order in which they came; nothing where there are none."""
        self.show(table(scored) if scored else "")


def table(scored: Sequence[Evidence]) -> Content:
    """The scores as lines, the best marked, and the goal below them. Needs at least one."""
    rows = max(one.rows for one in scored)
    on = f" on {rows:,} of your validation rows" if rows else ""
    by = measure(scored[-1].metric)
    heads = (measure(leading(by.key)).name.rjust(FIGURE), "F1".rjust(FIGURE), "interval".rjust(WIDE))
    parts: list[str | tuple[str, str]] = [
        (f"Before the training: the untouched model{on}\n", "bold"),
        ("in the prompt".ljust(NAME) + "".join(heads) + "\n", "$text-muted"),
    ]
    best = best_of(scored)
    for one in scored:
        parts += [examples_told(one.shots).ljust(NAME), *_figures(one, best=one is best), "\n"]
    goal = by.goal(scored[-1].threshold)
    parts.append((f"{'the goal'.ljust(NAME)}{goal.rjust(FIGURE)}  {by.name}", "bold"))
    return Content.assemble(*parts)


def _figures(one: Evidence, *, best: bool) -> list[str | tuple[str, str]]:
    if one.skipped:
        return [(f"  left out: {harmless(one.skipped)}", "$text-muted")]
    by, low, high = measure(one.metric), one.goal_low, one.goal_high
    interval = "" if low is None or high is None else by.span(Interval(one.goal or 0.0, low, high))
    lead = one.exact_match if leading(by.key) == "exact_match" else one.goal
    told = "  reaches the goal" if reaches(one) else "  the best" if best else ""
    figures = measure(leading(by.key)).maybe(lead).rjust(FIGURE) + percent(one.f1).rjust(FIGURE) + interval.rjust(WIDE)
    return [figures, (told, "bold")]
