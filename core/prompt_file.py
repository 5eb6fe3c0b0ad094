"""The prompt to use instead of a training: `prompt.md` to read and copy from, `prompt.json` for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from tunesmith.core.bootstrap import Interval
from tunesmith.core.events import Evidence
from tunesmith.core.evidence import Record, examples_told, instructions_of, with_examples
from tunesmith.core.figures import percent
from tunesmith.core.plan import Plan
from tunesmith.core.rows import Message, Row
from tunesmith.core.run import Run, write_json
from tunesmith.core.wording import METRIC_NAMES, plain, span

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


def write_prompt(run: Run, plan: Plan, record: Record, examples: Sequence[Row], *, as_text: bool) -> None:
    """Write both files, aside and then renamed.

    Args:
        record: What was scored; the best of it tells how this prompt does.
        examples: Those that the prompt shows.
        as_text: See `evidence.with_examples`.
    """
    best = record.best
    scored = best if best is not None and best.shots == len(examples) else None
    prompt = _prompt(plan, examples)
    messages = with_examples(prompt, examples, as_text=as_text)
    stop = ["\n\n"] if as_text and examples and not any("\n\n" in row.answer for row in examples) else []
    write_json(
        run.messages_path,
        PromptFile(
            model=plan.select.model,
            messages=[message.as_dict() for message in messages],
            max_new_tokens=plan.evaluate.max_new_tokens,
            examples=len(examples),
            stop=stop,
            scored=scored,
        ),
    )
    aside = run.prompt_path.with_name(run.prompt_path.name + ".part")
    aside.write_text(_document(plan, record, scored, prompt, examples, stop), encoding="utf-8")
    aside.replace(run.prompt_path)


def _prompt(plan: Plan, examples: Sequence[Row]) -> list[Message]:
    """The prompt without examples: the instructions that most of the rows have, and the places for a question."""
    systems = Counter(tuple(instructions_of(row.prompt)[0]) for row in examples)
    common = list(systems.most_common(1)[0][0]) if systems else []
    if not common and plan.prepare.system:
        common = [Message("system", plan.prepare.system)]
    asked = f"{CONTEXT}\n\n{QUESTION}" if any(row.context for row in examples) else QUESTION
    return [*common, Message("user", asked)]


def _document(
    plan: Plan, record: Record, scored: Evidence | None, prompt: list[Message], examples: Sequence[Row], stop: list[str]
) -> str:
    system, turns = instructions_of(prompt)
    parts = [
        f"# A prompt for {plain(plan.name)}",
        f"> {plain(plan.understand.goal, 1000)}",
        "This is what the untouched model was asked, without any training. Put your own question in the place of "
        f"`{QUESTION}`" + (f", and what it is about in the place of `{CONTEXT}`" if CONTEXT in turns[-1].content else "")
        + ". `prompt.json` beside this holds the same as a list of messages for a chat API.",
        "## How well it does",
        _scores(plan, record, scored, len(examples)),
        "## Instructions",
        "\n\n".join(_fenced(message.content) for message in system)
        or "None: your rows have no system prompt (`prepare.system` is empty). To write one that says what a good "
        "answer looks like is the next thing to try; it costs nothing.",
    ]
    if examples:
        parts.append(f"## {'The example' if len(examples) == 1 else f'The {len(examples)} examples'}")
    for number, example in enumerate(examples, 1):
        shown = [*instructions_of(example.prompt)[1], Message("assistant", example.answer)]
        told = "\n\n".join(f"{message.role}:\n\n{_fenced(message.content)}" for message in shown)
        parts += [f"### Example {number}", told]
    parts += ["## Your question", "\n\n".join(f"{turn.role}:\n\n{_fenced(turn.content)}" for turn in turns)]
    if stop:
        parts.append(
            "This model has no chat template: everything after the instructions is one text with an empty line between "
            "its parts, and the answer ends at the first empty line."
        )
    return "\n\n".join(parts) + "\n"


def _scores(plan: Plan, record: Record, scored: Evidence | None, examples: int) -> str:
    """The table of what was scored, and how."""
    if not record.scored:
        return f"It was not scored. The model it was made for: `{plain(plan.select.model)}`."
    metric = METRIC_NAMES.get(record.metric, record.metric)
    lines = ["| Examples in the prompt | Rows | Exact match | F1 | Interval of the goal's metric |", "| ---: " * 5 + "|"]
    for one in record.scored:
        if one.skipped:
            lines.append(f"| {one.shots} | | | | left out: {plain(one.skipped)} |")
            continue
        level = "" if one.goal_low is None or one.goal_high is None else span(Interval(one.goal or 0.0, one.goal_low, one.goal_high))
        here = " (this one)" if one is scored else ""
        lines.append(
            f"| {one.shots}{here} | {one.rows} | {percent(one.exact_match)} | {percent(one.f1)} | {level} |"
        )
    packed = f", its weights packed to {record.packed}" if record.packed else ""
    lines += [
        "",
        f"The model: `{plain(plan.select.model)}`{packed}. Rows: validation rows that no example was taken from. Goal: "
        f"{metric} of {round(100 * record.threshold, 1):g} %. Greedy decoding, at most "
        f"{plan.evaluate.max_new_tokens} new tokens an answer. With {examples_told(examples)} the score was best; the "
        "best of several is a little flattered by chance.",
    ]
    return "\n".join(lines)


def _fenced(text: str) -> str:
    """Text as a block in Markdown: nothing in it is markup, whatever it holds."""
    longest = run = 0
    for sign in text:
        run = run + 1 if sign == "`" else 0
        longest = max(longest, run)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
