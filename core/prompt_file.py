"""The prompt to use instead of a training: `prompt.md` to read and copy from, `prompt.json` for programs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from tunesmith.core.bootstrap import Interval
from tunesmith.core.events import Evidence
from tunesmith.core.evidence import Record, instructions_of, with_examples
from tunesmith.core.figures import percent
from tunesmith.core.measures import ALWAYS, measure
from tunesmith.core.plan import Plan
from tunesmith.core.rows import Message, Row
from tunesmith.core.run import Run, write_json
from tunesmith.core.wording import code, plain

QUESTION, CONTEXT = "{question}", "{context}"
"""Where your own question, and what it is about, go in."""


class PromptFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """`prompt.json`."""

    model: str
    messages: list[dict[str, str]]
    """Role and content, as chat APIs take them; the last one holds the places for the question."""
    max_new_tokens: int
    examples: int
    stop: list[str] = []
    """Texts at which an answer ends, for a model without a chat template."""
    scored: Evidence | None = None
    """How the untouched model did with it; None where it was not scored."""


def write_prompt(run: Run, plan: Plan, record: Record, drawn: Sequence[Row], shots: int, *, as_text: bool) -> None:
    """Write both files, aside and then renamed.

    Args:
        record: What was scored.
        drawn: Training rows that may be shown; the prompt shows the first `shots` of them.
        as_text: See `evidence.with_examples`.
    """
    scored = next((one for one in record.scored if one.shots == shots and not one.skipped), None)
    prompt, examples = _prompt(plan, drawn), drawn[:shots]
    messages = with_examples(prompt, examples, as_text=as_text)
    stop = ["\n\n"] if as_text and examples and not any("\n\n" in row.answer for row in examples) else []
    told = PromptFile(
        model=plan.select.model,
        messages=[message.as_dict() for message in messages],
        max_new_tokens=plan.evaluate.max_new_tokens,
        examples=len(examples),
        stop=stop,
        scored=scored,
    )
    write_json(run.messages_path, told)
    parts = [*_opening(plan, prompt), _scores(plan, record, scored), *_prompt_told(prompt, examples)]
    if stop:
        parts.append(
            "This model has no chat template: everything after the instructions is one text with an empty line between "
            "its parts, and the answer ends at the first empty line."
        )
    aside = run.prompt_path.with_name(run.prompt_path.name + ".part")
    aside.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    aside.replace(run.prompt_path)


def _prompt(plan: Plan, drawn: Sequence[Row]) -> list[Message]:
    """The prompt without examples: the instructions that most of the rows have, and the places for a question."""
    systems = Counter(tuple(instructions_of(row.prompt)[0]) for row in drawn)
    common = list(systems.most_common(1)[0][0]) if systems else []
    if not common and plan.prepare.system:
        common = [Message("system", plan.prepare.system)]
    asked = f"{CONTEXT}\n\n{QUESTION}" if any(row.context for row in drawn) else QUESTION
    return [*common, Message("user", asked)]


def _opening(plan: Plan, prompt: Sequence[Message]) -> list[str]:
    about = f", and what it is about in the place of `{CONTEXT}`" if CONTEXT in prompt[-1].content else ""
    return [
        f"# A prompt for {plain(plan.name)}",
        f"> {plain(plan.understand.goal, 1000)}",
        "This is what the untouched model was asked, without any training. Put your own question in the place of "
        f"`{QUESTION}`{about}. `prompt.json` beside this holds the same as a list of messages for a chat API.",
        "## How well it does",
    ]


def _scores(plan: Plan, record: Record, scored: Evidence | None) -> str:
    """The table of what was scored, and how."""
    if not record.scored:
        return f"It was not scored. The model it was made for: `{plain(plan.select.model)}`."
    by = measure(record.metric)
    own = "" if record.metric in ALWAYS else f" {by.title} |"
    head = f"| Examples in the prompt | Rows | Exact match | F1 |{own} Interval of {by.name} |"
    lines = [head, "| ---: " * (head.count("|") - 1) + "|"]
    lines += [_score_line(one, " (this prompt)" if one is scored else "") for one in record.scored]
    packed = f", its weights packed to {record.packed}" if record.packed else ""
    lines += [
        "",
        f"The model: `{plain(plan.select.model)}`{packed}. Rows: validation rows; no example is of one of their "
        f"groups. Goal: {by.name} of {by.goal(record.threshold)}. Greedy decoding, at most "
        f"{plan.evaluate.max_new_tokens} new tokens an answer. The best of several scores is a little flattered by "
        "chance.",
    ]
    return "\n".join(lines)


def _score_line(one: Evidence, which: str) -> str:
    if one.skipped:
        blank = " |" * (3 if one.metric in ALWAYS else 4)
        return f"| {one.shots} |{blank} left out: {code(one.skipped)} |"
    by, low, high = measure(one.metric), one.goal_low, one.goal_high
    interval = "" if low is None or high is None else by.span(Interval(one.goal or 0.0, low, high))
    own = "" if one.metric in ALWAYS else f" {by.maybe(one.goal)} |"
    return f"| {one.shots}{which} | {one.rows} | {percent(one.exact_match)} | {percent(one.f1)} |{own} {interval} |"


def _prompt_told(prompt: Sequence[Message], examples: Sequence[Row]) -> list[str]:
    """Instructions, examples and the place for the question, to be read and copied."""
    system, turns = instructions_of(prompt)
    instructions = "\n\n".join(_fenced(message.content) for message in system)
    parts = [
        "## Instructions",
        instructions
        or "None: your rows have no system prompt (`prepare.system` is empty). To write one that says what a good "
        "answer looks like is the next thing to try; it costs nothing.",
    ]
    for number, example in enumerate(examples, 1):
        shown = [*instructions_of(example.prompt)[1], Message("assistant", example.answer)]
        parts += [f"## Example {number}", *(_turn(message) for message in shown)]
    return [*parts, "## Your question", *(_turn(turn) for turn in turns)]


def _turn(message: Message) -> str:
    return f"{message.role}:\n\n{_fenced(message.content)}"


def _fenced(text: str) -> str:
    """Text as a block in Markdown: nothing in it is markup, whatever it holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
