"""`report.md`: the result of a run for somebody who was not there."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.core.after_launch import TITLE, after_launch
from tunesmith.core.evaluate.slices import worse_than_the_rest
from tunesmith.core.events import Evidence
from tunesmith.core.figures import percent
from tunesmith.core.measures import ALWAYS, leading, measure
from tunesmith.core.plan import Plan, Split
from tunesmith.core.results import TEST, Prediction, Results, Scored
from tunesmith.core.wording import certainty_note, code, plain

WRONG_SHOWN = 20
"""Rows still wrong that the report lists; the file beside the predictions has all of them."""


def report(plan: Plan, results: Results, wrong: Sequence[Prediction], evidence: Sequence[Evidence] = ()) -> str:
    """The report as Markdown.

    Args:
        wrong: The rows that the tuned model gets wrong, worst first.
        evidence: What the untouched model was scored at before the training.
    """
    parts = [
        f"# {plain(plan.name)}: what the tuning was worth",
        f"> {plain(results.goal, 1000)}",
        f"**{results.verdict}.**\n\n{results.headline}.",
        _scores(results),
        _change(results),
        _slices(results),
        _evidence(evidence),
        _probes(results),
        _wrong(wrong, results),
        f"## {TITLE}\n\n{after_launch(plan.understand)}",
        _method(plan, results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _scores(results: Results) -> str:
    level = f"{_level(results)} interval"
    shown = [measure(key) for key in _metrics(results)]
    lines = [
        "## Scores on rows that no model was trained on",
        "",
        f"| Model | Rows |{''.join(f' {one.title} | {level} |' for one in shown)}",
        f"| --- | ---: |{' ---: | ---: |' * len(shown)}",
    ]
    tests = [scored for scored in results.scores if scored.rows_kind == TEST]
    for scored in tests:
        cells = [cell for one in shown for cell in _cells(scored, one.key)]
        lines.append(f"| {scored.model} | {scored.rows} | {' | '.join(cells)} |")
    certain = [] if measure(results.metric).graded else [certainty_note(s, results.draws.confidence) for s in tests]
    lines += ["", *(f"{note}\n" for note in [*certain, *results.notes] if note)]
    if any(scored.corpus for scored in tests):
        lines += ["Over all rows at once, as sacrebleu prints it:", "", "```"]
        lines += [*(f"{scored.model}: {scored.corpus}" for scored in tests if scored.corpus), "```"]
    return "\n".join(lines).rstrip()


def _metrics(results: Results) -> tuple[str, ...]:
    """What the tables show: exact match and F1, and the plan's metric where it is another one."""
    return ALWAYS if results.metric in ALWAYS else (*ALWAYS, results.metric)


def _cells(scored: Scored, metric: str) -> tuple[str, str]:
    value, shown = scored.by(metric), measure(metric)
    return (shown.told(value.value), shown.span(value)) if value else ("–", "–")


def _change(results: Results) -> str:
    metric, gain, change = measure(results.metric), results.gain, measure("exact_match").change
    chosen = lower = ""
    if metric.key not in ALWAYS and gain is not None:
        lower = f" For {metric.name} lower is better." if metric.lower_is_better else ""
        unit = "" if metric.share else " (a plain number)"
        chosen = f", {metric.name}{unit} {metric.change(gain)}"
    graded = (
        f" By {metric.name} {results.became_better} rows became better, {results.became_worse} worse."
        if metric.graded
        else ""
    )
    return "\n".join(
        [
            "## The difference, row by row",
            "",
            f"Tuned minus base in percentage points with its {_level(results)} interval, over the same rows: exact "
            f"match {change(results.gain_exact_match)}, F1 {change(results.gain_f1)}{chosen}.{lower} "
            f"{results.became_right} rows became right, {results.became_wrong} that were right became wrong.{graded}",
        ]
    )


