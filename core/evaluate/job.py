"""The evaluation job: the untouched and the tuned model on the same held-out rows, the probes, the verdict.

Read from top to bottom it is the whole way: rows, models, answers, comparison, report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tunesmith.core import measures
from tunesmith.core.adapters import told_bits
from tunesmith.core.bootstrap import Draws, Interval
from tunesmith.core.evaluate.probes import MEANING, probe_rows
from tunesmith.core.evaluate.report import report
from tunesmith.core.evaluate.slices import slices
from tunesmith.core.events import Verdict, Written
from tunesmith.core.evidence import read_record
from tunesmith.core.jobs import environment
from tunesmith.core.plan import Plan
from tunesmith.core.results import (
    Prediction,
    Results,
    Scored,
    still_wrong_path,
    write_predictions,
    write_results,
)
from tunesmith.core.rows import Row
from tunesmith.core.run import Run
from tunesmith.core.wording import headline, plain, verdict
from tunesmith.core.worker.answers import Asker, base_model, draws_of, free_memory, held_out_rows
from tunesmith.core.worker.job import Job
from tunesmith.core.worker.model import load_model, load_tokenizer
from tunesmith.core.worker.tuned import load_tuned, tuned_folder, with_adapter

STAGE = "evaluate"
WRONG_TOLD = 5
"""Rows still wrong that are told as findings; the report has more, the file all."""
PACKAGES = ("torch", "transformers", "peft", "evaluate", "bitsandbytes")

QUANTIZED_NOTE = (
    "The base model was scored with its own weights, not packed: what stands without any tuning. The tuned model was "
    "scored as it was trained, the adapter over {bits} weights."
)

Answered = tuple[Scored, list[Prediction]]


def work(job: Job) -> str:
    """Score both models, probe the tuned one, write report and results; returns the headline.

    Raises:
        DataError: There are no held-out rows.
        RunError: There is no tuned model yet.
        ModelError: A model can't be loaded.
        Stopped: The person asked to stop; nothing is lost, the stage begins again.
    """
    plan, run = job.plan, job.run
    rows = held_out_rows(run)
    tokenizer = load_tokenizer(tuned_folder(plan, run))
    base, tuned, probes = _ask_models(Asker(job, STAGE, tokenizer), rows)
    wrong = worst_first([p for p in tuned[1] if p.exact_match < 1], plan.understand.metric)
    results = _results(job, base, tuned, probes, unit="questions" if any(row.question for row in rows) else "rows")
    write_predictions(still_wrong_path(run), wrong)
    write_results(run, results)
    before = read_record(run)
    _write_report(run, report(plan, results, wrong, before.scored if before else ()))
    for note in results.notes:
        job.finding(STAGE, note)
    _tell_wrong(job, wrong)
    job.emit(Verdict(reached=results.reached, text=results.verdict))
    job.emit(Written(what="report", path=run.report_path.name, bytes=run.report_path.stat().st_size))
    return results.headline


def _ask_models(asker: Asker, rows: Sequence[Row]) -> tuple[Answered, Answered, list[Scored]]:
    """The answers of the base and of the tuned model to `rows`, and the tuned model's scores in the probes."""
    plan, run = asker.job.plan, asker.job.run
    path = base_model(plan).path
    if plan.select.method == "lora":
        # One model serves both: without the adapter it is the untouched one, weight for weight.
        both = with_adapter(load_model(path, plan.select, quantized=False), tuned_folder(plan, run))
        with both.disable_adapter():
            base = asker.ask(both, rows, "base")
        tuned = asker.ask(both, rows, "tuned")
        return base, tuned, _ask_probes(asker, both, rows, tuned[1])
    base = _ask_base(asker, path, rows)
    free_memory()
    model = load_tuned(plan, run, path)
    tuned = asker.ask(model, rows, "tuned")
    return base, tuned, _ask_probes(asker, model, rows, tuned[1])


def _ask_base(asker: Asker, path: str, rows: Sequence[Row]) -> Answered:
    """A function of its own, so that the untouched model is out of memory before the tuned one is loaded."""
    return asker.ask(load_model(path, asker.job.plan.select, quantized=False), rows, "base")


def _ask_probes(asker: Asker, model: Any, rows: Sequence[Row], plainly: Sequence[Prediction]) -> list[Scored]:
    """The tuned model's scores in the plan's probes, each beside its score on the same rows asked plainly."""
    job = asker.job
    said, metric = {p.id: p for p in plainly}, measures.leading(job.plan.understand.metric)
    scores = []
    for kind in job.plan.evaluate.probes:
        asked = probe_rows(kind, rows, job.plan.prepare, job.plan.evaluate.probe_rows)
        if not asked:
            job.finding(STAGE, f"The probe {kind} fits none of these rows and was left out.")
            continue
        scored, _ = asker.ask(model, asked, "tuned", kind)
        same = [said[row.id] for row in asked]
        plain_score = None if scored.score is None else _overall(metric, same)
        scores.append(
            msgspec.structs.replace(
                scored,
                plain_exact_match=sum(p.exact_match for p in same) / len(same),
                plain_score=plain_score,
                meaning=MEANING[kind],
            )
        )
    return scores


