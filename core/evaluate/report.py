"""`report.md`: the result of a run for somebody who was not there."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.core.events import Evidence
from tunesmith.core.figures import percent
from tunesmith.core.plan import Plan
from tunesmith.core.results import TEST, Prediction, Results, Scored
from tunesmith.core.wording import certainty_note, code, plain, points, span

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
        _evidence(evidence),
        _probes(results),
        _wrong(wrong, results),
        _method(plan, results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _scores(results: Results) -> str:
    lines = [
        "## Scores on rows that no model was trained on",
        "",
        f"| Model | Rows | Exact match | {_level(results)} interval | F1 | {_level(results)} interval |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for scored in results.scores:
        if scored.rows_kind == TEST:
            cells = [
                percent(scored.exact_match.value),
                span(scored.exact_match),
                percent(scored.f1.value),
                span(scored.f1),
            ]
            lines.append(f"| {scored.model} | {scored.rows} | {' | '.join(cells)} |")
    notes = [certainty_note(s, results.draws.confidence) for s in results.scores if s.rows_kind == TEST]
    lines += ["", *(f"{note}\n" for note in [*notes, *results.notes] if note)]
    return "\n".join(lines).rstrip()


def _change(results: Results) -> str:
    return "\n".join(
        [
            "## The difference, row by row",
            "",
            f"Tuned minus base in percentage points with its {_level(results)} interval, over the same rows: exact "
            f"match {points(results.gain_exact_match)}, F1 {points(results.gain_f1)}. "
            f"{results.became_right} rows became right, {results.became_wrong} that were right became wrong.",
        ]
    )


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
    lines = [
        "## Does it read, or remember?",
        "",
        "| Probe | Rows | Exact match | interval | Same rows asked plainly |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [_probe_line(scored) for scored in probes]
    lines.append("")
    lines += [f"- **{s.rows_kind}**: {s.meaning}" for s in probes]
    return "\n".join(lines)


def _probe_line(scored: Scored) -> str:
    asked_plainly = "" if scored.plain_exact_match is None else percent(scored.plain_exact_match)
    em = scored.exact_match
    return f"| {scored.rows_kind} | {scored.rows} | {percent(em.value)} | {span(em)} | {asked_plainly} |"


def _wrong(wrong: Sequence[Prediction], results: Results) -> str:
    tuned = results.score("tuned")
    if not wrong:
        return "## Rows still wrong\n\nNone." if tuned else ""
    lines = [
        "## Rows still wrong",
        "",
        f"{len(wrong)} of {tuned.rows if tuned else len(wrong)}, the worst F1 first"
        + (
            f"; the first {WRONG_SHOWN} here, all in `predictions/still-wrong.jsonl`."
            if len(wrong) > WRONG_SHOWN
            else "."
        ),
        "",
        "| Question | Wanted | Answered | F1 |",
        "| --- | --- | --- | ---: |",
    ]
    lines += [
        f"| {code(p.question)} | {code(p.expected)} | {code(p.answer)} | {percent(p.f1)} |" for p in wrong[:WRONG_SHOWN]
    ]
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
            f"- Greedy decoding, at most {results.max_new_tokens} new tokens an answer; both got the same prompts.",
            f"- Rows for testing: {percent(split.test)} of the data, drawn with seed {split.seed}; {together}.",
            f"- Intervals: percentile bootstrap (Efron & Tibshirani 1993), {results.draws.resamples} draws of whole "
            f"groups of rows, seed {results.draws.seed}, confidence {_level(results)}.",
            f"- Training seed {plan.select.hyperparameters.seed}. Answers row by row are in `predictions/`.",
            f"- Versions: {versions}.",
        ]
    )


def _level(results: Results) -> str:
    return f"{round(100 * results.draws.confidence, 1):g} %"