def _slices(results: Results) -> str:
    """The score for each value of the columns that were named."""
    if not results.slices:
        return ""
    metric = measure(results.metric)
    tuned = results.score("tuned")
    worse = worse_than_the_rest(
        results.slices, tuned.by(results.metric) if tuned else None, lower_is_better=metric.lower_is_better
    )
    lines = [
        "## By group",
        "",
        f"{metric.title} of the untouched and of the tuned model for each value, with the {_level(results)} interval. "
        "Few rows tell little: look at the interval before at the value.",
        "",
        "| Column | Value | Rows | Base | Tuned | interval |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for one in results.slices:
        base = metric.told(one.base.value) if one.base else "–"
        after, span = (metric.told(one.tuned.value), metric.span(one.tuned)) if one.tuned else ("–", "–")
        lines.append(f"| {code(one.column)} | {code(one.value)} | {one.rows} | {base} | {after} | {span} |")
    if worse:
        named = ", ".join(code(f"{one.column}: {one.value}") for one in worse)
        lines += ["", f"Worse than all rows together, by the whole interval: {named}."]
    return "\n".join(lines)


def _evidence(evidence: Sequence[Evidence]) -> str:
    """What prompting alone reached on the validation rows."""
    if not evidence:
        return ""
    lines = [
        "## What a prompt alone reaches",
        "",
        "The untouched model on validation rows, before the training, with examples from the training rows in its "
        "prompt. Other rows than above, and few of them: compare with care.",
        "",
        "| Examples in the prompt | Rows | Exact match | F1 |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for one in evidence:
        figures = f"{percent(one.exact_match)} | {percent(one.f1)}"
        cells = f" | left out: {code(one.skipped)} | " if one.skipped else f" {one.rows} | {figures} "
        lines.append(f"| {one.shots} |{cells}|")
    return "\n".join(lines)


def _probes(results: Results) -> str:
    probes = [scored for scored in results.scores if scored.rows_kind != TEST]
    if not probes:
        return ""
    metric = leading(results.metric)
    lines = [
        "## Does it read, or remember?",
        "",
        f"| Probe | Rows | {measure(metric).title} | interval | Same rows asked plainly |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [_probe_line(scored, metric) for scored in probes]
    lines.append("")
    lines += [f"- **{s.rows_kind}**: {s.meaning}" for s in probes]
    return "\n".join(lines)


def _probe_line(scored: Scored, metric: str) -> str:
    plainly = scored.plainly(metric)
    asked_plainly = "" if plainly is None else measure(metric).told(plainly)
    value, bounds = _cells(scored, metric)
    return f"| {scored.rows_kind} | {scored.rows} | {value} | {bounds} | {asked_plainly} |"


def _wrong(wrong: Sequence[Prediction], results: Results) -> str:
    tuned, metric = results.score("tuned"), measure(results.metric)
    by = metric if metric.graded else measure("f1")
    title = "## Rows that are not right to the letter" if metric.graded else "## Rows still wrong"
    if not wrong:
        return f"{title}\n\nNone." if tuned else ""
    lines = [
        title,
        "",
        f"{len(wrong)} of {tuned.rows if tuned else len(wrong)}, the worst {by.name} first"
        + (
            f"; the first {WRONG_SHOWN} here, all in `predictions/still-wrong.jsonl`."
            if len(wrong) > WRONG_SHOWN
            else "."
        ),
        "",
        f"| Question | Wanted | Answered | {by.title} |",
        "| --- | --- | --- | ---: |",
    ]
    for p in wrong[:WRONG_SHOWN]:
        value = p.by(by.key)
        told = "–" if value is None else by.told(value)
        lines.append(f"| {code(p.question)} | {code(p.expected)} | {code(p.answer)} | {told} |")
    return "\n".join(lines)


def _method(plan: Plan, results: Results) -> str:
    split = plan.prepare.split
    together = f"all rows of one `{plain(split.by)}` stay in one part" if split.by else "rows are divided one by one"
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    return "\n".join(
        [
            "## How it was measured",
            "",
            "- Exact match and token F1 as in SQuAD (Rajpurkar et al. 2016): both texts in lower case, without "
            "punctuation and the articles a, an, the, white space collapsed; then equal, or the harmonic mean of "
            "precision and recall over words. So `2020-04-10` is compared as `20200410`.",
            *([] if results.metric in ALWAYS else [_chosen_method(plan, results)]),
            f"- Greedy decoding, at most {results.max_new_tokens} new tokens an answer; both got the same prompts.",
            f"- Rows for testing: {_test_rows(split)}; {together}.",
            f"- Intervals: percentile bootstrap (Efron & Tibshirani 1993), {results.draws.resamples} draws of whole "
            f"groups of rows, seed {results.draws.seed}, confidence {_level(results)}.",
            f"- Training seed {plan.select.hyperparameters.seed}. Answers row by row are in `predictions/`.",
            f"- Versions: {versions}.",
        ]
    )


def _chosen_method(plan: Plan, results: Results) -> str:
    metric = measure(results.metric)
    cut = f" Rows are cut at {plan.select.hyperparameters.max_length} tokens, as in training."
    return f"- {metric.title}: {metric.how}.{cut if metric.needs_model else ''}"


def _level(results: Results) -> str:
    return f"{round(100 * results.draws.confidence, 1):g} %"


def _test_rows(split: Split) -> str:
    if split.test_file is not None:
        return "those of a file of their own"
    told = percent(split.test) if split.test < 1 else f"{split.test:,.0f} rows"
    return (
        f"the newest {told} of the data by {split.time}"
        if split.time
        else f"{told} of the data, drawn with seed {split.seed}"
    )