def _overall(metric: str, predictions: Sequence[Prediction]) -> float | None:
    told = [(p.score, p.tokens) for p in predictions if p.score is not None]
    return measures.overall(metric, [score for score, _ in told], [tokens for _, tokens in told]) if told else None


def _results(job: Job, base: Answered, tuned: Answered, probes: list[Scored], *, unit: str) -> Results:
    plan = job.plan
    metric = plan.understand.metric
    reached, sentence = verdict(plan.understand, tuned[0])
    pairs = list(zip(base[1], tuned[1], strict=True))
    goodness = measures.measure(metric).goodness
    by_metric = [
        (goodness(before), goodness(after))
        for before, after in ((b.by(metric), t.by(metric)) for b, t in pairs)
        if before is not None and after is not None
    ]
    return Results(
        goal=plan.understand.goal,
        metric=metric,
        threshold=plan.understand.threshold,
        reached=reached,
        verdict=sentence,
        headline=headline(base[0], tuned[0], unit, metric),
        scores=[base[0], tuned[0], *probes],
        gain_exact_match=_gain("exact_match", pairs, draws_of(plan)),
        gain_f1=_gain("f1", pairs, draws_of(plan)),
        became_right=sum(after.exact_match > before.exact_match for before, after in pairs),
        became_wrong=sum(after.exact_match < before.exact_match for before, after in pairs),
        draws=draws_of(plan),
        max_new_tokens=plan.evaluate.max_new_tokens,
        versions=environment((*PACKAGES, "sacrebleu") if metric == "bleu" else PACKAGES),
        notes=_notes(plan, tuned[1]),
        gain_score=_gain(metric, pairs, draws_of(plan)) if tuned[0].score else None,
        became_better=sum(after > before for before, after in by_metric),
        became_worse=sum(after < before for before, after in by_metric),
        slices=slices(base[1], tuned[1], metric, draws_of(plan)),
    )


def _gain(metric: str, pairs: Sequence[tuple[Prediction, Prediction]], draws: Draws) -> Interval:
    """Tuned − base over the rows that `metric` measured in both."""
    told = [(b.by(metric), t.by(metric), t) for b, t in pairs]
    kept = [(before, after, row) for before, after, row in told if before is not None and after is not None]
    return measures.gain(
        metric,
        [before for before, _, _ in kept],
        [after for _, after, _ in kept],
        draws,
        [row.group for _, _, row in kept],
        [row.tokens for _, _, row in kept],
    )


def _notes(plan: Plan, tuned: Sequence[Prediction]) -> list[str]:
    notes = [QUANTIZED_NOTE.format(bits=told_bits(plan.select))] if plan.select.method == "qlora" else []
    unmeasured = sum(p.by(plan.understand.metric) is None for p in tuned)
    if unmeasured:
        notes.append(
            f"{unmeasured} of {len(tuned)} rows were cut before their answer, after "
            f"{plan.select.hyperparameters.max_length} tokens, and do not count in the perplexity."
        )
    return notes


def _write_report(run: Run, text: str) -> None:
    aside = run.report_path.with_name(run.report_path.name + ".part")
    aside.write_text(text, "utf-8")
    aside.replace(run.report_path)


def worst_first(wrong: Sequence[Prediction], metric: str) -> list[Prediction]:
    """Rows by what the plan measures, the worst first; F1 where that tells only right from wrong, and for ties."""
    shown = measures.measure(metric)

    def goodness(p: Prediction) -> tuple[float, float]:
        score = p.by(metric) if shown.graded else None
        return (0.0 if score is None else shown.goodness(score)), p.f1

    return sorted(wrong, key=goodness)


def _tell_wrong(job: Job, wrong: Sequence[Prediction]) -> None:
    """The worst rows as findings, after how many there are."""
    graded = measures.measure(job.plan.understand.metric).graded
    if not wrong:
        job.finding(STAGE, "Every answer is right to the letter." if graded else "No test row is wrong.", "ok")
        return
    noun = "test row is" if len(wrong) == 1 else "test rows are"
    still = "not right to the letter" if graded else "still wrong"
    job.finding(STAGE, f"{len(wrong)} {noun} {still}; all are in predictions/still-wrong.jsonl.", count=len(wrong))
    for p in wrong[:WRONG_TOLD]:
        answered = plain(p.answer, 80) or "(nothing)"
        told = "Furthest off" if graded else "Still wrong"
        job.finding(STAGE, f"{told}: {plain(p.question)} → {answered}, wanted {plain(p.expected, 80)}")
