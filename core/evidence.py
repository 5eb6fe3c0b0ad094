"""What the untouched model reaches with examples in its prompt: which examples, which prompts, and is that enough.

A training is worth its price only where a prompt does not do the same. So the model is asked the validation slice
before the first step, with none and with a few rows of the training part in its prompt (few-shot prompting; Brown et
al. 2020, arXiv:2005.14165). This module is the part that needs no model; `core.worker.evidence` asks.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Literal

import msgspec

from tunesmith.core.bootstrap import Draws, Interval, group_count, mean_interval, unseen_error_bound
from tunesmith.core.events import Evidence
from tunesmith.core.figures import percent
from tunesmith.core.measures import measure, per_row
from tunesmith.core.plan import TRAINS, Metric, Plan, Understand
from tunesmith.core.plan import Evidence as Gate
from tunesmith.core.rows import Message, Row
from tunesmith.core.run import Run, write_json
from tunesmith.core.schema import knob_at

LEAST_ROWS = 10
"""Rows from which on a goal that is reached stops a run. On fewer, one lucky answer moves the score by over a tenth."""

UNSCORED_EXAMPLES = 3
"""Examples in a prompt file where no number of them was scored."""


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """`evidence.json`: what the untouched model was scored at before the training, and whether that ended the run."""

    model: str
    """As the plan names it."""
    packed: str
    """The number format that its weights were packed to while it was scored (see `plan.Quantization`); else empty."""
    rows: list[str]
    """Ids of the validation rows it was asked."""
    metric: Metric
    threshold: float
    scored: list[Evidence] = []
    """In the order in which they were scored."""
    stopped: str = ""
    """Why nothing was trained; a run that is taken up again after that is trained all the same."""

    def about(self, other: Record) -> bool:
        """Whether both are about the same model, asked the same rows for the same goal."""
        return (self.model, self.packed, self.rows, self.metric, self.threshold) == (
            other.model,
            other.packed,
            other.rows,
            other.metric,
            other.threshold,
        )

    def with_(self, evidence: Evidence) -> Record:
        """The same with one more score."""
        return msgspec.structs.replace(self, scored=[*self.scored, evidence])

    @property
    def best(self) -> Evidence | None:
        """The highest score in the goal's metric, then in F1; of equals the one with the fewest examples."""
        return best_of(self.scored)


def write_record(run: Run, record: Record) -> None:
    """Write `evidence.json`, aside and then renamed."""
    write_json(run.evidence_path, record)


