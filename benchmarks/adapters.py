"""How well each kind of adapter learns the practice task, at which rate and at what size.

    .venv/bin/python benchmarks/adapters.py [--kinds lora ia3] [--rates 1e-3 1e-2] [--rows 90] [--set PATH=VALUE]

Each run is the wizard's own training of the practice project with one kind of adapter, everything else as recommended;
then the same held-out questions are asked. Prints a line a run: kind, rate, trained parameters, seconds of the training
with its looks at the validation rows, exact match in per cent.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

from tunesmith.core.draft import Wishes
from tunesmith.core.events import Decision, EventReader, EventWriter
from tunesmith.core.facts import Facts
from tunesmith.core.finetune.job import work as finetune
from tunesmith.core.jobs import Helper
from tunesmith.core.launch import new_run
from tunesmith.core.metrics import exact_match
from tunesmith.core.plan import RANKED, VIRTUAL
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.job import work as prepare
from tunesmith.core.recommend import resolve
from tunesmith.core.rows import read_rows
from tunesmith.core.survey import survey
from tunesmith.core.worker.answers import base_model
from tunesmith.core.worker.generate import answer_all
from tunesmith.core.worker.job import Job
from tunesmith.core.worker.model import load_tokenizer
from tunesmith.core.worker.tuned import load_tuned

KINDS = (*RANKED, "ia3", "ln-tuning", *VIRTUAL)


def one(wishes: Wishes, facts: Facts, rows: int) -> str:
    plan = resolve(wishes, facts).plan
    run = new_run(plan)
    job = Job(run, plan, EventWriter(run.events_path))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        prepare(job)
        began = time.monotonic()
        finetune(job)
        seconds = time.monotonic() - began
        asked = list(read_rows(run.rows_path("test")))[:rows]
        path = base_model(plan).path
        answers = answer_all(
            load_tuned(plan, run, path),
            load_tokenizer(path),
            [row.prompt for row in asked],
            max_new_tokens=plan.evaluate.max_new_tokens,
            batch_size=plan.evaluate.batch_size,
        )
    right = sum(exact_match(answer, row.answer) for answer, row in zip(answers, asked, strict=True)) / len(asked)
    events = EventReader(run.events_path).read()
    told = next(e.value for e in events if isinstance(e, Decision) and e.name == "Trained parameters")
    rate = f"{plan.select.hyperparameters.learning_rate:g}"
    return f"{plan.select.peft:<10}{rate:>8}{told.partition(' ')[0]:>10}{seconds:>9.0f}{100 * right:>9.1f}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    parser.add_argument("--rates", type=float, nargs="+", default=[None])
    parser.add_argument("--rows", type=int, default=90)
    parser.add_argument("--set", nargs="+", default=[])
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    more = {path: float(value) if "." in value else int(value) for path, value in (w.split("=") for w in given.set)}
    practice = {"prepare.data": PRACTICE, "select.model": PRACTICE}
    with Helper() as helper:
        facts = survey(practice, Path.cwd(), helper).facts
    print(f"{'kind':<10}{'rate':>8}{'trained':>10}{'seconds':>9}{'exact %':>9}", file=sys.stdout)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNESMITH_RUNS"] = folder
        for kind in given.kinds:
            for rate in given.rates:
                wishes = practice | {"select.peft": kind} | more
                wishes |= {} if rate is None else {"select.hyperparameters.learning_rate": rate}
                print(one(wishes, facts, given.rows), flush=True)


if __name__ == "__main__":
    main()