def read_record(run: Run) -> Record | None:
    """The `evidence.json` of `run`; None where nothing was scored, or the file is damaged."""
    try:
        return msgspec.json.decode(run.evidence_path.read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def best_of(scored: Sequence[Evidence]) -> Evidence | None:
    """The highest score in the goal's metric, then in F1; of equals the one with the fewest examples."""
    there = [one for one in scored if not one.skipped]
    return max(there, key=lambda one: (one.goal if one.goal is not None else one.f1, one.f1, -one.shots), default=None)


# -- examples and prompts


def draw_examples(train: Sequence[Row], asked: Sequence[Row], most: int, seed: int) -> list[Row]:
    """At most `most` training rows to show as examples, the same for the same seed.

    The first n of them are the examples of an n-shot prompt, so that more examples are the fewer ones and some. No two
    are of one group, and none is of the group of a row in `asked` or has its prompt. Rows up to the median length in
    characters are drawn first, and kinds of questions and answers that no other example shows.
    """
    taken = {_group(row) for row in asked}
    prompts = {_text(row) for row in asked}
    there = [row for row in train if _group(row) not in taken and _text(row) not in prompts]
    if not there or most < 1:
        return []
    random.Random(seed).shuffle(there)
    short = median_low([_length(row) for row in there])
    there.sort(key=lambda row: _length(row) > short)  # stable: shuffled within both halves
    chosen: list[Row] = []
    groups, kinds, answers = set[str](), set[str](), set[str]()
    for new_kind, new_answer in ((True, True), (False, True), (False, False)):
        for row in there:
            if len(chosen) == most:
                return chosen
            known = (new_kind and _kind(row) in kinds) or (new_answer and row.answer in answers)
            if known or _group(row) in groups:
                continue
            chosen.append(row)
            groups.add(_group(row))
            kinds.add(_kind(row))
            answers.add(row.answer)
    return chosen


def with_examples(prompt: Sequence[Message], examples: Sequence[Row], *, as_text: bool = False) -> list[Message]:
    """`prompt` with `examples` before it: after its own system turn, each as the turns that led to its answer.

    Args:
        as_text: For models without a chat template: everything after the system turn as one text, an empty line
            between its parts. An end mark after each example would end the text there.
    """
    if not examples:
        return list(prompt)
    system, turns = instructions_of(prompt)
    shown: list[Message] = []
    for example in examples:
        shown += [*instructions_of(example.prompt)[1], Message("assistant", example.answer)]
    shown += turns
    if as_text:
        shown = [Message("user", "\n\n".join(message.content for message in shown))]
    return [*system, *shown]


def instructions_of(prompt: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """The turns that instruct the model, and those after them."""
    count = next((at for at, message in enumerate(prompt) if message.role not in ("system", "developer")), len(prompt))
    return list(prompt[:count]), list(prompt[count:])


def cut_answer(answer: str, examples: Sequence[Row]) -> str:
    """The part of a text model's answer that belongs to the question: it goes on with more examples of its own.

    They are parted by empty lines; an answer ends at the first one, unless the examples' own answers have some.
    """
    if any("\n\n" in example.answer for example in examples):
        return answer
    return answer.partition("\n\n")[0].strip()


def does_not_fit(shots: int, examples: int, longest: int, answer: int, positions: int) -> str:
    """Why a prompt with `shots` examples is left out; empty where it is not.

    Args:
        examples: How many there are to show.
        longest: Tokens of the longest prompt with them.
        answer: Tokens that the answer may take.
        positions: Tokens that the model can tell apart.
    """
    if examples < shots:
        there = {0: "no training row", 1: "only one training row"}.get(examples, f"only {examples} training rows")
        return f"{there} can be shown"
    if longest + answer > positions:
        return f"{longest + answer:,} tokens with the answer, the model has {positions:,}"
    return ""


# -- the goal


def goal_scores(metric: Metric, answers: Sequence[str], expected: Sequence[str]) -> list[float] | None:
    """The score of each answer in the goal's metric, 0 to 1; None where that metric is not computed row by row."""
    if measure(metric).needs_model:
        return None
    return [per_row(metric, answer, wanted) for answer, wanted in zip(answers, expected, strict=True)]


def score_interval(scores: Sequence[float], draws: Draws, groups: Sequence[str]) -> Interval:
    """The mean of `scores` with its bootstrap interval; where all rows are right, or all wrong, with an exact bound.

    The bootstrap has nothing to vary there, and an interval without width would promise too much of a few rows.

    Args:
        groups: The group of each row (see `bootstrap.mean_interval`).

    Raises:
        ValueError: No scores, or not as many groups.
    """
    interval = mean_interval(scores, draws, groups)
    bound = unseen_error_bound(group_count(len(scores), groups), draws.confidence)
    if interval.value == 1.0:
        return Interval(1.0, 1.0 - bound, 1.0)
    return Interval(0.0, 0.0, bound) if interval.value == 0.0 else interval


def reaches(evidence: Evidence) -> bool:
    """Whether this score reaches the goal."""
    return evidence.goal is not None and measure(evidence.metric).reaches(evidence.goal, evidence.threshold)


@dataclass(frozen=True)
class Ruling:
    """That there is a way without training, and why."""

    reason: Literal["goal", "approach"]
    text: str
    """Whole sentences, whether or not the run stops for it."""


def rule(plan: Plan, scored: Sequence[Evidence]) -> Ruling | None:
    """Whether nothing needs to be trained: a prompt reaches the goal, or the plan's approach is another."""
    best, approach = best_of(scored), plan.understand.approach
    if best is not None and reaches(best) and best.rows >= LEAST_ROWS:
        text = f"The untouched model{_shown(best)} reaches the goal already: {found(best)}."
        if best.goal_low is not None and best.goal_low < best.threshold:
            text += " On so few rows the true score may also lie below the goal."
        return Ruling("goal", text)
    if approach not in TRAINS:
        reached = f" The untouched model{_shown(best)} has {found(best)}." if best else ""
        return Ruling("approach", f"The plan's approach is {_way(approach)}, not fine-tuning on examples.{reached}")
    return None


def stops_before_training(brief: Understand) -> bool:
    """Whether a run with this brief ends before its training, whatever the scores."""
    return brief.evidence.stop and brief.approach not in TRAINS


def for_prompt_only(plan: Plan) -> Plan:
    """The same plan as one that ends with a prompt file: scored with examples in the prompt, not trained."""
    brief = plan.understand
    approach = "few-shot" if brief.approach in TRAINS else brief.approach
    gate = brief.evidence.model_copy(update={"stop": True})
    if not gate.shots:
        gate = Gate(stop=True)
    return plan.model_copy(update={"understand": brief.model_copy(update={"approach": approach, "evidence": gate})})


def before_training(brief: Understand) -> list[str]:
    """What a run of this plan does before its first step, for a review; empty where it goes straight to the training.

    Without a word about the commands and keys that train all the same: they are the interface's.
    """
    shown, trains = [str(count) for count in sorted(brief.evidence.shots)], brief.approach in TRAINS
    listed = " and ".join(part for part in (", ".join(shown[:-1]), *shown[-1:]) if part)
    noun = "example" if listed == "1" else "examples"
    lines = [f"The untouched model is scored first, with {listed} {noun} in its prompt."] if shown else []
    if stops_before_training(brief):
        lines.append(
            f"The approach is {_way(brief.approach)}, so it stops before the training and writes a prompt file "
            "from your examples."
        )
    elif not trains:
        lines.append(f"The approach is {_way(brief.approach)}; it is trained all the same, to compare.")
    elif shown and brief.evidence.stop:
        lines.append("Where that reaches the goal already, nothing is trained.")
    return lines


def summary(scored: Sequence[Evidence]) -> str:
    """What the best prompt reaches, in one sentence; empty where nothing was scored."""
    best = best_of(scored)
    if best is None:
        return ""
    few = best.rows < LEAST_ROWS and reaches(best)
    text = f"Before the training the untouched model{_shown(best)} has {found(best)}."
    return text + (f" {best.rows} rows are too few to stop for." if few else "")


def found(evidence: Evidence) -> str:
    """`exact match 39.7 % (95 % interval 34.0–45.3 %) on 24 validation rows, goal 95 %`."""
    rows = f"on {evidence.rows} validation {'row' if evidence.rows == 1 else 'rows'}"
    if evidence.goal is None:
        exact = f"exact match {percent(evidence.exact_match)}, F1 {percent(evidence.f1)}"
        return f"{exact} {rows}; its score in the goal's own metric is not known before the training"
    by = measure(evidence.metric)
    text = f"{by.name} {by.told(evidence.goal)}"
    if evidence.goal_low is not None and evidence.goal_high is not None:
        level = f"{round(100 * evidence.confidence, 1):g} %"
        text += f" ({level} interval {by.span(Interval(evidence.goal, evidence.goal_low, evidence.goal_high))})"
    return f"{text} {rows}, goal {by.goal(evidence.threshold)}"


def examples_told(shots: int) -> str:
    """`no example`, `1 example`, `3 examples`."""
    return "no example" if shots == 0 else "1 example" if shots == 1 else f"{shots} examples"


def _way(approach: str) -> str:
    return knob_at("understand.approach").label(approach)


def _shown(evidence: Evidence) -> str:
    return f" with {examples_told(evidence.shots)} in its prompt" if evidence.shots else ""


def _group(row: Row) -> str:
    return " ".join(row.group.casefold().split()) or _text(row)


def _kind(row: Row) -> str:
    """The question without the values of its record: the same for all that one template made."""
    kind = row.question
    for value in sorted(row.record.values(), key=len, reverse=True):
        kind = kind.replace(value, "\0")
    return kind if row.record else ""


def _text(row: Row) -> str:
    return "\0".join(message.content for message in row.prompt)


def _length(row: Row) -> int:
    return sum(len(message.content) for message in row.prompt) + len(row.answer)
